package web

import (
	"bytes"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/weirhq/weir/web/door"
)

// Config is what a server is made of.
type Config struct {
	Door *door.Door
	Log  *slog.Logger
}

// Server answers for pages, API and whatever else is mounted under its login.
// Make one with New, mount, then serve Handler.
type Server struct {
	config    Config
	mux       *http.ServeMux
	templates *template.Template
	assets    assets
}

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, mux: http.NewServeMux()}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = loadTemplates(s.assets); err != nil {
		return nil, err
	}
	s.mux.Handle("/login", c.Door.Entrance(s.loginPage))
	s.mux.Handle("/logout", c.Door.Entrance(s.loginPage))
	s.mux.Handle("GET /assets/", c.Door.Hall(s.assets, ""))
	s.page("/", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	return s, nil
}

// Handler serves everything.
func (s *Server) Handler() http.Handler { return s.mux }

// Mount serves a handler under the login, on the terms it needs. The pattern is
// one of [http.ServeMux].
func (s *Server) Mount(pattern string, h http.Handler, terms door.Terms) {
	s.mux.Handle(pattern, s.config.Door.Guard(h, terms))
}

// Open serves a handler to everybody who knows the server's name: health.
func (s *Server) Open(pattern string, h http.Handler) {
	s.mux.Handle(pattern, s.config.Door.Hall(h, ""))
}

func (s *Server) page(pattern string, h http.HandlerFunc) { s.Mount(pattern, h, door.Terms{}) }

func (s *Server) loginPage(w http.ResponseWriter, status int, note door.Note, next string) {
	s.write(w, status, "login", struct {
		Note door.Note
		Next string
	}{note, next})
}

// write answers with a template. One that fails half way is not sent.
func (s *Server) write(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	if err := s.templates.ExecuteTemplate(&out, name, data); err != nil {
		s.config.Log.Error("make page", "page", name, "error", err)
		http.Error(w, "this page cannot be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

func loadTemplates(a assets) (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{"asset": a.path}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	return t, nil
}
