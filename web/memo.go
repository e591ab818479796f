package web

import (
	"context"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

const (
	// jobLife is how long a page believes what it read of a job, at least; at
	// most twice as long, so that not all are read again at once.
	jobLife = 3 * time.Second
	// historyLife is how long it believes how long jobs took, and usesLife what
	// the quota was used for.
	historyLife = time.Minute
	usesLife    = 5 * time.Second
	// maxMemo bounds what is remembered; beyond it everything is read anew.
	maxMemo = 50_000
)

// memo is a ledger that remembers for a moment what pages read again and again
// and what changes little. Only pages read through it: nothing is decided by it.
type memo struct {
	ledger.Ledger
	mu        sync.Mutex
	jobs      map[string]remembered[weir.Job] // by account and id
	durations map[string]remembered[map[string][]time.Duration]
	uses      map[string]remembered[[]time.Time]
}

type remembered[T any] struct {
	value T
	until time.Time
}

func newMemo(l ledger.Ledger) *memo {
	return &memo{
		Ledger: l, jobs: map[string]remembered[weir.Job]{}, durations: map[string]remembered[map[string][]time.Duration]{},
		uses: map[string]remembered[[]time.Time]{},
	}
}

// Jobs returns the named jobs, those read a moment ago as they were then. Their
// order is nobody's concern here.
func (m *memo) Jobs(ctx context.Context, account string, ids ...string) ([]weir.Job, error) {
	if len(ids) == 0 {
		return m.Ledger.Jobs(ctx, account)
	}
	now := time.Now()
	found, unknown := m.known(account, ids, now)
	if len(unknown) == 0 {
		return found, nil
	}
	fresh, err := m.Ledger.Jobs(ctx, account, unknown...)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.jobs) > maxMemo {
		clear(m.jobs)
	}
	for i, j := range fresh {
		life := jobLife + jobLife*time.Duration(i%16)/16
		m.jobs[account+"\x00"+j.ID] = remembered[weir.Job]{j, now.Add(life)}
	}
	return append(found, fresh...), nil
}

func (m *memo) known(account string, ids []string, now time.Time) (found []weir.Job, unknown []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if r, ok := m.jobs[account+"\x00"+id]; ok && now.Before(r.until) {
			found = append(found, r.value)
		} else {
			unknown = append(unknown, id)
		}
	}
	return found, unknown
}

// Durations returns how long jobs took, as of a minute ago at most.
func (m *memo) Durations(ctx context.Context, account string, limit int) (map[string][]time.Duration, error) {
	return recall(&m.mu, m.durations, account, historyLife, func() (map[string][]time.Duration, error) {
		return m.Ledger.Durations(ctx, account, limit)
	})
}

// QuotaUses returns what the quota was used for, as of a moment ago at most.
func (m *memo) QuotaUses(ctx context.Context, account string, since time.Time) ([]time.Time, error) {
	return recall(&m.mu, m.uses, account, usesLife, func() ([]time.Time, error) { return m.Ledger.QuotaUses(ctx, account, since) })
}

// recall gives what is remembered under a key, or reads it.
func recall[T any](mu *sync.Mutex, of map[string]remembered[T], key string, life time.Duration, read func() (T, error)) (T, error) {
	now := time.Now()
	mu.Lock()
	r, ok := of[key]
	mu.Unlock()
	if ok && now.Before(r.until) {
		return r.value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	mu.Lock()
	defer mu.Unlock()
	if len(of) > maxMemo {
		clear(of)
	}
	of[key] = remembered[T]{value, now.Add(life)}
	return value, nil
}
