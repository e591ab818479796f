package clari

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// DefaultBaseURL is the provider's own address.
const DefaultBaseURL = "https://api.clari.com/v4"

// ErrBaseURL marks a base URL that is not used: unreadable, neither http nor
// https, with user info, query or fragment, or plain http to a host that is not
// loopback.
var ErrBaseURL = errors.New("base URL cannot be used")

// ErrOrigin marks a link that leads away from the base URL's origin, or a
// redirect that is not followed.
var ErrOrigin = errors.New("link is not followed")

// parseBaseURL reads a base URL. Its errors never show the text, which may hold
// a password.
func parseBaseURL(text string, insecure bool) (*url.URL, error) {
	if text == "" {
		text = DefaultBaseURL
	}
	base, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read base URL: not a URL: %w", ErrBaseURL)
	}
	if why := refuseBase(base, insecure); why != "" {
		return nil, fmt.Errorf("read base URL: %s: %w", why, ErrBaseURL)
	}
	return url.Parse(strings.TrimRight(base.Scheme+"://"+base.Host+base.EscapedPath(), "/"))
}

func refuseBase(base *url.URL, insecure bool) string {
	switch {
	case base.Scheme != "https" && base.Scheme != "http":
		return "neither https nor http"
	case base.Hostname() == "":
		return "no host"
	case base.User != nil:
		return "it carries user info"
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return "it carries a query or a fragment"
	case base.Scheme == "http" && !insecure && !isLoopback(base):
		return "plain http to a host that is not loopback"
	}
	return ""
}

// isLoopback is decided by the host's text alone: a name that merely resolves
// to a loopback address may resolve elsewhere at the next look-up.
func isLoopback(u *url.URL) bool {
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// origin is scheme, host and port in one spelling.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" && scheme == "https" {
		port = "443"
	}
	if port == "" && scheme == "http" {
		port = "80"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// redirectTarget resolves the Location of an answer to a GET, or refuses it:
// only https, or the same origin on plain http over loopback.
func redirectTarget(from *url.URL, location string) (*url.URL, error) {
	target, err := from.Parse(location)
	switch {
	case location == "" || err != nil:
		return nil, fmt.Errorf("redirect without a readable address: %w", ErrOrigin)
	case target.User != nil || target.Hostname() == "":
		return nil, fmt.Errorf("redirect with user info or without a host: %w", ErrOrigin)
	case target.Scheme == "https", isLoopback(target) && origin(target) == origin(from):
		return target, nil
	}
	return nil, fmt.Errorf("redirect to plain http: %w", ErrOrigin)
}

// resolveNextLink resolves a page's nextLink against the address of the
// listing. It must stay at the base URL's origin.
func resolveNextLink(listing, nextLink string) (*url.URL, error) {
	from, err := url.Parse(listing)
	if err != nil {
		return nil, fmt.Errorf("unreadable address: %w", ErrOrigin)
	}
	target, err := from.Parse(nextLink)
	switch {
	case nextLink == "" || err != nil:
		return nil, fmt.Errorf("unreadable next link: %w", ErrOrigin)
	case target.User != nil || origin(target) != origin(from):
		return nil, fmt.Errorf("next link leads away from the base URL: %w", ErrOrigin)
	}
	target.Fragment = ""
	return target, nil
}

// escape makes an id one path segment, whatever it holds. A segment of dots
// alone is escaped too, or it would climb.
func escape(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}
