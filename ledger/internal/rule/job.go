package rule

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// resultKept is how long the server keeps results where it does not say, and
// idTrusted how far before its first sighting a job's id may date it.
const (
	resultKept = 30 * 24 * time.Hour
	idTrusted  = 31 * 24 * time.Hour
)

// NewJob is a job whose id this ledger sees for the first time.
func NewJob(id string, at time.Time) weir.Job {
	return weir.Job{ID: id, Status: weir.JobQueued, FirstSeen: Instant(at), LastSeen: Instant(at)}
}

// Merge joins what an answer at `at` told of a job to what is known of it. What
// was said once is not unsaid by silence; a terminal status never goes back,
// and an older answer changes no status unless it is terminal. A file once
// truncated stays so. FirstSeen, Seq, ExportID and ListedAt are the ledger's own.
func Merge(have, told weir.Job, at time.Time) weir.Job {
	told, at = Job(told), Instant(at)
	if takesStatus(have, told, at) {
		have.Status, have.RawStatus = told.Status, told.RawStatus
	}
	for _, word := range []struct {
		have *string
		told string
	}{
		{&have.UserID, told.UserID}, {&have.OrgID, told.OrgID}, {&have.Title, told.Title},
		{&have.FileName, told.FileName}, {&have.FileType, told.FileType}, {&have.Currency, told.Currency},
	} {
		if word.told != "" {
			*word.have = word.told
		}
	}
	have.StartedAt = said(told.StartedAt, have.StartedAt)
	have.EndedAt = said(told.EndedAt, have.EndedAt)
	have.ExpiresAt = said(told.ExpiresAt, have.ExpiresAt)
	have.RowsTruncated = have.RowsTruncated || told.RowsTruncated
	have.CellsTruncated = have.CellsTruncated || told.CellsTruncated
	have.LastSeen = Later(have.LastSeen, at)
	return have
}

func takesStatus(have, told weir.Job, at time.Time) bool {
	if told.Status == "" || have.Status.Terminal() {
		return false
	}
	return told.Status.Terminal() || !at.Before(have.LastSeen)
}

func said(told, have time.Time) time.Time {
	if told.IsZero() {
		return have
	}
	return told
}

// Later is the later of two instants.
func Later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// ListedUntil is how long a complete list must go on holding a job that an
// earlier one held: until its result expires. Where the server does not say
// when, 30 days after the job's end, start or first sighting.
func ListedUntil(j weir.Job) time.Time {
	if !j.ExpiresAt.IsZero() {
		return j.ExpiresAt
	}
	for _, t := range []time.Time{j.EndedAt, j.StartedAt} {
		if !t.IsZero() {
			return t.Add(resultKept)
		}
	}
	return j.FirstSeen.Add(resultKept)
}

// BoughtAt is the instant from which a job counts against the rolling quota:
// the server's own start, else the creation in its id where that lies within 31
// days of the first sighting, else the first sighting.
func BoughtAt(j weir.Job) time.Time {
	if !j.StartedAt.IsZero() {
		return j.StartedAt
	}
	if at, ok := weir.JobCreated(j.ID, j.FirstSeen); ok && at.After(j.FirstSeen.Add(-idTrusted)) {
		return at
	}
	return j.FirstSeen
}

// UsesQuota reports whether the job counts against the quota: it serves an
// export of ours and was not cancelled before it started.
func UsesQuota(j weir.Job) bool { return j.ExportID != 0 && j.Status != weir.JobCancelled }

// Bind is the job once the server named it for an export. It keeps the first
// export that it was bound to.
func Bind(j weir.Job, exportID int64, at time.Time) weir.Job {
	if j.ExportID == 0 {
		j.ExportID = exportID
	}
	j.LastSeen = Later(j.LastSeen, Instant(at))
	return j
}

// Named leaves out what has no id: nothing can be known of it later.
func Named(jobs []weir.Job) []weir.Job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j weir.Job) bool { return j.ID == "" })
}
