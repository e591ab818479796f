package riverlander

import (
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

func TestRoundsFollowClaims(t *testing.T) {
	deliveries := []weir.Delivery{{ID: 1, ExportID: 7, Generation: 2}, {ID: 2, ExportID: 5}, {ID: 3, ExportID: 7, Generation: 1}}
	order, rounds := roundsOf(deliveries)
	if !slices.Equal(order, []int64{7, 5}) || rounds[7] != 3 || rounds[5] != 0 {
		t.Errorf("order %v, rounds %v", order, rounds)
	}
	deliveries[2].Generation++ // claimed, swept, open again
	if _, after := roundsOf(deliveries); after[7] == rounds[7] {
		t.Error("a claim makes no other round: its job would keep the next one out")
	}
}

// A worker that has a job from one look to the next without a claim is dead.
func TestLookFindsDeadWorkers(t *testing.T) {
	running := &rivertype.JobRow{ID: 9, State: rivertype.JobStateRunning}
	first, died := offer{}.look(running)
	if died {
		t.Fatal("dead at first sight")
	}
	second, died := first.look(running)
	if !died || second.turn != 1 {
		t.Errorf("at the second look died is %v, turn %d", died, second.turn)
	}
	if _, died := first.look(&rivertype.JobRow{ID: 10, State: rivertype.JobStateRunning}); died {
		t.Error("another job's worker is taken for the same")
	}
	waiting, _ := first.look(&rivertype.JobRow{ID: 9, State: rivertype.JobStateScheduled})
	if _, died := waiting.look(running); died {
		t.Error("a job that was put back counts as never put back")
	}
}

// The conductor looks again when the oldest offer has stayed unclaimed for long.
func TestOldestOfferSaysWhen(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	l := &Lander{offers: map[int64]offer{1: {at: noon}, 2: {at: noon.Add(-3 * time.Second)}, 3: {at: noon.Add(-time.Second)}}}
	if at := l.again(); !at.Equal(noon.Add(offerAgain - 3*time.Second)) {
		t.Errorf("again at %s", at)
	}
	l.forget(map[int64]int64{1: 0})
	if at := l.again(); !at.Equal(noon.Add(offerAgain)) {
		t.Errorf("without the others again at %s", at)
	}
	l.forget(nil)
	if at := l.again(); !at.IsZero() {
		t.Errorf("without any again at %s", at)
	}
}
