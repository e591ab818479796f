package plan_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

func TestServe(t *testing.T) {
	in := func(state weir.State, submitted time.Time) weir.Export {
		e := planned(1, "net_arr", "2026_Q1")
		e.State, e.SubmittedAt = state, submitted
		return e
	}
	unwanted := in(weir.Planned, time.Time{})
	unwanted.CancelRequestedAt = ago(time.Second)
	reread := in(weir.Planned, ago(time.Hour))
	reread.JobID = "own"
	younger := in(weir.Landed, ago(time.Minute))
	younger.ID = 2
	now := plan.Want{AsOf: noon}
	due := plan.Want{AsOf: ago(10 * time.Minute)}
	fresh := plan.Want{AsOf: noon, Fresh: time.Hour}
	cases := map[string]struct {
		want       plan.Want
		candidates []plan.Candidate
		id         int64 // 0: a new export
	}{
		"nothing there":                     {now, nil, 0},
		"not yet submitted":                 {now, []plan.Candidate{{Export: in(weir.Planned, time.Time{})}}, 1},
		"submitted before":                  {now, []plan.Candidate{{Export: in(weir.Running, ago(time.Minute))}}, 0},
		"submitted at the instant":          {now, []plan.Candidate{{Export: in(weir.Submitting, noon)}}, 1},
		"submitted after it was due":        {due, []plan.Candidate{{Export: in(weir.Running, ago(time.Minute))}}, 1},
		"ready, submitted after it was due": {due, []plan.Candidate{{Export: in(weir.Ready, ago(time.Minute))}}, 1},
		"under way and fresh enough":        {fresh, []plan.Candidate{{Export: in(weir.Running, ago(30*time.Minute))}}, 1},
		"under way and too old":             {fresh, []plan.Candidate{{Export: in(weir.Running, ago(2*time.Hour))}}, 0},
		"somebody wants it cancelled":       {now, []plan.Candidate{{Export: unwanted}}, 0},
		"reads an old job again":            {now, []plan.Candidate{{Export: reread}}, 0},
		"landed, no freshness":              {now, []plan.Candidate{{Export: in(weir.Landed, ago(time.Minute)), SnapshotAt: ago(time.Second)}}, 0},
		"landed and fresh":                  {fresh, []plan.Candidate{{Export: in(weir.Landed, ago(time.Hour)), SnapshotAt: ago(time.Minute)}}, 1},
		"landed and stale":                  {fresh, []plan.Candidate{{Export: in(weir.Landed, ago(3*time.Hour)), SnapshotAt: ago(2 * time.Hour)}}, 0},
		"the newest of two":                 {fresh, []plan.Candidate{{Export: in(weir.Landed, ago(time.Hour)), SnapshotAt: ago(30 * time.Minute)}, {Export: younger, SnapshotAt: ago(time.Minute)}}, 2},
		"failed serves nobody":              {fresh, []plan.Candidate{{Export: in(weir.Failed, noon), SnapshotAt: noon}}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e, found := plan.Serve(c.want, c.candidates, noon)
			if found != (c.id != 0) || e.ID != c.id {
				t.Errorf("served by %d (%v), want %d", e.ID, found, c.id)
			}
		})
	}
}
