package app

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Explanation is why an export stands where it stands and what happens next.
type Explanation struct {
	ID       int64         `json:"id,omitempty"`
	State    weir.State    `json:"state,omitempty"`
	Wait     weir.WaitCode `json:"wait,omitempty"`
	Next     time.Time     `json:"next,omitzero"`
	Conducts string        `json:"conducted_by,omitempty"`
	Sentence string        `json:"sentence"`
}

// Explain says why one export, or with id 0 every open one of the account, does
// not move.
func Explain(ctx context.Context, s Settings, id int64) ([]Explanation, error) {
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	standings, err := explained(ctx, store, &s, id)
	if err != nil {
		return nil, err
	}
	conductor, err := conductorOf(ctx, store, s.Account)
	if err != nil {
		return nil, err
	}
	var all []Explanation
	for _, standing := range standings {
		all = append(all, explain(standing, conductor))
	}
	if len(all) == 0 {
		all = append(all, Explanation{Sentence: "nothing is open: every export of account " + s.Account + " has ended"})
	}
	return all, nil
}

func explained(ctx context.Context, store ledger.Ledger, s *Settings, id int64) ([]engine.Standing, error) {
	exports, err := store.ListExports(ctx, ledger.Filter{Account: s.Account, OpenOnly: true})
	if id != 0 {
		var one weir.Export
		one, err = store.Export(ctx, id)
		exports, s.Account = []weir.Export{one}, one.Account
	}
	if err != nil || len(exports) == 0 {
		return nil, err
	}
	p, err := planOf(ctx, store, *s)
	if err != nil {
		return nil, err
	}
	var standings []engine.Standing
	for _, e := range exports {
		standing, err := engine.LoadStanding(ctx, store, e.ID)
		if err != nil {
			return nil, err
		}
		standing.Stand = p.Stands[e.ID]
		standings = append(standings, standing)
	}
	return standings, nil
}

// conductorOf names the process that conducts the account, or "".
func conductorOf(ctx context.Context, store *ledger.Store, account string) (string, error) {
	lease, until, err := store.Holder(ctx, account)
	if isNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	now, err := store.Now(ctx)
	if err != nil || !until.After(now) {
		return "", err
	}
	return lease.Owner, nil
}

func explain(s engine.Standing, conductor string) Explanation {
	x := Explanation{ID: s.Export.ID, State: s.Export.State, Wait: s.Stand.Wait.Code, Next: s.Stand.ActsAt, Conducts: conductor}
	x.Sentence = fmt.Sprintf("export %d (%s) is %s: %s", s.Export.ID, s.Export.Request.Title(), s.Export.State, because(s))
	if s.Export.State.Open() {
		x.Sentence += nextText(s.Stand) + conductText(s, conductor)
	}
	return x
}

func because(s engine.Standing) string {
	switch {
	case s.Export.State == weir.Ready:
		return landingText(s)
	case !s.Export.State.Open():
		return endText(s)
	case !s.Export.CancelRequestedAt.IsZero():
		return "a person wants it cancelled and the server has not confirmed that yet"
	case s.Stand.Wait.Code == weir.WaitNone:
		return "nothing holds it back; it acts as soon as somebody conducts"
	}
	return s.Stand.Wait.Text
}

func landingText(s engine.Standing) string {
	for _, d := range s.Deliveries {
		if d.Open() && d.Failure != nil {
			if s.Export.Request.Direct {
				return d.Failure.Message
			}
			return "its result is on the server and " + d.Failure.Message
		}
	}
	return engine.LandingText(s.Export)
}

func endText(s engine.Standing) string {
	if f := FailureOf(s); f != nil {
		if f.Hint != "" {
			return f.Message + "; " + f.Hint
		}
		return f.Message
	}
	return "it has ended"
}

func nextText(stand plan.Stand) string {
	if stand.ActsAt.IsZero() {
		return ""
	}
	return "; next step at " + stand.ActsAt.UTC().Format("2006-01-02 15:04:05Z")
}

func conductText(s engine.Standing, conductor string) string {
	if conductor == "" {
		return "; nobody conducts now: weir resume"
	}
	return ""
}
