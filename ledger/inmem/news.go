package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// newsroom is what people were told.
type newsroom struct {
	news        map[string]*told // by key
	messages    []*ledger.Message
	lastMessage int64
}

type told struct {
	ledger.News
	clearedAt time.Time
}

// mostText bounds the text of a piece of news, in bytes.
const mostText = 500

// Tell records news and queues it for its receivers.
func (l *Ledger) Tell(ctx context.Context, n ledger.News, to ledger.Addressees) (news bool, err error) {
	err = l.with(ctx, "Tell", n.Account, func(*account) error {
		n.Text, n.At = rule.Shorten(n.Text, mostText), rule.Instant(n.At)
		s := l.store
		if n.Key == "" {
			if len(s.standing(n.Account, n.Kind, n.Subject)) > 0 {
				return nil
			}
			n.Key = rule.NewsKey(n.Account, n.Kind, n.Subject, n.At)
		}
		if s.room.news[n.Key] != nil {
			return nil
		}
		news = true
		s.room.news[n.Key] = &told{News: n}
		s.room.enqueue(n, to)
		return nil
	})
	return news, err
}

// Recover clears what stands and tells that it does not any more.
func (l *Ledger) Recover(ctx context.Context, n ledger.News, to ledger.Addressees) (cleared bool, err error) {
	err = l.with(ctx, "Recover", n.Account, func(*account) error {
		n.Text, n.At = rule.Shorten(n.Text, mostText), rule.Instant(n.At)
		for _, standing := range l.store.standing(n.Account, n.Kind, n.Subject) {
			standing.clearedAt, cleared = n.At, true
		}
		if cleared {
			n.Kind = ledger.Recovered
			l.store.room.enqueue(n, to)
		}
		return nil
	})
	return cleared, err
}

func (s *store) standing(account, kind, subject string) []*told {
	var all []*told
	for _, n := range s.room.news {
		if n.clearedAt.IsZero() && n.Account == account && n.Kind == kind && n.Subject == subject {
			all = append(all, n)
		}
	}
	return all
}

// enqueue adds news to each receiver's gathering message.
func (r *newsroom) enqueue(n ledger.News, to ledger.Addressees) {
	sample := ledger.Sample{At: n.At, Export: n.Export, Text: n.Text}
	for _, receiver := range to.Receivers {
		var last time.Time
		var open *ledger.Message
		for _, m := range r.messages {
			if m.Receiver != receiver || m.Account != n.Account || m.Kind != n.Kind {
				continue
			}
			if m.DueAt.After(last) {
				last = m.DueAt
			}
			if m.State == ledger.MessageGathering {
				open = m
			}
		}
		if open == nil {
			r.lastMessage++
			open = &ledger.Message{
				ID: r.lastMessage, Token: fmt.Sprintf("message-%d", r.lastMessage), Receiver: receiver, Account: n.Account, Kind: n.Kind,
				OpenedAt: n.At, DueAt: rule.Instant(rule.MessageDue(n.At, last, to.Gather, to.Space)), State: ledger.MessageGathering,
			}
			r.messages = append(r.messages, open)
		}
		open.Count++
		if len(open.Samples) < ledger.MaxSamples {
			open.Samples = append(open.Samples, sample)
		}
	}
}

// Standing returns news that stands.
func (l *Ledger) Standing(ctx context.Context, account, kind string, limit int) ([]ledger.News, error) {
	return l.newsThat(ctx, "Standing", limit, func(n *told) bool { return n.Account == account && n.Kind == kind })
}

// Mended returns news whose export has landed since.
func (l *Ledger) Mended(ctx context.Context, limit int) ([]ledger.News, error) {
	return l.newsThat(ctx, "Mended", limit, func(n *told) bool {
		return slices.ContainsFunc(l.store.accounts[n.Account].like[n.Subject], func(e *export) bool {
			return e.State == weir.Landed && !e.ChangedAt.Before(n.At)
		})
	})
}

func (l *Ledger) newsThat(ctx context.Context, method string, limit int, is func(*told) bool) ([]ledger.News, error) {
	if err := l.begin(ctx, method); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.News
	for _, n := range l.store.room.news {
		if n.clearedAt.IsZero() && is(n) {
			all = append(all, n.News)
		}
	}
	slices.SortFunc(all, func(a, b ledger.News) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return first(all, limit), nil
}

func first[T any](all []T, limit int) []T { return all[:min(len(all), limit)] }

// Troubles returns what went wrong and nobody was told of.
func (l *Ledger) Troubles(ctx context.Context, since time.Time, limit int) ([]ledger.Trouble, error) {
	if err := l.begin(ctx, "Troubles"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Trouble
	for _, e := range l.store.exports {
		for i, event := range e.events {
			key := fmt.Sprintf("export/%d/%d", e.ID, i)
			bad := event.To == weir.Failed || event.To == weir.Rejected
			if bad && !event.At.Before(rule.Instant(since)) && l.store.room.news[key] == nil {
				all = append(all, ledger.Trouble{Key: key, Export: rule.Export(e.Export), State: event.To, At: event.At})
			}
		}
	}
	slices.SortFunc(all, func(a, b ledger.Trouble) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) })
	return first(all, limit), nil
}

// Overdue returns scheduled exports that should have landed.
func (l *Ledger) Overdue(ctx context.Context, before time.Time, limit int) ([]weir.Export, error) {
	if err := l.begin(ctx, "Overdue"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []weir.Export
	for _, a := range l.store.accounts {
		for _, e := range a.open {
			if e.Rank == weir.RankScheduled && e.AsOf.Before(rule.Instant(before)) {
				all = append(all, rule.Export(e.Export))
			}
		}
	}
	slices.SortFunc(all, func(a, b weir.Export) int { return cmp.Or(a.AsOf.Compare(b.AsOf), cmp.Compare(a.ID, b.ID)) })
	return first(all, limit), nil
}

// LateRuns returns schedules whose last run was late.
func (l *Ledger) LateRuns(ctx context.Context, since time.Time, by time.Duration) ([]ledger.Schedule, error) {
	if err := l.begin(ctx, "LateRuns"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Schedule
	for _, a := range l.store.accounts {
		for _, s := range a.schedules {
			if !s.LastRunAt.IsZero() && !s.LastRunAt.Before(rule.Instant(since)) && s.LastRunAt.Sub(s.LastDueAt) > by {
				all = append(all, *s)
			}
		}
	}
	slices.SortFunc(all, func(a, b ledger.Schedule) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// ForgetNews deletes what was told long ago.
func (l *Ledger) ForgetNews(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := l.begin(ctx, "ForgetNews"); err != nil {
		return 0, err
	}
	defer l.store.mu.Unlock()
	r, before, n := &l.store.room, rule.Instant(before), 0
	r.messages = slices.DeleteFunc(r.messages, func(m *ledger.Message) bool {
		old := !m.EndedAt.IsZero() && m.EndedAt.Before(before) && n < limit
		if old {
			n++
		}
		return old
	})
	messages := n
	for key, told := range r.news {
		if told.At.Before(before) && n-messages < limit {
			delete(r.news, key)
			n++
		}
	}
	return n, nil
}
