package land_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

// stream generates a result of many entries without holding it, and looks at
// the live heap on the way.
type stream struct {
	rows, row int
	rest      string
	peak      *peak
}

func (s *stream) Read(p []byte) (int, error) {
	for s.rest == "" {
		switch {
		case s.row == 0:
			s.rest = `{"entries":[`
		case s.row <= s.rows:
			s.rest = generated(s.row - 1)
			if s.row < s.rows {
				s.rest += ","
			}
		case s.row == s.rows+1:
			s.rest = `],` + users + `,` + fields + `,` + timePeriods + `,` + timeFrames + `}`
		default:
			return 0, io.EOF
		}
		s.row++
		if s.row%10_000 == 0 {
			s.peak.look()
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func generated(row int) string {
	return fmt.Sprintf(`{"userId":"user-%d","fieldId":"f%d","timeFrameId":"TF:2026-01-%02d","timePeriodId":"2026_Q1","forecastValue":%d.%02d,"isUpdated":true,`+
		`"updatedBy":"user-%d","updatedOn":%d,"note":"row %d"}`, row/65, row%5, row/5%13+1, row*7919%1_000_000, row%100, row%977, 1_767_952_800_123+row, row)
}

// peak is the largest live heap seen, in bytes above the start.
type peak struct{ start, most uint64 }

func newPeak() *peak {
	p := &peak{}
	p.look()
	p.start, p.most = p.most, 0
	return p
}

func (p *peak) look() {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	p.most = max(p.most, stats.HeapAlloc)
}

func (p *peak) above() uint64 { return p.most - min(p.start, p.most) }

// watched looks at the heap whenever a file grows by another 256 KiB or so.
type watched struct {
	land.Store
	peak *peak
}

func (w watched) Create(ctx context.Context, path string) (land.Staged, error) {
	staged, err := w.Store.Create(ctx, path)
	return &watchedFile{Staged: staged, peak: w.peak}, err
}

type watchedFile struct {
	land.Staged
	peak  *peak
	bytes int
}

func (w *watchedFile) Write(p []byte) (int, error) {
	if w.bytes += len(p); w.bytes > 256<<10 {
		w.bytes = 0
		w.peak.look()
	}
	return w.Staged.Write(p)
}

// Memory does not grow with the document: 200,000 entries are 40 MB of JSON.
// Writing Parquet holds one row group of 131,072 rows.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("collects garbage hundreds of times")
	}
	const rows, bound, group = 200_000, 30 << 20, 60 << 20
	reading := newPeak()
	r, err := land.Receive(context.Background(), &stream{rows: rows, peak: reading}, source(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Rows() != rows {
		t.Errorf("%d rows", r.Rows())
	}
	t.Logf("reading %d MB held %.1f MiB", r.Result().Bytes/1_000_000, float64(reading.above())/(1<<20))
	if reading.above() > bound {
		t.Errorf("reading held %d bytes", reading.above())
	}
	for _, format := range land.Formats() {
		store, err := land.OpenDirectory(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		writing := newPeak()
		m := publish(t, r, land.Files(watched{store, writing}), land.Target{Format: format})
		t.Logf("writing %s held %.1f MiB", format, float64(writing.above())/(1<<20))
		most := uint64(bound)
		if format == land.Parquet {
			most = group
		}
		if writing.above() > most || m.Rows() != rows || !strings.HasPrefix(m.Path, string(format)) {
			t.Errorf("writing %s held %d bytes", format, writing.above())
		}
	}
}
