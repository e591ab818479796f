package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/web/view"
)

const (
	// readAtOnce is how many manifests are read for one showing of the list, and
	// readPatience for how long a page waits for them: places may be far away.
	// What is not read by then is shown the next time.
	readAtOnce   = 50
	readPatience = 300 * time.Millisecond
	// readTime bounds one reading of them.
	readTime = 30 * time.Second
	// maxChecked bounds what is remembered; beyond it everything is read anew.
	maxChecked = 20_000
)

// manifestKey names a manifest. What is written there never changes.
type manifestKey struct{ destination, manifest string }

// checked remembers what manifests say of their checks; of one that is gone,
// until the next reading.
type checked struct {
	mu      sync.Mutex
	known   map[manifestKey]view.Checks
	reading bool
}

// ask returns those that are to be read; true when it is the caller who reads.
func (c *checked) ask(all []view.Snapshot) (unknown []view.Snapshot, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range all {
		found, known := c.known[manifestKey{s.Destination, s.Manifest}]
		if (!known || found.Gone) && len(unknown) < readAtOnce {
			unknown = append(unknown, s)
		}
	}
	mine = len(unknown) > 0 && !c.reading
	c.reading = c.reading || mine
	return unknown, mine
}

func (c *checked) learn(s view.Snapshot, found view.Checks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxChecked {
		c.known = map[manifestKey]view.Checks{}
	}
	c.known[manifestKey{s.Destination, s.Manifest}] = found
}

func (c *checked) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
}

// latest are the latest snapshots of each request, with what is known of their
// checks.
func (s *Server) latest(ctx context.Context, account string) ([]view.Snapshot, error) {
	all, err := s.reader.snapshots(ctx, account)
	if err != nil {
		return nil, err
	}
	if unknown, mine := s.checked.ask(all); mine {
		s.readSoon(ctx, unknown)
	}
	s.checked.fill(all)
	return all, nil
}

// readSoon reads, and waits for that no longer than a page may.
func (s *Server) readSoon(ctx context.Context, unknown []view.Snapshot) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer s.checked.done()
		s.readChecks(context.WithoutCancel(ctx), unknown)
	}()
	patience := time.NewTimer(readPatience)
	defer patience.Stop()
	select {
	case <-read:
	case <-patience.C:
	case <-ctx.Done():
	}
}

// fill adds what is known.
func (c *checked) fill(all []view.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range all {
		if found, known := c.known[manifestKey{s.Destination, s.Manifest}]; known {
			all[i].Checks = found
		}
	}
}

// readChecks reads manifests one after the other. A place that cannot be reached
// is asked for none of its others.
func (s *Server) readChecks(ctx context.Context, of []view.Snapshot) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	closed := map[string]bool{}
	for _, snapshot := range of {
		if closed[snapshot.Destination] {
			continue
		}
		m, err := s.config.Keeper.Manifest(ctx, snapshot.Request, snapshot.Destination, snapshot.Manifest)
		switch {
		case errors.Is(err, history.ErrNoSnapshot):
			s.checked.learn(snapshot, view.Checks{Made: -1, Passed: -1, Gone: true})
		case err != nil:
			closed[snapshot.Destination] = true
			s.config.Log.Debug("read manifest for the list", "destination", snapshot.Destination, "error", err)
		default:
			s.checked.learn(snapshot, view.ChecksOf(m))
		}
	}
}
