package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

func due(m *ledger.Message, now time.Time) bool {
	live := m.State == ledger.MessageGathering || m.State == ledger.MessageWaiting || m.State == ledger.MessageSending
	return live && !m.DueAt.After(now) && !m.ClaimedUntil.After(now)
}

// DueMessages returns messages that may be sent.
func (l *Ledger) DueMessages(ctx context.Context, now time.Time, limit int) ([]ledger.Message, error) {
	if err := l.begin(ctx, "DueMessages"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Message
	for _, m := range l.store.room.messages {
		if due(m, rule.Instant(now)) {
			all = append(all, messageOf(m))
		}
	}
	slices.SortFunc(all, func(a, b ledger.Message) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	return first(all, limit), nil
}

func messageOf(m *ledger.Message) ledger.Message {
	c := *m
	c.Samples = slices.Clone(m.Samples)
	return c
}

// ClaimMessage gives a due message to owner.
func (l *Ledger) ClaimMessage(ctx context.Context, id int64, owner string, now, until time.Time) (ledger.Message, error) {
	if err := l.begin(ctx, "ClaimMessage"); err != nil {
		return ledger.Message{}, err
	}
	defer l.store.mu.Unlock()
	m := l.store.room.message(id)
	if m == nil || !due(m, rule.Instant(now)) {
		return ledger.Message{}, fmt.Errorf("claim message %d: %w", id, ledger.ErrStale)
	}
	m.State, m.Owner, m.ClaimedUntil = ledger.MessageSending, owner, rule.Instant(until)
	m.Attempts++
	return messageOf(m), nil
}

func (r *newsroom) message(id int64) *ledger.Message {
	i := slices.IndexFunc(r.messages, func(m *ledger.Message) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return r.messages[i]
}

// FinishMessage ends a claim.
func (l *Ledger) FinishMessage(ctx context.Context, claim ledger.Message, how ledger.Sending, now time.Time) error {
	if err := l.begin(ctx, "FinishMessage"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	m := l.store.room.message(claim.ID)
	ends := how.State == ledger.MessageSent || how.State == ledger.MessageGivenUp
	held := m != nil && m.State == ledger.MessageSending && m.Owner == claim.Owner && m.Attempts == claim.Attempts
	if !held || !ends && how.State != ledger.MessageWaiting {
		return fmt.Errorf("finish message %d: %w", claim.ID, ledger.ErrStale)
	}
	m.State, m.LastError, m.ClaimedUntil = how.State, rule.Shorten(how.Error, mostText), time.Time{}
	if how.Untried {
		m.Attempts--
	}
	if ends {
		m.EndedAt = rule.Instant(now)
	} else {
		m.DueAt = rule.Instant(how.At)
	}
	return nil
}

// ListMessages returns the newest messages.
func (l *Ledger) ListMessages(ctx context.Context, account string, limit int) ([]ledger.Message, error) {
	if err := l.begin(ctx, "ListMessages"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Message
	for _, m := range slices.Backward(l.store.room.messages) {
		if account == "" || m.Account == account {
			all = append(all, messageOf(m))
		}
	}
	return first(all, limit), nil
}
