package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Numbers of the absence proof (rules §2.4).
const (
	// SettleOwn is how long after the connection closed the first listing may
	// count; SettleTakeover after a takeover from an owner not proved dead.
	SettleOwn      = 10 * time.Second
	SettleTakeover = 60 * time.Second
	// listingsForAbsence complete listings, listingGap apart, prove absence.
	listingsForAbsence = 3
	listingGap         = 5 * time.Second
	// proofPatience is how long a proof may take before a person is asked.
	proofPatience = time.Hour
	// doubtMargin is how much earlier than the POST its job may seem made.
	doubtMargin = 5 * time.Minute
	// AbsenceDoubt is how long a presumed absence stays in doubt.
	AbsenceDoubt = 24 * time.Hour
)

// boundJob is the job that an answer bound to the export although the decision
// to run it was never written.
func (d *decision) boundJob(e *weir.Export) (weir.Job, bool) {
	var newest weir.Job
	for _, j := range d.Jobs {
		current := j.ExportID == e.ID && j.Seq > e.IntentSeq
		if current && (newest.ID == "" || newest.Seq < j.Seq) {
			newest = j
		}
	}
	return newest, newest.ID != ""
}

// decideUnknown adopts what certainly is, or matches, the export's job, counts
// a listing without a trace, and judges absence. What cannot be told goes to a
// person and stops this export alone.
func (d *decision) decideUnknown(e *weir.Export) {
	if job, ok := d.boundJob(e); ok && job.ID != e.JobID {
		d.adopt(e, job.ID, "the server had named this job for it")
		return
	}
	if e.JobID != "" || e.NeedsPerson != "" {
		d.askAboutKnown(e)
		return
	}
	found := d.suspects(e)
	if len(found.matches) > 0 {
		d.adopt(e, found.matches[0].ID, "this job appeared after the POST and has its forecast and period")
		return
	}
	switch {
	case found.person != "":
		d.act(Action{Do: AskPerson, Export: e.ID, Why: found.person})
	case e.AbsentListings >= listingsForAbsence:
		d.act(Action{Do: JudgeAbsent, Export: e.ID, Why: fmt.Sprintf("%d complete listings showed no job of it", e.AbsentListings)})
	case d.listingCounts(e) && !found.undecided:
		d.act(Action{Do: CountAbsent, Export: e.ID, Why: "a complete listing showed no job of it"})
	}
}

// askAboutKnown handles an unknown export whose job is known but unreadable,
// or which waits for a person: a job that became readable is taken up again.
func (d *decision) askAboutKnown(e *weir.Export) {
	job, known := d.Jobs[e.JobID]
	seen := job.LastSeen.After(e.LostAt) && !job.LastSeen.After(d.now.Add(clockSlack)) // a clock set back proves nothing
	if known && seen && job.Status != weir.JobUnrecognised {
		d.adopt(e, e.JobID, "its job can be read again")
		return
	}
	if e.NeedsPerson == "" {
		d.act(Action{Do: AskPerson, Export: e.ID, Why: "the server no longer knows job " + e.JobID})
	}
}

// suspicion is what appeared after an unknown export's intent.
type suspicion struct {
	matches   []weir.Job
	person    string // why only a person can tell
	undecided bool   // a job is still too young to tell
}

// suspects compares every job first seen after the intent with the request: a
// set difference, no clocks. Matches are ordered by how near their creation is
// to the POST.
func (d *decision) suspects(e *weir.Export) suspicion {
	var s suspicion
	for _, j := range d.loose() {
		if j.Seq <= e.IntentSeq || d.given[j.ID] {
			continue
		}
		switch recognise(j.FileName, e.Request) {
		case weir.Match:
			s.matches = append(s.matches, j)
		case weir.CannotTell:
			if j.Status.Terminal() || j.FileName != "" {
				s.person = fmt.Sprintf("job %s (%s) appeared after the POST and does not show what it exports", j.ID, j.RawStatus)
			}
			s.undecided = true
		}
	}
	slices.SortFunc(s.matches, func(a, b weir.Job) int {
		return d.distance(a, e).compare(d.distance(b, e))
	})
	return s
}

// recognise tells a forecast's job from anything else by its name, also where
// the name says nothing of what else it could be.
func recognise(fileName string, r weir.Request) weir.Likely {
	if _, _, forecast := weir.FileTarget(fileName); forecast && r.Kind != weir.Forecast {
		return weir.Mismatch
	}
	return weir.Recognise(fileName, r)
}

// nearness orders matches: created after the POST before created earlier, then
// the nearest, then by id.
type nearness struct {
	earlier bool
	by      time.Duration
	id      string
}

func (d *decision) distance(j weir.Job, e *weir.Export) nearness {
	at, ok := weir.JobCreated(j.ID, d.now)
	if !ok {
		at = j.StartedAt
	}
	by := at.Sub(d.posted(e).Truncate(time.Second))
	return nearness{earlier: by < 0, by: max(by, -by), id: j.ID}
}

func (n nearness) compare(o nearness) int {
	switch {
	case n.earlier != o.earlier && n.earlier:
		return 1
	case n.earlier != o.earlier:
		return -1
	case n.by != o.by:
		return int(min(max(n.by-o.by, -1), 1))
	case n.id < o.id:
		return -1
	}
	return 1
}

// listingCounts reports whether the last listing is evidence of absence: read
// after the settling, far enough from the last one that counted, complete, and
// no submitted id of the organisation is left unexplained.
func (d *decision) listingCounts(e *weir.Export) bool {
	if d.Listing.Absent {
		return d.submittedCounts(e)
	}
	earliest := e.LostAt.Add(e.Settle)
	if !e.AbsentListedAt.IsZero() {
		earliest = e.AbsentListedAt.Add(listingGap)
	}
	at := d.Listing.StartedAt
	return !at.IsZero() && !at.Before(earliest) && len(d.missing()) == 0 && d.submittedExplained(e)
}

// missing are the ids that the last complete list should have held, less those
// that the server does not know by their id either: they are gone, and no list
// will ever hold them again.
func (d *decision) missing() []string {
	var ids []string
	for _, id := range d.Missing {
		if !d.Unreadable[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// unasked is the first missing id that nobody asked for since the last list.
func (d *decision) unasked() (string, bool) {
	for _, id := range d.missing() {
		if j, known := d.Jobs[id]; known && j.LastSeen.Before(d.Listing.At) {
			return id, true
		}
	}
	return "", false
}

// submittedCounts decides by submittedJobIds alone where no list exists.
func (d *decision) submittedCounts(e *weir.Export) bool {
	earliest := e.LostAt.Add(e.Settle)
	if !e.AbsentListedAt.IsZero() {
		earliest = e.AbsentListedAt.Add(listingGap)
	}
	return d.readSince(e) && !d.Budget.ReadStartedAt.Before(earliest) && len(d.unexplained()) == 0
}

// submittedExplained reports whether the limits were read since the loss and
// name no job that weir cannot place. Forbidden limits prove nothing either way.
func (d *decision) submittedExplained(e *weir.Export) bool {
	if d.limitsForbidden() {
		return true
	}
	return d.readSince(e) && len(d.unexplained()) == 0
}

// readSince reports whether the limits were read after the fate became unknown.
func (d *decision) readSince(e *weir.Export) bool {
	return d.Budget.Known() && d.Budget.Reading > e.LostIn
}

// unexplained are ids that the organisation's limits name and that are neither
// known to the ledger nor found to be somebody else's: those in flight, and of
// the submitted ones, which may be the whole month's, those of about the time of
// the POST in doubt: a job that has ended already is among these only.
func (d *decision) unexplained() []string {
	var ids []string
	for _, id := range d.Budget.InFlight {
		if !d.known(id) && !d.Unreadable[id] {
			ids = append(ids, id)
		}
	}
	since := d.oldestDoubt()
	for _, id := range d.Budget.Submitted {
		made, plausible := weir.JobCreated(id, d.now)
		old := plausible && made.Before(since)
		if !old && !d.known(id) && !d.Unreadable[id] && !contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// oldestDoubt is, on the server's clock and with a margin for it, before the
// first POST whose job is looked for.
func (d *decision) oldestDoubt() time.Time {
	first := d.now.Add(d.ServerAhead)
	for i := range d.Exports {
		if e := &d.Exports[i]; e.State == weir.Unknown && d.posted(e).Before(first) {
			first = d.posted(e)
		}
	}
	return first.Add(-doubtMargin)
}

// posted is when an export was posted, by the server's clock.
func (d *decision) posted(e *weir.Export) time.Time {
	if e.PostedAt.IsZero() {
		return e.SubmittedAt.Add(d.ServerAhead)
	}
	return e.PostedAt
}

// proveUnknown asks for what the absence proof needs next.
func (d *decision) proveUnknown() {
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State != weir.Unknown {
			continue
		}
		if e.NeedsPerson != "" {
			d.stand(e, weir.Wait{Code: weir.WaitPerson, Text: e.NeedsPerson + "; decide it with: weir resolve " + fmt.Sprint(e.ID)}, d.now.Add(standAgain), time.Time{})
			continue
		}
		d.prove(e)
	}
}

func (d *decision) prove(e *weir.Export) {
	due := e.LostAt.Add(e.Settle)
	if !e.AbsentListedAt.IsZero() {
		due = e.AbsentListedAt.Add(listingGap)
	}
	wait := weir.Wait{Code: weir.WaitSettle, Text: "its POST got no answer: proving whether it started a job before posting again"}
	if next := laterOf(due, d.readsAgainAt()); d.now.Before(next) {
		d.stand(e, wait, next, next)
		return
	}
	d.stand(e, wait, d.now.Add(listingGap), d.now.Add(listingGap))
	switch id, found := d.unasked(); {
	case !d.Listing.Absent && d.Listing.StartedAt.Before(due):
		d.ask(ListJobs, "looking for the job of a lost POST")
	case !d.limitsForbidden() && (!d.readSince(e) || d.Listing.Absent && d.Budget.ReadStartedAt.Before(due)):
		d.ask(ReadLimits, "looking for the job of a lost POST")
	case d.Listing.Absent && d.limitsForbidden():
		d.act(Action{Do: AskPerson, Export: e.ID, Why: "its POST got no answer and this key may read neither the list of jobs nor the limits"})
	case d.now.Sub(e.LostAt) > proofPatience:
		d.act(Action{Do: AskPerson, Export: e.ID, Why: "its POST got no answer, and for " + proofPatience.String() + " the lists could not show whether it started a job"})
	case len(d.unexplained()) > 0 && !d.known(d.unexplained()[0]):
		d.askJob(d.unexplained()[0], 0, "finding out whose job this is")
	case found:
		d.askJob(id, 0, "the last list should have held this job")
	default:
		d.proveAgain(e, wait)
	}
}

// proveAgain looks once more after evidence that proved nothing: the list was
// incomplete, or a job is too young to tell. The longer it lasts the rarer.
func (d *decision) proveAgain(e *weir.Export, wait weir.Wait) {
	last := d.Listing.StartedAt
	if d.Listing.Absent {
		last = d.Budget.ReadStartedAt
	}
	gap := min(max(listingGap, d.now.Sub(e.LostAt)/10), pollAtMost)
	if next := last.Add(gap); d.now.Before(next) {
		d.stand(e, wait, next, next)
		return
	}
	if d.Listing.Absent {
		d.ask(ReadLimits, "the last look proved nothing")
		return
	}
	d.ask(ListJobs, "the last list was incomplete or too early to prove anything")
}

func (d *decision) known(id string) bool {
	_, known := d.Jobs[id]
	return known
}

func (d *decision) readsAgainAt() time.Time { return laterOf(d.List.NotBefore, d.Limits.NotBefore) }

// lateTwin finds a job of a presumed-absent POST that appeared after the export
// was posted again. It is reported and never touched.
func (d *decision) lateTwin(e *weir.Export) (weir.Job, bool) {
	if e.PresumedAbsentAt.IsZero() || e.Twin != "" || d.now.Sub(e.PresumedAbsentAt) > AbsenceDoubt {
		return weir.Job{}, false
	}
	for _, j := range d.loose() {
		late := j.ID != e.JobID && j.Seq > e.AbsentSeq && !d.given[j.ID]
		if late && weir.Recognise(j.FileName, e.Request) == weir.Match {
			return j, true
		}
	}
	return weir.Job{}, false
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
