package parquet

import "encoding/binary"

// appendHybrid appends values of a bit width in the hybrid of runs and
// bit-packed values that Parquet keeps levels and dictionary indices in.
func appendHybrid(dst []byte, values []uint32, width int) []byte {
	// A run pays where it is shorter than the values it stands for, the head of
	// the packed values behind it included.
	worth := max(8, (48/width+7)/8*8)
	packed := 0 // where the values begin that stand before the run at hand
	for i := 0; i < len(values); {
		end := i + 1
		for end < len(values) && values[end] == values[i] {
			end++
		}
		fill := -(i - packed) & 7 // packed values come in groups of eight
		if end-i-fill >= worth {
			dst = appendPacked(dst, values[packed:i+fill], width)
			dst = appendRun(dst, values[i], end-i-fill, width)
			packed = end
		}
		i = end
	}
	return appendPacked(dst, values[packed:], width)
}

func appendRun(dst []byte, value uint32, length, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(length)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

func appendPacked(dst []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	whole := len(dst) + groups*width
	var word uint64
	held := 0
	for _, value := range values {
		word |= uint64(value) << held
		if held += width; held >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word >>= 32
			held -= 32
		}
	}
	for len(dst) < whole {
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst
}
