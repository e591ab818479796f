package door

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// CodeLife is how long a one-time link works.
	CodeLife = 15 * time.Minute
	// CookieLife is how long a browser stays logged in; half of it over, a visit
	// begins it anew.
	CookieLife = 24 * time.Hour
)

var (
	errNotIn    = errors.New("not logged in")
	errTooMany  = errors.New("too many wrong tokens")
	errForeign  = errors.New("refused: the request does not come from a page of this server")
	errNoCSRF   = errors.New("refused: the page is out of date; load it again")
	errReadOnly = errors.New("refused: this server is read-only")
)

// admit says who makes the request.
func (d *Door) admit(r *http.Request) (Visitor, error) {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if err := d.try(r, bearer); err != nil {
			return Visitor{}, err
		}
		return Visitor{}, nil
	}
	cookie, err := r.Cookie(d.cookie)
	if err != nil || !d.signed(cookie.Value, time.Now()) {
		return Visitor{}, errNotIn
	}
	return Visitor{Browser: true, CSRF: d.csrf(cookie.Value)}, nil
}

// try compares a token that somebody sent, within the bound on guessing.
func (d *Door) try(r *http.Request, token string) error {
	from := remote(r)
	if !d.tries.left(from, time.Now()) {
		return errTooMany
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], d.token[:]) == 1 {
		return nil
	}
	d.tries.spend(from, time.Now())
	return errNotIn
}

func remote(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	addr := at.Addr().Unmap()
	if addr.Is6() { // whoever has one address of a network has 2^64
		prefix, _ := addr.Prefix(64)
		return prefix.String()
	}
	return addr.String()
}

// may says why a request that is logged in is refused all the same.
func (d *Door) may(w http.ResponseWriter, r *http.Request, v Visitor, terms Terms) error {
	if err := d.sameOrigin(r, v); err != nil {
		return err
	}
	if safe(r.Method) {
		return nil
	}
	if d.config.ReadOnly {
		return errReadOnly
	}
	if !v.Browser {
		return nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if terms.Foreign {
		return nil
	}
	sent := r.Header.Get(CSRFHeader)
	if sent == "" {
		sent = r.PostFormValue(CSRFField)
	}
	if !hmac.Equal([]byte(sent), []byte(v.CSRF)) {
		return errNoCSRF
	}
	return nil
}

// CSRFHeader and CSRFField carry [Visitor.CSRF] back.
const (
	CSRFHeader = "X-Weir-Csrf"
	CSRFField  = "csrf"
)

// maxForm bounds what a browser may send.
const maxForm = 64 << 10

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// sameOrigin takes the browser's word for where a request comes from. A browser
// says something about every request that changes something; a request on a
// cookie that says nothing is none of a page's. What merely reads may also be
// an address that somebody typed, or followed from elsewhere to a page.
func (d *Door) sameOrigin(r *http.Request, v Visitor) error {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case origin != "":
		if !d.names.origin(r, origin) {
			return errForeign
		}
	case safe(r.Method):
		visit := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
		if site != "" && site != "same-origin" && site != "none" && !visit {
			return errForeign
		}
		return nil
	case !v.Browser && site == "":
		return nil
	}
	if site != "" && site != "same-origin" || site == "" && origin == "" {
		return errForeign
	}
	return nil
}

// A cookie is "expiry.nonce.signature".
func (d *Door) newCookie(now time.Time, nonce string) string {
	body := strconv.FormatInt(now.Add(CookieLife).Unix(), 10) + "." + nonce
	return body + "." + d.sign(body)
}

func (d *Door) signed(cookie string, now time.Time) bool {
	at := strings.LastIndexByte(cookie, '.')
	if at < 0 || !hmac.Equal([]byte(d.sign(cookie[:at])), []byte(cookie[at+1:])) {
		return false
	}
	return now.Before(expiry(cookie))
}

func expiry(cookie string) time.Time {
	text, _, _ := strings.Cut(cookie, ".")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// csrf goes with the nonce, which a renewed cookie keeps: pages that are open stay
// good.
func (d *Door) csrf(cookie string) string { return d.sign("csrf " + nonce(cookie)) }

func nonce(cookie string) string {
	_, rest, _ := strings.Cut(cookie, ".")
	text, _, _ := strings.Cut(rest, ".")
	return text
}

func (d *Door) sign(text string) string {
	mac := hmac.New(sha256.New, d.signs)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// random is 128 bits, never less: crypto/rand does not fail.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (d *Door) setCookie(w http.ResponseWriter, r *http.Request, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: d.cookie, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: d.names.secure(r),
	})
}

// renew prolongs a login that is used.
func (d *Door) renew(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(d.cookie)
	now := time.Now()
	if err != nil || expiry(cookie.Value).Sub(now) > CookieLife/2 {
		return
	}
	d.setCookie(w, r, d.newCookie(now, nonce(cookie.Value)), CookieLife)
}

// codes are the one-time codes that were not used yet, by their hash.
type codes struct {
	mu   sync.Mutex
	left map[string]time.Time // until when
}

func hashed(code string) string {
	sum := sha256.Sum256([]byte(code))
	return string(sum[:])
}

func (c *codes) take(code string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, known := c.left[hashed(code)]
	delete(c.left, hashed(code))
	return known && now.Before(until)
}

// Link is an address that logs a browser in, once, within CodeLife.
func (d *Door) Link() string {
	code := random()
	d.codes.mu.Lock()
	d.codes.left[hashed(code)] = time.Now().Add(CodeLife)
	d.codes.mu.Unlock()
	return d.base() + "/login?" + url.Values{"once": {code}}.Encode()
}

// base is where the server is reached.
func (d *Door) base() string {
	switch {
	case d.names.public != nil:
		return d.names.public.String()
	case d.names.anywhere:
		return "http://localhost:" + d.names.port
	}
	return "http://" + d.config.Listen
}
