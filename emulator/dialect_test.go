package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

// A plain script that knows nothing but the four words of the mission's
// document, polls from 5 s by 1.5 up to 60 s, at most 60 times, and runs one
// export after another with 10 s between them.
func TestPlainScriptOfTheMission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Dialect: emulator.Mission, Slots: 1, Rate: 10, JobTime: 4 * time.Minute, JobSigma: 0.5})
		for _, period := range []string{"2026_Q1", "2026_Q2", "2026_Q3"} {
			if err := plainExport(l, period); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
		}
		if c := l.Counters(); c.JobsMade() != 3 || c.Throttled != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func plainExport(l *lab, period string) error {
	var job struct{ JobID, Status string }
	posted := l.post("/export/forecast/net_arr", `{"timePeriod":"`+period+`"}`)
	if err := json.Unmarshal([]byte(posted.body), &job); err != nil || job.JobID == "" || posted.status != 200 {
		return fmt.Errorf("post: %d %s %w", posted.status, posted.body, err)
	}
	pause := 5 * time.Second
	for range 60 {
		time.Sleep(pause)
		pause = min(pause*3/2, time.Minute)
		if err := json.Unmarshal([]byte(l.get("/export/jobs/"+job.JobID).body), &job); err != nil {
			return err
		}
		switch job.Status {
		case "PENDING", "RUNNING":
			continue
		case "COMPLETED":
			var file struct{ Entries []json.RawMessage }
			if err := json.Unmarshal([]byte(l.get("/export/jobs/"+job.JobID+"/results").body), &file); err != nil || len(file.Entries) == 0 {
				return fmt.Errorf("results of %s: %d entries, %w", period, len(file.Entries), err)
			}
			return nil
		}
		return fmt.Errorf("status %q", job.Status)
	}
	return fmt.Errorf("%s did not end", period)
}

func TestMissionWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Dialect: emulator.Mission, RunningSlots: 1, Scenario: scenario(t, `
jobs:
  - match: {nth: 2}
    outcome: failed
  - match: {nth: 3}
    outcome: cancelled
    takes: 10s
`)})
		one, two, three := l.start("2026_Q1"), l.start("2026_Q2"), l.start("2026_Q3")
		words := []string{l.status(one), l.status(two), l.status(three)}
		time.Sleep(2 * time.Minute)
		words = append(words, l.status(one), l.status(two), l.status(three))
		if got := strings.Join(words, " "); got != "RUNNING PENDING PENDING COMPLETED FAILED FAILED" {
			t.Error(got)
		}
	})
}

func TestDocsWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{RunningSlots: 1, Scenario: scenario(t, `
jobs:
  - match: {nth: 2}
    outcome: aborted
    takes: 70s
`)})
		one, two := l.start("2026_Q1"), l.start("2026_Q2")
		words := []string{l.status(one), l.status(two)}
		time.Sleep(60 * time.Second)
		words = append(words, l.status(one), l.status(two))
		time.Sleep(10 * time.Second)
		words = append(words, l.status(two))
		if got := strings.Join(words, " "); got != "STARTED SCHEDULED DONE STARTED ABORTED" {
			t.Error(got)
		}
		if list := l.get("/export/jobs").array(t); list[0].(map[string]any)["jobId"] != two || list[1].(map[string]any)["jobId"] != one {
			t.Errorf("the list begins with the latest: %v", list)
		}
	})
}

// Every variant that has been seen must come up, and nothing else.
func TestWildVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Dialect: emulator.Wild, Slots: 1000, RunningSlots: 100})
		seen := map[string]int{}
		var ids []string
		for range 200 {
			a := l.post("/export/forecast/net_arr", "{}")
			shape, id := postShape(t, a)
			ids = append(ids, id)
			seen[fmt.Sprintf("post %d %s", a.status, shape)]++
		}
		for range 3 {
			for _, id := range ids {
				shape, word := jobShape(t, l.get("/export/jobs/"+id).body)
				seen["get "+shape]++
				seen["word "+word]++
			}
			shape := "array"
			if strings.HasPrefix(l.get("/export/jobs").body, "{") {
				shape = "object"
			}
			seen["list "+shape]++
			time.Sleep(time.Minute)
		}
		for _, want := range []string{
			"post 200 flat", "post 202 flat", "post 200 nested", "post 202 nested", "post 200 status", "post 202 status",
			"get flat", "get nested", "word STARTED", "word running", "word Queued", "word PENDING", "word scheduled", "word COMPLETED", "word Done",
		} {
			if seen[want] == 0 {
				t.Errorf("never seen: %s (%v)", want, seen)
			}
		}
	})
}

func postShape(t *testing.T, a answer) (shape, id string) {
	t.Helper()
	object := a.object(t)
	if job, nested := object["job"].(map[string]any); nested {
		return "nested", job["id"].(string)
	}
	if _, told := object["status"]; told {
		return "status", object["jobId"].(string)
	}
	return "flat", object["jobId"].(string)
}

func jobShape(t *testing.T, body string) (shape, word string) {
	t.Helper()
	object := answer{body: body}.object(t)
	if job, nested := object["job"].(map[string]any); nested {
		return "nested", job["status"].(string)
	}
	return "flat", object["status"].(string)
}

// One seed and one sequence of requests give the same bytes.
func TestDeterminism(t *testing.T) {
	record := func(seed int64) string {
		var out strings.Builder
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, emulator.Config{Dialect: emulator.Wild, Seed: seed, JobSigma: 1, Scenario: scenario(t, `
rules:
  - match: {route: "jobs.*", probability: 0.3}
    status: 503
`)})
			for i := range 8 {
				out.WriteString(l.post("/export/forecast/new_logo", fmt.Sprintf(`{"timePeriod":"2025_Q%d","includeHistorical":true}`, i%4+1)).body)
				time.Sleep(time.Minute)
				out.WriteString(l.get("/export/jobs").body)
				for _, id := range l.JobIDs() {
					out.WriteString(l.get("/export/jobs/" + id + "/results").body)
				}
			}
		})
		return out.String()
	}
	first := record(7)
	if len(first) < 50000 {
		t.Fatalf("only %d bytes", len(first))
	}
	if record(7) != first {
		t.Error("the same seed gave something else")
	}
	if record(8) == first {
		t.Error("another seed gave the same")
	}
}

// Real sockets must show what the in-process transport shows.
func TestServe(t *testing.T) {
	e, address, stop := listen(t, emulator.Config{JobTime: time.Millisecond, Dialect: emulator.Mission, Speed: 1000})
	r, err := http.NewRequestWithContext(t.Context(), "POST", address+"/export/forecast/net_arr", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("apikey", "emulated")
	r.Header.Set("Content-Type", "text/plain")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(w.Body)
	w.Body.Close()
	if err != nil || w.StatusCode != 200 || string(text) != `{"jobId":"`+e.JobIDs()[0]+`"}` {
		t.Errorf("%d %s %v", w.StatusCode, text, err)
	}
	if err := stop(); err != nil {
		t.Errorf("a graceful end is no error: %v", err)
	}
}
