package door

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// names are the Host values and origins that this server is known under.
type names struct {
	hosts map[string]bool // lower case, with port
	// anywhere says that the server listens on every address of the machine: then
	// an address in figures is known when the connection came in on it. Figures
	// cannot be made to resolve to something else.
	anywhere bool
	port     string
	public   *url.URL
}

func namesOf(listen string, public *url.URL) (names, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return names{}, fmt.Errorf("read listen address %q: %w", listen, err)
	}
	n := names{hosts: map[string]bool{strings.ToLower(listen): true}, port: port, public: public}
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && addr.IsUnspecified():
		n.anywhere = true
		n.hosts = map[string]bool{}
	case err != nil || !addr.IsLoopback():
		return n.open(public), nil
	}
	// No resolver lets a page choose what localhost is.
	n.hosts["localhost:"+port] = true
	return n.open(public), nil
}

// open adds the public name, and names without the port that http implies.
func (n names) open(public *url.URL) names {
	if public != nil {
		n.hosts[strings.ToLower(public.Host)] = true
	}
	if n.port == "80" {
		for host := range n.hosts {
			n.hosts[strings.TrimSuffix(host, ":80")] = true
		}
	}
	return n
}

func (n names) known(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if n.hosts[host] {
		return true
	}
	return n.anywhere && host == localAddress(r)
}

// localAddress is the address that the connection came in on, "" when unknown.
func localAddress(r *http.Request) string {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return ""
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return ""
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
}

// origin reports whether an Origin header names this server as the request
// addresses it.
func (n names) origin(r *http.Request, origin string) bool {
	at, err := url.Parse(origin)
	if err != nil || at.Host == "" || at.Path != "" || at.RawQuery != "" || at.User != nil {
		return false
	}
	if n.public != nil && strings.EqualFold(at.Host, n.public.Host) {
		return strings.EqualFold(at.Scheme, n.public.Scheme)
	}
	return at.Scheme == "http" && strings.EqualFold(at.Host, r.Host)
}

// secure reports whether the visitor's browser speaks TLS to whoever stands in
// front.
func (n names) secure(r *http.Request) bool {
	return r.TLS != nil || n.public != nil && n.public.Scheme == "https" && strings.EqualFold(r.Host, n.public.Host)
}

// ParsePublic reads a public URL: http or https, a host, and nothing else.
func ParsePublic(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read public URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("read public URL %q: it is not of the form https://host", u.Redacted())
	case u.User != nil, u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("read public URL %q: it holds more than scheme, host and port", u.Redacted())
	}
	u.Path = ""
	return u, nil
}
