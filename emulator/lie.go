package emulator

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Bomb is a document that is made to hurt who reads it.
type Bomb string

// The bombs.
const (
	// BombNesting is an entry whose member holds arrays within arrays.
	BombNesting Bomb = "nesting"
	// BombString is an entry with one text that hardly ends.
	BombString Bomb = "string"
	// BombMembers is an entry with very many members.
	BombMembers Bomb = "members"
)

// Zip is how a body is compressed that nobody asked to be.
type Zip string

// The ways.
const (
	ZipLabelled Zip = "labelled" // with Content-Encoding: gzip
	ZipBare     Zip = "bare"     // without
)

// bombReply is an answer with a bomb of that many levels, bytes or members,
// whole and well-formed otherwise.
func bombReply(kind Bomb, size int64) reply {
	return reply{status: http.StatusOK, header: map[string]string{"Content-Type": "application/json"}, stream: func(to io.Writer) error {
		w := bufio.NewWriterSize(to, 64<<10)
		if _, err := io.WriteString(w, `{"entries":[{"userId":"u","fieldId":"f","odd":`); err != nil {
			return err
		}
		if err := writeBomb(w, kind, size); err != nil {
			return err
		}
		if _, err := io.WriteString(w, `}],"users":[],"fields":[],"timePeriods":[],"timeFrames":[]}`); err != nil {
			return err
		}
		return w.Flush()
	}}
}

func writeBomb(w io.Writer, kind Bomb, size int64) error {
	switch kind {
	case BombNesting:
		return inSteps(w, "[", size, "]", size)
	case BombString:
		if _, err := io.WriteString(w, `"`); err != nil {
			return err
		}
		return inSteps(w, "a", size, `"`, 1)
	}
	if _, err := io.WriteString(w, `0`); err != nil {
		return err
	}
	for n := range size {
		if _, err := fmt.Fprintf(w, `,"m%d":%d`, n, n); err != nil {
			return err
		}
	}
	return nil
}

// inSteps writes one byte so often and then the other.
func inSteps(w io.Writer, first string, n int64, second string, m int64) error {
	for _, part := range []struct {
		text string
		left int64
	}{{first, n}, {second, m}} {
		const step = 64 << 10
		block := strings.Repeat(part.text, step)
		for part.left > 0 {
			k := min(part.left, step)
			if _, err := io.WriteString(w, block[:k]); err != nil {
				return err
			}
			part.left -= k
		}
	}
	return nil
}

// zipped compresses what an answer writes.
func (a reply) zipped() reply {
	plain := a
	a.sized, a.stream = false, func(w io.Writer) error {
		packed := gzip.NewWriter(w)
		if err := plain.writeTo(packed); err != nil {
			return err
		}
		return packed.Close()
	}
	return a
}

// garbler overwrites the byte at an offset with one that no UTF-8 has.
type garbler struct {
	w      io.Writer
	offset int64
}

func (g *garbler) Write(p []byte) (int, error) {
	if g.offset >= 0 && g.offset < int64(len(p)) {
		p = append([]byte{}, p...)
		p[g.offset] = 0xff
	}
	g.offset -= int64(len(p))
	return g.w.Write(p)
}
