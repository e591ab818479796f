package app

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// Prospect is what a command would do and cost, found out without a POST.
type Prospect struct {
	Exports []ProspectExport `json:"exports"`
	// Jobs is how many jobs would be bought now, Later how many do not fit the
	// quota, and FitsAt when weir's own uses have expired for all of those; zero
	// when that is not known.
	Jobs   int       `json:"jobs"`
	Later  int       `json:"later"`
	FitsAt time.Time `json:"fits_at,omitzero"`
	// Requests is about how many requests that takes.
	Requests int `json:"requests"`
	Slots    int `json:"slots"`
	// QuotaFree is what is left now and QuotaAfter when all has run; -1 when not
	// known. KeepQuota of it stays for people.
	QuotaFree  int         `json:"quota_free"`
	QuotaAfter int         `json:"quota_after"`
	KeepQuota  int         `json:"keep_quota"`
	Returns    []time.Time `json:"quota_returns"`
	// P50 and P90 are by when everything that fits has run with that
	// probability; zero when nothing has to.
	P50 time.Time `json:"finish_p50,omitzero"`
	P90 time.Time `json:"finish_p90,omitzero"`
}

// ProspectExport is one request and how it would be served.
type ProspectExport struct {
	Kind       weir.Kind   `json:"kind"`
	ForecastID string      `json:"forecast_id"`
	TimePeriod weir.Period `json:"time_period"`
	Since      string      `json:"since,omitempty"`
	Until      string      `json:"until,omitempty"`
	Title      string      `json:"-"`
	// Serve is "there" (landed and fresh enough), "open" (joined), "job" (a new
	// one), "direct" (read without a job) or "later" (does not fit the quota).
	Serve    string  `json:"serve"`
	ExportID int64   `json:"export_id,omitempty"`
	Expected float64 `json:"expected_seconds,omitempty"`

	model plan.Duration
}

// requestsPerJob is about what one export costs in requests: a POST, a reading
// of the limits, a download, and its share of the lists.
const requestsPerJob = 6

// Prospect finds out what wishes would do and cost. It reads the limits and
// sends nothing else.
func (s *Session) Prospect(ctx context.Context, wishes []ledger.Wish, now time.Time) (Prospect, error) {
	client, err := s.asking()
	if err != nil {
		return Prospect{}, err
	}
	asking := pace.WithMaxWait(ctx, time.Minute)
	said, err := client.Limits(asking)
	if err != nil && !s.limitsForbidden(asking, client, err) {
		return Prospect{}, s.gateFault(err)
	}
	limits := s.report(said)
	v, err := engine.LoadView(ctx, s.Ledger, s.Account.Name, s.Settings.Policy, now)
	if err != nil {
		return Prospect{}, err
	}
	p := Prospect{Slots: max(1, limits.Slots), QuotaFree: limits.QuotaFree, QuotaAfter: -1, KeepQuota: s.Settings.Policy.KeepQuota}
	if p.Exports, err = s.prospects(ctx, wishes, v, now); err != nil {
		return p, err
	}
	uses, err := s.Ledger.QuotaUses(ctx, s.Account.Name, now.Add(-30*24*time.Hour))
	if err != nil {
		return p, err
	}
	p.fit(uses)
	p.finish(v, now)
	return p, nil
}

func (s *Session) prospects(ctx context.Context, wishes []ledger.Wish, v plan.View, now time.Time) ([]ProspectExport, error) {
	var all []ProspectExport
	seen := map[string]bool{}
	for _, w := range wishes {
		print := w.Request.Fingerprint()
		if seen[print] {
			continue
		}
		seen[print] = true
		x, err := s.prospect(ctx, w, now)
		if err != nil {
			return nil, err
		}
		if x.model = plan.Forecast(v.History, plan.HistoryKey(w.Request)); w.Request.Direct {
			all = append(all, x)
			continue
		}
		x.Expected = math.Round(x.model.Median().Seconds()*10) / 10
		all = append(all, x)
	}
	return all, nil
}

func (s *Session) prospect(ctx context.Context, w ledger.Wish, now time.Time) (ProspectExport, error) {
	x := ProspectExport{
		Kind: w.Request.Kind, ForecastID: w.Request.ForecastID, TimePeriod: w.Request.Period,
		Since: w.Request.Since, Until: w.Request.Until, Title: w.Request.Title(), Serve: "job",
	}
	if w.Request.Direct {
		x.Serve = "direct"
	}
	if w.SinceLast {
		return s.prospectSince(ctx, w, x)
	}
	if _, there, err := servedBy(ctx, w, now); err != nil || there {
		x.Serve = "there"
		return x, err
	}
	exports, err := s.Ledger.ListExports(ctx, ledger.Filter{Account: s.Account.Name, Fingerprint: w.Request.Fingerprint()})
	if err != nil {
		return x, err
	}
	var candidates []plan.Candidate
	for _, e := range exports {
		standing, err := engine.LoadStanding(ctx, s.Ledger, e.ID)
		if err != nil {
			return x, err
		}
		candidates = append(candidates, plan.Candidate{Export: e, SnapshotAt: cmp.Or(standing.Job.EndedAt, e.DoneAt)})
	}
	if e, ok := plan.Serve(plan.Want{AsOf: w.AsOf, Fresh: w.Fresh}, candidates, now); ok {
		x.ExportID, x.Serve = e.ID, "open"
		if e.State == weir.Landed {
			x.Serve = "there"
		}
	}
	return x, nil
}

// fit marks what the quota has no room for, and says when it would.
func (p *Prospect) fit(uses []time.Time) {
	room := len(p.Exports)
	if p.QuotaFree >= 0 {
		room = max(0, p.QuotaFree-p.KeepQuota)
	}
	for i := range p.Exports {
		if p.Exports[i].Serve != "job" {
			continue
		}
		if p.Jobs == room {
			p.Exports[i].Serve = "later"
			p.Later++
			continue
		}
		p.Jobs++
	}
	p.Requests = p.Jobs * requestsPerJob
	if p.QuotaFree >= 0 {
		p.QuotaAfter = p.QuotaFree - p.Jobs
	}
	p.Returns = []time.Time{}
	for _, use := range uses {
		p.Returns = append(p.Returns, use.Add(30*24*time.Hour))
	}
	if p.Later > 0 && p.Later <= len(p.Returns) {
		p.FitsAt = p.Returns[p.Later-1]
	}
}

// finishRuns is how many futures are drawn; the seed is fixed, so that the same
// state gives the same answer.
const finishRuns = 400

// finish draws futures of the jobs in flight and to come: each free slot takes
// the next job, longest expected first.
func (p *Prospect) finish(v plan.View, now time.Time) {
	var models []plan.Duration
	for _, e := range v.Exports {
		if e.State.HoldsSlot() || e.State == weir.Planned && p.QuotaFree != 0 {
			models = append(models, plan.Forecast(v.History, plan.HistoryKey(e.Request)))
		}
	}
	for _, x := range p.Exports {
		if x.Serve == "job" {
			models = append(models, x.model)
		}
	}
	if len(models) == 0 {
		return
	}
	slices.SortStableFunc(models, func(a, b plan.Duration) int { return -cmp.Compare(a.Mu, b.Mu) })
	random := rand.New(rand.NewPCG(1, 2))
	spans := make([]time.Duration, finishRuns)
	for i := range spans {
		spans[i] = drawSpan(models, p.Slots, random)
	}
	slices.Sort(spans)
	p.P50, p.P90 = now.Add(spans[finishRuns/2]), now.Add(spans[finishRuns*9/10])
}

// drawSpan is how long one drawn future takes on so many slots.
func drawSpan(models []plan.Duration, slots int, random *rand.Rand) time.Duration {
	free := make([]float64, slots)
	for _, m := range models {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		free[first] += math.Exp(m.Mu+m.S*random.NormFloat64()) + postAndPoll
	}
	return time.Duration(slices.Max(free) * float64(time.Second))
}

// postAndPoll is the seconds that a slot stands idle between two jobs.
const postAndPoll = 1.5
