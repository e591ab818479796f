package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

// MessageState is where a message stands.
type MessageState string

// A message gathers until it is due; from its first attempt on it is the same.
const (
	MessageGathering MessageState = "gathering"
	MessageWaiting   MessageState = "waiting" // to be tried again
	MessageSending   MessageState = "sending" // somebody holds it
	MessageSent      MessageState = "sent"
	MessageGivenUp   MessageState = "given_up"
)

// Sample is one of the pieces of news that a message stands for.
type Sample struct {
	At     time.Time `json:"at"`
	Export int64     `json:"export,omitempty"`
	Text   string    `json:"text"`
}

// Message is what one receiver is told of one kind of news of one account.
type Message struct {
	ID int64
	// Token names the message to its receiver, the same at every attempt.
	Token    string
	Receiver string
	Account  string
	Kind     string
	OpenedAt time.Time
	// DueAt is when it goes, or is tried again.
	DueAt time.Time
	// Count is how many pieces of news it stands for, and Samples the first
	// [MaxSamples] of them.
	Count    int64
	Samples  []Sample
	State    MessageState
	Attempts int
	Owner    string
	// ClaimedUntil is when a claim of somebody who died may be taken.
	ClaimedUntil time.Time
	LastError    string
	EndedAt      time.Time
}

// MaxSamples is how many pieces of news a message quotes.
const MaxSamples = 10

// Sending is how an attempt ended.
type Sending struct {
	// State is MessageSent, MessageGivenUp, or MessageWaiting with At as the
	// next attempt.
	State MessageState
	At    time.Time
	Error string
	// Untried is set where the receiver was not asked: the claim is no attempt.
	Untried bool
}

// Mailbox hands messages to those who send them. A message is claimed by one
// sender at a time; one whose sender died is claimed by another later, so that
// it may arrive twice, with the same Token.
type Mailbox interface {
	// DueMessages returns at most limit messages that may be sent at now, those
	// due longest first.
	DueMessages(ctx context.Context, now time.Time, limit int) ([]Message, error)
	// ClaimMessage gives a due message to owner until the instant, and closes
	// it to more news; ErrStale when it is not due, or held.
	ClaimMessage(ctx context.Context, id int64, owner string, now, until time.Time) (Message, error)
	// FinishMessage ends a claim; ErrStale when it was lost.
	FinishMessage(ctx context.Context, claim Message, how Sending, now time.Time) error
	// ListMessages returns the newest messages of an account, newest first; of
	// all accounts for "".
	ListMessages(ctx context.Context, account string, limit int) ([]Message, error)
}

const messageColumns = `id, token, receiver, account, kind, opened_at, due_at, count, samples, state, attempts, owner, claimed_until, last_error, ended_at`

func readMessage(r row) (m Message, err error) {
	var samples string
	err = r.Scan(&m.ID, &m.Token, &m.Receiver, &m.Account, &m.Kind, into(&m.OpenedAt), into(&m.DueAt), &m.Count, &samples,
		&m.State, &m.Attempts, &m.Owner, into(&m.ClaimedUntil), &m.LastError, into(&m.EndedAt))
	if err == nil {
		err = json.Unmarshal([]byte(samples), &m.Samples)
	}
	return m, err
}

// enqueue adds news to each receiver's gathering message. The account's row is
// locked.
func (s *Store) enqueue(ctx context.Context, tx *sql.Tx, n News, to Addressees) error {
	for _, receiver := range to.Receivers {
		m, err := readMessage(tx.QueryRowContext(ctx, `SELECT `+messageColumns+` FROM messages
			WHERE receiver = $1 AND account = $2 AND kind = $3 AND state = 'gathering'`+s.dialect.forUpdate, receiver, n.Account, n.Kind))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			err = s.begin(ctx, tx, receiver, n, to)
		case err == nil:
			err = s.gather(ctx, tx, m, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin makes the message that news of a kind gathers in.
func (s *Store) begin(ctx context.Context, tx *sql.Tx, receiver string, n News, to Addressees) error {
	var last time.Time
	row := tx.QueryRowContext(ctx, `SELECT COALESCE(max(due_at), 0) FROM messages WHERE receiver = $1 AND account = $2 AND kind = $3`, receiver, n.Account, n.Kind)
	if err := row.Scan(into(&last)); err != nil {
		return err
	}
	id, err := nextID(ctx, tx, "message")
	if err != nil {
		return err
	}
	samples, err := json.Marshal([]Sample{sampleOf(n)})
	if err != nil {
		return err
	}
	due := rule.MessageDue(n.At, last, to.Gather, to.Space)
	_, err = tx.ExecContext(ctx, `INSERT INTO messages (id, token, receiver, account, kind, opened_at, due_at, count, samples, state)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, 'gathering')`,
		id, rand.Text(), receiver, n.Account, n.Kind, rule.Millis(n.At), rule.Millis(due), string(samples))
	return err
}

func (s *Store) gather(ctx context.Context, tx *sql.Tx, m Message, n News) error {
	if len(m.Samples) < MaxSamples {
		m.Samples = append(m.Samples, sampleOf(n))
	}
	samples, err := json.Marshal(m.Samples)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE messages SET count = count + 1, samples = $2 WHERE id = $1`, m.ID, string(samples))
	return err
}

func sampleOf(n News) Sample {
	return Sample{At: rule.Instant(n.At), Export: n.Export, Text: n.Text}
}

// Due messages: those nobody holds, and those whose holder is overdue.
const selectDue = `SELECT ` + messageColumns + ` FROM messages
	WHERE state IN ('gathering', 'waiting', 'sending') AND due_at <= $1 AND claimed_until <= $1 ORDER BY due_at, id LIMIT $2`

// DueMessages returns messages that may be sent.
func (s *Store) DueMessages(ctx context.Context, now time.Time, limit int) ([]Message, error) {
	rows, err := s.db.QueryContext(ctx, selectDue, rule.Millis(now), limit)
	all, err := collect(rows, err, readMessage)
	if err != nil {
		return nil, s.fail(ctx, "read due messages", err)
	}
	return all, nil
}

// ClaimMessage gives a due message to owner.
func (s *Store) ClaimMessage(ctx context.Context, id int64, owner string, now, until time.Time) (Message, error) {
	m, err := readMessage(s.db.QueryRowContext(ctx, `UPDATE messages SET state = 'sending', owner = $2, claimed_until = $4, attempts = attempts + 1
		WHERE id = $1 AND state IN ('gathering', 'waiting', 'sending') AND due_at <= $3 AND claimed_until <= $3
		RETURNING `+messageColumns, id, owner, rule.Millis(now), rule.Millis(until)))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrStale
	}
	if err != nil {
		return Message{}, s.fail(ctx, fmt.Sprintf("claim message %d", id), err)
	}
	return m, nil
}

// FinishMessage ends a claim.
func (s *Store) FinishMessage(ctx context.Context, claim Message, how Sending, now time.Time) error {
	if !slices.Contains([]MessageState{MessageSent, MessageGivenUp, MessageWaiting}, how.State) {
		return fmt.Errorf("finish message %d: it cannot end as %s: %w", claim.ID, how.State, ErrStale)
	}
	due, ended := claim.DueAt, now
	if how.State == MessageWaiting {
		due, ended = how.At, time.Time{}
	}
	result, err := s.db.ExecContext(ctx, `UPDATE messages SET state = $4, due_at = $5, ended_at = $6, last_error = $7, claimed_until = 0,
			attempts = attempts - $8
		WHERE id = $1 AND state = 'sending' AND owner = $2 AND attempts = $3`,
		claim.ID, claim.Owner, claim.Attempts, string(how.State), rule.Millis(due), rule.Millis(ended), rule.Shorten(how.Error, mostText), bit(how.Untried))
	if err == nil {
		if n, counted := result.RowsAffected(); counted == nil && n == 0 {
			err = ErrStale
		}
	}
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("finish message %d", claim.ID), err)
	}
	return nil
}

// ListMessages returns the newest messages.
func (s *Store) ListMessages(ctx context.Context, account string, limit int) ([]Message, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages WHERE account = $1 OR $1 = '' ORDER BY id DESC LIMIT $2`, account, limit)
	all, err := collect(rows, err, readMessage)
	if err != nil {
		return nil, s.fail(ctx, "list messages", err)
	}
	return all, nil
}
