package web

import (
	"bytes"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/web/door"
)

// Config is what a server is made of.
type Config struct {
	Door   *door.Door
	Ledger ledger.Ledger
	Keeper Keeper
	// River says that River's own pages are mounted, so that the navigation names
	// them.
	River bool
	Log   *slog.Logger
}

// Server answers for pages, API and whatever else is mounted under its login.
// Make one with New, mount, then serve Handler.
type Server struct {
	config    Config
	reader    reader
	hub       hub
	rows      rowCache
	comparing comparing
	checked   checked
	mux       *http.ServeMux
	templates *template.Template
	assets    assets
}

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, mux: http.NewServeMux(), reader: reader{newMemo(c.Ledger), c.Keeper}, rows: rowCache{made: map[nowRow]string{}}, hub: hub{topics: map[string]*topic{}}}
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
	s.servePages()
	s.serveAPI()
	return s, nil
}

func (s *Server) servePages() {
	s.sheetAt("/{$}", s.nowSheet)
	s.sheetAt("/timeline", s.timelineSheet)
	s.sheetAt("/quota", s.quotaSheet)
	s.sheetAt("/snapshots", s.snapshotsSheet)
	s.sheetAt("/snapshots/{id}", s.snapshotSheet)
	s.page("GET /snapshots/{id}/diff/{from}", func(w http.ResponseWriter, r *http.Request) { s.show(w, r, s.diffSheet) })
	s.sheetAt("/exports", s.exportsSheet)
	s.sheetAt("/exports/{id}", s.exportSheet)
	s.sheetAt("/schedules", s.schedulesSheet)
	s.page("POST /exports/{id}/{action}", s.exportForm)
	s.page("POST /schedules/{action}", s.scheduleForm)
	s.page("/", func(w http.ResponseWriter, r *http.Request) {
		s.sorry(w, r, &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: errors.New("there is no such page"), Hint: "the navigation names all there are"})
	})
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
