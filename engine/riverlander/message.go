package riverlander

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir/ledger"
)

const (
	// messageQueue keeps messages from waiting behind landings, which take long.
	messageQueue = "messages"
	messageWidth = 2
	// messagePoll is how soon a job is fetched whose notification was lost.
	messagePoll = 5 * time.Second
	// messageTurn is how long a message's job keeps another of the same try out.
	// A worker that has not claimed by then is dead: a claim is the first thing
	// it does.
	messageTurn = 30 * time.Second
)

// messageArgs name one try of a message. They hold nothing that it says and
// nobody whom it is for: the ledger knows the rest.
type messageArgs struct {
	ID int64 `json:"id"`
	// Try is how often it was claimed before, and Turn counts the jobs of one try
	// that nobody claimed.
	Try  int   `json:"try"`
	Turn int64 `json:"turn"`
}

// Kind implements river.JobArgs.
func (messageArgs) Kind() string { return "weir_message" }

// InsertOpts implements river.JobArgsWithInsertOpts. What has ended without a
// claim keeps no other job out.
func (messageArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: messageQueue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

type messageWorker struct {
	river.WorkerDefaults[messageArgs]
	send func(ctx context.Context, id int64) error
}

// Work sends one message. One that somebody else has, or had, is theirs.
func (w *messageWorker) Work(ctx context.Context, job *river.Job[messageArgs]) error {
	if err := w.send(ctx, job.Args.ID); err != nil && !errors.Is(err, ledger.ErrStale) {
		return fmt.Errorf("send message %d: %w", job.Args.ID, err)
	}
	return nil
}

// OfferMessage puts a message that is due at now, by the ledger's clock, into the
// queue, where it is not there yet. It may be lost: offer it for as long as the
// ledger says that it is due.
func (r *River) OfferMessage(ctx context.Context, m ledger.Message, now time.Time) error {
	args := messageArgs{ID: m.ID, Try: m.Attempts, Turn: int64(now.Sub(m.DueAt) / messageTurn)}
	if _, err := r.client.Insert(ctx, args, nil); err != nil {
		return fmt.Errorf("offer message %d: %w", m.ID, err)
	}
	return nil
}
