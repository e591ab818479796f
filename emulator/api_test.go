package emulator_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func TestForecastExportFromPostToFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{})
		id := l.start("2026_Q4")
		if !regexp.MustCompile(`^[0-9a-f]{24}$`).MatchString(id) {
			t.Fatalf("job id %q", id)
		}
		running := l.get("/export/jobs/" + id).object(t)
		if running["status"] != "STARTED" || running["endTime"] != nil {
			t.Fatalf("running job: %v", running)
		}
		time.Sleep(45 * time.Second)
		job := l.get("/export/jobs/" + id).object(t)
		want := map[string]any{
			"status": "DONE", "startTime": float64(start.UnixMilli()), "endTime": float64(start.UnixMilli() + 45000),
			"expiredTime": float64(start.UnixMilli() + 45000 + 30*86400000), "orgId": 101.0, "userId": 1.0, "fileType": "JSON",
			"currency": "USD", "module": "FORECAST", "rowsTruncated": false, "cellsTruncated": false, "downloads": 0.0, "viewed": false,
		}
		for name, value := range want {
			if job[name] != value {
				t.Errorf("%s: got %v, want %v", name, job[name], value)
			}
		}
		form := regexp.MustCompile(`^clari_export_(.+)_(\d{4}_Q[1-4])\d*_20261123_150405\.json$`)
		if parts := form.FindStringSubmatch(job["fileName"].(string)); parts == nil || parts[1] != "net_arr" || parts[2] != "2026_Q4" {
			t.Errorf("file name %v", job["fileName"])
		}
		file := l.get("/export/jobs/" + id + "/results").object(t)
		for _, name := range []string{"entries", "users", "fields", "timePeriods", "timeFrames"} {
			if array, ok := file[name].([]any); !ok || len(array) == 0 {
				t.Errorf("%s: %T of length %d", name, file[name], len(array))
			}
		}
		if after := l.get("/export/jobs/" + id).object(t); after["downloads"] != 1.0 || after["viewed"] != true {
			t.Errorf("after a download: %v", after)
		}
	})
}

func TestJobIDBeginsWithItsCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{})
		time.Sleep(90 * time.Second)
		if id := l.start("2026_Q4"); id[:8] != hexSecond(start.Add(90*time.Second)) {
			t.Errorf("id %s", id)
		}
	})
}

func hexSecond(at time.Time) string {
	const digits = "0123456789abcdef"
	n, text := at.Unix(), ""
	for range 8 {
		text, n = string(digits[n%16])+text, n/16
	}
	return text
}

func TestBodiesOfEitherTypeAndNone(t *testing.T) {
	for _, body := range []string{"", "{}", ` {"timePeriod":"2026_Q4"} `, `{"typesToExport":null,"currency":null}`} {
		l := newLab(t, emulator.Config{})
		l.want(200, "POST", "/export/forecast/net_arr", body)
	}
}

func TestRefusals(t *testing.T) {
	c := emulator.Config{
		NoOptin: []string{"secret"}, Forbidden: []string{"locked"}, UnsupportedTypes: []string{"crm_total"},
	}
	for _, row := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/export/forecast/nope", "{}", 400, "no_such_forecast_config"},
		{"POST", "/export/forecast/", "{}", 400, "missing_forecast_id"},
		{"POST", "/export/forecast", "{}", 400, "missing_forecast_id"},
		{"POST", "/export/forecast/net_arr", `{"typesToExport":["crm_total"]}`, 400, "type_not_supported"},
		{"POST", "/export/forecast/net_arr", `{"typesToExport":["nonsense"]}`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"typesToExport":"forecast"}`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"currency":"XXX"}`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"timePeriod":`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"timePeriod":"Q1 2026"}`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"schedule":"TWICE"}`, 400, "bad_request"},
		{"POST", "/export/forecast/net_arr", `{"exportFormat":"XML"}`, 400, "bad_request"},
		{"POST", "/export/forecast/secret", "{}", 401, "no_optin"},
		{"POST", "/export/forecast/locked", "{}", 403, "forbidden"},
		{"POST", "/export/activity", `{"activityTypes":["CALL"]}`, 400, "bad_request"},
		{"POST", "/export/activity", `{"startDate":"2026-01-01"}`, 400, "bad_request"},
		{"POST", "/export/activity", `{"exportFormat":"CSV"}`, 400, "bad_request"},
		{"POST", "/export/activity", `{"startDate":"2026-02-01T00:00:00Z","endDate":"2026-01-01T00:00:00Z"}`, 400, "bad_request"},
		{"GET", "/export/jobs/6073683781a6da229df71e00", "", 400, "invalid_jobId"},
		{"GET", "/export/jobs/6073683781a6da229df71e00/results", "", 400, "invalid_jobId"},
		{"PATCH", "/export/jobs/6073683781a6da229df71e00", `{"type":"CANCEL"}`, 400, "invalid_jobId"},
		{"PATCH", "/export/jobs/6073683781a6da229df71e00", `{"type":"PAUSE"}`, 400, "bad_request"},
		{"GET", "/forecast/nope", "", 400, "no_such_forecast_config"},
		{"GET", "/forecast/secret", "", 401, "no_optin"},
		{"DELETE", "/export/jobs", "", 405, "method_not_allowed"},
	} {
		l := newLab(t, c)
		a := l.want(row.status, row.method, row.path, row.body)
		got := a.object(t)
		if got["code"] != row.code || got["orgId"] != 101.0 || got["message"] == "" || got["errorId"] == "" || got["namespace"] == "" {
			t.Errorf("%s %s %s: got %s, want code %s", row.method, row.path, row.body, a.body, row.code)
		}
		if l.Counters().JobsMade() != 0 {
			t.Errorf("%s %s %s made a job", row.method, row.path, row.body)
		}
	}
}

func TestGatewayErrors(t *testing.T) {
	l := newLab(t, emulator.Config{})
	for _, row := range []struct {
		key, path string
		status    int
	}{{"", "/export/jobs", 401}, {"wrong", "/export/jobs", 401}, {"emulated", "/nowhere", 404}, {"emulated", "/../v5/export/jobs", 404}} {
		l.key = row.key
		a := l.want(row.status, "GET", row.path, "")
		if got := a.object(t); got["message"] == nil || len(got["request_id"].(string)) != 32 || got["code"] != nil {
			t.Errorf("%+v: %s", row, a.body)
		}
	}
	l.key = "emulated"
	if a := l.want(405, "DELETE", "/export/jobs/x", ""); a.header.Get("Allow") != "GET, PATCH" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
}

func TestResultsOnlyWhileReadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{})
		id := l.start("2026_Q4")
		early := l.want(400, "GET", "/export/jobs/"+id+"/results", "")
		if early.object(t)["code"] != "invalid_jobId" {
			t.Error(early.body)
		}
		time.Sleep(45*time.Second + 30*24*time.Hour - time.Millisecond)
		l.want(200, "GET", "/export/jobs/"+id+"/results", "")
		time.Sleep(time.Millisecond)
		l.want(400, "GET", "/export/jobs/"+id+"/results", "")
		if l.status(id) != "DONE" {
			t.Error("an expired job is still listed as done")
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{RunningSlots: 1})
		running, queued := l.start("2026_Q4"), l.start("2026_Q3")
		for _, id := range []string{queued, running} {
			if a := l.want(200, "PATCH", "/export/jobs/"+id, `{"type":"CANCEL"}`); a.body != `{"status":"CANCELLED","successful":true}` {
				t.Error(a.body)
			}
		}
		if l.status(running) != "ABORTED" || l.status(queued) != "CANCELLED" {
			t.Errorf("running %s, queued %s", l.status(running), l.status(queued))
		}
		if got := l.want(400, "PATCH", "/export/jobs/"+running, `{"type":"CANCEL"}`).object(t)["code"]; got != "export_failed_to_cancel" {
			t.Error(got)
		}
	})
}

func TestJobsBelongToTheirUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{OtherKeys: map[string]int64{"other": 2, "rotated": 1}})
		id := l.start("2026_Q4")
		l.key = "other"
		if got := l.want(403, "GET", "/export/jobs/"+id, "").object(t)["code"]; got != "forbidden" {
			t.Error(got)
		}
		l.want(403, "PATCH", "/export/jobs/"+id, `{"type":"CANCEL"}`)
		if jobs := l.get("/export/jobs").array(t); len(jobs) != 0 {
			t.Errorf("another user's list: %v", jobs)
		}
		if l.limits()["availableConcurrentLimit"] != 2.0 {
			t.Error("another user shares the slots")
		}
		l.key = "rotated"
		l.want(200, "GET", "/export/jobs/"+id, "")
	})
}

func TestActivityExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{})
		body := `{"activityTypes":["MEETING","EMAIL_SENT"],"startDate":"2026-03-10T23:59:00-08:00","endDate":"2026-03-12T00:00:00-08:00"}`
		id := l.want(202, "POST", "/export/activity", body).object(t)["jobId"].(string)
		time.Sleep(time.Minute)
		var file struct{ Activities []emulator.Activity }
		if err := json.Unmarshal([]byte(l.get("/export/jobs/"+id+"/results").body), &file); err != nil {
			t.Fatal(err)
		}
		var numbers, texts int
		for _, a := range file.Activities {
			if a.ActivityType != "MEETING" && a.ActivityType != "EMAIL_SENT" {
				t.Errorf("type %s was not asked for", a.ActivityType)
			}
			switch date := a.Date.(type) {
			case float64:
				numbers++
				at := time.UnixMilli(int64(date)).UTC()
				if at.Before(time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)) || !at.Before(time.Date(2026, 3, 13, 8, 0, 0, 0, time.UTC)) {
					t.Errorf("%v is outside the days asked for", at)
				}
			case string:
				texts++
			}
		}
		if numbers == 0 || texts == 0 {
			t.Errorf("dates: %d numbers, %d texts", numbers, texts)
		}
	})
}

func TestAuditPagesEqualTheExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{})
		first := l.get("/audit/events?limit=70&dateFrom=2026-11-10&dateTo=2026-11-20T12:00:00Z").object(t)
		items := first["items"].([]any)
		pages, next := 1, first["nextLink"]
		for ; next != nil; pages++ {
			time.Sleep(time.Minute)
			if !strings.HasPrefix(next.(string), base+"/audit/events?") {
				t.Fatalf("nextLink %v", next)
			}
			page := l.get(next.(string)).object(t)
			items = append(items, page["items"].([]any)...)
			next = page["nextLink"]
		}
		id := l.want(202, "POST", "/export/audit/events", `{"dateFrom":"2026-11-10","dateTo":"2026-11-20T12:00:00Z"}`).object(t)["jobId"].(string)
		time.Sleep(time.Minute)
		file := l.get("/export/jobs/" + id + "/results").object(t)
		if pages != 6 || len(items) != len(file["items"].([]any)) || len(items) < 400 {
			t.Errorf("%d pages, %d items, %d in the export", pages, len(items), len(file["items"].([]any)))
		}
		if len(file["actors"].([]any)) == 0 {
			t.Error("no actors")
		}
	})
}

func TestAuditRefusalsAndDefaults(t *testing.T) {
	l := newLab(t, emulator.Config{})
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "dateFrom=yesterday", "sessionType=FAX", "actorId=x", "paginationToken=!", "paginationToken=AAAA"} {
		a := l.want(400, "GET", "/audit/events?"+query, "")
		if errs, ok := a.object(t)["errors"].([]any); !ok || len(errs) != 1 {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	if items := l.get("/audit/events").object(t)["items"].([]any); len(items) != 100 {
		t.Errorf("default page of %d", len(items))
	}
	old := l.get("/audit/events?dateFrom=2026-01-01&limit=1").object(t)["items"].([]any)[0].(map[string]any)
	if at, err := time.Parse(time.RFC3339, old["eventTimestamp"].(string)); err != nil || start.Sub(at) > 30*24*time.Hour {
		t.Errorf("an event of %v is kept: %v", at, err)
	}
	last := l.get("/audit/events?limit=3").object(t)["items"].([]any)[2].(map[string]any)["eventTimestamp"].(string)
	if got := l.get("/audit/events?limit=1000&dateTo=" + last).object(t)["items"].([]any); len(got) != 3 {
		t.Errorf("up to the third event, itself included: %d", len(got))
	}
	web := l.get("/audit/events?sessionType=WEB&limit=1000").object(t)["items"].([]any)
	if len(web) == 0 || slices.ContainsFunc(web, func(e any) bool { return e.(map[string]any)["sessionType"] != "WEB" }) {
		t.Errorf("sessionType=WEB kept something else, or nothing of %d", len(web))
	}
}

func TestOpportunities(t *testing.T) {
	l := newLab(t, emulator.Config{})
	found := l.get("/opportunity?oppId=006000000000001&oppId=short&oppId=006000000000002").array(t)
	if len(found) != 2 || found[0].(map[string]any)["id"] != "006000000000001" || found[0].(map[string]any)["fields"] == nil {
		t.Errorf("found %v", found)
	}
	many := strings.Repeat("oppId=006000000000001&", 101)
	l.want(200, "GET", "/opportunity?"+many[len("oppId=006000000000001&"):], "")
	for _, query := range []string{"", "?" + many} {
		errs := l.want(400, "GET", "/opportunity"+query, "").array(t)
		if got := errs[0].(map[string]any); got["statusCode"] != 400.0 || got["reaspnPhrase"] != "Bad Request" || got["details"] == "" {
			t.Errorf("error %v", got)
		}
	}
}

func TestSynchronousForecastCostsNoQuota(t *testing.T) {
	l := newLab(t, emulator.Config{Slots: 1, Quota: 1})
	for range 3 {
		file := l.want(200, "GET", "/forecast/net_arr?timePeriod=2026_Q2&typesToExport=quota,forecast&currency=EUR", "").object(t)
		if frames := file["timeFrames"].([]any); len(frames) != 1 {
			t.Errorf("%d weeks", len(frames))
		}
		if period := file["timePeriods"].([]any)[0].(map[string]any)["timePeriodId"]; period != "2026_Q2" {
			t.Error(period)
		}
	}
	if c := l.Counters(); c.QuotaUsed != 0 || c.JobsMade() != 0 {
		t.Errorf("%+v", c)
	}
}
