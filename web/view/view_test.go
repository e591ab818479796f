package view_test

import (
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/web/view"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func at(seconds int) time.Time { return noon().Add(time.Duration(seconds) * time.Second) }

func export(id int64, state weir.State) weir.Export {
	return weir.Export{ID: id, Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, State: state, CreatedAt: noon(), ChangedAt: at(5), JobID: "j"}
}

func TestWhatCanBeAsked(t *testing.T) {
	for _, test := range []struct {
		state weir.State
		wish  bool // to cancel, made before
		want  []view.Action
	}{
		{weir.Planned, false, []view.Action{view.Cancel}},
		{weir.Running, false, []view.Action{view.Cancel}},
		{weir.Running, true, nil},
		{weir.Unknown, false, []view.Action{view.Resolve, view.Cancel}},
		{weir.Unknown, true, []view.Action{view.Resolve}},
		{weir.Ready, false, nil},
		{weir.Landed, false, []view.Action{view.LandNow}},
		{weir.Failed, false, []view.Action{view.Retry}},
		{weir.Cancelled, false, []view.Action{view.Retry}},
		{weir.Rejected, false, []view.Action{view.Retry}},
	} {
		e := export(1, test.state)
		if test.wish {
			e.CancelRequestedAt = noon()
		}
		if got := view.ExportOf(view.Facts{Export: e}).Actions; !slices.Equal(got, test.want) {
			t.Errorf("%s, wish %t: %v, want %v", test.state, test.wish, got, test.want)
		}
	}
}

func TestWhy(t *testing.T) {
	planned, failed, doubt := export(1, weir.Planned), export(1, weir.Failed), export(1, weir.Unknown)
	failed.Failure = &weir.Failure{Code: "x", Message: "it broke"}
	doubt.NeedsPerson = "which job it is"
	wish := export(1, weir.Running)
	wish.CancelRequestedAt = noon()
	for _, test := range []struct {
		facts view.Facts
		want  string
	}{
		{view.Facts{Export: planned, Stand: plan.Stand{Wait: weir.Wait{Code: weir.WaitSlot, Text: "all slots are taken"}}}, "all slots are taken"},
		{view.Facts{Export: planned}, "nothing holds it back: it starts as soon as somebody conducts"},
		{view.Facts{Export: failed}, "it broke"},
		{view.Facts{Export: doubt}, "somebody has to decide: which job it is"},
		{view.Facts{Export: wish}, "somebody wants it cancelled; the server has not confirmed that yet"},
		{view.Facts{Export: export(1, weir.Landed)}, "everything asked for has landed"},
		{view.Facts{Export: export(1, weir.Ready), Deliveries: []weir.Delivery{{State: weir.DeliveryOpen, Failure: &weir.Failure{Message: "the disk is full"}}}}, "its result is on the server; the disk is full"},
	} {
		if got := view.ExportOf(test.facts).Sentence; got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestMoods(t *testing.T) {
	budget := weir.Budget{Source: weir.Told, ReadAt: noon(), ReadStartedAt: noon(), Slots: 3, SlotsFree: 2, Quota: 100, QuotaFree: 40}
	open := view.Gate{Open: true}
	for _, test := range []struct {
		name           string
		change         func(*view.AccountFacts)
		mood, sentence string
	}{
		{"nothing to do", func(*view.AccountFacts) {}, view.Idle, "nothing is open; every export has ended"},
		{"a fault", func(f *view.AccountFacts) { f.Fault = "the server refused the key" }, view.Stopped, "the server refused the key"},
		{"at work", func(f *view.AccountFacts) {
			f.View.Exports = []weir.Export{export(1, weir.Running), export(2, weir.Ready), export(3, weir.Planned)}
		}, view.Working, "1 of 3 slots busy with ours, 1 landing, 1 waiting"},
		{"the gate is closed", func(f *view.AccountFacts) {
			f.Gate, f.View.Exports = view.Gate{Why: "told to wait"}, []weir.Export{export(1, weir.Planned)}
		}, view.Waiting, "told to wait"},
		{"nobody conducts", func(f *view.AccountFacts) {
			f.Conductor, f.View.Exports = "", []weir.Export{export(1, weir.Planned)}
		}, view.Stopped, "nobody conducts this account; everything is saved and goes on with the next weir serve or weir resume"},
		{"held", func(f *view.AccountFacts) {
			f.View.Account.NotBefore, f.View.Account.Wait = at(60), weir.Wait{Text: "quota until Monday"}
		}, view.Waiting, "quota until Monday"},
	} {
		f := view.AccountFacts{View: plan.View{Account: weir.Account{Name: "acme"}, Budget: budget, Policy: plan.Adaptive()}, Gate: open, Conductor: "here", Shown: 10}
		test.change(&f)
		if a := view.AccountOf(f, noon()); a.Mood != test.mood || a.Sentence != test.sentence {
			t.Errorf("%s: %s, %q", test.name, a.Mood, a.Sentence)
		}
	}
}

// history is one export's way: a 429, a job that fails, a job that lands.
func history() []weir.Event {
	e := func(seconds int, from, to weir.State, request, job string) weir.Event {
		return weir.Event{ExportID: 1, At: at(seconds), From: from, To: to, Why: "because", Request: request, JobID: job}
	}
	return []weir.Event{
		e(10, weir.Planned, weir.Submitting, "", ""), e(11, weir.Submitting, weir.Planned, "POST /export/forecast/net_arr: 429", ""),
		e(20, weir.Planned, weir.Submitting, "", ""), e(21, weir.Submitting, weir.Running, "", "j1"), e(40, weir.Running, weir.Planned, "", "j1"),
		e(50, weir.Planned, weir.Submitting, "", ""), e(51, weir.Submitting, weir.Running, "", "j2"), e(80, weir.Running, weir.Ready, "", "j2"), e(90, weir.Ready, weir.Landed, "", ""),
	}
}

func TestTimeline(t *testing.T) {
	running := export(2, weir.Running)
	f := view.TimelineFacts{
		Account: "acme", Slots: 2, Exports: []weir.Export{export(1, weir.Landed), running},
		Histories: map[int64][]weir.Event{1: history(), 2: {{ExportID: 2, At: at(60), From: weir.Planned, To: weir.Submitting}, {ExportID: 2, At: at(61), From: weir.Submitting, To: weir.Running, JobID: "j3"}}},
		Jobs:      map[string]weir.Job{"j2": {ID: "j2", StartedAt: at(55), EndedAt: at(78)}},
	}
	got := view.TimelineOf(f, at(0), at(100))
	want := []view.Bar{
		{Export: 1, Title: "net_arr 2026_Q1", JobID: "j1", Lane: 0, Posted: at(20), Ended: at(40), Outcome: "failed"},
		{Export: 1, Title: "net_arr 2026_Q1", JobID: "j2", Lane: 0, Posted: at(50), Started: at(55), Ended: at(78), Landed: at(90), Outcome: "landed"},
		{Export: 2, Title: "net_arr 2026_Q1", JobID: "j3", Lane: 1, Posted: at(60), Outcome: "running"},
	}
	if !slices.Equal(got.Bars, want) {
		t.Errorf("bars\n%+v\nwant\n%+v", got.Bars, want)
	}
	var kinds []string
	for _, m := range got.Marks {
		kinds = append(kinds, m.Kind)
	}
	if !slices.Equal(kinds, []string{view.Throttled, view.WentWrong}) {
		t.Errorf("marks %v", kinds)
	}
	if most := slices.MaxFunc(got.Busy, func(a, b view.Step) int { return a.N - b.N }); most.N != 2 || got.Lanes != 2 {
		t.Errorf("at most %d slots were held in %d lanes", most.N, got.Lanes)
	}
	if share := (20.0 + 28 + 40) / 200; got.Share < share-0.001 || got.Share > share+0.001 {
		t.Errorf("the share is %v, want %v", got.Share, share)
	}
	if early := view.TimelineOf(f, at(-100), at(-50)); len(early.Bars) != 0 {
		t.Errorf("before all there are bars: %+v", early.Bars)
	}
}

func TestQuotaComesBack(t *testing.T) {
	v := plan.View{Account: weir.Account{Name: "acme"}, Budget: weir.Budget{Source: weir.Told, ReadAt: noon(), ReadStartedAt: noon(), Quota: 100, QuotaFree: 70},
		QuotaUses: []time.Time{noon().Add(-view.QuotaWindow + 24*time.Hour), noon().Add(-time.Hour)}, Scheduled: []time.Time{noon().Add(48 * time.Hour)},
		Exports: []weir.Export{{ID: 1, State: weir.Planned}}}
	q := view.QuotaOf(v, plan.Outlook{Buys: []time.Time{noon().Add(12 * time.Hour)}, FinishAt: noon().Add(13 * time.Hour)}, noon())
	if q.Uses.Used != 30 || q.Uses.Ours != 2 || q.Uses.Others != 28 || q.Waiting != 1 || q.Scheduled != 1 {
		t.Errorf("uses %+v, waiting %d, scheduled %d", q.Uses, q.Waiting, q.Scheduled)
	}
	if q.Returns[1].N != 1 || q.Returns[1].Date != "2026-11-27" {
		t.Errorf("tomorrow comes back %+v", q.Returns[1])
	}
	step := func(hours int) (used, projected int) { return q.Used[hours/6].N, q.Projected[hours/6].N }
	for _, test := range []struct{ hours, used, projected int }{{0, 30, 30}, {12, 30, 31}, {30, 29, 30}, {60, 29, 31}} {
		if used, projected := step(test.hours); used != test.used || projected != test.projected {
			t.Errorf("after %d h: %d and %d, want %d and %d", test.hours, used, projected, test.used, test.projected)
		}
	}
	v.Budget = weir.Budget{}
	if q := view.QuotaOf(v, plan.Outlook{}, noon()); q.Uses.Limit != -1 || len(q.Used) != 0 {
		t.Errorf("an unknown quota is %+v", q.Uses)
	}
}

func TestSchedules(t *testing.T) {
	s := ledger.Schedule{Account: "acme", Name: "nightly", LastDueAt: noon(), LastRunAt: at(300)}
	mine, asked := export(1, weir.Landed), export(2, weir.Landed)
	mine.Rank, mine.AsOf = weir.RankScheduled, noon()
	asked.Rank, asked.AsOf = weir.RankAsked, noon()
	v := view.ScheduleOf(s, []weir.Export{mine, asked}, map[string]string{"nightly": "at night"})
	if !v.Late || !v.Runnable || v.When != "at night" || len(v.Last) != 1 || v.Last[0].Export != 1 {
		t.Errorf("%+v", v)
	}
	if v := view.ScheduleOf(s, nil, nil); v.Runnable {
		t.Error("a schedule that is not here can be run here")
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{view.Number(1234567), "1\u202f234\u202f567"}, {view.Number(-1000), "−1\u202f000"}, {view.Number(12), "12"},
		{view.Span(250 * time.Millisecond), "250 ms"}, {view.Span(59 * time.Second), "59 s"}, {view.Span(61 * time.Second), "1 min 1 s"}, {view.Span(26 * time.Hour), "1 d 2 h"},
		{view.Count(1, "slot"), "1 slot"}, {view.Count(2, "slot"), "2 slots"}, {view.Bytes(1500), "1.5 kB"}, {view.Bytes(999), "999 B"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
