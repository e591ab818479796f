package weir

import (
	"fmt"
	"time"
)

// Account is a named API key with its base URL. It never holds the key.
type Account struct {
	Name    string
	BaseURL string
	// KeyFingerprint is a keyed hash of the API key with a salt of the
	// ledger's: it tells keys apart and gives nothing away.
	KeyFingerprint string
	// OrgID is who shares slots and quota; empty until the server named it.
	OrgID     string
	CreatedAt time.Time
	// NotBefore holds back every request of the account; Wait says why.
	NotBefore time.Time
	Wait      Wait
}

// Rank orders exports that wait for a slot.
type Rank int

// Scheduled exports go first, then what a person asked for, then backfill.
const (
	RankScheduled Rank = iota
	RankAsked
	RankBackfill
)

// Failure is why an export or a delivery was given up, for programs and people.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error makes a Failure usable as an error; the hint is kept apart.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Code, f.Message) }

// Failure codes that the exit code of a command depends on. Codes that the
// server chose (no_such_forecast_config, ...) are kept as they came.
const (
	CodeNotAuthorised = "not_authorised"
	CodeRefused       = "verification_refused"
	CodeDestination   = "destination_unwritable"
	CodeJobFailed     = "job_failed"
	CodeJobStopped    = "job_cancelled"
	CodeJobExpired    = "result_expired"
	CodePollTimeout   = "poll_timeout"
	CodeExhausted     = "retries_exhausted"
	CodeNeedsPerson   = "needs_person"
)

// Export is one wanted result and its life. Times are UTC; a zero time means
// "not".
type Export struct {
	ID          int64
	Account     string
	Request     Request
	Fingerprint string
	State       State
	Rank        Rank
	// AsOf is the instant that the result must not be older than: a command's
	// start or a schedule's due instant.
	AsOf      time.Time
	CreatedAt time.Time
	ChangedAt time.Time

	// JobID serves the export now; empty while none does.
	JobID string
	// Jobs counts the jobs that were, or may have been, bought for it since a
	// person last asked; JobsAllowed is the most there may be (retries + 1).
	Jobs        int
	JobsAllowed int

	// SubmittedAt is the committed intent of the current or last POST and
	// Generation the lease generation that committed it.
	SubmittedAt time.Time
	// PostedAt is the same instant by the server's clock, as it was known then:
	// what job ids are compared with, whatever became of weir's own clock since.
	PostedAt   time.Time
	Generation int64
	// IntentSeq is the highest [Job.Seq] when the intent was committed: jobs
	// above it appeared after it, whatever any clock says. AbsentSeq is the same
	// for PresumedAbsentAt. The ledger sets both.
	IntentSeq int64
	AbsentSeq int64
	// LostIn counts the readings of limits that had begun when the fate became
	// unknown: those above it began afterwards. The ledger sets it.
	LostIn int64
	// LostAt is when the fate became unknown (the connection closed, or the
	// takeover); Settle is how long after it the first listing may count.
	LostAt time.Time
	Settle time.Duration
	// AbsentListings counts complete listings without a candidate since
	// LostAt; AbsentListedAt is the last one that counted.
	AbsentListings int
	AbsentListedAt time.Time
	// PresumedAbsentAt is when a lost POST was judged never to have acted. A
	// job of it that shows up within 24 h is adopted or reported.
	PresumedAbsentAt time.Time
	// Adopted marks a job that weir recognised rather than was told of: it is
	// never cancelled without force, and its result must show all that was asked.
	Adopted bool
	// NeedsPerson says what somebody must check before the export can go on;
	// empty when weir can decide.
	NeedsPerson string

	// NotBefore holds the export back; Wait says why.
	NotBefore time.Time
	Wait      Wait
	// PolledAt is the last status answer and Polls how many there were for the
	// current job, a 429 not counted.
	PolledAt time.Time
	Polls    int
	// PollFailures counts status reads in a row that ended in an error.
	PollFailures int

	DoneAt            time.Time // when DONE was first seen
	CancelRequestedAt time.Time
	CancelSentAt      time.Time // when the server last answered a cancel
	CancelForced      bool      // an adopted job may be cancelled too
	// Fresh is how old a result may be; NoAdopt forbids taking over a job that
	// was there before. Both come from the wish.
	Fresh   time.Duration
	NoAdopt bool
	// Twin names a job that may be a second one for this export: it appeared
	// after the export was posted again. It is reported, never touched.
	Twin string
	// Failure is set in failed and rejected, and says why in cancelled.
	Failure *Failure
}

// WaitCode names a limit that something waits for.
type WaitCode string

// What an export or an account can wait for.
const (
	WaitNone        WaitCode = ""
	WaitSlot        WaitCode = "slot"        // every slot of the organisation is taken
	WaitQuota       WaitCode = "quota"       // the rolling 30 days are used up
	WaitThrottled   WaitCode = "throttled"   // the server said 429
	WaitUnreachable WaitCode = "unreachable" // no connection
	WaitRetry       WaitCode = "retry"       // backing off after an error
	WaitDelay       WaitCode = "delay"       // the pause between exports
	WaitTurn        WaitCode = "turn"        // another export goes first
	WaitJob         WaitCode = "job"         // the server works on it
	WaitSettle      WaitCode = "settle"      // proving that a lost POST did not act
	WaitTwin        WaitCode = "twin"        // a like request is of unknown fate
	WaitPerson      WaitCode = "person"      // somebody must decide
	WaitKey         WaitCode = "key"         // the key was refused
	WaitDestination WaitCode = "destination" // it could not be written
	WaitTimeout     WaitCode = "timeout"     // its job took longer than weir waits
)

// Wait is why something does not move, in a code and a sentence.
type Wait struct {
	Code WaitCode `json:"code"`
	Text string   `json:"text"`
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryOpen     DeliveryState = "open"    // wanted
	DeliveryLanding  DeliveryState = "landing" // a worker holds it
	DeliveryLanded   DeliveryState = "landed"
	DeliveryRejected DeliveryState = "rejected" // verification refused the result
	DeliveryFailed   DeliveryState = "failed"   // given up
	DeliveryDropped  DeliveryState = "dropped"  // its export ended without a result
)

// Delivery is an export wanted at one place in one format.
type Delivery struct {
	ID          int64
	ExportID    int64
	Destination string // an absolute path or a URL without secrets
	Format      string // parquet, csv or jsonl
	// Primary marks the first format asked for: it has the plain place under
	// the destination, every further one a folder of its own.
	Primary bool
	CSVSafe bool
	State   DeliveryState
	// Generation counts claims: a worker that lost its claim finishes nothing.
	Generation int64
	Owner      string
	ClaimedAt  time.Time
	Attempts   int
	NotBefore  time.Time
	Manifest   string // where the manifest stands, relative to the destination
	Rows       int64
	SnapshotAt time.Time
	LandedAt   time.Time
	Failure    *Failure
}

// Open reports whether the delivery still waits to land.
func (d Delivery) Open() bool { return d.State == DeliveryOpen || d.State == DeliveryLanding }

// Lease is the right to act for an account. Decisions carry it; facts do not.
type Lease struct {
	Account    string
	Owner      string
	Generation int64
}

// Event is one transition as kept: what moved, when, why, and which request
// told.
type Event struct {
	ExportID int64
	At       time.Time
	From, To State
	Why      string
	Request  string // "POST /export/forecast/net_arr: 200", empty when no request told
	JobID    string
}
