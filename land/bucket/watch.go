package bucket

import (
	"context"
	"errors"
	"io"
	"time"
)

// stallTime is how long a reader waits for the next byte.
const stallTime = time.Minute

var errStalled = errors.New("nothing came for a minute")

// watched is a body whose reading ends when it stalls.
type watched struct {
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
	timer  *time.Timer
	body   io.ReadCloser
}

func watch(ctx context.Context) *watched {
	w := &watched{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(stallTime, func() { w.cancel(errStalled) })
	return w
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(stallTime)
	n, err := w.body.Read(p)
	w.timer.Stop()
	return n, w.explain(err)
}

// explain names the stall where the library only says that it was cancelled.
func (w *watched) explain(err error) error {
	if err != nil && err != io.EOF && errors.Is(context.Cause(w.ctx), errStalled) {
		return errStalled
	}
	return err
}

func (w *watched) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Close ends the request.
func (w *watched) Close() error {
	w.stop()
	return w.body.Close()
}
