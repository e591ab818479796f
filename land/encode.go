package land

import (
	"fmt"
	"io"

	"github.com/weirhq/weir/land/parquet"
)

// encoder writes one table's batches in one format.
type encoder interface {
	write(*batch) error
	// close ends the file; it does not close the writer below.
	close() error
}

func newEncoder(w io.Writer, t Table, target Target) (encoder, error) {
	if packing := target.Format.Packing(); packing != "" {
		packed, err := pack(w, packing)
		if err != nil {
			return nil, err
		}
		target.Format = target.Format.Plain()
		inner, err := newEncoder(packed, t, target)
		return packedEncoder{inner, packed}, err
	}
	switch target.Format {
	case Parquet:
		return newParquetEncoder(w, t), nil
	case CSV:
		return newCSVEncoder(w, t, target.CSVSafe)
	case JSONL:
		return newJSONLEncoder(w, t)
	}
	return nil, fmt.Errorf("encode %s: unknown format %q", t.Name, string(target.Format))
}

// parquetEncoder hands batches to the Parquet room. Numbers become doubles; a
// literal that no double names goes to _extra as well.
type parquetEncoder struct {
	file    *parquet.Writer
	table   Table
	extra   int
	columns []parquet.Values
}

func newParquetEncoder(w io.Writer, t Table) *parquetEncoder {
	var columns []parquet.Column
	for _, c := range t.Columns {
		columns = append(columns, parquet.Column{Name: c.Name, Kind: parquetKind(c.Kind)})
	}
	return &parquetEncoder{
		file: parquet.NewWriter(w, t.Name, columns), table: t,
		extra: t.column("_extra"), columns: make([]parquet.Values, len(columns)),
	}
}

func parquetKind(kind Kind) parquet.Kind {
	switch kind {
	case Number:
		return parquet.Double
	case Bool:
		return parquet.Bool
	case Instant:
		return parquet.Millis
	case Date:
		return parquet.Date
	case Integer:
		return parquet.Integer
	case JSON:
		return parquet.Document
	}
	return parquet.String
}

func (e *parquetEncoder) write(b *batch) error {
	lost := newLostNumbers(b, e.extra)
	for i := range b.cols {
		v, to := &b.cols[i], &e.columns[i]
		to.Codes, to.Present, to.Ints = v.codes, v.tags, v.vals
		if v.kind.coded() {
			to.Text = v.texts.at
		}
		if v.kind == Number {
			e.doubles(v, to, lost, i)
		}
	}
	if lost.rows != nil {
		extra, err := lost.extra(e.table)
		if err != nil {
			return err
		}
		e.columns[e.extra].Codes, e.columns[e.extra].Text = extra.codes, extra.texts.at
	}
	return e.file.Write(b.rows, e.columns)
}

// doubles fills in the doubles of a column. A number beyond the range of a
// double is null, never an infinity or a zero.
func (e *parquetEncoder) doubles(v *vector, to *parquet.Values, lost *lostNumbers, column int) {
	to.Doubles = resize(to.Doubles, len(v.tags))
	copied := false
	for row, tag := range v.tags {
		if tag == tagNull {
			continue
		}
		value, survives := v.float(row)
		to.Doubles[row] = value
		if survives {
			continue
		}
		lost.add(row, column)
		if value != value { // NaN: none
			if !copied {
				to.Present, copied = append([]uint8(nil), v.tags...), true
			}
			to.Present[row] = tagNull
		}
	}
}

func (e *parquetEncoder) close() error { return e.file.Close() }
