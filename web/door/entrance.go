package door

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// Note is what the login page says.
type Note string

// The notes.
const (
	NoteNone    Note = ""
	NoteWrong   Note = "That is not the token."
	NoteUsed    Note = "That link was used already, or is older than a quarter of an hour."
	NoteTooMany Note = "Too many wrong tokens. Wait a minute and try again."
)

// Entrance serves GET and POST /login and POST /logout. page writes the login
// page; next is where the visitor was going, a path of this server.
func (d *Door) Entrance(page func(w http.ResponseWriter, status int, note Note, next string)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { d.byLink(w, r, page) })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { d.byToken(w, r, page) })
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		if err := d.sameOrigin(r, Visitor{Browser: true}); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		d.setCookie(w, r, "", -time.Second)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})
	return d.Hall(mux, "")
}

// byLink takes a one-time code. A look ahead of a browser does not use it up.
func (d *Door) byLink(w http.ResponseWriter, r *http.Request, page func(http.ResponseWriter, int, Note, string)) {
	next := local(r.URL.Query().Get("next"))
	code := r.URL.Query().Get("once")
	ahead := r.Method != http.MethodGet || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch")
	switch {
	case code == "":
		page(w, http.StatusOK, NoteNone, next)
	case ahead:
		w.WriteHeader(http.StatusNoContent)
	case !d.tries.left(remote(r), time.Now()):
		page(w, http.StatusTooManyRequests, NoteTooMany, next)
	case !d.codes.take(code, time.Now()):
		d.tries.spend(remote(r), time.Now())
		page(w, http.StatusUnauthorized, NoteUsed, next)
	default:
		d.welcome(w, r, next)
	}
}

func (d *Door) byToken(w http.ResponseWriter, r *http.Request, page func(http.ResponseWriter, int, Note, string)) {
	if err := d.sameOrigin(r, Visitor{}); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	next := local(r.PostFormValue("next"))
	switch err := d.try(r, strings.TrimSpace(r.PostFormValue("token"))); {
	case errors.Is(err, errTooMany):
		w.Header().Set("Retry-After", "60")
		page(w, http.StatusTooManyRequests, NoteTooMany, next)
	case err != nil:
		page(w, http.StatusUnauthorized, NoteWrong, next)
	default:
		d.welcome(w, r, next)
	}
}

func (d *Door) welcome(w http.ResponseWriter, r *http.Request, next string) {
	d.setCookie(w, r, d.newCookie(time.Now(), random()), CookieLife)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// local is a path of this server, "/" for anything else.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || r < ' ' }) {
		return "/"
	}
	return next
}
