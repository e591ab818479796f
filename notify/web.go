package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Errors of receivers over HTTP.
var (
	// ErrAddress marks a URL that is neither https nor http on loopback.
	ErrAddress = errors.New("neither https nor http on loopback")
	// ErrAnswer marks an answer that is not 2xx; a redirect is one.
	ErrAnswer = errors.New("the receiver did not take it")
	// ErrSecret marks a secret that could not be read.
	ErrSecret = errors.New("the receiver's secret could not be read")
)

// Secret reads a secret anew; it is never kept, so that one that was changed is
// picked up.
type Secret func(ctx context.Context) (string, error)

// poster sends bodies to web addresses: no redirects, no more than a little of
// the answer read.
type poster struct{ client *http.Client }

func newPoster() poster {
	return poster{&http.Client{
		Timeout:       sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends JSON. Errors never show the address: it may be a secret.
func (p poster) post(ctx context.Context, address string, header http.Header, body []byte) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return ErrAddress
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	if response.StatusCode/100 == 2 {
		return nil
	}
	err = fmt.Errorf("post message: status %d: %w", response.StatusCode, ErrAnswer)
	if seconds, unread := strconv.Atoi(response.Header.Get("Retry-After")); unread == nil && seconds > 0 {
		return &LaterError{After: time.Duration(min(seconds, 3600)) * time.Second, Err: err}
	}
	return err
}

// withoutAddress is the cause of a failed request without its URL.
func withoutAddress(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("post message: %w", err)
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("read address of receiver: %w", ErrAddress)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("read address of receiver: %w", ErrAddress)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
