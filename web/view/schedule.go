package view

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Schedule is when something is wanted again and again.
type Schedule struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	// When says in words when it is due; "" where this server does not know.
	When      string    `json:"when"`
	NextRunAt time.Time `json:"next_run_at,omitzero"`
	Paused    bool      `json:"paused"`
	// LastDueAt is when the last run was due and LastRunAt when it began; Late
	// says that the second was well after the first.
	LastDueAt time.Time `json:"last_due_at,omitzero"`
	LastRunAt time.Time `json:"last_run_at,omitzero"`
	Late      bool      `json:"late"`
	// Last are the exports of the last run that are still kept.
	Last []Result `json:"last"`
	// Runnable says that this server can run it at once.
	Runnable bool `json:"runnable"`
}

// Result is how an export of a run stands.
type Result struct {
	Export int64      `json:"export"`
	Title  string     `json:"title"`
	State  weir.State `json:"state"`
}

// lateAfter is how late a run may begin without being called late.
const lateAfter = time.Minute

// ScheduleOf is a schedule with the results of its last run among recent
// exports. when maps the names of the schedules that this server runs to words.
func ScheduleOf(s ledger.Schedule, recent []weir.Export, when map[string]string) Schedule {
	words, runnable := when[s.Name]
	v := Schedule{
		Account: s.Account, Name: s.Name, When: words, NextRunAt: s.NextRunAt, Paused: s.Paused, LastDueAt: s.LastDueAt,
		LastRunAt: s.LastRunAt, Late: !s.LastRunAt.IsZero() && s.LastRunAt.Sub(s.LastDueAt) > lateAfter, Last: []Result{}, Runnable: runnable,
	}
	for _, e := range recent {
		if e.Account == s.Account && e.Rank == weir.RankScheduled && !s.LastDueAt.IsZero() && e.AsOf.Equal(s.LastDueAt) {
			v.Last = append(v.Last, Result{e.ID, e.Request.Title(), e.State})
		}
	}
	return v
}
