package app

import (
	"context"
	"sync"
	"time"

	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/ledger"
)

const (
	// retainEvery is how often what is old is deleted, retainBatch how many rows
	// of a kind go in one transaction, and retainPause the rest between two: the
	// work of exports comes first.
	retainEvery = time.Hour
	retainBatch = 200
	retainPause = 50 * time.Millisecond
	// choreAgain is how soon a chore that failed is done again, twice as long
	// after each further time.
	choreAgain = 30 * time.Second
)

// chores are what some server does every so often: by the queue where there is
// one, else here.
func (s *Service) chores() []riverlander.Chore {
	return []riverlander.Chore{{Name: "retention", Every: retainEvery, Do: s.retain}}
}

// startChores does the chores of a service without a queue until stop.
func (s *Service) startChores(ctx context.Context) (stop func()) {
	if s.fleet.river != nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, c := range s.chores() {
		all.Go(func() { s.repeat(ctx, c) })
	}
	return func() { cancel(); all.Wait() }
}

func (s *Service) repeat(ctx context.Context, c riverlander.Chore) {
	again := choreAgain
	for ctx.Err() == nil {
		wait := c.Every
		if err := c.Do(ctx); err == nil {
			again = choreAgain
		} else if ctx.Err() == nil {
			wait = min(again, c.Every)
			again *= 2
			s.Settings.Log.Warn("chore", "chore", c.Name, "again", wait, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (s *Service) retainAs(keep config.Keep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = keep
}

// retain deletes what the configuration no longer keeps, in small batches.
func (s *Service) retain(ctx context.Context) error {
	s.mu.Lock()
	keep := s.keep
	s.mu.Unlock()
	if keep.Forever || keep.For <= 0 {
		return nil
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	var gone ledger.Pruned
	news := 0
	for ctx.Err() == nil {
		pruned, err := s.Store.Prune(ctx, now.Add(-keep.For), retainBatch)
		if err != nil {
			return err
		}
		forgotten, err := s.Store.ForgetNews(ctx, now.Add(-keep.For), retainBatch)
		if err != nil {
			return err
		}
		if !pruned.Any() && forgotten == 0 {
			break
		}
		gone, news = gone.Add(pruned), news+forgotten
		select {
		case <-ctx.Done():
		case <-time.After(retainPause):
		}
	}
	if gone.Any() || news > 0 {
		s.Settings.Log.Info("deleted what is old", "exports", gone.Exports, "jobs", gone.Jobs, "durations", gone.Durations, "news", news)
	}
	return ctx.Err()
}
