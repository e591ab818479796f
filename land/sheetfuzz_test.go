package land_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/weirhq/weir/land"
)

// Whatever bytes arrive as a CSV result, the answer is one of the documented
// ones, and what is accepted lands.
func FuzzReceiveSheet(f *testing.F) {
	f.Add([]byte(sheetHead + ada + "Forecast Value,\"$3,000,190.00\"\n" + ada + "Forecast Updated,No\n"))
	f.Add([]byte(sheetHead + ada + "CRM Total,($7.50)\n" + ada + "Confidence,40%\n"))
	f.Add([]byte(sheetHead))
	f.Add([]byte("\ufeff" + sheetHead + ada + "Quota Value,€1.5e3\r\n"))
	f.Add([]byte("User,Email\n\"x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := land.Receive(context.Background(), bytes.NewReader(text), sheetSource(t))
		if err != nil {
			if r != nil || !errors.Is(err, land.ErrRefused) && !errors.Is(err, land.ErrTransfer) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer r.Close()
		dest, _ := directory(t)
		publish(t, r, dest, jsonl)
	})
}
