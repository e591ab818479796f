package emulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func TestRequestLogKeepsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{LogSize: 4, Speed: 60, Scenario: scenario(t, "rules: [{match: {nth: 5}, cut: after}]")})
		l.get("/admin/limits")
		l.get("/admin/limits")
		l.get("/nowhere")
		time.Sleep(time.Second)
		id := l.start("2026_Q1")
		l.get("/export/jobs/" + id)
		l.get("/export/jobs/" + id)
		log := l.RequestLog()
		if len(log) != 4 || log[0].Route != emulator.RouteNone {
			t.Fatalf("kept %+v", log)
		}
		first := log[1]
		if first.Route != emulator.RouteExportForecast || first.Method != "POST" || first.ID != "net_arr" || first.Status != 200 ||
			!first.Emulated.Equal(start.Add(time.Minute)) || !first.At.Equal(time.Now()) {
			t.Errorf("%+v", first)
		}
		if last := log[3]; last.ID != id || last.Status != 0 || last.Cut != emulator.CutAfter || last.Route != emulator.RouteJob {
			t.Errorf("%+v", last)
		}
	})
}

func TestCounters(t *testing.T) {
	l := newLab(t, emulator.Config{Slots: 2})
	l.start("2026_Q1")
	l.start("2026_Q1")
	l.want(400, "POST", "/export/forecast/net_arr", "{}")
	l.get("/nowhere")
	c := l.Counters()
	if c.Total != 4 || c.Of(emulator.RouteExportForecast, 200) != 2 || c.Of(emulator.RouteExportForecast, 400) != 1 || c.Of(emulator.RouteNone, 404) != 1 {
		t.Errorf("%+v", c)
	}
	if got := c.Jobs[emulator.JobKey{Kind: "forecast", Forecast: "net_arr", Period: "2026_Q1"}]; got != 2 || c.JobsMade() != 2 || c.MostRequests != 1 {
		t.Errorf("%+v", c)
	}
	c.Requests[emulator.RouteNone][404] = 99
	if l.Counters().Of(emulator.RouteNone, 404) != 1 {
		t.Error("a caller can change the counters")
	}
}

func TestRequestsTogetherAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Scenario: scenario(t, "rules: [{delay: 1s}]")})
		for range 4 {
			go l.get("/admin/limits")
		}
		time.Sleep(2 * time.Second)
		if got := l.Counters().MostRequests; got != 4 {
			t.Errorf("at most %d together", got)
		}
	})
}

func TestJobContentsAreTheFile(t *testing.T) {
	play(t, emulator.Config{}, "jobs: [{wrong_period: 2020_Q2, truncated: rows}]", func(l *lab) {
		id := l.start("2026_Q1")
		time.Sleep(time.Hour)
		var text strings.Builder
		contents, known := l.JobContents(id)
		if err := contents.WriteJSON(&text); !known || err != nil {
			l.Fatal(known, err)
		}
		if text.String() != l.get("/export/jobs/"+id+"/results").body {
			l.Error("the file holds something else")
		}
		if _, known := l.JobContents("nope"); known {
			l.Error("contents of an unknown job")
		}
		if got := contents.String(); !strings.HasPrefix(got, "net_arr 2020_Q2 as of 2026-11-23") {
			l.Error(got)
		}
	})
}

func TestJobs(t *testing.T) {
	play(t, emulator.Config{QuotaUsed: 1}, "", func(l *lab) {
		id := l.start("2026_Q1")
		time.Sleep(time.Hour)
		jobs := l.Jobs()
		if len(jobs) != 2 || jobs[0].Number != 0 || jobs[1].ID != id || jobs[1].Number != 1 || jobs[1].Status != "DONE" ||
			jobs[1].Ended.Sub(jobs[1].Started) != 45*time.Second || !l.Now().Equal(start.Add(time.Hour)) {
			l.Errorf("%+v", jobs)
		}
	})
}

func TestMissionSpellsTheReason(t *testing.T) {
	l := newLab(t, emulator.Config{Dialect: emulator.Mission})
	if got := l.want(400, "GET", "/opportunity", "").array(t)[0].(map[string]any); got["reasonPhrase"] != "Bad Request" {
		t.Errorf("%v", got)
	}
}

func TestDefaultsOfTheCommand(t *testing.T) {
	d := emulator.Defaults()
	if d.Rate != 10 || d.Slots != 3 || d.Quota != 1000 || d.JobTime != 45*time.Second || d.Speed != 1 || d.Dialect != emulator.Docs || d.Burst != 10 {
		t.Errorf("%+v", d)
	}
	if strings.Join(d.ForecastIDs, " ") != "net_arr new_logo" {
		t.Errorf("%v", d.ForecastIDs)
	}
}

func TestSizesOfTheData(t *testing.T) {
	l := newLab(t, emulator.Config{Users: 3, Fields: 11, Weeks: 20, Plain: true})
	c := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Historical: true, Types: allTypes()})
	entries, weeks := 0, 0
	for range c.Entries() {
		entries++
	}
	for range c.TimeFrames() {
		weeks++
	}
	if len(c.Fields()) != 11 || weeks != 20 || entries < 3*11*20*9/10 || entries > 3*11*20 {
		t.Errorf("%d fields, %d weeks, %d entries", len(c.Fields()), weeks, entries)
	}
	for _, other := range []string{"2026_Q1", "2026_Q3"} {
		a, b := l.Contents(emulator.Query{Forecast: "net_arr", Period: other}), l.Contents(emulator.Query{Forecast: "new_logo", Period: other})
		one, two := "", ""
		for e := range a.Entries() {
			one += e.ForecastValue.Literal() + " "
		}
		for e := range b.Entries() {
			two += e.ForecastValue.Literal() + " "
		}
		if one == two {
			t.Errorf("two tabs hold the same in %s", other)
		}
	}
}
