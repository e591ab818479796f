package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir"
)

// Signals of a ledger, to be tested with errors.Is.
var (
	// ErrNotFound marks an account, export, delivery or job that is not there.
	ErrNotFound = errors.New("not in the ledger")
	// ErrStale marks a decision about something that has moved on meanwhile:
	// read again and decide again.
	ErrStale = errors.New("it has changed meanwhile")
	// ErrFenced marks a decision taken under a lease that is no longer held.
	ErrFenced = errors.New("the lease is no longer held")
	// ErrHeld marks a lease that another owner holds.
	ErrHeld = errors.New("another process holds the lease")
	// ErrOtherKey marks an account name whose state belongs to another key.
	ErrOtherKey = errors.New("this state belongs to another key")
	// ErrNewerSchema marks a ledger written by a newer weir.
	ErrNewerSchema = errors.New("the ledger was written by a newer weir")
	// ErrNotALedger marks a file that is corrupt or not weir's.
	ErrNotALedger = errors.New("not a weir ledger")
	// ErrUnwritable marks a ledger that cannot be written: disk full,
	// read-only, permission.
	ErrUnwritable = errors.New("the ledger cannot be written")
)

// Ledger is the durable record. Implementations are safe for concurrent use by
// many goroutines and, where the store allows, many processes; they all pass
// the suite in ledgertest. Users of weir need not implement it.
type Ledger interface {
	Accounts
	Organisations
	Leases
	Exports
	Deliveries
	Facts
	Schedules
	Cursors
	Newsroom
	Mailbox
	Census
	Past
	Fleet
	Retention
	// Now is the store's clock.
	Now(ctx context.Context) (time.Time, error)
	Close() error
}

// Accounts keeps who weir acts for.
type Accounts interface {
	// Salt is the ledger's own random salt for key fingerprints, 32 bytes,
	// made once.
	Salt(ctx context.Context) ([]byte, error)
	// OpenAccount returns the account of that name, creating it when it is
	// new. A known name with another key fingerprint or base URL returns the
	// account as it stands and ErrOtherKey.
	OpenAccount(ctx context.Context, wanted weir.Account) (weir.Account, error)
	// Account returns one account, or ErrNotFound.
	Account(ctx context.Context, name string) (weir.Account, error)
	// ListAccounts returns all accounts by name.
	ListAccounts(ctx context.Context) ([]weir.Account, error)
	// RotateKey replaces the account's key fingerprint. Only a caller that has
	// read a job of the account with the new key may call it.
	RotateKey(ctx context.Context, name, fingerprint string) error
	// Rehome replaces the account's base URL. Only a caller that knows that the
	// account never had a job may call it.
	Rehome(ctx context.Context, name, baseURL string) error
	// HoldAccount keeps an account-wide wait; a zero instant clears it.
	HoldAccount(ctx context.Context, name string, until time.Time, why weir.Wait) error
	// SaveGate and Gate keep the account's pace as opaque text; Gate returns
	// "" when none was saved.
	SaveGate(ctx context.Context, name, state string) error
	Gate(ctx context.Context, name string) (string, error)
}

// Organisations keep what accounts share: slots and quota belong to the
// organisation, whoever asks. An account begins as an organisation of its own.
type Organisations interface {
	// SetOrg keeps the organisation once the server named it, and joins the
	// account to those of the same id and base URL. What was read of the limits
	// before is then not trusted any more.
	SetOrg(ctx context.Context, name, orgID string) error
	// Organisation returns what the account shares and whether anybody shares it.
	Organisation(ctx context.Context, account string) (weir.Organisation, error)
	// Budget is the organisation's budget alone; zero when none was kept.
	Budget(ctx context.Context, account string) (weir.Budget, error)
	// BeginReading draws the number of a reading of the limits that is about to
	// be asked for: above that of any that began before.
	BeginReading(ctx context.Context, account string) (int64, error)
	// ChangeBudget changes the budget as it stands, in one transaction; change
	// must not call the ledger.
	ChangeBudget(ctx context.Context, account string, change func(weir.Budget) weir.Budget) error
	// Beside returns, by id, the exports of the organisation's other accounts
	// that hold a slot, or only those whose POST is in doubt (submitting,
	// unknown).
	Beside(ctx context.Context, account string, inDoubt bool) ([]weir.Export, error)
	// JobsBeside returns, by id, those of the named jobs that the organisation's
	// other accounts have given to an export of theirs.
	JobsBeside(ctx context.Context, account string, ids ...string) ([]weir.Job, error)
	// BoughtSince returns, by id, the jobs of exports of all its accounts that
	// were first seen after the numbered reading began, whatever any clock says.
	BoughtSince(ctx context.Context, account string, reading int64) ([]weir.Job, error)
	// QuotaUses returns the instants, by the server's clock, at which its jobs of
	// ours were bought since the instant, oldest first; cancelled and refunded
	// ones excluded.
	QuotaUses(ctx context.Context, account string, since time.Time) ([]time.Time, error)
}

// WithoutLock ends the name of an owner that took an expired lease while another
// process, which has stood still too long, still holds the file lock: that lock
// proves nothing about it.
const WithoutLock = "~"

// Leases hold one conductor per account.
type Leases interface {
	// Acquire takes the account's lease for owner when it is free, expired by
	// the store's clock, or the owner's own. Every acquisition has a new,
	// higher generation. provedDead says that the caller has proof that any
	// earlier owner is dead (it holds the file lock): then an unexpired lease
	// is taken too, unless its owner's name ends in [WithoutLock]. Otherwise a held lease is ErrHeld. expired reports whether
	// the earlier owner had not released it.
	Acquire(ctx context.Context, account, owner string, ttl time.Duration, provedDead bool) (lease weir.Lease, takenOver bool, err error)
	// LastOwner is who took the account's lease last and has not given it back,
	// whether it stands or not; "" when there is none.
	LastOwner(ctx context.Context, account string) (string, error)
	// Renew extends all leases of owner in one statement and returns those
	// still held; a lease that is missing from the answer is lost.
	Renew(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error)
	// Release gives a lease back; giving back a lost one is no error.
	Release(ctx context.Context, lease weir.Lease) error
	// Holder returns who holds the account's lease and until when; ErrNotFound
	// when nobody does.
	Holder(ctx context.Context, account string) (weir.Lease, time.Time, error)
}

// Wish is one thing somebody wants: a request, landed at a destination in some
// formats.
type Wish struct {
	Account string
	Request weir.Request
	Rank    weir.Rank
	AsOf    time.Time
	// Fresh is how old a landed snapshot may be to serve the wish; 0 asks anew.
	Fresh       time.Duration
	NoAdopt     bool
	JobsAllowed int
	Destination string
	// Formats in the order asked; the first is primary. At least one.
	Formats []string
	CSVSafe bool
	// Secondary keeps the first format, too, out of the plain place.
	Secondary bool
	// SinceLast asks for the audit events since those that landed last at the
	// destination, in the one format: the ledger fills in the request's span. At
	// most one such export is on its way to a place, and another wish joins it.
	SinceLast bool
}

// Granted is how a wish is served.
type Granted struct {
	Export weir.Export
	// Deliveries are those of the wish, one per format, in its order. One that
	// has landed already is among them.
	Deliveries []weir.Delivery
	// Joined marks a wish served by an export that was there before.
	Joined bool
}

// Exports keeps what was wanted and where it stands.
type Exports interface {
	// Wish records wishes in one transaction and returns how each is served,
	// in order. plan.Serve decides which open or landed export of the account
	// with the same fingerprint serves a wish; otherwise a new export is made.
	Wish(ctx context.Context, now time.Time, wishes []Wish) ([]Granted, error)
	// Export returns one export, or ErrNotFound.
	Export(ctx context.Context, id int64) (weir.Export, error)
	// ListExports returns exports by ascending id.
	ListExports(ctx context.Context, filter Filter) ([]weir.Export, error)
	// Move applies a transition compare-and-set with its event. Consequences
	// on deliveries in the same transaction: leaving for failed, cancelled or
	// rejected closes the open ones (failed: DeliveryFailed, cancelled:
	// DeliveryDropped, rejected: DeliveryRejected, with the export's Failure);
	// planned by Retry and ready by LandAgain open the closed ones again. A move
	// to submitting sets IntentSeq, and one from unknown to planned AbsentSeq, to
	// the highest job Seq of the account at that moment (0 when there is none);
	// one to unknown sets LostIn to the number of readings begun.
	// ErrStale when the export stands elsewhere, or when the transition rests on a
	// version of the organisation that has passed, ErrFenced when the lease is
	// not held. The zero lease is a person's.
	Move(ctx context.Context, lease weir.Lease, id int64, t weir.Transition) (weir.Export, error)
	// Amend changes what is no transition (waits, polls, listings, wishes to
	// cancel): change is called on the export as it stands, in state `in`;
	// it must not change ID, Account, Request or State, nor call the ledger.
	// ErrStale when it stands elsewhere.
	Amend(ctx context.Context, lease weir.Lease, id int64, in weir.State, change func(*weir.Export)) (weir.Export, error)
	// History returns every event of an export, oldest first.
	History(ctx context.Context, id int64) ([]weir.Event, error)
}

// Filter selects exports; zero fields select all.
type Filter struct {
	Account     string
	OpenOnly    bool // planned, submitting, unknown, running, ready
	Fingerprint string
	// Limit keeps only the newest so many; 0 means all.
	Limit int
}

// Outcome is how a landing ended.
type Outcome struct {
	Manifest   string
	Rows       int64
	SnapshotAt time.Time
	// Failure ends the delivery as State says (DeliveryRejected or
	// DeliveryFailed); with State DeliveryOpen it will be tried again from
	// NotBefore and Attempts has grown by one.
	State     weir.DeliveryState
	Failure   *weir.Failure
	NotBefore time.Time
	// Free keeps Attempts as it was: waiting for a destination or a connection
	// is no attempt.
	Free bool
}

// Deliveries keeps what lands where.
type Deliveries interface {
	// DeliveriesOf returns the deliveries of one export by id.
	DeliveriesOf(ctx context.Context, exportID int64) ([]weir.Delivery, error)
	// Delivery returns one delivery, or ErrNotFound.
	Delivery(ctx context.Context, id int64) (weir.Delivery, error)
	// Deliverable returns the open deliveries of the account's ready exports
	// that may start at now, those nearest to the expiry of their result first.
	Deliverable(ctx context.Context, account string, now time.Time) ([]weir.Delivery, error)
	// Claim gives an open delivery to owner (open → landing, generation + 1);
	// ErrStale when it is not open or its export is not ready.
	Claim(ctx context.Context, id int64, owner string, now time.Time) (weir.Delivery, error)
	// FinishDelivery ends a claim: landed, rejected, failed, or open again.
	// ErrStale when the claim was lost. When no open delivery of the export is
	// left, the export moves in the same transaction: landed when all that
	// count landed, rejected when any was rejected, else failed.
	FinishDelivery(ctx context.Context, claim weir.Delivery, o Outcome, c weir.Cause) (weir.Export, error)
	// AddDeliveries wants an export at further places; a landed export becomes
	// ready again. Deliveries that are there already are returned as they are.
	AddDeliveries(ctx context.Context, exportID int64, w Wish, now time.Time) ([]weir.Delivery, error)
	// ReopenDelivery makes a landed delivery open again because its files are
	// lost, and its landed export ready.
	ReopenDelivery(ctx context.Context, id int64, c weir.Cause) error
	// SweepClaims opens again every claim of the account whose owner has no right
	// any more; those of the lease's owner and of living processes stay.
	SweepClaims(ctx context.Context, lease weir.Lease) (int, error)
}

// Facts are what the server said. They are never fenced.
type Facts interface {
	// BindJob records that the server named jobID for the export, whatever
	// became of the lease, and whatever state the export is in.
	BindJob(ctx context.Context, account string, exportID int64, jobID string, at time.Time) error
	// SeeJobs records what an answer told of jobs. complete marks a list that
	// decoded whole: its jobs get ListedAt. A terminal status never goes back;
	// FirstSeen, Seq and ExportID stay.
	SeeJobs(ctx context.Context, account string, jobs []weir.Job, at time.Time, complete bool) error
	// Jobs returns the account's jobs by id: all, or those named.
	Jobs(ctx context.Context, account string, ids ...string) ([]weir.Job, error)
	// JobsSeenAfter returns the jobs whose Seq is above seq: a set difference
	// that no clock can disturb.
	JobsSeenAfter(ctx context.Context, account string, seq int64) ([]weir.Job, error)
	// ListedBefore returns the ids of unexpired jobs that a complete list has
	// held: what the next complete list must hold too. Reading them does not
	// load the jobs.
	ListedBefore(ctx context.Context, account string, now time.Time) ([]string, error)
	// LastListing is when the last complete list was read; zero when never.
	LastListing(ctx context.Context, account string) (time.Time, error)
	// SaveDuration keeps how long a job ran by the server's own times, under
	// the key of like requests, as plan.HistoryKey names them; once per job.
	SaveDuration(ctx context.Context, account, key, jobID string, ended time.Time, ran time.Duration) error
	// Durations returns the newest `limit` durations of each key, oldest first.
	Durations(ctx context.Context, account string, limit int) (map[string][]time.Duration, error)
}
