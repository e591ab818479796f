package riverlander

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

const (
	// elsewhere is how long a job that this process cannot do is left to others.
	elsewhere = time.Second
	// homeless is how long a job goes round before it is dropped: it is offered
	// again.
	homeless = 10 * time.Minute
)

// Deliveries is what riverlander reads of the ledger.
type Deliveries interface {
	DeliveriesOf(ctx context.Context, exportID int64) ([]weir.Delivery, error)
	Now(ctx context.Context) (time.Time, error)
}

// Hand is what a process does for one account.
type Hand struct {
	// Able reports whether the process can open a delivery's destination.
	Able func(weir.Delivery) bool
	// Deliver lands the open deliveries of one export that it is able to.
	Deliver func(ctx context.Context, exportID int64, now time.Time) error
	// Done is called after each landing.
	Done func()
}

// landArgs name a job in River's tables. They hold no destination and no
// secret: the ledger knows the rest.
type landArgs struct {
	Account string `json:"account"`
	Export  int64  `json:"export"`
	// Round is the sum of the open deliveries' generations: each claim raises it.
	Round int64 `json:"round"`
	// Turn counts jobs of the same round whose worker died before it claimed.
	Turn int `json:"turn"`
}

// Kind implements river.JobArgs.
func (landArgs) Kind() string { return "weir_land" }

// InsertOpts implements river.JobArgsWithInsertOpts. What has ended does not
// keep a job of the same round out: its worker may have been unable.
func (landArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

// lander works on landings.
type lander struct {
	river.WorkerDefaults[landArgs]
	config Config
}

// Work lands one export, or leaves it to a process that can.
func (l *lander) Work(ctx context.Context, job *river.Job[landArgs]) error {
	hand, ok := l.config.Hand(job.Args.Account)
	if ok {
		able, err := l.able(ctx, hand, job.Args.Export)
		if err != nil {
			return err
		}
		ok = able
	}
	if !ok {
		return passOn(job)
	}
	now, err := l.config.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	defer hand.Done()
	return hand.Deliver(ctx, job.Args.Export, now)
}

// able reports whether there is something to land that this process can; an
// export without anything open is nothing to pass on.
func (l *lander) able(ctx context.Context, hand Hand, export int64) (bool, error) {
	all, err := l.config.Ledger.DeliveriesOf(ctx, export)
	if err != nil {
		return false, err
	}
	open := 0
	for _, d := range all {
		if d.State != weir.DeliveryOpen {
			continue
		}
		if hand.Able(d) {
			return true, nil
		}
		open++
	}
	return open == 0, nil
}

// errHomeless drops a job that no process could do.
var errHomeless = errors.New("no server has the account's key and can open the destination")

func passOn(job *river.Job[landArgs]) error {
	if time.Since(job.CreatedAt) > homeless {
		return river.JobCancel(errHomeless)
	}
	return river.JobSnooze(elsewhere)
}
