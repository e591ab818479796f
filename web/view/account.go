package view

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// Account is how one account stands now.
type Account struct {
	Name    string `json:"name"`
	BaseURL string `json:"base_url"`
	// Mood is working, waiting, idle or stopped, and Sentence why.
	Mood     string `json:"mood"`
	Sentence string `json:"sentence"`
	// Conductor is the process that acts for it; "" when none does.
	Conductor string `json:"conducted_by"`
	// Configured says that this server has the account in its configuration.
	Configured bool     `json:"configured"`
	Slots      Slots    `json:"slots"`
	Quota      Uses     `json:"quota"`
	Gate       Gate     `json:"gate"`
	Running    []Export `json:"running"`
	Waiting    []Export `json:"waiting"`
	// Unshown is how many more wait than Waiting holds.
	Unshown int `json:"waiting_not_shown"`
}

// Slots are the jobs that may run together. Numbers not known are -1.
type Slots struct {
	Limit  int         `json:"limit"`
	Ours   int         `json:"ours"`
	Others int         `json:"others"`
	Free   int         `json:"free"`
	Source weir.Source `json:"source,omitempty"`
	ReadAt time.Time   `json:"read_at,omitzero"`
}

// Uses are the jobs of the rolling 30 days. Numbers not known are -1.
type Uses struct {
	Limit  int `json:"limit"`
	Used   int `json:"used"`
	Ours   int `json:"ours"`
	Others int `json:"others"`
	Free   int `json:"free"`
	// Kept is how many are left to people.
	Kept int `json:"keep_quota"`
}

// Gate is the pace of the account's requests.
type Gate struct {
	Open  bool      `json:"open"`
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why,omitempty"`
	// Rate is in requests per second; Learned says that a refusal taught it.
	Rate      float64   `json:"rate"`
	Learned   bool      `json:"learned"`
	Requests  int64     `json:"requests"`
	Throttled int64     `json:"throttled"`
	RefusedAt time.Time `json:"refused_at,omitzero"`
}

// The moods of an account.
const (
	Working = "working"
	Waiting = "waiting"
	Idle    = "idle"
	Stopped = "stopped"
)

// AccountFacts are what is known of an account.
type AccountFacts struct {
	View plan.View
	Plan plan.Plan
	Gate Gate
	// Deliveries are those of the exports, by export.
	Deliveries map[int64][]weir.Delivery
	Conductor  string
	Configured bool
	// Fault is why the service does not work for the account; "" when it does.
	Fault string
	// Shown bounds how many waiting exports are shown.
	Shown int
}

// AccountOf is how an account stands.
func AccountOf(f AccountFacts, now time.Time) Account {
	a := Account{
		Name: f.View.Account.Name, BaseURL: f.View.Account.BaseURL, Conductor: f.Conductor, Configured: f.Configured,
		Slots: slotsOf(f.View), Quota: usesOf(f.View), Gate: f.Gate, Running: []Export{}, Waiting: []Export{},
	}
	learned := f.View.Learned
	if learned == nil {
		learned = plan.Learn(f.View.History)
	}
	for _, e := range f.View.Exports {
		moving := e.State.HoldsSlot() || e.State == weir.Ready
		if !moving && len(a.Waiting) >= f.Shown {
			a.Unshown++
			continue
		}
		v := ExportOf(Facts{
			Export: e, Deliveries: f.Deliveries[e.ID], Job: f.View.Jobs[e.JobID], Stand: f.Plan.Stands[e.ID],
			Expected: learned.Of(plan.HistoryKey(e.Request)).Median(),
		})
		if moving {
			a.Running = append(a.Running, v)
		} else {
			a.Waiting = append(a.Waiting, v)
		}
	}
	slices.SortStableFunc(a.Running, func(a, b Export) int { return cmp.Or(order(a.State)-order(b.State), a.Since.Compare(b.Since)) })
	a.Mood, a.Sentence = mood(f, a, now)
	return a
}

// order puts first what may need somebody.
func order(s weir.State) int {
	return slices.Index([]weir.State{weir.Unknown, weir.Submitting, weir.Running, weir.Ready}, s)
}

func slotsOf(v plan.View) Slots {
	s := Slots{Limit: -1, Free: -1, Others: -1, Source: v.Budget.Source, ReadAt: v.Budget.ReadAt}
	for i := range v.Exports {
		if v.Exports[i].State.HoldsSlot() {
			s.Ours++
		}
	}
	if v.Budget.Slots > 0 {
		s.Limit = v.Budget.Slots
		s.Free = min(v.FreeSlots(), s.Limit)
		s.Others = max(0, s.Limit-s.Free-s.Ours)
	}
	return s
}

func usesOf(v plan.View) Uses {
	u := Uses{Limit: -1, Used: -1, Others: -1, Free: -1, Ours: len(v.QuotaUses), Kept: v.Policy.KeepQuota}
	if b := v.Budget; b.Known() && b.Quota >= 0 && b.QuotaFree >= 0 {
		v.Policy.KeepQuota = 0
		u.Limit, u.Free = b.Quota, v.FreeQuota()
		u.Used = max(0, u.Limit-u.Free)
		u.Ours = min(u.Ours, u.Used)
		u.Others = u.Used - u.Ours
	}
	return u
}

// mood is one word and one sentence: what stops the account comes first, then
// what holds it back, then what it does.
func mood(f AccountFacts, a Account, now time.Time) (word, sentence string) {
	open := len(a.Running) + len(a.Waiting) + a.Unshown
	hold := f.View.Account.Wait
	switch {
	case f.Fault != "":
		return Stopped, f.Fault
	case a.Conductor == "" && open > 0:
		return Stopped, "nobody conducts this account; everything is saved and goes on with the next weir serve or weir resume"
	case f.View.Account.NotBefore.After(now):
		return Waiting, hold.Text
	case !a.Gate.Open:
		return Waiting, a.Gate.Why
	case len(a.Running) > 0:
		return Working, workingSentence(a)
	case open > 0:
		return Waiting, a.Waiting[0].Sentence
	}
	return Idle, "nothing is open; every export has ended"
}

func workingSentence(a Account) string {
	held := a.Slots.Ours
	text := fmt.Sprintf("%s in flight", Count(held, "job"))
	if a.Slots.Limit >= 0 {
		text = fmt.Sprintf("%d of %s busy with ours", held, Count(a.Slots.Limit, "slot"))
	}
	if landing := len(a.Running) - held; landing > 0 {
		text += fmt.Sprintf(", %d landing", landing)
	}
	if waiting := len(a.Waiting) + a.Unshown; waiting > 0 {
		text += fmt.Sprintf(", %d waiting", waiting)
	}
	return text
}
