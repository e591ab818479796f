package engine_test

import (
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// retention is how a scene forgets what has ended; zero keeps all.
type retention struct{ every, keep time.Duration }

// drawRetention draws a retention so short that what ended vanishes while the
// rest goes on, and somebody who wants the same again: of what landed only what
// has a successor goes.
func (s *scene) drawRetention(d dice) {
	if !d.chance(0.5) {
		return
	}
	s.retention = retention{every: d.span(10*time.Second, 2*time.Minute), keep: d.span(time.Minute, 5*time.Minute)}
	for range d.upTo(3) {
		again := s.commands[d.IntN(len(s.commands))]
		again.at, again.wishes = d.span(s.chaos/4, s.chaos*3/4), slices.Clone(again.wishes)
		s.commands = append(s.commands, again)
	}
}

// retain prunes every so often.
func (w *world) retain(ctx context.Context) {
	for w.scene.retention.keep > 0 && rest(ctx, w.scene.retention.every) {
		w.prune()
	}
}

// prune deletes what is older than the scene keeps it, in batches of a few.
func (w *world) prune() {
	if w.scene.retention.keep == 0 {
		return
	}
	now, err := w.store.Now(context.Background())
	if err != nil {
		return
	}
	before := now.Add(-w.scene.retention.keep)
	kept := w.audit.prunes(before)
	for {
		gone, err := w.store.Prune(context.Background(), before, 3)
		w.audit.pruned(gone)
		if err != nil || !gone.Any() {
			break
		}
	}
	w.audit.mustKeep(kept)
}

// still are those of some exports that the ledger has.
func (w *world) still(exports []int64) (left []int64) {
	for _, id := range exports {
		if _, err := w.store.Export(context.Background(), id); err == nil {
			left = append(left, id)
		}
	}
	return left
}

// forgotten is what an auditor remembers of what was deleted.
type forgotten struct {
	count  ledger.Pruned
	serves map[string]int64 // the export that each job served
	twins  map[string]bool
}

// keptExport is what must be there of an open export after others were deleted.
type keptExport struct {
	weir.Export
	events, deliveries int
	job                bool
}

// prunes looks at the ledger before something is deleted: at what is to go as at
// the end of a simulation, and at all that must stay.
func (a *auditor) prunes(before time.Time) (kept []keptExport) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ctx := context.Background()
	for _, account := range a.w.scene.names {
		exports, _ := a.w.store.ListExports(ctx, ledger.Filter{Account: account})
		for _, e := range exports {
			a.forgotten.twins[e.Twin] = true
			if e.State.Open() {
				kept = append(kept, a.keeping(e))
			} else if e.ChangedAt.Before(before) {
				a.concludeExport(e)
			}
		}
		jobs, _ := a.w.store.Jobs(ctx, account)
		for _, j := range jobs {
			a.forgotten.serves[j.ID] = max(a.forgotten.serves[j.ID], j.ExportID)
		}
	}
	return kept
}

func (a *auditor) keeping(e weir.Export) keptExport {
	ctx := context.Background()
	events, _ := a.w.store.History(ctx, e.ID)
	deliveries, _ := a.w.store.DeliveriesOf(ctx, e.ID)
	jobs, _ := a.w.store.Jobs(ctx, e.Account, e.JobID)
	return keptExport{Export: e, events: len(events), deliveries: len(deliveries), job: len(jobs) > 0}
}

func (a *auditor) pruned(gone ledger.Pruned) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forgotten.count = a.forgotten.count.Add(gone)
}

// mustKeep: what was open is there, with its history, its deliveries and its job.
func (a *auditor) mustKeep(kept []keptExport) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, before := range kept {
		if _, err := a.w.store.Export(context.Background(), before.ID); err != nil {
			a.fault("export %d, which was %s, was pruned: %v", before.ID, before.State, err)
			continue
		}
		now := a.keeping(before.Export)
		if now.events < before.events || now.deliveries < before.deliveries || before.job && !now.job {
			a.fault("export %d is open; of %d events %d are left, of %d deliveries %d, its job: %t",
				before.ID, before.events, now.events, before.deliveries, now.deliveries, now.job)
		}
	}
}
