package land_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/land"
)

// Whatever bytes arrive, the answer is one of the documented ones; and what is
// accepted is strict JSON of which every entry lands. Hash seeds vary, so run it
// with -fuzzminimizetime 1x.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(document(entry(`,"forecastValue":1e5,"x":{"y":[1]}`))))
	f.Add([]byte(`{"entries":[{"timePeriodId":"2026_Q1","currency":{"code":1,"z":2}}],"timeFrames":[{"timeFrameId":"a","startDate":5}]}`))
	f.Add([]byte(`{"timePeriods":[{"timePeriodId":"2026_Q1","year":1e1}],"entries":null,"x":[[],{}]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := land.Receive(context.Background(), bytes.NewReader(text), source(t))
		if err != nil {
			if r != nil || !errors.Is(err, land.ErrRefused) && !errors.Is(err, land.ErrTransfer) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer r.Close()
		var plain struct{ Entries []any }
		if err := json.Unmarshal(text, &plain); err != nil || int64(len(plain.Entries)) != r.Rows() {
			t.Fatalf("%d of %d entries: %v", r.Rows(), len(plain.Entries), err)
		}
		dest, path := directory(t)
		m := publish(t, r, dest, jsonl)
		rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
		if got := len(column(t, rows, "_extra")); got != len(plain.Entries) {
			t.Fatalf("%d rows landed of %d", got, len(plain.Entries))
		}
		publish(t, r, dest, land.Target{Format: land.Parquet})
	})
}

// The same of the server's CSV: a documented answer, and no more entries than
// rows.
func FuzzReceiveSheet(f *testing.F) {
	f.Add([]byte(sheetHead + ada + "Forecast Value,\"$3,000,190.00\"\n" + ada + "Forecast Updated,No\n"))
	f.Add([]byte(sheetHead + ada + "Mood,=1+1\n,,,,,Q1 FY 2026,,,,,Quota Value,1\n"))
	f.Add([]byte("\ufeff" + sheetHead + ada + "Quota Value,\"(1"))
	f.Add([]byte(sheetHead[:20]))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := land.Receive(context.Background(), bytes.NewReader(text), sheetSource(t))
		if err != nil {
			if r != nil || !errors.Is(err, land.ErrRefused) && !errors.Is(err, land.ErrTransfer) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer r.Close()
		if lines := int64(bytes.Count(text, []byte("\n")) + 1); r.Rows() >= lines {
			t.Fatalf("%d entries of %d lines", r.Rows(), lines)
		}
		dest, path := directory(t)
		m := publish(t, r, dest, jsonl)
		rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
		if got := len(column(t, rows, "_extra")); int64(got) != r.Rows() {
			t.Fatalf("%d rows landed of %d", got, r.Rows())
		}
	})
}
