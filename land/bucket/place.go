package bucket

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// ErrPlace marks a URL that names no place weir can use, or holds what must not
// stand in a URL. The error's text never repeats the URL.
var ErrPlace = errors.New("not a bucket's URL that weir can use")

// The schemes.
const (
	schemeS3     = "s3"
	schemeGoogle = "gs"
	schemeAzure  = "azblob"
)

// Schemes are the schemes of the URLs that [Open] takes.
func Schemes() []string { return []string{schemeS3, schemeGoogle, schemeAzure} }

// place is a bucket's URL taken apart.
type place struct {
	scheme, bucket string
	// prefix is "" or ends with a slash.
	prefix string
	// params has at most one value for each of the scheme's parameters.
	params url.Values
}

// Parse checks a bucket's URL and gives its one canonical spelling, which holds
// no secrets. The parameters are
//
//	s3      region, endpoint, profile, path_style, allow_http
//	gs      endpoint, allow_http
//	azblob  account, endpoint, allow_http
//
// An endpoint is https, or http on loopback; allow_http=true takes http anywhere.
func Parse(name string) (string, error) {
	p, err := parse(name)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// String is the canonical URL.
func (p place) String() string {
	u := url.URL{Scheme: p.scheme, Host: p.bucket, Path: "/" + strings.TrimSuffix(p.prefix, "/"), RawQuery: p.params.Encode()}
	if u.Path == "/" {
		u.Path = ""
	}
	return u.String()
}

func parse(name string) (place, error) {
	u, err := url.Parse(name)
	switch {
	case err != nil:
		return place{}, unusable("it cannot be read")
	case !slices.Contains(Schemes(), u.Scheme):
		return place{}, unusable("it begins with none of %s", strings.Join(Schemes(), "://, ")+"://")
	case u.User != nil:
		return place{}, unusable("it holds user info; credentials come from the environment")
	case u.Host == "" || u.Port() != "":
		return place{}, unusable("it names no bucket")
	case u.Fragment != "":
		return place{}, unusable("it holds a fragment")
	}
	p := place{scheme: u.Scheme, bucket: u.Host}
	if p.prefix, err = prefixOf(u.Path); err != nil {
		return place{}, err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, unusable("its parameters cannot be read")
	}
	p.params, err = paramsOf(u.Scheme, query)
	return p, err
}

func unusable(format string, args ...any) error {
	return fmt.Errorf("read bucket URL: "+format+": %w", append(args, ErrPlace)...)
}

// prefixOf makes a path the beginning of keys. Elements that a store in a file
// system would follow elsewhere are refused.
func prefixOf(text string) (string, error) {
	trimmed := strings.Trim(text, "/")
	if trimmed == "" {
		return "", nil
	}
	if path.Clean(trimmed) != trimmed || strings.HasPrefix(trimmed, "..") || strings.ContainsFunc(trimmed, isControl) {
		return "", unusable("its path has empty, dotted or unprintable parts")
	}
	return trimmed + "/", nil
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

func knownParams(scheme string) []string {
	return map[string][]string{
		schemeS3:     {"region", "endpoint", "profile", "path_style", "allow_http"},
		schemeGoogle: {"endpoint", "allow_http"},
		schemeAzure:  {"account", "endpoint", "allow_http"},
	}[scheme]
}

func paramsOf(scheme string, query url.Values) (url.Values, error) {
	known := knownParams(scheme)
	params := url.Values{}
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			return nil, unusable("of parameters it may have only %s; credentials come from the environment", strings.Join(known, ", "))
		case len(values) != 1 || strings.ContainsFunc(values[0], isControl):
			return nil, unusable("its parameter %s is given twice or unprintable", name)
		case values[0] != "":
			params.Set(name, values[0])
		}
	}
	allow := params.Get("allow_http")
	if allow != "" && allow != "true" {
		return nil, unusable("allow_http can only be true")
	}
	if endpoint := params.Get("endpoint"); endpoint != "" {
		return params, checkEndpoint(endpoint, allow != "")
	}
	return params, nil
}

func checkEndpoint(text string, allowHTTP bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "":
		return unusable("its endpoint is not a URL such as https://host:port")
	case u.User != nil:
		return unusable("its endpoint holds user info")
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || isLoopback(u.Hostname())):
		return nil
	}
	return unusable("its endpoint is not https, and neither on loopback nor with allow_http=true")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
