package door

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MinToken is the least length of a token: shorter ones can be guessed.
const MinToken = 16

// Config is what a door is made of.
type Config struct {
	// Token is the secret that opens; at least MinToken bytes of visible ASCII.
	Token string
	// Listen is the address that the server listens on, host and port.
	Listen string
	// Public is the address under which others reach it, such as
	// https://weir.example; nil where there is none.
	Public *url.URL
	// ReadOnly refuses everything that changes something.
	ReadOnly bool
	Log      *slog.Logger
}

// Door lets requests in. It is safe for concurrent use.
type Door struct {
	config Config
	names  names
	cookie string // its name
	token  [sha256.Size]byte
	signs  []byte
	codes  codes
	tries  *tries
}

// ErrToken marks a token that is no good as one.
var ErrToken = errors.New("not a usable token")

// New makes a door.
func New(c Config) (*Door, error) {
	if err := CheckToken(c.Token); err != nil {
		return nil, err
	}
	known, err := namesOf(c.Listen, c.Public)
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	sign := hmac.New(sha256.New, []byte(c.Token))
	sign.Write([]byte("weir cookie"))
	return &Door{
		config: c, names: known, cookie: "weir_" + known.port, token: sha256.Sum256([]byte(c.Token)), signs: sign.Sum(nil),
		codes: codes{left: map[string]time.Time{}}, tries: newTries(),
	}, nil
}

// CheckToken refuses what is too short to be a secret or cannot stand in a
// header.
func CheckToken(token string) error {
	switch {
	case len(token) < MinToken:
		return fmt.Errorf("read token: it has fewer than %d characters: %w", MinToken, ErrToken)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("read token: it holds a space, a control character or one beyond ASCII: %w", ErrToken)
	}
	return nil
}

// Terms are how a guarded handler differs from a page of this server.
type Terms struct {
	// Policy replaces the Content-Security-Policy.
	Policy string
	// Foreign marks a handler with scripts of its own: they prove with the
	// browser's word alone that a request that changes something is theirs.
	Foreign bool
	// Programs answers a request that is not logged in with 401 instead of the
	// way to the login page.
	Programs bool
}

// Visitor is a request that was let in.
type Visitor struct {
	// Browser says that a cookie let it in rather than the token itself.
	Browser bool
	// CSRF is what a form of this visitor must repeat.
	CSRF string
}

type visitorKey struct{}

// VisitorOf is who made a request that Guard let through.
func VisitorOf(ctx context.Context) Visitor {
	v, _ := ctx.Value(visitorKey{}).(Visitor)
	return v
}

// Guard lets through to next what is logged in and may do what it asks for.
func (d *Door) Guard(next http.Handler, terms Terms) http.Handler {
	return d.Hall(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visitor, err := d.admit(r)
		switch {
		case errors.Is(err, errTooMany):
			w.Header().Set("Retry-After", "60")
			http.Error(w, "too many wrong tokens; wait a minute", http.StatusTooManyRequests)
			return
		case err != nil:
			d.askIn(w, r, terms)
			return
		}
		if err := d.may(w, r, visitor, terms); err != nil {
			d.config.Log.Warn("request refused", "method", r.Method, "path", r.URL.Path, "reason", err)
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if visitor.Browser {
			d.renew(w, r)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, visitor)))
	}), terms.Policy)
}

// Hall is for what may be seen without a login: it checks the Host and sets
// the headers. policy "" is the pages' own.
func (d *Door) Hall(next http.Handler, policy string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), policy)
		if !d.names.known(r) {
			http.Error(w, "this server is not known under that name; see --public-url", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// askIn answers a request that is not logged in.
func (d *Door) askIn(w http.ResponseWriter, r *http.Request, terms Terms) {
	if terms.Programs || r.Method != http.MethodGet {
		w.Header().Set("WWW-Authenticate", `Bearer realm="weir"`)
		http.Error(w, "log in first, or send the token: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		return
	}
	to := "/login"
	if next := r.URL.RequestURI(); next != "/" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// ReadOnly reports whether nothing may be changed.
func (d *Door) ReadOnly() bool { return d.config.ReadOnly }

// Policy is the Content-Security-Policy of the pages: nothing but what this
// origin serves, no inline script or style, no frame.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func setHeaders(h http.Header, policy string) {
	if policy == "" {
		policy = Policy
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: it would make browsers hide the Origin that is checked.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}
