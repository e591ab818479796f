package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/land"
)

// stalling stands before the gate, where a request takes its time, and between
// the gate and the fence, where a process may freeze or die with a request that
// is due.
type stalling struct {
	inner http.RoundTripper
	p     *proc
	pace  time.Duration
}

func (s *stalling) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := s.p.point(s.pace); err != nil {
		return nil, err
	}
	resp, err := s.inner.RoundTrip(r)
	if err := s.p.point(0); err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, err
	}
	return resp, err
}

// wire is the network: what a killed process had on it is cut, and the auditor
// sees every request as the server does.
type wire struct {
	p      *proc
	server http.RoundTripper
}

func (n *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(n.p.dead, func() { cancel(context.Cause(n.p.dead)) })
	x := n.p.w.audit.sent(n.p, r)
	resp, err := n.server.RoundTrip(r.WithContext(ctx))
	if !n.p.alive() {
		err = context.Cause(n.p.dead)
	}
	n.p.w.audit.answered(n.p, x, resp, err)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		stop()
		cancel(nil)
		return nil, err
	}
	resp.Body = &wireBody{ReadCloser: resp.Body, close: func() { stop(); cancel(nil) }}
	return resp, nil
}

type wireBody struct {
	io.ReadCloser
	close func()
}

func (b *wireBody) Close() error {
	err := b.ReadCloser.Close()
	b.close()
	return err
}

// askingAPI is the client, with the auditor told of every job id that a POST's
// answer named.
type askingAPI struct {
	*clari.Client
	p *proc
}

func (a *askingAPI) Start(ctx context.Context, r weir.Request) (clari.Started, error) {
	started, err := a.Client.Start(ctx, r)
	if err == nil && a.p.alive() {
		a.p.w.audit.told(a.p, started.JobID)
	}
	return started, err
}

// receiver is a landing that only counts: it reads the whole body and publishes
// in memory.
type receiver struct{ p *proc }

func (r *receiver) Receive(ctx context.Context, body io.Reader, from engine.Origin) (engine.Receipt, error) {
	text, err := io.ReadAll(body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read result: %w: %w", land.ErrTransfer, err)
	case r.p.w.chaotic() && r.p.chance(r.p.w.scene.transferFails):
		return nil, fmt.Errorf("read result: %w", land.ErrTransfer)
	case from.Job.RowsTruncated || from.Job.CellsTruncated || !json.Valid(text):
		return nil, fmt.Errorf("verify result: %w", land.ErrRefused)
	}
	if from.Export.Request.Direct {
		return &receipt{p: r.p, from: from, text: text}, nil
	}
	if !bytes.Contains(text, []byte(`"`+from.Export.Request.Period+`"`)) {
		return nil, fmt.Errorf("verify result of another period: %w", land.ErrRefused)
	}
	return &receipt{p: r.p, from: from}, nil
}

type receipt struct {
	p    *proc
	from engine.Origin
	text []byte // of what came without a job
}

// Publish takes a while, and may be cut short before anything stands.
func (r *receipt) Publish(ctx context.Context, d weir.Delivery) (engine.Published, error) {
	encoding := time.NewTimer(r.p.span(time.Millisecond, 400*time.Millisecond))
	defer encoding.Stop()
	select {
	case <-encoding.C:
	case <-ctx.Done():
		return engine.Published{}, context.Cause(ctx)
	}
	if err := r.p.point(0); err != nil {
		return engine.Published{}, err
	}
	if r.p.w.chaotic() && r.p.chance(r.p.w.scene.destinationFails) {
		return engine.Published{}, fmt.Errorf("publish: %w", land.ErrDestination)
	}
	r.p.w.audit.published(r.p, d, r.from)
	if err := r.p.point(0); err != nil {
		return engine.Published{}, err
	}
	r.p.w.audit.read(d, r.text)
	return engine.Published{Manifest: "m-" + r.from.Job.ID, Rows: 1, SnapshotAt: r.from.SnapshotAt}, nil
}

func (r *receipt) Close() error { return nil }
