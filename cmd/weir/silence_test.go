package main_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// silentProxy stands between a server and its database. Silent, it is a network
// that swallows everything and tells nobody: connections stay, new ones are
// accepted, and not a byte passes.
type silentProxy struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	silent  bool
	changed *sync.Cond
}

func newSilentProxy(t *testing.T, to string) *silentProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &silentProxy{listener: listener, to: to}
	p.changed = sync.NewCond(&p.mu)
	go p.accept()
	t.Cleanup(func() { p.silence(false); _ = listener.Close() })
	return p
}

// through is a database's URL by way of the proxy.
func (p *silentProxy) through(t *testing.T, location string) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.listener.Addr().String()
	return u.String()
}

func (p *silentProxy) silence(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
	p.changed.Broadcast()
}

// pass returns when bytes may pass.
func (p *silentProxy) pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.silent {
		p.changed.Wait()
	}
}

func (p *silentProxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.carry(from)
	}
}

func (p *silentProxy) carry(from net.Conn) {
	defer from.Close()
	p.pass()
	to, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer to.Close()
	go p.copy(to, from)
	p.copy(from, to)
}

func (p *silentProxy) copy(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.pass()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
