package view

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// Asked is what was asked for, and for which account.
type Asked struct {
	Account    string       `json:"account"`
	Kind       weir.Kind    `json:"kind"`
	ForecastID string       `json:"forecast_id"`
	TimePeriod weir.Period  `json:"time_period"`
	Title      string       `json:"title"`
	Request    weir.Request `json:"request"`
}

func askedOf(e weir.Export) Asked {
	r := e.Request
	return Asked{Account: e.Account, Kind: r.Kind, ForecastID: r.ForecastID, TimePeriod: r.Period, Title: r.Title(), Request: r}
}

// Export is one export as it stands.
type Export struct {
	ID int64 `json:"id"`
	Asked
	State weir.State `json:"state"`
	Rank  string     `json:"rank"` // scheduled, asked or backfill
	// Since is when it came into its state, or when its job began to run.
	Since       time.Time `json:"since,omitzero"`
	AsOf        time.Time `json:"as_of,omitzero"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	SubmittedAt time.Time `json:"submitted_at,omitzero"`
	// Expected is how long the like of it runs, in seconds; 0 when not known.
	Expected float64 `json:"expected_seconds"`
	// Wait is why it does not move, Sentence the same for a person, and ActsAt
	// when it could move next.
	Wait     weir.WaitCode `json:"wait,omitempty"`
	Sentence string        `json:"sentence"`
	ActsAt   time.Time     `json:"acts_at,omitzero"`

	Job        *Job       `json:"job"`
	Jobs       int        `json:"jobs_bought"`
	Deliveries []Delivery `json:"deliveries"`
	Failure    *Failure   `json:"failure"`
	// Twin is a job that may be a second one for this export.
	Twin    string   `json:"twin,omitempty"`
	Adopted bool     `json:"adopted"`
	Actions []Action `json:"actions"`
}

// Job is what the server said of the export's job.
type Job struct {
	ID        string         `json:"id"`
	Status    weir.JobStatus `json:"status,omitempty"`
	RawStatus string         `json:"raw_status,omitempty"`
	FileName  string         `json:"file_name,omitempty"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	EndedAt   time.Time      `json:"ended_at,omitzero"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"`
}

// Delivery is where the export lands.
type Delivery struct {
	ID          int64              `json:"id"`
	Destination string             `json:"destination"`
	Format      string             `json:"format"`
	Primary     bool               `json:"primary"`
	State       weir.DeliveryState `json:"state"`
	Attempts    int                `json:"attempts"`
	NotBefore   time.Time          `json:"not_before,omitzero"`
	Manifest    string             `json:"manifest,omitempty"`
	Rows        int64              `json:"rows"`
	SnapshotAt  time.Time          `json:"snapshot_at,omitzero"`
	LandedAt    time.Time          `json:"landed_at,omitzero"`
	Failure     *Failure           `json:"failure"`
}

// Failure is why something was given up, and what to do about it.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Action is what a person may ask of an export.
type Action string

// The actions: the names of the API's calls.
const (
	Cancel  Action = "cancel"
	Retry   Action = "retry"
	Resolve Action = "resolve"
	LandNow Action = "reland"
)

// Facts are what is known of one export.
type Facts struct {
	Export     weir.Export
	Deliveries []weir.Delivery
	Job        weir.Job // the zero Job when there is none
	Stand      plan.Stand
	Expected   time.Duration
}

// ExportOf is an export as it stands.
func ExportOf(f Facts) Export {
	e := f.Export
	v := Export{
		ID: e.ID, Asked: askedOf(e), State: e.State, Rank: rankWord(e.Rank), Since: since(f),
		AsOf: e.AsOf, CreatedAt: e.CreatedAt, SubmittedAt: e.SubmittedAt, Expected: f.Expected.Seconds(),
		Wait: f.Stand.Wait.Code, Sentence: sentence(f), Jobs: e.Jobs, Failure: failure(e.Failure), Twin: e.Twin,
		Adopted: e.Adopted, Actions: actions(f), Deliveries: []Delivery{},
	}
	if e.State.Open() {
		v.ActsAt = f.Stand.ActsAt
	}
	if e.JobID != "" {
		j := f.Job
		v.Job = &Job{ID: e.JobID, Status: j.Status, RawStatus: j.RawStatus, FileName: j.FileName, StartedAt: j.StartedAt, EndedAt: j.EndedAt, ExpiresAt: j.ExpiresAt}
	}
	for _, d := range f.Deliveries {
		v.Deliveries = append(v.Deliveries, deliveryOf(d))
	}
	return v
}

func deliveryOf(d weir.Delivery) Delivery {
	return Delivery{
		ID: d.ID, Destination: d.Destination, Format: d.Format, Primary: d.Primary, State: d.State, Attempts: d.Attempts,
		NotBefore: d.NotBefore, Manifest: d.Manifest, Rows: d.Rows, SnapshotAt: d.SnapshotAt, LandedAt: d.LandedAt,
		Failure: failure(d.Failure),
	}
}

func failure(f *weir.Failure) *Failure {
	if f == nil {
		return nil
	}
	return &Failure{f.Code, f.Message, f.Hint}
}

func rankWord(r weir.Rank) string {
	switch r {
	case weir.RankScheduled:
		return "scheduled"
	case weir.RankBackfill:
		return "backfill"
	}
	return "asked"
}

// since is when a running job began by the server's word, else the last move.
func since(f Facts) time.Time {
	if f.Export.State == weir.Running {
		if !f.Job.StartedAt.IsZero() {
			return f.Job.StartedAt
		}
		if !f.Export.SubmittedAt.IsZero() {
			return f.Export.SubmittedAt
		}
	}
	return f.Export.ChangedAt
}

// actions are what makes sense now, whether or not the viewer may.
func actions(f Facts) []Action {
	e := f.Export
	switch e.State {
	case weir.Landed:
		return []Action{LandNow}
	case weir.Failed, weir.Cancelled, weir.Rejected:
		return []Action{Retry}
	case weir.Ready:
		return []Action{}
	case weir.Unknown:
		if e.CancelRequestedAt.IsZero() {
			return []Action{Resolve, Cancel}
		}
		return []Action{Resolve}
	}
	if !e.CancelRequestedAt.IsZero() {
		return []Action{}
	}
	return []Action{Cancel}
}

// sentence says for a person why the export stands where it stands.
func sentence(f Facts) string {
	e := f.Export
	switch {
	case e.NeedsPerson != "":
		return "somebody has to decide: " + e.NeedsPerson
	case e.State == weir.Ready:
		return landingSentence(f)
	case !e.State.Open():
		return endSentence(e)
	case !e.CancelRequestedAt.IsZero():
		return "somebody wants it cancelled; the server has not confirmed that yet"
	case f.Stand.Wait.Text != "":
		return f.Stand.Wait.Text
	case e.State == weir.Planned:
		return "nothing holds it back: it starts as soon as somebody conducts"
	}
	return "on its way"
}

func landingSentence(f Facts) string {
	for _, d := range f.Deliveries {
		if d.Open() && d.Failure != nil {
			return "its result is on the server; " + d.Failure.Message
		}
	}
	return "its result is on the server and is being landed"
}

func endSentence(e weir.Export) string {
	switch {
	case e.Failure != nil:
		return e.Failure.Message
	case e.State == weir.Landed:
		return "everything asked for has landed"
	}
	return "it has ended"
}
