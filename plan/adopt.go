package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// adoptable finds a job that serves a planned export without a POST (rules
// §2.4, §2.5): its own finished job, the late job of its lost POST, or one that
// matches and was there before this ledger.
func (d *decision) adoptable(e *weir.Export) (jobID, why string, ok bool) {
	if e.JobID != "" {
		return e.JobID, "its own job's result is still on the server", true
	}
	if _, found := d.unknownLike(e); found { // a job that appears now may be that one's: it is older news for this one
		return "", "", false
	}
	for _, j := range d.strays(e.Request) {
		if d.given[j.ID] || weir.Recognise(j.FileName, e.Request) != weir.Match {
			continue
		}
		if why := d.adoptReason(e, j); why != "" {
			return j.ID, why, true
		}
	}
	return "", "", false
}

func (d *decision) adoptReason(e *weir.Export, j weir.Job) string {
	switch {
	case d.lateButOurs(e, j):
		return "the job of its lost POST appeared after all"
	case e.NoAdopt || !d.olderThanLedger(j):
		return ""
	case j.InFlight():
		return "this job was started for the same forecast and period before this state existed"
	case d.freshEnough(e, j):
		return "this finished job is fresh enough and older than this state"
	}
	return ""
}

// lateButOurs: the absence is still in doubt, and the job appeared after it was
// presumed. Anything seen earlier would have prevented the presumption.
func (d *decision) lateButOurs(e *weir.Export, j weir.Job) bool {
	inDoubt := !e.PresumedAbsentAt.IsZero() && d.now.Sub(e.PresumedAbsentAt) <= AbsenceDoubt
	return inDoubt && j.Seq > e.AbsentSeq
}

// olderThanLedger tells a job of a lost state file from somebody else's: it was
// created before the account was first opened here.
func (d *decision) olderThanLedger(j weir.Job) bool {
	created, ok := weir.JobCreated(j.ID, d.now)
	if !ok {
		created = j.StartedAt
	}
	return !created.IsZero() && created.Before(d.Account.CreatedAt.Add(d.ServerAhead).Truncate(time.Second))
}

func (d *decision) freshEnough(e *weir.Export, j weir.Job) bool {
	unexpired := j.ExpiresAt.IsZero() || j.ExpiresAt.After(d.now.Add(d.ServerAhead))
	return e.Fresh > 0 && j.Status == weir.JobDone && unexpired && !j.EndedAt.Before(e.AsOf.Add(d.ServerAhead-e.Fresh))
}

func sortedJobs(jobs map[string]weir.Job) []weir.Job {
	sorted := make([]weir.Job, 0, len(jobs))
	for _, id := range sortedKeys(jobs) {
		sorted = append(sorted, jobs[id])
	}
	return sorted
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// strays are the jobs that no export has, by what their file names show: the
// only ones that can be adopted. Parsing names is done once for each plan.
func (d *decision) strays(r weir.Request) []weir.Job {
	if d.stray == nil {
		d.stray = map[string][]weir.Job{}
		for _, j := range d.loose() {
			if forecastID, period, ok := weir.FileTarget(j.FileName); ok {
				key := HistoryKey(weir.Request{Kind: weir.Forecast, ForecastID: forecastID, Period: period})
				d.stray[key] = append(d.stray[key], j)
			}
		}
	}
	if len(d.stray) == 0 {
		return nil
	}
	return d.stray[HistoryKey(r)]
}

// loose are the jobs that no export has and no decision of this plan gave away.
func (d *decision) loose() []weir.Job {
	if d.unowned == nil {
		d.unowned = []weir.Job{}
		for _, j := range sortedJobs(d.Jobs) {
			if j.ExportID == 0 {
				d.unowned = append(d.unowned, j)
			}
		}
	}
	return d.unowned
}
