package pace

import (
	"context"
	"net/http"
	"time"
)

// Priority orders the requests that wait at one gate.
type Priority int

// The priorities, highest first. Any other value is taken as [List].
const (
	Post     Priority = iota + 1 // starts or changes something
	List                         // asks how things stand
	Download                     // fetches a result; only its start is paced
)

// String names the priority: "post", "list" or "download".
func (p Priority) String() string {
	switch p.known() {
	case Post:
		return "post"
	case Download:
		return "download"
	}
	return "list"
}

func (p Priority) known() Priority {
	if p == Post || p == Download {
		return p
	}
	return List
}

type (
	priorityKey struct{}
	maxWaitKey  struct{}
)

// WithPriority gives the requests of a context their priority at a
// [Transport].
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

// WithMaxWait bounds how long [Gate.Wait] may keep a request of this context
// waiting: it is refused with a [ClosedError], at once where the gate knows that
// the wait would be longer. Zero or less: refused unless it may start now. It
// overrides [Config.MaxWait].
func WithMaxWait(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, maxWaitKey{}, max(d, 0))
}

func priorityOf(r *http.Request) Priority {
	if p, ok := r.Context().Value(priorityKey{}).(Priority); ok {
		return p.known()
	}
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return List
	}
	return Post
}
