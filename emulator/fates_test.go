package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

// play runs a test against a script in virtual time.
func play(t *testing.T, c emulator.Config, script string, test func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Scenario = scenario(t, script)
		test(newLab(t, c))
	})
}

func TestStuckAndLongJobs(t *testing.T) {
	play(t, emulator.Config{}, `
jobs:
  - {match: {nth: 1}, stuck: 4}
  - {match: {nth: 2}, takes: 5s}
  - {match: {nth: 3}, queued: 10s}
`, func(l *lab) {
		ids := []string{l.start("2026_Q1"), l.start("2026_Q2"), l.start("2026_Q3")}
		for _, row := range []struct {
			at    time.Duration
			words string
		}{
			{0, "STARTED STARTED SCHEDULED"}, {5 * time.Second, "STARTED DONE SCHEDULED"}, {10 * time.Second, "STARTED DONE STARTED"},
			{55*time.Second - 1, "STARTED DONE STARTED"}, {55 * time.Second, "STARTED DONE DONE"},
			{180*time.Second - 1, "STARTED DONE DONE"}, {180 * time.Second, "DONE DONE DONE"},
		} {
			time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(row.at)))
			if got := strings.Join([]string{l.status(ids[0]), l.status(ids[1]), l.status(ids[2])}, " "); got != row.words {
				l.Errorf("at %v: %s, want %s", row.at, got, row.words)
			}
		}
	})
}

func TestJobRulesMatchWhatIsExported(t *testing.T) {
	play(t, emulator.Config{Slots: 20}, `
jobs:
  - {match: {period: 2026_Q2, times: 1}, outcome: failed}
  - {match: {forecast: new_logo}, outcome: failed}
  - {match: {kind: activity}, outcome: failed}
`, func(l *lab) {
		ids := []string{l.start("2026_Q1"), l.start("2026_Q2"), l.start("2026_Q2")}
		ids = append(ids, l.post("/export/forecast/new_logo", "{}").object(l)["jobId"].(string))
		ids = append(ids, l.post("/export/activity", "{}").object(l)["jobId"].(string))
		ids = append(ids, l.post("/export/audit/events", "{}").object(l)["jobId"].(string))
		time.Sleep(time.Minute)
		var words []string
		for _, id := range ids {
			words = append(words, l.status(id))
		}
		if got := strings.Join(words, " "); got != "DONE FAILED DONE FAILED FAILED DONE" {
			l.Error(got)
		}
	})
}

func TestCancelledBySomeoneFreesQuota(t *testing.T) {
	play(t, emulator.Config{Quota: 1}, "jobs: [{match: {nth: 1}, outcome: aborted, takes: 10s}]", func(l *lab) {
		id := l.start("2026_Q1")
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		time.Sleep(10 * time.Second)
		if l.status(id) != "ABORTED" {
			l.Error(l.status(id))
		}
		l.start("2026_Q1")
	})
}

func TestWrongAndTruncatedResults(t *testing.T) {
	play(t, emulator.Config{Slots: 9}, `
jobs:
  - {match: {nth: 1}, wrong_period: 2020_Q3}
  - {match: {nth: 2}, truncated: rows}
  - {match: {nth: 3}, truncated: both}
  - {match: {nth: 4}, wrong_currency: EUR}
  - {match: {nth: 5}, two_periods: true}
`, func(l *lab) {
		var files []file
		var jobs []map[string]any
		for range 6 {
			id := l.start("2026_Q1")
			time.Sleep(time.Minute)
			jobs = append(jobs, l.get("/export/jobs/"+id).object(l))
			files = append(files, l.file(id))
		}
		whole := files[5]
		if got := files[0].TimePeriods[0].TimePeriodID; got != "2020_Q3" || !strings.Contains(jobs[0]["fileName"].(string), "2026_Q1") {
			l.Errorf("period %s in a file named %s", got, jobs[0]["fileName"])
		}
		if jobs[1]["rowsTruncated"] != true || jobs[1]["cellsTruncated"] != false || len(files[1].Entries) >= len(whole.Entries)*6/10 {
			l.Errorf("rows: %d of %d, %v", len(files[1].Entries), len(whole.Entries), jobs[1])
		}
		if jobs[2]["rowsTruncated"] != true || jobs[2]["cellsTruncated"] != true || len(files[2].Fields) != len(whole.Fields)-1 {
			l.Errorf("both: %v", jobs[2])
		}
		if got := files[3].Entries[0].Currency.Code; got != "EUR" {
			l.Errorf("currency %q", got)
		}
		if len(files[4].TimePeriods) != 2 || len(whole.TimePeriods) != 1 {
			l.Errorf("%d periods", len(files[4].TimePeriods))
		}
	})
}

// file is a result as a stranger decodes it.
type file struct {
	Entries []struct {
		FieldID, TimeFrameID, TimePeriodID, UserID string
		ForecastValue, QuotaValue, AdjustmentValue *json.Number
		CRMTotal, AggregationTotal, CRMClosed      *json.Number
		IsUpdated                                  *bool
		UpdatedBy                                  *string
		UpdatedOn                                  *int64
		Currency                                   struct{ Code, Symbol string }
	}
	Users       []struct{ UserID, Name, Email, ScopeID, HierarchyID, ParentHierarchyID string }
	Fields      []struct{ FieldID, FieldName, FieldType string }
	TimePeriods []struct {
		TimePeriodID, Type, Label, StartDate, EndDate string
		Year                                          int
	}
	TimeFrames []struct{ TimeFrameID, StartDate, EndDate string }
}

func (l *lab) file(id string) file {
	l.Helper()
	var f file
	if err := json.Unmarshal([]byte(l.want(200, "GET", "/export/jobs/"+id+"/results", "").body), &f); err != nil {
		l.Fatal(err)
	}
	return f
}

func TestExpiryAndLateResults(t *testing.T) {
	play(t, emulator.Config{}, "jobs: [{results_late: 30s, expires_after: 1m}]", func(l *lab) {
		id := l.start("2026_Q1")
		results := "/export/jobs/" + id + "/results"
		time.Sleep(45*time.Second + 29*time.Second)
		l.want(400, "GET", results, "")
		if l.status(id) != "DONE" {
			l.Error(l.status(id))
		}
		time.Sleep(time.Second)
		l.want(200, "GET", results, "")
		time.Sleep(30 * time.Second)
		l.want(400, "GET", results, "")
	})
}

func TestLateVisibility(t *testing.T) {
	play(t, emulator.Config{}, `
jobs:
  - {match: {nth: 1}, hidden: 20s}
  - {match: {nth: 2}, hidden: 20s, hidden_everywhere: true}
`, func(l *lab) {
		one, two := l.start("2026_Q1"), l.start("2026_Q2")
		if jobs := l.get("/export/jobs").array(l); len(jobs) != 0 {
			l.Errorf("listed: %v", jobs)
		}
		l.want(200, "GET", "/export/jobs/"+one, "")
		l.want(400, "GET", "/export/jobs/"+two, "")
		if got := l.limits(); len(got["submittedJobIds"].([]any)) != 1 || got["availableConcurrentLimit"] != 1.0 {
			l.Errorf("a hidden job still holds its slot: %v", got)
		}
		time.Sleep(20 * time.Second)
		if jobs := l.get("/export/jobs").array(l); len(jobs) != 2 {
			l.Errorf("listed: %v", jobs)
		}
		l.want(200, "GET", "/export/jobs/"+two, "")
	})
}

func TestOddViews(t *testing.T) {
	play(t, emulator.Config{}, "jobs: [{status_word: REHYDRATING, no_file_name: true}]", func(l *lab) {
		id := l.start("2026_Q1")
		job := l.get("/export/jobs/" + id).object(l)
		if job["status"] != "REHYDRATING" || job["fileName"] != nil {
			l.Errorf("job %v", job)
		}
		time.Sleep(time.Minute)
		if l.status(id) != "DONE" {
			l.Error(l.status(id))
		}
	})
}

func TestForeignJobs(t *testing.T) {
	play(t, emulator.Config{}, `
foreign:
  - {at: 10s, count: 2, lasts: 1m}
  - {at: 20s, lasts: 1m, mine: true, forecast: new_logo, period: 2025_Q1}
  - {at: 30s, lasts: 1m}
  - {at: -24h, count: 2}
  - {at: 5m, every: 5m, until: 21m, lasts: 1s}
`, func(l *lab) {
		if got := l.limits(); got["availableMonthlyQuota"] != 998.0 || got["availableConcurrentLimit"] != 3.0 {
			l.Errorf("before: %v", got)
		}
		time.Sleep(15 * time.Second)
		l.start("2026_Q1")
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		time.Sleep(15 * time.Second)
		if c := l.Counters(); c.InFlight != 3 || c.ForeignRefused != 2 || c.JobsMade() != 1 {
			l.Errorf("at 30 s: %+v", c)
		}
		time.Sleep(time.Hour)
		if c := l.Counters(); c.QuotaUsed != 2+2+1+4 {
			l.Errorf("after an hour: %+v", c)
		}
	})
}

func TestForeignJobsOfTheSameUserAreListed(t *testing.T) {
	play(t, emulator.Config{}, "foreign: [{at: 10s, mine: true, forecast: new_logo, period: 2025_Q1}, {at: 10s}]", func(l *lab) {
		time.Sleep(10 * time.Second)
		jobs := l.get("/export/jobs").array(l)
		if len(jobs) != 1 || !strings.Contains(jobs[0].(map[string]any)["fileName"].(string), "new_logo_2025_Q1") {
			l.Errorf("listed: %v", jobs)
		}
		if running := l.limits()["runningJobIds"].([]any); len(running) != 2 {
			l.Errorf("running: %v", running)
		}
	})
}

func TestKeysAndLimitsChange(t *testing.T) {
	play(t, emulator.Config{Speed: 60, OtherKeys: map[string]int64{"other": 2}}, `
keys:
  - {revoke_at: 10m, restore_at: 20m}
limits:
  - {at: 30m, slots: 1, quota: 7}
`, func(l *lab) {
		for _, row := range []struct {
			minute int
			status int
		}{{9, 200}, {10, 401}, {19, 401}, {20, 200}} {
			time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 0, row.minute, 0, time.UTC)))
			l.want(row.status, "GET", "/admin/limits", "")
			l.key = "other"
			l.want(200, "GET", "/admin/limits", "")
			l.key = "emulated"
		}
		time.Sleep(10 * time.Second)
		if got := l.limits(); got["concurrentLimit"] != 1.0 || got["monthlyQuota"] != 7.0 {
			l.Errorf("limits %v", got)
		}
	})
}

func TestPeopleWhoLeaveVanish(t *testing.T) {
	play(t, emulator.Config{}, "departures: [{at: 1h, user: 4}]", func(l *lab) {
		before := l.start("2026_Q1")
		time.Sleep(2 * time.Hour)
		after := l.start("2026_Q1")
		time.Sleep(time.Minute)
		holds := func(f file) (user, entries bool) {
			for _, u := range f.Users {
				user = user || u.UserID == "1904"
			}
			for _, e := range f.Entries {
				entries = entries || e.UserID == "1904"
			}
			return user, entries
		}
		if user, entries := holds(l.file(before)); !user || !entries {
			l.Error("missing from the snapshot of the time before")
		}
		if user, entries := holds(l.file(after)); user || entries {
			l.Error("still there after leaving")
		}
	})
}

func TestDurationsBelongToWhatIsExported(t *testing.T) {
	play(t, emulator.Config{JobSigma: 1, JobTime: time.Minute, Slots: 50}, "", func(l *lab) {
		length := map[string][]float64{}
		for range 3 {
			for _, period := range []string{"2025_Q1", "2025_Q2", "2025_Q3", "2025_Q4"} {
				id := l.start(period)
				time.Sleep(time.Hour)
				job := l.get("/export/jobs/" + id).object(l)
				length[period] = append(length[period], job["endTime"].(float64)-job["startTime"].(float64))
			}
		}
		for period, all := range length {
			if all[0] == all[1] || all[0] == 60000 {
				l.Errorf("%s: no spread in %v", period, all)
			}
		}
	})
	play(t, emulator.Config{Duration: func(_, period string, n int) time.Duration {
		return time.Duration(n) * time.Duration(len(period)) * time.Second
	}}, "", func(l *lab) {
		l.start("2025_Q1")
		second := l.start("2025_Q1")
		time.Sleep(time.Minute)
		job := l.get("/export/jobs/" + second).object(l)
		if got := job["endTime"].(float64) - job["startTime"].(float64); got != 14000 {
			l.Errorf("took %v ms", got)
		}
	})
}
