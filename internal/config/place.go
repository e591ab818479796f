package config

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const passwordHint = "take it out; beside the URL write password: {env: NAME}, {file: PATH} or {command: [..]}, or use PGPASSFILE"

// judgePlace refuses a place that is neither a path nor a URL of one of the
// schemes, and any URL with a secret in it. Messages never show the text.
func judgePlace(text string, schemes ...string) (message, hint string) {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		if strings.Contains(strings.ToLower(text), "password") && strings.Contains(text, "=") {
			return "this looks like a connection string with a password", "write it as a URL, postgres://user@host/database; " + passwordHint
		}
		return "", ""
	}
	if !slices.Contains(schemes, scheme) {
		return "not a URL that weir can use", "give a path, or a URL that begins with " + strings.Join(schemes, ":// or ") + "://"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "not a URL", ""
	case hasSecret(u):
		return "the URL holds a password or another secret", passwordHint
	case u.User != nil && !isPostgres(text):
		return "the URL holds user info", "a bucket's credentials come from the cloud's own environment and files"
	case u.Fragment != "":
		return "the URL holds a fragment", ""
	case u.Host == "" && !isPostgres(text):
		return "the URL names no bucket", ""
	}
	return "", ""
}

func isPostgres(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// hasSecret reports whether a URL has a password, or a parameter named like
// one. A query that cannot be read may hide one.
func hasSecret(u *url.URL) bool {
	if _, has := u.User.Password(); has {
		return true
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return true
	}
	for name := range query {
		name = strings.ToLower(name)
		for _, word := range []string{"password", "passwd", "pwd", "secret", "token", "signature", "credential", "accesskey", "access_key"} {
			if strings.Contains(name, word) {
				return true
			}
		}
		if name == "sig" {
			return true
		}
	}
	return false
}

// judgeWeb refuses what is no https URL; http is for loopback alone, unless
// insecure says otherwise. Messages never show the text.
func judgeWeb(text string, insecure bool) (message, hint string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return "not a URL such as https://host/path", ""
	case u.Scheme != "https" && u.Scheme != "http":
		return "neither https nor http", ""
	case u.User != nil:
		return "the URL holds user info", "take it out"
	case u.Fragment != "":
		return "the URL holds a fragment", ""
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return "plain http to a host that is not loopback", "use https"
	}
	return "", ""
}

// judgeBase is judgeWeb for a base URL, to which paths are added.
func judgeBase(text string, insecure bool) (message, hint string) {
	message, hint = judgeWeb(text, insecure)
	if u, err := url.Parse(text); message == "" && err == nil && (u.RawQuery != "" || u.ForceQuery) {
		return "the URL holds a query", ""
	}
	return message, hint
}

// isLoopback is decided by the text alone: a name that resolves to a loopback
// address may resolve elsewhere the next time.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func judgeListen(text string) (message, hint string) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "not an address such as 127.0.0.1:8120", ""
	}
	return "", ""
}

// from resolves the relative paths of a configuration from a folder.
func (c Config) from(dir string) Config {
	path := func(text *string) {
		if *text != "" && !strings.Contains(*text, "://") && !filepath.IsAbs(*text) {
			*text = filepath.Join(dir, *text)
		}
	}
	path(&c.State.URL)
	path(&c.State.Password.File)
	for name, a := range c.Accounts {
		path(&a.Key.File)
		c.Accounts[name] = a
	}
	for name, d := range c.Destinations {
		path(&d.To)
		path(&d.Password.File)
		c.Destinations[name] = d
	}
	for _, n := range c.Notifications {
		switch {
		case n.Webhook != nil:
			path(&n.Webhook.Secret.File)
		case n.Slack != nil:
			path(&n.Slack.URL.File)
		case n.SMTP != nil:
			path(&n.SMTP.Password.File)
		}
	}
	return c
}
