package plan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

const (
	// pollStep is the finest grain of the idle-cost integral, pollGrain how many
	// steps it makes while the wait doubles or so, and pollAtMost the longest
	// distance of two polls.
	pollStep   = 100 * time.Millisecond
	pollGrain  = 20
	pollAtMost = 60 * time.Second
	// pollShare is the part of a typical run that each slot may lie idle for one
	// poll less. Simulated: twice as much costs 1 % of the makespan and saves a
	// quarter of the polls, half as much the reverse.
	pollShare = 0.0028
	// pollOwn is the least distance of two reads of one job by its id.
	pollOwn = 5 * time.Second
	// A job is waited for at least waitAtLeast and at most waitExpected times
	// what was expected of it.
	waitAtLeast  = time.Hour
	waitExpected = 20
)

// poll plans the next status read and says of every running export what is
// waited for.
func (d *decision) poll() {
	running := d.inFlight()
	if len(running) == 0 {
		return
	}
	if d.Policy.Sequential {
		d.pollSequential(running)
		return
	}
	if d.Listing.Absent || d.Listing.Heavy || d.List.InARow >= maxReadTries {
		d.pollEach(running)
		return
	}
	d.pollList(running)
}

func (d *decision) inFlight() []*weir.Export {
	var running []*weir.Export
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State == weir.Running {
			running = append(running, e)
		}
	}
	return running
}

// pollSequential reads each job at PollMin × PollFactor^k, at most PollMax, up
// to MaxAttempts answers.
func (d *decision) pollSequential(running []*weir.Export) {
	for _, e := range running {
		if e.Polls >= d.Policy.MaxAttempts {
			d.standTimedOut(e, fmt.Sprintf("job %s was not finished after %d status answers", e.JobID, e.Polls))
			continue
		}
		due := laterOf(d.lastLook(e).Add(d.backoff(e.Polls)), e.NotBefore)
		if !d.now.Before(due) {
			d.askJob(e.JobID, e.ID, "its next status read is due")
		}
		d.standRunning(e, due)
	}
}

func (d *decision) backoff(k int) time.Duration {
	wait := float64(d.Policy.PollMin) * math.Pow(d.Policy.PollFactor, float64(k))
	return time.Duration(min(wait, float64(d.Policy.PollMax)))
}

// lastLook is when something was last heard of an export's job. What a clock
// that was set back puts into the future is not it.
func (d *decision) lastLook(e *weir.Export) time.Time {
	last := time.Time{}
	for _, at := range []time.Time{e.SubmittedAt, e.PolledAt} {
		if !at.After(d.now) {
			last = laterOf(last, at)
		}
	}
	return last
}

// pollEach reads jobs one by one, none more often than every 5 s.
func (d *decision) pollEach(running []*weir.Export) {
	for _, e := range running {
		last := d.lastLook(e)
		next := d.nextPoll([]*weir.Export{e}, len(running), last)
		due := laterOf(laterOf(next, last.Add(pollOwn)), e.NotBefore)
		if !d.now.Before(due) {
			d.askJob(e.JobID, e.ID, "its next status read is due")
		}
		d.standRunning(e, due)
	}
}

// pollList reads all jobs in flight with one list, and a job that the list
// should have held by its id.
func (d *decision) pollList(running []*weir.Export) {
	var listed []*weir.Export
	for _, e := range running {
		if slices.Contains(d.Missing, e.JobID) || d.unlisted(e) {
			d.pollEach([]*weir.Export{e})
		} else {
			listed = append(listed, e)
		}
	}
	if len(listed) == 0 {
		return
	}
	due := laterOf(d.nextPoll(listed, 1, d.Listing.StartedAt), d.List.NotBefore)
	if !d.now.Before(due) {
		d.ask(ListJobs, "the next look at the jobs in flight is due")
	}
	for _, e := range listed {
		d.standRunning(e, due)
	}
}

// unlisted is a job that a list read after its start did not show.
func (d *decision) unlisted(e *weir.Export) bool {
	j, known := d.Jobs[e.JobID]
	return known && j.ListedAt.IsZero() && d.Listing.StartedAt.After(laterOf(j.FirstSeen, e.SubmittedAt).Add(pollOwn))
}

// nextPoll is when the expected idle slot-time since the last poll equals the
// price of a poll (rules §6), at least the floor and at most 60 s after it.
func (d *decision) nextPoll(running []*weir.Export, requests int, last time.Time) time.Time {
	floor := d.pollFloor(requests)
	price := d.pollPrice()
	watched := d.watch(running, last)
	spent := 0.0
	for wait := time.Duration(0); wait < pollAtMost; {
		step := max(pollStep, wait/pollGrain)
		spent += step.Seconds() * expectedDone(watched, wait+step/2)
		wait += step
		if spent >= price {
			return last.Add(max(floor, wait))
		}
	}
	return last.Add(max(floor, pollAtMost))
}

// watched is a job that runs, as of the last poll.
type watched struct {
	age      time.Duration // at the last poll; negative: it began after it
	expected Duration
	ran      float64 // the probability that it ran so long
}

// watch prepares the jobs that can end: a queued one cannot.
func (d *decision) watch(running []*weir.Export, last time.Time) []watched {
	var all []watched
	for _, e := range running {
		began, queued := d.began(e)
		if queued {
			continue
		}
		w := watched{age: last.Sub(began), expected: d.expected(e)}
		w.ran = w.expected.Survival(w.age)
		all = append(all, w)
	}
	return all
}

// expectedDone is how many of the jobs have ended `wait` after the last poll,
// given that they ran then.
func expectedDone(jobs []watched, wait time.Duration) float64 {
	done := 0.0
	for _, w := range jobs {
		if w.ran > 0 {
			done += 1 - w.expected.Survival(w.age+wait)/w.ran
		} else {
			done++
		}
	}
	return done
}

// began is when a job started to run, on our clock; queued jobs have not.
func (d *decision) began(e *weir.Export) (at time.Time, queued bool) {
	j := d.Jobs[e.JobID]
	if j.Status == weir.JobQueued && j.RawStatus != "" { // before the first answer it is taken to run
		return time.Time{}, true
	}
	if j.StartedAt.IsZero() {
		return e.SubmittedAt, false
	}
	at = j.StartedAt.Add(-d.ServerAhead)
	if at.After(d.now) || at.Before(e.SubmittedAt) && !e.Adopted {
		return e.SubmittedAt, false
	}
	return at, false
}

// pollFloor: PollMin, and three requests' worth of the learned rate once the
// server has refused for pace.
// Where each job takes a request of its own, they share that.
func (d *decision) pollFloor(requests int) time.Duration {
	if d.Policy.Rate <= 0 {
		return d.Policy.PollMin
	}
	return max(d.Policy.PollMin, time.Duration(3*float64(requests)/d.Policy.Rate*float64(time.Second)))
}

// pollPrice is the idle slot-time that a poll is worth: a share of what a job
// typically runs, for each slot that weir could keep busy. It does not depend
// on which jobs are in flight: a slot-second is worth the same all along, and
// the idle time that a number of polls leaves is least where all of them cost
// the same.
func (d *decision) pollPrice() float64 {
	slots := d.Budget.Slots
	if !d.Budget.Known() {
		slots = learnedSlots(d.Budget)
	}
	used := max(1, min(slots, d.inSlots+d.waiting))
	return pollShare * float64(used) * d.learned().typical()
}

func (d *decision) standRunning(e *weir.Export, due time.Time) {
	if _, told := d.plan.Stands[e.ID]; told {
		return
	}
	if cap, over := d.overdue(e); over {
		d.standTimedOut(e, fmt.Sprintf("job %s has run longer than the %s weir waits", e.JobID, cap))
		d.lookAt(due)
		return
	}
	text := "the server works on job " + e.JobID
	if _, queued := d.began(e); queued {
		text = "job " + e.JobID + " is queued on the server"
	}
	due = laterOf(due, d.now)
	d.stand(e, weir.Wait{Code: weir.WaitJob, Text: text}, due, due)
}

func (d *decision) standTimedOut(e *weir.Export, text string) {
	d.stand(e, weir.Wait{Code: weir.WaitTimeout, Text: text}, d.now.Add(standAgain), time.Time{})
}

// overdue reports whether a job ran longer than weir waits for one under the
// adaptive policy: an hour, or 20 times what was expected.
func (d *decision) overdue(e *weir.Export) (time.Duration, bool) {
	if d.Policy.Sequential {
		return 0, false
	}
	began, queued := d.began(e)
	if queued {
		began = e.SubmittedAt
	}
	limit := max(waitAtLeast, waitExpected*d.expected(e).Median())
	return limit.Round(time.Second), d.now.Sub(began) > limit
}
