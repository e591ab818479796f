package pace

import "net/http"

// Transport is an [http.RoundTripper] that sends every request through a gate.
// It repeats nothing and changes nothing: a 429 goes to the caller as it came. A
// request that the gate does not let through fails with the error of
// [Gate.Wait], unsent.
//
// The priority comes from the request's context ([WithPriority]), else from its
// method: GET, HEAD and OPTIONS are [List], all others [Post]. The gate is told
// of an answer when its header is there, so reading a long body holds nobody up,
// and no 429 of another request stops it.
type Transport struct {
	// Base sends the requests; nil means [http.DefaultTransport].
	Base http.RoundTripper
	// Gate paces them; nil means not at all.
	Gate *Gate
}

// RoundTrip waits for the request's turn and sends it.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Gate == nil {
		return t.base().RoundTrip(r)
	}
	pass, err := t.Gate.Wait(r.Context(), priorityOf(r))
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a RoundTripper closes the body whatever happens
		}
		return nil, err
	}
	defer pass.Done(0, nil, errGivenBack) // should the base panic
	response, err := t.base().RoundTrip(r)
	if err != nil || response == nil {
		pass.Done(0, nil, err)
		return response, err
	}
	pass.Done(response.StatusCode, response.Header, nil)
	return response, nil
}

// CloseIdleConnections closes those of the base, for
// [http.Client.CloseIdleConnections].
func (t *Transport) CloseIdleConnections() {
	if closer, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}
