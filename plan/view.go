package plan

import (
	"time"

	"github.com/weirhq/weir"
)

// View is all that a decision about one account rests on. It is read from the
// ledger, so that any process can make it and come to the same plan.
type View struct {
	Account    weir.Account
	Policy     Policy
	Generation int64 // of the lease that decides

	// Exports are the open ones, by ascending id.
	Exports []weir.Export
	// Jobs are the jobs of those exports and every job first seen since the
	// oldest of their intents, by id.
	Jobs map[string]weir.Job
	// Missing are ids that the last complete list should have held and did not.
	Missing []string

	// Version is the organisation's that the budget was read at.
	Version int64
	Budget  weir.Budget
	// Shared says that the organisation has other accounts here. Beside are their
	// exports whose POST is in doubt, and where limits cannot be read also those
	// that run.
	Shared bool
	Beside []weir.Export
	// BoughtSince are the jobs of all its accounts' exports that were first seen
	// after the budget's reading began, by the ledger's own count.
	BoughtSince []weir.Job
	// QuotaFreesAt is when the oldest use of the quota that weir knows of
	// expires; zero when it knows none.
	QuotaFreesAt time.Time
	// QuotaUses are the instants, by the server's clock, at which jobs that still
	// count for the quota were bought, ascending, as far as weir knows of them;
	// with them QuotaFreesAt is not needed. They say when a use expires, and
	// nothing of whether a reading counts it.
	QuotaUses []time.Time
	// Scheduled are the instants of the next 30 days at which schedules will
	// plan an export, ascending, one for each export.
	Scheduled []time.Time
	Listing   Listing
	History   map[string][]time.Duration // by HistoryKey, oldest first
	// Learned is what History teaches, for those who plan often and do not want
	// to learn it anew each time; nil learns it when it is needed.
	Learned *Durations

	// GateOpensAt is the instant before which no request may start, and
	// GateWhy says why; zero when the gate is open.
	GateOpensAt time.Time
	GateWhy     weir.Wait
	// Reads are the failures of limit and list reads, kept in memory.
	Limits, List ReadFailures
	// Unreadable are job ids that turned out to be somebody else's.
	Unreadable map[string]bool
	// LastEndAt is when an export of the account last left the server, for the
	// pause between exports; LastTerminalAt when a job of ours was last seen to
	// end, after which the limits must be read again.
	LastEndAt      time.Time
	LastTerminalAt time.Time
	// ServerAhead is the server's clock minus ours, as last seen.
	ServerAhead time.Duration
}

// Listing is what is known of GET /export/jobs.
type Listing struct {
	At time.Time // the last complete list; zero when never
	// StartedAt is when the request of the last complete list was sent.
	StartedAt time.Time
	// Absent marks an endpoint that answered 404 or 405.
	Absent bool
	// Heavy marks a list that took over 256 KiB for each job in flight or over
	// 2 s: jobs are then read one by one.
	Heavy bool
}

// ReadFailures counts failures in a row of one read and when it may be tried
// again.
type ReadFailures struct {
	InARow    int
	NotBefore time.Time
	// Forbidden marks a read that the key may not do.
	Forbidden bool
}

// Policy is how jobs are started and polled.
type Policy struct {
	// Sequential is the mission's plain rule: one job at a time, a pause
	// between exports, exponential polling, an attempt limit.
	Sequential bool
	// StartNothing holds every POST back: a command that only ends or asks
	// after things must not start others.
	StartNothing bool
	// Delay is the pause between exports under Sequential; 10 s by default.
	Delay time.Duration
	// PollMin is the least distance of two polls: 2 s adaptive, 5 s sequential.
	PollMin time.Duration
	// PollFactor (1.5), PollMax (60 s) and MaxAttempts (60 status answers)
	// belong to Sequential.
	PollFactor  float64
	PollMax     time.Duration
	MaxAttempts int
	// KeepQuota is how many exports of the quota stay for people; 0 by default.
	KeepQuota int
	// Rate is the pace in requests a second once the server has refused for
	// pace; 0 while it never did.
	Rate float64
}

// Adaptive is the default policy.
func Adaptive() Policy {
	return Policy{PollMin: 2 * time.Second, PollFactor: 1.5, PollMax: 60 * time.Second}
}

// Sequential is the mission's plain rule with its published numbers.
func Sequential() Policy {
	return Policy{
		Sequential: true, Delay: 10 * time.Second, PollMin: 5 * time.Second,
		PollFactor: 1.5, PollMax: 60 * time.Second, MaxAttempts: 60,
	}
}

// Verb is a kind of action.
type Verb string

// The actions. The first group sends one request each; the second only decides.
const (
	ReadLimits Verb = "read limits"
	ListJobs   Verb = "list jobs"
	ReadJob    Verb = "read job"
	Post       Verb = "post"
	CancelJob  Verb = "cancel job"

	LoseIntent   Verb = "lose intent"   // submitting of an older generation → unknown
	AdoptJob     Verb = "adopt job"     // unknown or planned → running
	CountAbsent  Verb = "count absent"  // one more listing without a trace
	JudgeAbsent  Verb = "judge absent"  // unknown → planned
	AskPerson    Verb = "ask person"    // set NeedsPerson
	DropExport   Verb = "drop export"   // planned → cancelled
	SettleJob    Verb = "settle job"    // running: the job has ended
	ReportTwin   Verb = "report twin"   // a possible second job appeared
	ReadDirect   Verb = "read direct"   // planned or running → ready: nothing but the landing asks the server
	GiveUpExport Verb = "give up reads" // running → failed: its job cannot be read
)

// Sends reports whether the action sends a request.
func (v Verb) Sends() bool {
	switch v {
	case ReadLimits, ListJobs, ReadJob, Post, CancelJob:
		return true
	}
	return false
}

// Action is one thing to do now and why.
type Action struct {
	Do     Verb
	Export int64  // 0 for the account
	JobID  string // of ReadJob, CancelJob, AdoptJob, ReportTwin, SettleJob
	Why    string
}

// Stand is why an export does not move now.
type Stand struct {
	Wait weir.Wait
	// Until is when it will be looked at again; never zero.
	Until time.Time
	// ActsAt is the earliest instant at which it could act, zero when that is
	// not known. Looking again at limits or lists is not acting.
	ActsAt time.Time
}

// Plan is what to do now, in order, and when to look again if nothing happens.
type Plan struct {
	Actions   []Action
	Stands    map[int64]Stand
	LookAgain time.Time
}
