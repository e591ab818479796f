package postgres_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// link is a way to a server that can break.
type link struct {
	listener net.Listener
	server   string
	left     atomic.Int64 // pieces that may still go to the server
	mu       sync.Mutex
	open     []net.Conn
}

// newLink carries that many pieces of what a client says and is dead then.
func newLink(t *testing.T, server string, pieces int) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, server: server}
	l.left.Store(int64(pieces))
	go l.serve()
	t.Cleanup(l.cut)
	return l
}

func (l *link) address() string { return l.listener.Addr().String() }

func (l *link) broken() bool { return l.left.Load() <= 0 }

func (l *link) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil {
			client.Close()
			continue
		}
		l.mu.Lock()
		l.open = append(l.open, client, server)
		l.mu.Unlock()
		go l.forward(server, client)
		go func() {
			_, _ = io.Copy(client, server) // until either end is closed
			client.Close()
		}()
	}
}

func (l *link) forward(server, client net.Conn) {
	buffer := make([]byte, 1024)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			server.Close()
			return
		}
		if l.left.Add(-1) <= 0 {
			l.cut()
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut ends every connection and takes no more.
func (l *link) cut() {
	l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.open {
		conn.Close()
	}
}
