package app

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/web"
	"github.com/weirhq/weir/web/door"
	"github.com/weirhq/weir/web/riverui"
)

// FaceSettings say where a service shows itself and who may look.
type FaceSettings struct {
	// Listen is an address such as 127.0.0.1:8120; port 0 takes a free one.
	Listen string
	// PublicURL is where others reach it; "" for nowhere.
	PublicURL string
	ReadOnly  bool
	// RiverUI adds River's own pages; only where the state is in PostgreSQL.
	RiverUI bool
	Token   string
}

// ConfiguredFace is what a configuration file says of it.
func ConfiguredFace(path string) (FaceSettings, error) {
	c, err := config.Load(path)
	if err != nil {
		return FaceSettings{}, configurationFault(path, err)
	}
	return FaceSettings{Listen: c.Serve.Listen, PublicURL: c.Serve.PublicURL, ReadOnly: c.Serve.ReadOnly, RiverUI: c.Serve.RiverUI}, nil
}

// Face is the HTTP server of a service: pages, API, health.
type Face struct {
	// Address is what it listens on.
	Address  string
	Door     *door.Door
	Server   *web.Server
	river    *riverui.Pages // nil without
	listener net.Listener
	server   *http.Server
}

// NewFace listens, and serves once Serve is called. Mount what belongs under its
// login before that.
func NewFace(s *Service, f FaceSettings) (*Face, error) {
	if err := f.check(s.Store.Postgres() != nil); err != nil {
		return nil, err
	}
	var public *url.URL
	if f.PublicURL != "" {
		var err error
		if public, err = door.ParsePublic(f.PublicURL); err != nil {
			return nil, Usage("give --public-url https://host", "%w", err)
		}
	}
	listener, err := net.Listen("tcp", f.Listen)
	if err != nil {
		return nil, &Fault{Exit: ExitUsage, Code: "listen", Hint: "choose another --listen address", Err: fmt.Errorf("serve: %w", err)}
	}
	face, err := newFace(s, f, listener, public)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return face, nil
}

// check refuses what cannot be shown together.
func (f FaceSettings) check(postgres bool) error {
	switch {
	case f.RiverUI && f.ReadOnly:
		return Usage("leave out --river-ui or --read-only", "serve River's pages: they change the queue, and this server is to be read-only")
	case f.RiverUI && !postgres:
		return Usage("keep the state in PostgreSQL (--state postgres://..), or leave out --river-ui", "serve River's pages: the state is a file, and River runs only where it is in PostgreSQL")
	}
	return nil
}

func newFace(s *Service, f FaceSettings, listener net.Listener, public *url.URL) (*Face, error) {
	face := &Face{Address: listener.Addr().String(), listener: listener}
	var err error
	face.Door, err = door.New(door.Config{Token: f.Token, Listen: face.Address, Public: public, ReadOnly: f.ReadOnly, Log: s.Settings.Log})
	if err != nil {
		return nil, err
	}
	if face.Server, err = web.New(web.Config{Door: face.Door, Ledger: s.Store, Keeper: s.Keeper(), River: f.RiverUI, Log: s.Settings.Log}); err != nil {
		return nil, err
	}
	face.Server.Open("GET /healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }))
	face.Server.Open("GET /readyz", http.HandlerFunc(s.readiness))
	if s.Metrics != nil {
		face.Server.Mount("GET /metrics", s.Metrics.Handler(), door.Terms{Programs: true})
	}
	if f.RiverUI {
		if face.river, err = riverui.Open(s.Store.Postgres(), s.Settings.Log); err != nil {
			return nil, err
		}
		face.river.Mount(face.Server.Mount)
	}
	face.server = &http.Server{
		Handler: face.Server.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	return face, nil
}

// readiness tells everybody whether every account is at work; which ones are
// not, and why, stands in the log and on the page.
func (s *Service) readiness(w http.ResponseWriter, _ *http.Request) {
	if s.Health() != nil {
		http.Error(w, "an account is not at work; the log says which", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// Serve answers requests until Close.
func (f *Face) Serve() { go func() { _ = f.server.Serve(f.listener) }() }

// Close ends every request.
func (f *Face) Close() error {
	err := f.server.Close()
	if f.river != nil {
		f.river.Close()
	}
	return err
}
