package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// keep replaces what is known of a job and its places in the indexes.
func (a *account) keep(j weir.Job) {
	before := a.jobs[j.ID]
	if before == nil {
		before = &weir.Job{}
		a.lastSeq++
		j.Seq, j.SeenIn = a.lastSeq, a.org.readings
		a.jobs[j.ID] = before
		a.seen = append(a.seen, before)
	} else {
		a.listed.remove(rule.ListedUntil(*before), j.ID)
		a.bought.remove(rule.BoughtAt(*before), j.ID)
	}
	*before = j
	if !j.ListedAt.IsZero() {
		a.listed.add(rule.ListedUntil(j), j.ID)
	}
	if rule.UsesQuota(j) {
		a.bought.add(rule.BoughtAt(j), j.ID)
	}
}

// known is the job as it is known, or as one first seen at that instant.
func (a *account) known(id string, at time.Time) weir.Job {
	if j := a.jobs[id]; j != nil {
		return *j
	}
	return rule.NewJob(id, at)
}

// BindJob records that the server named jobID for the export. A job keeps the
// first export it was bound to.
func (l *Ledger) BindJob(ctx context.Context, name string, exportID int64, jobID string, at time.Time) error {
	return l.with(ctx, "BindJob", name, func(a *account) error {
		if e, ok := l.store.exports[exportID]; !ok || e.Account != name {
			return fmt.Errorf("bind job %q to export %d: %w", jobID, exportID, ledger.ErrNotFound)
		}
		a.keep(rule.Bind(a.known(jobID, at), exportID, at))
		return nil
	})
}

// SeeJobs records what an answer told of jobs.
func (l *Ledger) SeeJobs(ctx context.Context, name string, jobs []weir.Job, at time.Time, complete bool) error {
	return l.with(ctx, "SeeJobs", name, func(a *account) error {
		at = rule.Instant(at)
		for _, told := range rule.Named(jobs) {
			before := a.known(told.ID, at)
			after := rule.Merge(before, told, at)
			if complete {
				after.ListedAt = rule.Later(after.ListedAt, at)
			}
			a.keep(after)
		}
		if complete {
			a.listedAt = rule.Later(a.listedAt, at)
		}
		return nil
	})
}

// Jobs returns the account's jobs by id: all, or those named.
func (l *Ledger) Jobs(ctx context.Context, name string, ids ...string) ([]weir.Job, error) {
	if err := l.begin(ctx, "Jobs"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	a, ok := l.store.accounts[name]
	if !ok {
		return nil, nil
	}
	var found []weir.Job
	if len(ids) == 0 {
		found = values(a.seen)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if j := a.jobs[id]; j != nil {
			found = append(found, *j)
		}
	}
	slices.SortFunc(found, func(a, b weir.Job) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

func values(jobs []*weir.Job) []weir.Job {
	var all []weir.Job
	for _, j := range jobs {
		all = append(all, *j)
	}
	return all
}

// JobsSeenAfter returns the jobs whose Seq is above seq, by Seq.
func (l *Ledger) JobsSeenAfter(ctx context.Context, name string, seq int64) ([]weir.Job, error) {
	if err := l.begin(ctx, "JobsSeenAfter"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	a, ok := l.store.accounts[name]
	if !ok {
		return nil, nil
	}
	i, _ := slices.BinarySearchFunc(a.seen, seq+1, func(j *weir.Job, seq int64) int { return cmp.Compare(j.Seq, seq) })
	return values(a.seen[i:]), nil
}

// ListedBefore returns, by id, the unexpired jobs that a complete list has held.
func (l *Ledger) ListedBefore(ctx context.Context, name string, now time.Time) ([]string, error) {
	if err := l.begin(ctx, "ListedBefore"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	a, ok := l.store.accounts[name]
	if !ok {
		return nil, nil
	}
	var ids []string
	for _, e := range a.listed.from(rule.Instant(now).Add(time.Millisecond)) {
		ids = append(ids, e.id)
	}
	slices.Sort(ids)
	return ids, nil
}

// LastListing is when the last complete list was read; zero when never.
func (l *Ledger) LastListing(ctx context.Context, name string) (time.Time, error) {
	if err := l.begin(ctx, "LastListing"); err != nil {
		return time.Time{}, err
	}
	defer l.store.mu.Unlock()
	if a, ok := l.store.accounts[name]; ok {
		return a.listedAt, nil
	}
	return time.Time{}, nil
}

// SaveDuration keeps how long a job ran; once per job.
func (l *Ledger) SaveDuration(ctx context.Context, name, key, jobID string, ended time.Time, ran time.Duration) error {
	return l.with(ctx, "SaveDuration", name, func(a *account) error {
		if _, known := a.ranJobs[jobID]; known {
			return nil
		}
		a.ranJobs[jobID] = ran.Truncate(time.Millisecond)
		newest := a.ran[key]
		newest.add(rule.Instant(ended), jobID)
		a.ran[key] = newest
		return nil
	})
}

// Durations returns the newest limit durations of each key, oldest first.
func (l *Ledger) Durations(ctx context.Context, name string, limit int) (map[string][]time.Duration, error) {
	if err := l.begin(ctx, "Durations"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	all := map[string][]time.Duration{}
	a, ok := l.store.accounts[name]
	if !ok {
		return all, nil
	}
	for key, runs := range a.ran {
		for _, e := range runs.entries[max(0, len(runs.entries)-max(limit, 0)):] {
			all[key] = append(all[key], a.ranJobs[e.id])
		}
	}
	return all, nil
}
