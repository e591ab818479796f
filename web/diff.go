package web

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/web/door"
	"github.com/weirhq/weir/web/view"
)

const (
	// diffPatience is how long a comparison may take for somebody who waits at a
	// page; two snapshots of millions of rows take less.
	diffPatience = 30 * time.Second
	// mostComparing is how many are made at once, whoever asks: each reads two
	// snapshots whole.
	mostComparing = 2
	// shownChanges is how many of the largest changes are shown.
	shownChanges = 200
)

// comparing are the visitors for whom a comparison is being made.
type comparing struct {
	mu sync.Mutex
	by map[string]bool
}

// begin takes a place; false says that the visitor has one already, or that all
// are taken.
func (c *comparing) begin(visitor string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[visitor] || len(c.by) >= mostComparing {
		return false
	}
	if c.by == nil {
		c.by = map[string]bool{}
	}
	c.by[visitor] = true
	return true
}

func (c *comparing) end(visitor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, visitor)
}

// diff compares the snapshot of a delivery with an earlier one.
func (s *Server) diff(ctx context.Context, id int64, from string) (view.Diff, error) {
	e, d, err := s.landed(ctx, id)
	if err != nil {
		return view.Diff{}, err
	}
	visitor := door.VisitorOf(ctx).CSRF
	if !s.comparing.begin(visitor) {
		return view.Diff{}, &Refusal{Status: http.StatusTooManyRequests, Code: "busy", Err: errors.New("another comparison is being made"), Hint: "look again when it is done; it takes seconds"}
	}
	defer s.comparing.end(visitor)
	ctx, cancel := context.WithTimeout(ctx, diffPatience)
	defer cancel()
	most := history.Largest{Limit: shownChanges}
	about, summary, err := s.config.Keeper.Compare(ctx, e, d, from, most.Add)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return view.Diff{}, &Refusal{Status: http.StatusServiceUnavailable, Code: "too_long", Err: errors.New("the comparison takes too long for a page"), Hint: "weir diff A B has all the time it needs"}
	case errors.Is(err, history.ErrNoSnapshot):
		return view.Diff{}, &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: errors.New("there is no such snapshot"), Hint: "it may have been pruned; the snapshot's page names those that stand"}
	case errors.Is(err, history.ErrUnlike):
		return view.Diff{}, &Refusal{Status: http.StatusConflict, Code: "unlike", Err: errors.New("these snapshots answer different questions"), Hint: "compare snapshots of the same request"}
	case err != nil:
		return view.Diff{}, err
	}
	return view.DiffOf(about, summary, most.Sorted(), most.Seen), nil
}

func (s *Server) apiDiff(r *http.Request) (any, error) {
	id, err := idOf(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.diff(r.Context(), id, r.PathValue("from"))
}

// diffSheet is never made again by itself: snapshots do not change.
func (s *Server) diffSheet(ctx context.Context, q query) (sheet, error) {
	id, err := idOf(q.path("id"))
	if err != nil {
		return sheet{}, err
	}
	d, err := s.diff(ctx, id, q.path("from"))
	if err != nil {
		return sheet{}, err
	}
	return s.only(sheet{Nav: "snapshots", Title: "What changed: " + d.Title}, "diff", "diff", struct {
		view.Diff
		ID int64
	}{d, id})
}
