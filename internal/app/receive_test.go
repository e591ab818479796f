package app

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
)

// A span of audit events whose landing was not written down is found where it
// landed: read again with other content, it does not land a second time.
func TestSpanLandsOnce(t *testing.T) {
	dir := t.TempDir()
	r := &receiver{spoolDir: filepath.Join(dir, "spool")}
	e := weir.Export{Request: weir.Request{Kind: weir.Audit, Direct: true, Since: "2026-11-23T10:00:00Z", Until: "2026-11-23T10:59:59.999Z"}}
	_, last := e.Request.Span()
	d := weir.Delivery{Destination: filepath.Join(dir, "data"), Format: "jsonl", Primary: true}
	land := func(text string) engine.Published {
		t.Helper()
		received, err := r.Receive(context.Background(), strings.NewReader(text), engine.Origin{Export: e, SnapshotAt: last, Length: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer received.Close()
		p, err := received.Publish(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := land(`{"items":[{"event":"a","eventTimestamp":"2026-11-23T10:30:00Z"}],"actors":[]}`)
	again := land(`{"items":[{"event":"a","eventTimestamp":"2026-11-23T10:30:00Z"},{"event":"late"}],"actors":[]}`)
	if first != again || first.Rows != 1 {
		t.Errorf("landed %+v, then %+v", first, again)
	}
}
