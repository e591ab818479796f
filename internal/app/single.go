package app

import (
	"context"
	"net/http"
)

// single lets one request out at a time until its answer has begun: no request
// can cross a 429 that is on its way back. The policy "sequential" is held to
// that; bodies may still flow meanwhile.
type single struct {
	next http.RoundTripper
	turn chan struct{} // holds one
}

func newSingle(next http.RoundTripper) *single {
	return &single{next: next, turn: make(chan struct{}, 1)}
}

// RoundTrip waits for its turn; what ends in the wait was not sent.
func (s *single) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case s.turn <- struct{}{}:
	case <-r.Context().Done():
		if r.Body != nil {
			_ = r.Body.Close() // the caller is told why nothing was sent
		}
		return nil, context.Cause(r.Context())
	}
	defer func() { <-s.turn }()
	return s.next.RoundTrip(r)
}
