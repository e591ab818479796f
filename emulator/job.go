package emulator

import (
	"fmt"
	"strings"
	"time"
)

// Kinds of export.
const (
	kindForecast = "forecast"
	kindActivity = "activity"
	kindAudit    = "audit"
)

// status is a job's state in the published spelling; dialects respell it.
type status string

const (
	scheduled status = "SCHEDULED"
	started   status = "STARTED"
	done      status = "DONE"
	failed    status = "FAILED"
	cancelled status = "CANCELLED"
	aborted   status = "ABORTED"
)

func (s status) terminal() bool { return s != scheduled && s != started }

// order is what somebody asked for.
type order struct {
	user     int64
	foreign  bool
	kind     string
	forecast string // the tab asked for
	period   string // the period asked for, even an unknown one
	query    Query  // of a forecast
	span     span   // of activities and audit events
	format   string // JSON or CSV
	currency string
	lasts    time.Duration // 0: as any job
}

// job is one run. Instants are the organisation's.
type job struct {
	order
	id      string
	number  int // the n-th made through the API; 0 for a foreign one
	created time.Time
	ready   time.Time     // may run from here on
	run     time.Duration // how long it runs
	doom    time.Time     // when somebody ends it; zero: nobody
	fate    JobRule
	digits  string // between period and date in the file name

	state     status
	began     time.Time // zero until it runs
	ended     time.Time // zero until it ends
	downloads int
}

// end is when a running job ends by itself.
func (j *job) end() time.Time { return j.began.Add(j.run) }

func (j *job) expires(ttl time.Duration) time.Time {
	return j.ended.Add(orDefault(j.fate.ExpiresAfter, ttl))
}

// readable reports whether the file can be fetched.
func (j *job) readable(at time.Time, ttl time.Duration) bool {
	return j.state == done && !at.Before(j.ended.Add(j.fate.ResultsLate)) && at.Before(j.expires(ttl))
}

// listed reports whether the list holds it yet.
func (j *job) listed(at time.Time) bool { return !at.Before(j.created.Add(j.fate.Hidden)) }

// known reports whether it can be asked for by id yet.
func (j *job) known(at time.Time) bool { return !j.fate.HiddenEverywhere || j.listed(at) }

func (j *job) fileType() string { return j.format }

func (j *job) title() string {
	switch j.kind {
	case kindActivity:
		return "Activity Export"
	case kindAudit:
		return "Audit Export"
	}
	return "Forecast Export"
}

// fileName carries what was asked, which is the only trace of it.
func (j *job) fileName() string {
	stamp := j.created.Format("20060102_150405")
	ending := strings.ToLower(j.format)
	if j.kind != kindForecast {
		return fmt.Sprintf("clari_export_%s_%s.%s", j.kind, stamp, ending)
	}
	return fmt.Sprintf("clari_export_%s_%s%s_%s.%s", j.forecast, j.period, j.digits, stamp, ending)
}

// jobID is 24 hex digits, the first 8 the creation second.
func jobID(created time.Time, d draw) string {
	return fmt.Sprintf("%08x", uint32(created.Unix())) + d.hex(16)
}
