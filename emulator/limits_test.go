package emulator_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

const day = 24 * time.Hour

func TestSlotsCountQueuedAndRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{RunningSlots: 1})
		ids := []string{l.start("2026_Q1"), l.start("2026_Q2"), l.start("2026_Q3")}
		refusal := l.want(400, "POST", "/export/forecast/net_arr", "{}").object(t)
		if refusal["code"] != "export_monthly_quota_reached" ||
			refusal["message"] != "The monthly quota limit of 1000 or concurrent limit of 3 has been reached." {
			t.Errorf("refusal %v", refusal)
		}
		for i, want := range []string{"STARTED", "SCHEDULED", "SCHEDULED"} {
			if got := l.status(ids[i]); got != want {
				t.Errorf("job %d is %s, want %s", i, got, want)
			}
		}
		time.Sleep(45 * time.Second)
		second := l.get("/export/jobs/" + ids[1]).object(t)
		if second["status"] != "STARTED" || second["startTime"] != float64(start.UnixMilli()+45000) {
			t.Errorf("the second runs once the first has ended: %v", second)
		}
		l.start("2026_Q4")
		if c := l.Counters(); c.MostJobs != 3 || c.RefusedForRoom != 1 || c.InFlight != 3 {
			t.Errorf("%+v", c)
		}
	})
}

// The states must not depend on when anybody looked.
func TestStatesComeFromTheClockAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched := newLab(t, emulator.Config{RunningSlots: 1, Seed: 4})
		left := newLab(t, emulator.Config{RunningSlots: 1, Seed: 4})
		for _, l := range []*lab{watched, left} {
			l.start("2026_Q1")
			l.start("2026_Q2")
		}
		for range 200 {
			time.Sleep(time.Second / 2)
			watched.get("/admin/limits")
		}
		a, b := watched.get("/export/jobs").array(t), left.get("/export/jobs").array(t)
		for i := range a {
			for _, name := range []string{"jobId", "startTime", "endTime", "status"} {
				if x, y := a[i].(map[string]any)[name], b[i].(map[string]any)[name]; x != y {
					t.Errorf("%s: watched %v, left alone %v", name, x, y)
				}
			}
		}
	})
}

func TestQuotaOverThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Slots: 10, Quota: 3})
		first := l.start("2026_Q1")
		time.Sleep(day)
		l.start("2026_Q2")
		cancelled := l.start("2026_Q3")
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		l.want(200, "PATCH", "/export/jobs/"+cancelled, `{"type":"CANCEL"}`)
		l.start("2026_Q4")
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		if got := l.limits(); got["availableMonthlyQuota"] != 0.0 || len(got["submittedJobIds"].([]any)) != 3 {
			t.Errorf("limits %v", got)
		}
		time.Sleep(29*day - time.Millisecond)
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		time.Sleep(time.Millisecond)
		l.start("2026_Q4")
		if l.status(first) != "DONE" {
			t.Error(l.status(first))
		}
	})
}

func TestFailedJobsUseQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Scenario: scenario(t, "jobs: [{outcome: failed}]")})
		id := l.start("2026_Q4")
		time.Sleep(time.Minute)
		if l.status(id) != "FAILED" || l.limits()["availableMonthlyQuota"] != 999.0 {
			t.Errorf("%s %v", l.status(id), l.limits())
		}
	})
}

func TestLimitsDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{QuotaUsed: 4})
		idle := l.limits()
		if _, present := idle["runningJobIds"]; present {
			t.Errorf("runningJobIds while nothing runs: %v", idle)
		}
		id := l.start("2026_Q4")
		got := l.limits()
		if got["concurrentLimit"] != 3.0 || got["monthlyQuota"] != 1000.0 || got["availableConcurrentLimit"] != 2.0 ||
			got["availableMonthlyQuota"] != 995.0 || got["runningJobIds"].([]any)[0] != id || len(got["submittedJobIds"].([]any)) != 5 {
			t.Errorf("limits %v", got)
		}
	})
}

func TestUseOfTheTimeBeforeFadesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Quota: 9, QuotaUsed: 9})
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
		time.Sleep(3 * day)
		l.start("2026_Q4")
		l.want(400, "POST", "/export/forecast/net_arr", "{}")
	})
}

func TestForbiddenLimitsAndMissingList(t *testing.T) {
	l := newLab(t, emulator.Config{LimitsForbidden: 403, ListMissing: 404})
	l.want(403, "GET", "/admin/limits", "")
	l.want(404, "GET", "/export/jobs", "")
	l.start("2026_Q4")
}

func TestHistoryLengthensTheListOnly(t *testing.T) {
	l := newLab(t, emulator.Config{History: 25})
	if jobs := l.get("/export/jobs").array(t); len(jobs) != 25 {
		t.Errorf("%d jobs", len(jobs))
	}
	if got := l.limits(); got["availableMonthlyQuota"] != 1000.0 {
		t.Errorf("limits %v", got)
	}
}

func TestRateBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Rate: 2, Burst: 3, Speed: 100})
		for range 3 {
			l.want(200, "GET", "/export/jobs", "")
		}
		refused := l.want(429, "GET", "/export/jobs", "")
		if refused.header.Get("Retry-After") != "1" || refused.object(t)["message"] == nil {
			t.Errorf("%v %s", refused.header, refused.body)
		}
		time.Sleep(time.Second / 2) // early, though the bucket has room again
		l.want(200, "GET", "/export/jobs", "")
		time.Sleep(time.Second / 2)
		l.want(200, "GET", "/export/jobs", "")
		if c := l.Counters(); c.Throttled != 1 || c.EarlyCalls != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestRatePerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Rate: 1, OtherKeys: map[string]int64{"other": 2}})
		l.want(200, "GET", "/export/jobs", "")
		l.want(429, "GET", "/export/jobs", "")
		l.key = "other"
		l.want(200, "GET", "/export/jobs", "")
	})
}

func TestRetryAfterForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for form, want := range map[emulator.RetryAfter]string{
			emulator.RetrySeconds: "10", emulator.RetryNone: "", emulator.RetryDate: "Mon, 23 Nov 2026 15:04:15 GMT",
		} {
			l := newLab(t, emulator.Config{Rate: 0.1, RetryAfter: form})
			l.want(200, "GET", "/export/jobs", "")
			a := l.want(429, "GET", "/export/jobs", "")
			if got := a.header.Get("Retry-After"); got != want {
				t.Errorf("%s: got %q, want %q", form, got, want)
			}
			if a.header.Get("Date") != "Mon, 23 Nov 2026 15:04:05 GMT" {
				t.Errorf("Date %q", a.header.Get("Date"))
			}
		}
	})
}

func TestChargedRefusalsPushTheDoorBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Rate: 1, Burst: 2, ChargeRefusals: true})
		for range 2 {
			l.want(200, "GET", "/export/jobs", "")
		}
		l.want(429, "GET", "/export/jobs", "")
		if got := l.want(429, "GET", "/export/jobs", "").header.Get("Retry-After"); got != "3" {
			t.Errorf("Retry-After %q", got)
		}
		l.want(429, "GET", "/export/jobs", "")
		time.Sleep(3 * time.Second)
		l.want(200, "GET", "/export/jobs", "")
	})
}

func TestRateWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for kind, want := range map[emulator.RateKind][]int{
			// 2 a second; asked for at 0.9 s, 0.9 s, 0.9 s, 1.0 s, 1.0 s, 1.9 s
			emulator.Window:  {200, 200, 429, 200, 200, 429},
			emulator.Sliding: {200, 200, 429, 429, 429, 200},
		} {
			l := newLab(t, emulator.Config{Rate: 2, RateKind: kind, RateHeaders: true})
			time.Sleep(900 * time.Millisecond)
			for i, pause := range []time.Duration{0, 0, 0, 100, 0, 900} {
				time.Sleep(pause * time.Millisecond)
				a := l.get("/export/jobs")
				if a.status != want[i] {
					t.Errorf("%s: request %d got %d, want %d", kind, i, a.status, want[i])
				}
				if a.header.Get("RateLimit-Remaining") == "" {
					t.Errorf("%s: no RateLimit headers", kind)
				}
			}
		}
	})
}
