package ledger

import (
	"context"
	"net"
	"sync"
	"time"
)

// postgresSilence is how long a database may leave a statement without a byte
// of an answer. A network that swallows everything closes no connection: only
// this ends the wait, and it is short enough for a server to stop in time.
// Waiting for a lock of another process's ends earlier.
const (
	postgresSilence  = 6 * time.Second
	postgresLockWait = "5000" // ms
)

// patient is a connection on which no read waits for ever. A deadline that the
// driver sets, because a context has ended, counts when it is the earlier one.
type patient struct {
	net.Conn
	silence time.Duration

	mu   sync.Mutex
	told time.Time // the driver's own deadline, zero: none
}

func (c *patient) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = t
	return c.Conn.SetDeadline(t)
}

func (c *patient) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = t
	return c.Conn.SetReadDeadline(t)
}

func (c *patient) Read(p []byte) (int, error) {
	c.mu.Lock()
	until := time.Now().Add(c.silence)
	if !c.told.IsZero() && c.told.Before(until) {
		until = c.told
	}
	err := c.Conn.SetReadDeadline(until)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// dialPatiently connects to a place on which no read waits longer than silence.
func dialPatiently(silence time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := &net.Dialer{Timeout: postgresHandshake, KeepAlive: silence}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &patient{Conn: conn, silence: silence}, nil
	}
}
