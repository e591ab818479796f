package rule_test

import (
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
	"github.com/weirhq/weir/plan"
)

var (
	noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	day  = 24 * time.Hour
)

func TestInstants(t *testing.T) {
	offset := time.FixedZone("", 3600)
	for in, want := range map[time.Time]time.Time{
		{}:                                {},
		noon.Add(1999 * time.Microsecond): noon.Add(time.Millisecond),
		noon.In(offset):                   noon,
		time.Unix(0, 0):                   {},
	} {
		if got := rule.Instant(in); got != want {
			t.Errorf("%s is kept as %s, want %s", in, got, want)
		}
	}
	if got := rule.Instant(time.Now()); got != got.Round(0) || got != rule.Instant(got) {
		t.Errorf("%s is not as kept", got)
	}
}

// A merge never loses a fact: whatever two answers say in whatever order, a
// terminal status stays and the sighting stays.
func TestMergeIsMonotonic(t *testing.T) {
	statuses := []weir.JobStatus{"", weir.JobQueued, weir.JobRunning, weir.JobUnrecognised, weir.JobDone, weir.JobFailed, weir.JobCancelled, weir.JobAborted}
	holds := func(answers []uint8, seconds []int8) bool {
		j := rule.NewJob("job", noon)
		for i, a := range answers {
			at := noon
			if i < len(seconds) {
				at = at.Add(time.Duration(seconds[i]) * time.Second)
			}
			told := weir.Job{ID: "job", Status: statuses[int(a)%len(statuses)], RowsTruncated: a&64 != 0}
			next := rule.Merge(j, told, at)
			switch {
			case j.Status.Terminal() && next.Status != j.Status,
				told.Status.Terminal() && !next.Status.Terminal(),
				!next.FirstSeen.Equal(noon), next.LastSeen.Before(j.LastSeen),
				j.RowsTruncated && !next.RowsTruncated:
				return false
			}
			j = next
		}
		return true
	}
	if err := quick.Check(holds, nil); err != nil {
		t.Error(err)
	}
}

func TestBoughtAt(t *testing.T) {
	const madeAt = "65000000" // 2023-09-12
	made := time.Unix(0x65000000, 0).UTC()
	for name, test := range map[string]struct {
		job  weir.Job
		want time.Time
	}{
		"start":                       {weir.Job{ID: madeAt + "0000000000000000", StartedAt: noon, FirstSeen: made}, noon},
		"id":                          {weir.Job{ID: madeAt + "0000000000000000", FirstSeen: made.Add(day)}, made},
		"id just in time":             {weir.Job{ID: madeAt + "0000000000000000", FirstSeen: made.Add(31*day - time.Second)}, made},
		"id too long before":          {weir.Job{ID: madeAt + "0000000000000000", FirstSeen: made.Add(31 * day)}, made.Add(31 * day)},
		"id after the first sighting": {weir.Job{ID: madeAt + "0000000000000000", FirstSeen: made.Add(-2 * day)}, made.Add(-2 * day)},
		"no such id":                  {weir.Job{ID: "job", FirstSeen: noon}, noon},
	} {
		if got := rule.BoughtAt(test.job); !got.Equal(test.want) {
			t.Errorf("%s: bought at %s, want %s", name, got, test.want)
		}
	}
}

func TestSettleWithoutCause(t *testing.T) {
	deliveries := []weir.Delivery{{State: weir.DeliveryDropped}, {State: weir.DeliveryFailed, Destination: "/data"}}
	move, ok := rule.Settle(weir.Cause{}, deliveries)
	after, err := move.Apply(weir.Export{State: weir.Ready})
	if !ok || err != nil || after.State != weir.Failed || after.Failure == nil || after.Failure.Code != weir.CodeExhausted {
		t.Errorf("settled %t as %+v (%v)", ok, after.Failure, err)
	}
}

func TestDroppedDeliveriesDoNotCount(t *testing.T) {
	move, ok := rule.Settle(weir.Cause{}, []weir.Delivery{{State: weir.DeliveryDropped}, {State: weir.DeliveryLanded}})
	if !ok || move.To != weir.Landed {
		t.Errorf("settled %t to %s, want landed", ok, move.To)
	}
}

func TestJoinLeavesSubmittedAlone(t *testing.T) {
	strict := weir.Export{Rank: weir.RankScheduled, AsOf: noon.Add(time.Hour), NoAdopt: true}
	for _, s := range []weir.State{weir.Submitting, weir.Unknown, weir.Running, weir.Ready, weir.Landed} {
		e := weir.Export{State: s, Rank: weir.RankBackfill, AsOf: noon, Fresh: time.Hour}
		if joined, changed := rule.Join(e, strict); changed || !cmp.Equal(joined, e) {
			t.Errorf("%s: joined as %+v", s, joined)
		}
	}
}

func TestLandedSince(t *testing.T) {
	if _, look := rule.LandedSince(plan.Want{}, noon); look {
		t.Error("a wish that asks anew looks at what landed")
	}
	since, look := rule.LandedSince(plan.Want{Fresh: time.Hour}, noon)
	if !look || !since.Before(noon.Add(-time.Hour)) {
		t.Errorf("looks (%t) at what landed since %s", look, since)
	}
}

func TestCopiesShareNothing(t *testing.T) {
	e := weir.Export{Request: weir.Request{Types: []string{"quota"}}, Failure: &weir.Failure{Code: "a"}}
	c := rule.Export(e)
	c.Request.Types[0], c.Failure.Code = "x", "x"
	d := weir.Delivery{Failure: &weir.Failure{Code: "a"}}
	rule.Delivery(d).Failure.Code = "x"
	b := weir.Budget{InFlight: []string{"a"}, Submitted: []string{"a"}}
	n := rule.Budget(b)
	n.InFlight[0], n.Submitted[0] = "x", "x"
	if e.Request.Types[0] != "quota" || e.Failure.Code != "a" || d.Failure.Code != "a" || b.InFlight[0] != "a" || b.Submitted[0] != "a" {
		t.Error("a copy shares memory with what it was made from")
	}
}
