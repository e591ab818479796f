package riverlander

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Chore is work that is due every so often, whoever does it. What is missed is
// not made up for: the next turn does it.
type Chore struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context) error
}

// choreArgs name one turn of a chore.
type choreArgs struct {
	Name string `json:"name"`
	Turn int64  `json:"turn"`
}

// Kind implements river.JobArgs.
func (choreArgs) Kind() string { return "weir_chore" }

// choreTries are River's: after 1 s, 16 s, 81 s and so on, 38 min in all.
const choreTries = 7

// InsertOpts implements river.JobArgsWithInsertOpts: a turn that has ended is
// not done again, and one that failed is well before the next.
func (choreArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: choreTries, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

type choreWorker struct {
	river.WorkerDefaults[choreArgs]
	chores map[string]Chore
}

func newChoreWorker(chores []Chore) *choreWorker {
	w := &choreWorker{chores: map[string]Chore{}}
	for _, c := range chores {
		w.chores[c.Name] = c
	}
	return w
}

// Work does one turn. A server that does not know the chore leaves it.
func (w *choreWorker) Work(ctx context.Context, job *river.Job[choreArgs]) error {
	chore, known := w.chores[job.Args.Name]
	if !known {
		return river.JobSnooze(elsewhere)
	}
	if err := chore.Do(ctx); err != nil {
		return fmt.Errorf("do %s: %w", chore.Name, err)
	}
	return nil
}

// turns puts the turn of every chore into the queue when it comes, until ctx
// ends. All servers do, and the key lets one in.
func (r *River) turns(ctx context.Context) {
	last := map[string]int64{}
	tick := time.NewTicker(fetchPoll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if len(r.config.Chores) > 0 {
			r.turn(ctx, last)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (r *River) turn(ctx context.Context, last map[string]int64) {
	for _, c := range r.config.Chores {
		turn := time.Now().UnixNano() / int64(c.Every)
		if last[c.Name] == turn {
			continue
		}
		if _, err := r.client.Insert(ctx, choreArgs{Name: c.Name, Turn: turn}, nil); err != nil {
			r.config.Log.Debug("put chore into the queue", "chore", c.Name, "error", err)
			continue
		}
		last[c.Name] = turn
	}
}
