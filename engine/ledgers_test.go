package engine_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

// scenario is a story that must end the same on every ledger.
type scenario struct {
	name string
	org  emulator.Config
	play func(s *stage)
}

// TestOnEveryLedger plays each scenario on each ledger that there is: the twin in
// virtual time; SQLite and a real PostgreSQL in real time, because a socket waits
// for nobody's clock.
func TestOnEveryLedger(t *testing.T) {
	server := servertest.StartPostgres(t)
	t.Setenv("PGPASSWORD", server.Password)
	stores := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "weir.db") },
		"postgres": func(t *testing.T) string { return server.Schema(t) },
	}
	for _, scene := range scenarios() {
		t.Run("memory/"+scene.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playOn(t, inmem.New(inmem.Options{}), scene) })
		})
		for name, location := range stores {
			t.Run(name+"/"+scene.name, func(t *testing.T) {
				t.Parallel() // they wait much longer than they work
				store, err := ledger.Open(t.Context(), location(t), ledger.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = store.Close() })
				playOn(t, store, scene)
			})
		}
	}
}

func scenarios() []scenario {
	failsOnce := &emulator.Scenario{Jobs: []emulator.JobRule{{
		Match: emulator.JobMatch{When: emulator.When{Nth: 1}}, Outcome: emulator.OutcomeFailed,
	}}}
	return []scenario{
		{"everything lands once", emulator.Config{}, landsOnce},
		{"one job serves two wishes", emulator.Config{}, oneJobForTwo},
		{"the answer to a POST is lost", emulator.Config{}, answerLost},
		{"a POST is lost", emulator.Config{}, postLost},
		{"the ledger is away when a POST is answered", emulator.Config{}, awayAtTheAnswer},
		{"a process dies once its job is known", emulator.Config{}, diesWithItsJobKnown},
		{"a process dies over a landing", emulator.Config{}, diesLanding},
		{"a conductor is cut off and comes back", emulator.Config{}, cutOff},
		{"a person cancels", emulator.Config{JobTime: 5 * time.Minute}, cancelled},
		{"a job fails and is tried again", emulator.Config{Scenario: failsOnce}, triedAgain},
	}
}

func landsOnce(s *stage) {
	s.conduct()
	s.want("2026_Q1", "2026_Q2", "2026_Q3")
	s.allLand(3)
}

func oneJobForTwo(s *stage) {
	s.want("2026_Q1", "2026_Q2")
	s.want("2026_Q2", "2026_Q1")
	s.conduct()
	s.allLand(2)
}

func answerLost(s *stage) {
	s.network.loseAnswers.Store(1)
	s.conduct()
	e := s.want("2026_Q1")[0]
	s.allLand(1)
	s.went(e, weir.Submitting, weir.Unknown, weir.Running)
}

func postLost(s *stage) {
	s.network.losePosts.Store(1)
	s.conduct()
	e := s.want("2026_Q1")[0]
	s.allLand(1)
	s.went(e, weir.Submitting, weir.Unknown, weir.Planned, weir.Submitting, weir.Running)
}

// Losing what is known would leave the export unknown.
func awayAtTheAnswer(s *stage) {
	p := s.process()
	p.before = func(call string, n int) error {
		if call == "BindJob" && n <= 3 {
			return ledger.ErrUnwritable
		}
		return nil
	}
	p.conduct()
	e := s.want("2026_Q1")[0]
	s.allLand(1)
	s.never(e, weir.Unknown)
}

func diesWithItsJobKnown(s *stage) {
	p := s.process()
	p.before = dieAt(p, "Move", 2) // the intent is the first
	p.conduct()
	e := s.want("2026_Q1")[0]
	s.until("it is dead", p.dead.Load)
	s.conduct()
	s.allLand(1)
	s.went(e, weir.Submitting, weir.Running)
}

func diesLanding(s *stage) {
	p := s.process()
	p.before = dieAt(p, "FinishDelivery", 1)
	p.conduct()
	s.want("2026_Q1")
	s.until("it is dead", p.dead.Load)
	s.conduct()
	s.until("all has landed", func() bool { return s.open() == 0 })
	if made, n := s.org.Counters().JobsMade(), len(s.published()); made != 1 || n != 2 {
		s.Errorf("%d jobs, landed %d times; want one job, landed by the dead and the living", made, n)
	}
}

// What the first conductor does after it is back must be nothing that the second
// one did.
func cutOff(s *stage) {
	first := s.process()
	first.before = func(string, int) error {
		if first.away.Load() {
			return ledger.ErrUnwritable
		}
		return nil
	}
	first.conductAgain()
	s.want("2026_Q1", "2026_Q2", "2026_Q3", "2026_Q4")
	s.until("jobs run", func() bool { return s.org.Counters().InFlight > 0 && s.certain() })
	first.away.Store(true)
	second := s.conduct()
	s.until("the second conducts", func() bool { return s.holder() == second.owner })
	first.away.Store(false)
	s.allLand(4)
}

func cancelled(s *stage) {
	s.conduct()
	e := s.want("2026_Q1")[0]
	s.until("its job runs", func() bool { return s.stateOf(e) == weir.Running })
	s.cancel(e)
	s.until("it is cancelled", func() bool { return s.stateOf(e) == weir.Cancelled })
	if jobs := s.org.Jobs(); len(jobs) != 1 || jobs[0].Status != "ABORTED" {
		s.Errorf("jobs are %+v", jobs)
	}
}

func triedAgain(s *stage) {
	s.conduct()
	e := s.want("2026_Q1")[0]
	s.allLand(2)
	s.went(e, weir.Submitting, weir.Running, weir.Planned, weir.Submitting, weir.Running)
}

// went checks the first states after planned.
func (s *stage) went(id int64, states ...weir.State) {
	s.Helper()
	if was := s.states(id); len(was) < len(states) || !slices.Equal(was[:len(states)], states) {
		s.Errorf("export %d went %v, want first %v", id, was, states)
	}
}

func (s *stage) never(id int64, state weir.State) {
	s.Helper()
	if was := s.states(id); slices.Contains(was, state) {
		s.Errorf("export %d went %v, want never %s", id, was, state)
	}
}

// cancel wants an export stopped, as a person does.
func (s *stage) cancel(id int64) {
	s.Helper()
	for {
		now := s.now()
		_, err := s.store.Amend(s.Context(), weir.Lease{}, id, s.stateOf(id), func(e *weir.Export) { e.CancelRequestedAt = now })
		if err == nil {
			return
		}
		if !errors.Is(err, ledger.ErrStale) {
			s.Fatal(err)
		}
	}
}
