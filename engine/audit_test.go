package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// What a simulation holds an engine to, beside the rules' own numbers.
const (
	leaseMost    = 4 * time.Second  // rules §3: older than this, nothing is sent
	listMost     = 75 * time.Second // rules §2.3: 60 s, and how long a gate may take
	proofSpan    = 10 * time.Second // rules §2.4: three listings, 5 s apart
	settleOwn    = 10 * time.Second
	settleTaken  = 60 * time.Second
	bindMost     = 12 * time.Second // a job id that was heard is written down
	perSecond    = 17               // requests of one process, with what a gate's burst allows
	perMinute    = 150
	callsPerSpan = 9000 // ledger calls of one process between two inspections
	inspectEvery = 30 * time.Second
	traceKept    = 4000
)

// auditor watches every ledger call and every request of a simulation, and
// keeps its own account of what was bought.
type auditor struct {
	w *world

	mu       sync.Mutex
	faults   []string
	trace    []string
	latest   map[string]weir.Lease // the last lease given, by account
	gates    map[string]savedGate
	books    map[*proc]*record
	attempts map[int64][]*attempt   // of each export since a person last asked anew
	jobs     map[string]*attempt    // whose job it is
	landed   map[int64]int          // landings of each delivery since it was last opened
	late     map[string]bool        // jobs that appeared when nothing could know of them any more
	lists    map[string][]time.Time // when each account's jobs were listed
	stands   map[int64]plan.Stand   // what each export was last said to wait for
	spans    map[string]*spanBook   // of the audit events at each place
	anew     map[int64]bool         // exports that a person asked for again

	forgotten forgotten
}

type savedGate struct {
	until, at time.Time
}

// attempt is one committed intent and what became of it.
type attempt struct {
	export   int64
	account  string
	request  weir.Request
	by       *proc
	posted   time.Time // zero: not sent
	answered bool
	refused  bool // a definite no: it made no job
	// guard is until when a job of it that shows itself must be found.
	guard time.Time
	job   string
}

// record is what is known of one process.
type record struct {
	lease      weir.Lease
	leased     time.Time // when the last renewal that succeeded was asked for
	acquired   time.Time
	intent     *attempt
	posting    int
	told       time.Time // no request before it: the server said so to this process
	closed     bool      // after a 429 and before the probe's answer
	probing    int
	listed     time.Time // when the last list that came was asked for
	listAbsent bool
	heard      []heardJob
	sentAt     []time.Time
	calls      int
}

type heardJob struct {
	export int64
	job    string
	at     time.Time
}

func newAuditor(w *world) *auditor {
	return &auditor{
		w: w, latest: map[string]weir.Lease{}, gates: map[string]savedGate{}, books: map[*proc]*record{},
		attempts: map[int64][]*attempt{}, jobs: map[string]*attempt{}, landed: map[int64]int{}, late: map[string]bool{},
		spans: map[string]*spanBook{}, anew: map[int64]bool{}, stands: map[int64]plan.Stand{}, lists: map[string][]time.Time{},
		forgotten: forgotten{serves: map[string]int64{}, twins: map[string]bool{}},
	}
}

// fault records a broken promise. The caller holds the lock.
func (a *auditor) fault(format string, args ...any) {
	text := time.Now().UTC().Format("15:04:05.000 ") + fmt.Sprintf(format, args...)
	a.trace = append(a.trace, "FAULT "+text)
	if len(a.faults) < 10 {
		a.faults = append(a.faults, text)
	}
	a.w.stop()
}

func (a *auditor) say(p *proc, what, detail string) {
	if len(a.trace) > 2*traceKept {
		a.trace = append([]string(nil), a.trace[traceKept:]...)
	}
	who := "-"
	if p != nil {
		who = p.owner
	}
	a.trace = append(a.trace, time.Now().UTC().Format("02 15:04:05.000000 ")+who+" "+what+" "+detail)
}

func (a *auditor) event(p *proc, what, detail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, what, detail)
}

func (a *auditor) note(p *proc, method string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.books[p].calls++
	if err != nil && !strings.Contains(err.Error(), "holds the lease") {
		a.say(p, method, err.Error())
	}
}

func (a *auditor) born(p *proc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.books[p] = &record{}
	a.say(p, "born", p.account)
}

func (a *auditor) died(p *proc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.books[p].heard = nil
}

func (a *auditor) exited(p *proc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "exit", "")
}

func (a *auditor) acquired(p *proc, lease weir.Lease, before time.Time, provedDead bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, now := a.books[p], time.Now()
	r.lease, r.leased, r.acquired = lease, before, now
	a.latest[lease.Account] = lease
	settle := settleTaken
	if provedDead {
		settle = settleOwn
	}
	for id, all := range a.attempts { // what was judged absent before is not proved again
		if last := all[len(all)-1]; last.account == lease.Account && !last.answered && a.inDoubt(id) {
			last.guard = later(last.guard, now.Add(settle+proofSpan))
		}
	}
	a.say(p, "Acquire", fmt.Sprintf("%s generation %d", lease.Account, lease.Generation))
}

func (a *auditor) inDoubt(export int64) bool {
	e, err := a.w.store.Export(context.Background(), export)
	return err == nil && (e.State == weir.Submitting || e.State == weir.Unknown)
}

func (a *auditor) renewed(p *proc, held []weir.Lease, before time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.books[p]
	for _, lease := range held {
		if lease == r.lease {
			r.leased = before
		}
	}
}

func (a *auditor) savedGate(p *proc, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, err := pace.ParseState(text); err == nil {
		a.gates[p.account] = savedGate{until: s.ClosedUntil, at: time.Now()}
	}
}

// decided checks that whoever decides is the last who was given the lease.
func (a *auditor) decided(p *proc, e weir.Export, what string) {
	if mine, last := a.books[p].lease, a.latest[e.Account]; mine != last {
		a.fault("%s decided about export %d (%s) under generation %d while %s has generation %d",
			p.owner, e.ID, what, mine.Generation, last.Owner, last.Generation)
	}
}

func (a *auditor) amended(p *proc, e weir.Export) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decided(p, e, "amend")
	a.say(p, "Amend", fmt.Sprintf("%d %s absent=%d person=%q twin=%s polls=%d", e.ID, e.State, e.AbsentListings, e.NeedsPerson, e.Twin, e.Polls))
}

func (a *auditor) moved(p *proc, t weir.Transition, e weir.Export) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "Move", fmt.Sprintf("%d %s → %s %s: %s", e.ID, t.From, t.To, e.JobID, t.Cause.Why))
	a.decided(p, e, string(t.From+" → "+t.To))
	switch {
	case t.To == weir.Submitting:
		intent := &attempt{export: e.ID, account: e.Account, request: e.Request, by: p}
		a.books[p].intent = intent
		a.attempts[e.ID] = append(a.attempts[e.ID], intent)
	case t.From == weir.Unknown && t.To == weir.Planned:
		a.presumed(p, e)
	}
}

// presumed checks a judgement of absence against what the list had to show.
func (a *auditor) presumed(p *proc, e weir.Export) {
	a.attribute(e.Account)
	all := a.attempts[e.ID]
	if len(all) == 0 {
		return
	}
	last := all[len(all)-1]
	if last.job == "" {
		return
	}
	r := a.books[p]
	if seen := a.w.visibleAt(last.account, last.job); !r.listAbsent && seen.Before(r.listed.Add(-time.Second)) {
		a.fault("%s presumed export %d absent though its job %s was in the list since %s", p.owner, e.ID, last.job, seen.Format("15:04:05"))
	}
}

// asked is a person's word: what was bought before no longer counts.
func (a *auditor) asked(export int64, what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(nil, "person", fmt.Sprintf("%s %d", what, export))
	if what == "retry" {
		a.anew[export] = true
		delete(a.attempts, export)
	}
}

func (a *auditor) told(p *proc, job string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.books[p]
	if r.intent == nil {
		return
	}
	a.own(r.intent, job)
	r.heard = append(r.heard, heardJob{r.intent.export, job, time.Now()})
}

func (a *auditor) own(x *attempt, job string) {
	if other := a.jobs[job]; other != nil && other != x && other.job == job {
		other.job = ""
	}
	x.job, a.jobs[job] = job, x
}

func (a *auditor) bound(p *proc, export int64, job string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "BindJob", fmt.Sprintf("%d %s", export, job))
	r := a.books[p]
	var left []heardJob
	for _, h := range r.heard {
		if h.export != export || h.job != job {
			left = append(left, h)
		}
	}
	r.heard = left
}

func (a *auditor) finished(p *proc, claim weir.Delivery, o ledger.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "FinishDelivery", fmt.Sprintf("%d of %d: %s", claim.ID, claim.ExportID, o.State))
	if o.State != weir.DeliveryLanded {
		return
	}
	a.landed[claim.ID]++
	if a.landed[claim.ID] > 1 {
		a.fault("delivery %d landed %d times", claim.ID, a.landed[claim.ID])
	}
	a.landedSpan(claim)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// exchange is one request under way.
type exchange struct {
	at      time.Time
	probe   bool
	post    bool
	list    bool
	attempt *attempt
	what    string
}

// sent sees a request at the moment it is written.
func (a *auditor) sent(p *proc, r *http.Request) *exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, now := a.books[p], time.Now()
	x := &exchange{at: now, what: r.Method + " " + r.URL.Path, list: r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/export/jobs")}
	if age := now.Sub(k.leased); age > leaseMost {
		a.fault("%s sent %s on a lease renewed %s ago", p.owner, x.what, age)
	}
	if now.Before(k.told) {
		a.fault("%s sent %s %s before the instant of a Retry-After", p.owner, x.what, k.told.Sub(now))
	}
	if g := a.gates[p.account]; now.Before(g.until) && g.at.Before(k.acquired) {
		a.fault("%s sent %s %s before what an earlier conductor was told and kept", p.owner, x.what, g.until.Sub(now))
	}
	if k.closed {
		if k.probing > 0 {
			a.fault("%s sent %s while another request probes after a 429", p.owner, x.what)
		}
		k.probing++
		x.probe = true
	}
	a.pacing(p, k, x, now)
	if r.Method == http.MethodPost {
		x.post = true
		a.post(p, k, x)
	}
	return x
}

func (a *auditor) pacing(p *proc, k *record, x *exchange, now time.Time) {
	k.sentAt = append(k.sentAt, now)
	for now.Sub(k.sentAt[0]) > time.Minute {
		k.sentAt = k.sentAt[1:]
	}
	second := 0
	for i := len(k.sentAt) - 1; i >= 0 && now.Sub(k.sentAt[i]) <= time.Second; i-- {
		second++
	}
	if second > perSecond || len(k.sentAt) > perMinute {
		a.fault("%s sent %d requests within a second and %d within a minute, the last %s", p.owner, second, len(k.sentAt), x.what)
	}
}

// answered sees what came of a request, as the process does.
func (a *auditor) answered(p *proc, x *exchange, resp *http.Response, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, now := a.books[p], time.Now()
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	a.say(p, x.what, fmt.Sprintf("%d %v (%s)", status, err, now.Sub(x.at)))
	if x.probe {
		k.probing--
	}
	switch {
	case status == http.StatusTooManyRequests && !p.frozeSince(now):
		k.closed = true
		k.told = later(k.told, now.Add(toldBy(resp, now)))
	case x.probe && status != 0 && status != http.StatusTooManyRequests && (status < 502 || status > 504):
		k.closed = false
	}
	if x.list && status == http.StatusOK {
		a.lists[p.account] = append(a.lists[p.account], x.at)
		k.listed, k.listAbsent = x.at, false
	} else if x.list && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		k.listAbsent = true
	}
	if x.post {
		a.posted(k, x, status, now)
	}
}

func toldBy(resp *http.Response, now time.Time) time.Duration {
	wait, ok := pace.ParseRetryAfter(resp.Header.Get("Retry-After"), now, resp.Header.Get("Date"))
	if !ok {
		return 0
	}
	return wait
}

func (a *auditor) posted(k *record, x *exchange, status int, now time.Time) {
	k.posting--
	if x.attempt == nil {
		return
	}
	x.attempt.answered = status/100 == 2 || status/100 == 4
	x.attempt.refused = status/100 == 4
	x.attempt.guard = later(x.attempt.guard, now.Add(settleOwn+proofSpan))
	a.attribute(x.attempt.account)
}

// post checks what must hold when a job is asked for.
func (a *auditor) post(p *proc, k *record, x *exchange) {
	k.posting++
	if k.posting > 1 {
		a.fault("%s has %d POSTs in flight", p.owner, k.posting)
	}
	intent := k.intent
	switch {
	case intent == nil:
		a.fault("%s sent a POST without a committed intent", p.owner)
		return
	case !intent.posted.IsZero():
		a.fault("%s sent a second POST for one intent of export %d", p.owner, intent.export)
		return
	}
	x.attempt, intent.posted = intent, x.at
	a.checkState(p, intent)
	a.checkSlots(p, k)
	a.checkRoom(p, k)
	if !k.listAbsent && x.at.Sub(k.listed) > listMost {
		a.fault("%s sent a POST %s after its last list", p.owner, x.at.Sub(k.listed))
	}
	a.checkPaid(p, intent)
}

func (a *auditor) checkState(p *proc, intent *attempt) {
	e, err := a.w.store.Export(context.Background(), intent.export)
	if err != nil || e.State != weir.Submitting && e.State != weir.Unknown {
		a.fault("%s sent a POST for export %d, which is %s in the ledger (%v)", p.owner, intent.export, e.State, err)
	}
}

// checkSlots compares what the ledger counts as in flight, the POST among it,
// with the slots that the server told. Only the last owner of the lease is held
// to it: the ledger may know more than an owner that was replaced.
func (a *auditor) checkSlots(p *proc, k *record) {
	if k.lease != a.latest[p.account] {
		return
	}
	b, _ := a.w.store.Budget(context.Background(), p.account)
	open, _ := a.w.store.ListExports(context.Background(), ledger.Filter{Account: p.account, OpenOnly: true})
	held := 0
	for _, e := range open {
		if e.State.HoldsSlot() {
			held++
		}
	}
	if b.Known() && held > b.Slots {
		a.fault("%s sent a POST with %d of %d slots held", p.owner, held, b.Slots)
	}
	if a.w.scene.policy.Sequential && held > 1 {
		a.fault("%s sent a POST with %d exports in flight under the sequential policy", p.owner, held)
	}
}
