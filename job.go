package weir

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// JobStatus is a job's state in one spelling, whatever the server called it.
type JobStatus string

// The states of a job. Unrecognised is a word that nobody knows: the job is
// taken to be still running.
const (
	JobQueued       JobStatus = "queued"
	JobRunning      JobStatus = "running"
	JobDone         JobStatus = "done"
	JobFailed       JobStatus = "failed"
	JobCancelled    JobStatus = "cancelled"
	JobAborted      JobStatus = "aborted"
	JobUnrecognised JobStatus = "unrecognised"
)

// ParseJobStatus reads a status in any case and any of the spellings seen:
// SCHEDULED, PENDING, QUEUED; STARTED, RUNNING; DONE, COMPLETED; FAILED;
// CANCELLED, CANCELED; ABORTED.
func ParseJobStatus(word string) JobStatus {
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "SCHEDULED", "PENDING", "QUEUED":
		return JobQueued
	case "STARTED", "RUNNING":
		return JobRunning
	case "DONE", "COMPLETED":
		return JobDone
	case "FAILED":
		return JobFailed
	case "CANCELLED", "CANCELED":
		return JobCancelled
	case "ABORTED":
		return JobAborted
	}
	return JobUnrecognised
}

// Terminal reports whether the job has ended. A terminal status never goes back.
func (s JobStatus) Terminal() bool {
	switch s {
	case JobDone, JobFailed, JobCancelled, JobAborted:
		return true
	}
	return false
}

// Job is what the server last said of one of its jobs. Times are UTC; a zero
// time was not said.
type Job struct {
	ID        string
	Status    JobStatus
	RawStatus string // the server's own word
	UserID    string
	OrgID     string
	Title     string
	FileName  string
	FileType  string
	Currency  string
	StartedAt time.Time
	EndedAt   time.Time
	ExpiresAt time.Time

	RowsTruncated  bool
	CellsTruncated bool

	// Kept by the ledger, not said by the server.
	ExportID int64 // the export it serves; 0 for a job that is not ours
	Seq      int64 // the order in which this ledger first saw the account's ids, from 1
	// SeenIn counts the readings of limits that had begun when this ledger first
	// saw the id; see [Budget.Reading].
	SeenIn    int64
	FirstSeen time.Time // when this ledger first saw the id, anywhere
	LastSeen  time.Time // when an answer last told of it
	ListedAt  time.Time // when a complete list last held it; zero: never listed
}

// InFlight reports whether the job holds a slot.
func (j Job) InFlight() bool { return !j.Status.Terminal() }

// Duration is the server's own endTime − startTime; 0 when it did not say both.
func (j Job) Duration() time.Duration {
	if j.StartedAt.IsZero() || j.EndedAt.Before(j.StartedAt) {
		return 0
	}
	return j.EndedAt.Sub(j.StartedAt)
}

// JobCreated reads the creation instant out of a job id: the first 8 of its 24
// hex digits are Unix seconds. It says no where that is implausible, that is
// outside 2015 to one day after now.
func JobCreated(id string, now time.Time) (time.Time, bool) {
	if len(id) != 24 {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseUint(id[:8], 16, 32)
	if err != nil {
		return time.Time{}, false
	}
	at := time.Unix(int64(seconds), 0).UTC()
	plausible := at.Year() >= 2015 && at.Before(now.Add(24*time.Hour))
	return at, plausible
}

// Likely is how well a job's file name agrees with a request.
type Likely int

// CannotTell is a job that may or may not serve the request: it has no file
// name yet, or one of unknown form.
const (
	CannotTell Likely = iota
	Match
	Mismatch
)

var fileNameForm = regexp.MustCompile(`^clari_export_(.+)_(\d{4}_Q[1-4])\d*_\d{8}_\d{6}\.\w+$`)

// FileTarget reads the forecast id and period out of a job's file name, the
// only trace of what was asked.
func FileTarget(fileName string) (forecastID string, period Period, ok bool) {
	parts := fileNameForm.FindStringSubmatch(fileName)
	if parts == nil {
		return "", "", false
	}
	return parts[1], Period(parts[2]), true
}

// Recognise compares a job's file name with a request: forecast id and period
// must both agree.
func Recognise(fileName string, r Request) Likely {
	forecastID, period, ok := FileTarget(fileName)
	switch {
	case !ok || r.Kind != Forecast:
		return CannotTell
	case forecastID == r.ForecastID && period == r.Period:
		return Match
	}
	return Mismatch
}
