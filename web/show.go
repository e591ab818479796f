package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/weirhq/weir/web/door"
)

// layout is what the frame of every page gets.
type layout struct {
	sheet
	Accounts []string
	CSRF     string
	// Live is where the page's changes are streamed from; "" for none.
	Live     string
	ReadOnly bool
	River    bool
	Browser  bool
	// Note is what became of what the visitor did last.
	Note string
}

// sheetAt serves a page, and its stream below /live.
func (s *Server) sheetAt(pattern string, make maker) {
	s.page("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { s.show(w, r, make) })
	s.Mount("GET /live"+pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.live(w, r, make) }), door.Terms{Programs: true})
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, make maker) {
	q, err := s.asked(r)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	sh, err := make(r.Context(), q)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	l := s.layout(r, sh, q.accounts)
	l.Note = notes()[q.get("did")]
	if sh.every > 0 {
		values := r.URL.Query()
		values.Del("did")
		values.Set("have", sh.version())
		l.Live = "/live" + r.URL.EscapedPath() + "?" + values.Encode()
	}
	s.writeFor(w, r, http.StatusOK, l)
}

func (s *Server) layout(r *http.Request, sh sheet, accounts []string) layout {
	visitor := door.VisitorOf(r.Context())
	return layout{sheet: sh, Accounts: accounts, CSRF: csrfMark, ReadOnly: s.config.Door.ReadOnly(), River: s.config.River, Browser: visitor.Browser}
}

// writeFor answers with a page whose forms are the visitor's.
func (s *Server) writeFor(w http.ResponseWriter, r *http.Request, status int, l layout) {
	var out bytes.Buffer
	if err := s.templates.ExecuteTemplate(&out, "page", l); err != nil {
		s.config.Log.Error("make page", "page", l.Nav, "error", err)
		http.Error(w, "this page cannot be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(strings.ReplaceAll(out.String(), csrfMark, door.VisitorOf(r.Context()).CSRF)))
}

// sorry is the page of an error.
func (s *Server) sorry(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody waits for it
	}
	told := refusalOf(err)
	if told.Status >= http.StatusInternalServerError {
		s.config.Log.Error("answer request", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	sh, err := s.only(sheet{Title: "Not possible"}, "sorry", "sorry", told)
	if err != nil {
		http.Error(w, told.Error(), told.Status)
		return
	}
	s.writeFor(w, r, told.Status, s.layout(r, sh, nil))
}

// notes are what a page says of what was done just before, by the word in its
// address.
func notes() map[string]string {
	return map[string]string{
		"cancel":  "The wish to cancel is recorded. The export ends when the server has confirmed it.",
		"retry":   "It is planned anew.",
		"resolve": "Your decision is recorded.",
		"reland":  "It is downloaded and landed once more. That uses no quota.",
		"run":     "The run is recorded; its exports start as soon as they may.",
		"pause":   "The schedule is paused.",
		"resume":  "The schedule goes on.",
	}
}

// done leads back to a page after a form.
func done(w http.ResponseWriter, r *http.Request, path, did string) {
	http.Redirect(w, r, path+"?"+url.Values{"did": {did}}.Encode(), http.StatusSeeOther)
}
