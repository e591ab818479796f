package clari

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// watch ends a call that has gone quiet.
type watch struct {
	limit time.Duration
	timer *time.Timer
	total bool // counts through; pause does nothing
}

// watchTotal bounds a write from now, and anew from each restart.
func watchTotal(limit time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{limit: limit, total: true}
	w.timer = time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w: %v passed", ErrTimeout, limit)) })
	return w
}

// watchIdle bounds each stretch between a restart and a pause.
func watchIdle(limit time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{limit: limit}
	w.timer = time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w: nothing came for %v", ErrTimeout, limit)) })
	w.timer.Stop()
	return w
}

func (w *watch) restart() { w.timer.Reset(w.limit) }

// reading starts the stretch of one read of the body.
func (w *watch) reading() {
	if !w.total {
		w.restart()
	}
}

func (w *watch) pause() {
	if !w.total {
		w.timer.Stop()
	}
}

func (w *watch) stop() { w.timer.Stop() }

// sendTrace learns from net/http whether a request can have left.
type sendTrace struct {
	asked   func()      // called when a connection is asked for
	refused atomic.Bool // this package refused it before the transport saw it
	wanted  atomic.Bool // a connection was asked for
	got     atomic.Bool // a connection was handed over
	since   atomic.Pointer[time.Time]
}

func (t *sendTrace) attach(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			t.wanted.Store(true)
			now := time.Now()
			t.since.Store(&now)
			t.asked()
		},
		GotConn: func(httptrace.GotConnInfo) { t.got.Store(true) },
	})
}

// maybeSent is false only where it is certain that no byte was written: a
// connection was asked for and none was handed over (name look-up, refused,
// proxy, TLS), or something refused the request before that and says so. From
// the moment a connection is handed over another goroutine writes to it, so
// anything later is no proof. A transport that reports neither may have sent.
func (t *sendTrace) maybeSent(err error) bool {
	switch {
	case t.got.Load():
		return true
	case t.refused.Load(), t.wanted.Load():
		return false
	}
	return !errors.Is(err, ErrNotSent)
}
