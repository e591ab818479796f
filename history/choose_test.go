package history_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
)

// at is a snapshot of a day of November 2026, at noon, newest ones first in a
// list.
func at(day int, change func(*land.Manifest)) land.Manifest {
	instant := time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC)
	m := land.Manifest{
		Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, Likeness: "aaaa", Format: land.Parquet,
		SnapshotAt: instant, Snapshot: instant.Format("20060102T150405Z") + "-job",
	}
	if change != nil {
		change(&m)
	}
	m.Path = fmt.Sprintf("%s/_manifests/%s/%s.json", m.Format, m.Request.ForecastID, m.Snapshot)
	return m
}

func series(days ...int) []land.Manifest {
	var all []land.Manifest
	for _, day := range days {
		all = append(all, at(day, nil))
	}
	land.SortManifests(all)
	return all
}

func TestSince(t *testing.T) {
	unlike := func(m *land.Manifest) { m.Likeness = "bbbb" }
	instant := func(day int) time.Time { return time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC) }
	for name, row := range map[string]struct {
		all  []land.Manifest
		at   time.Time
		want string // the two days, or what the error says
	}{
		"the one before":        {series(1, 2, 3), time.Time{}, "2 3"},
		"at the instant":        {series(1, 2, 3), instant(2), "2 3"},
		"before it":             {series(1, 2, 3), instant(2).Add(-time.Second), "1 3"},
		"none so old":           {series(2, 3), instant(1), "none is so old, the oldest"},
		"none since":            {series(2, 3), instant(3), "none has landed since"},
		"one":                   {series(3), time.Time{}, "only one has landed"},
		"nothing":               {nil, time.Time{}, "nothing has landed"},
		"unlike ones between":   {append(series(3), at(2, unlike), at(1, nil)), time.Time{}, "1 3"},
		"only unlike ones":      {append(series(3), at(2, unlike)), time.Time{}, "only one has landed"},
		"formats are one":       {[]land.Manifest{at(3, nil), at(3, func(m *land.Manifest) { m.Format = land.CSV }), at(2, nil)}, time.Time{}, "2 3"},
		"the newest is another": {append([]land.Manifest{at(4, unlike)}, series(2, 3)...), time.Time{}, "only one has landed"},
	} {
		from, to, err := history.Since(row.all, row.at)
		got := fmt.Sprint(from.SnapshotAt.Day(), " ", to.SnapshotAt.Day())
		if err != nil {
			if got = err.Error(); !errors.Is(err, history.ErrNoSnapshot) {
				t.Errorf("%s: %v is no ErrNoSnapshot", name, err)
			}
		}
		if got != row.want && (err == nil || !strings.Contains(got, row.want)) {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

func TestNamed(t *testing.T) {
	all := append(series(3, 20, 21), at(3, func(m *land.Manifest) { m.Format = land.CSV })) // 4 manifests of 3 snapshots
	land.SortManifests(all)
	for name, want := range map[string]string{
		all[0].Path: "21", all[1].Snapshot: "20", "20261103": "3", "20261121T12": "21",
		"202611": "3 snapshots begin so", "2025": "no such snapshot", "": "3 snapshots begin so",
		all[3].Path: "3",
	} {
		m, err := history.Named(all, name)
		got := fmt.Sprint(m.SnapshotAt.Day())
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
	}
}

func TestAlike(t *testing.T) {
	base := at(1, nil)
	if err := history.Alike(base, at(2, nil)); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*land.Manifest){
		"activity": func(m *land.Manifest) { m.Request.Kind = weir.Activity },
		"new_logo": func(m *land.Manifest) { m.Request.ForecastID = "new_logo" },
		"2026_Q2":  func(m *land.Manifest) { m.Request.Period = "2026_Q2" },
		"bbbb (types quota, currency EUR, historical)": func(m *land.Manifest) {
			m.Likeness, m.Request.Types, m.Request.Currency, m.Request.Historical = "bbbb", []string{"quota"}, "eur", true
		},
	} {
		if err := history.Alike(base, at(2, change)); !errors.Is(err, history.ErrUnlike) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestDoomed(t *testing.T) {
	csv := func(m *land.Manifest) { m.Format = land.CSV }
	unlike := func(m *land.Manifest) { m.Likeness = "bbbb" }
	all := append(series(1, 5, 9, 20), at(2, csv), at(3, unlike), at(4, unlike))
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for name, row := range map[string]struct {
		rule history.Retention
		want []int
	}{
		"no rule":              {history.Retention{}, nil},
		"two of each":          {history.Retention{KeepLast: 2}, []int{1, 5}},
		"one of each":          {history.Retention{KeepLast: 1}, []int{1, 3, 5, 9}},
		"older":                {history.Retention{OlderThan: 14 * day}, []int{1, 3, 5}},
		"old, but the latest":  {history.Retention{OlderThan: time.Hour}, []int{1, 3, 5, 9}},
		"both":                 {history.Retention{KeepLast: 2, OlderThan: 17 * day}, []int{1}},
		"exactly so old stays": {history.Retention{OlderThan: 16 * day}, []int{1, 3}},
	} {
		var got []int
		for _, m := range row.rule.Doomed(all, now) {
			got = append(got, m.SnapshotAt.Day())
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

// What two rules let go together is what each of them lets go.
func TestTwoRules(t *testing.T) {
	all := series(1, 3, 5, 9, 14, 20)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	rules := []history.Retention{{KeepLast: 1}, {KeepLast: 3}, {OlderThan: 10 * day}, {OlderThan: 17 * day}, {KeepLast: 2, OlderThan: 15 * day}}
	for _, a := range rules {
		if a.And(history.Retention{}) != a || (history.Retention{}).And(a) != a {
			t.Errorf("%+v and no rule is another rule", a)
		}
		for _, b := range rules {
			want := slices.DeleteFunc(a.Doomed(all, now), func(m land.Manifest) bool {
				return !slices.ContainsFunc(b.Doomed(all, now), func(o land.Manifest) bool { return o.SnapshotAt.Equal(m.SnapshotAt) })
			})
			got := a.And(b).Doomed(all, now)
			if !slices.EqualFunc(got, want, func(x, y land.Manifest) bool { return x.SnapshotAt.Equal(y.SnapshotAt) }) {
				t.Errorf("%+v and %+v let %d go, want %d", a, b, len(got), len(want))
			}
		}
	}
}

func TestWhen(t *testing.T) {
	zone := time.FixedZone("here", 2*60*60)
	now := time.Date(2026, 11, 26, 10, 30, 0, 0, zone) // a Thursday
	for text, want := range map[string]string{
		"2026-11-20T18:00:00Z": "2026-11-20T18:00:00Z", "2026-11-20t18:00:00+01:00": "2026-11-20T17:00:00Z",
		"2026-11-20": "2026-11-20T21:59:59Z", " Yesterday ": "2026-11-25T21:59:59Z", "today": "2026-11-25T21:59:59Z",
		"36h": "2026-11-24T20:30:00Z", "7d": "2026-11-19T08:30:00Z", "2w": "2026-11-12T08:30:00Z", "0s": "2026-11-26T08:30:00Z",
		"monday": "2026-11-23T21:59:59Z", "thursday": "2026-11-19T21:59:59Z", "wednesday": "2026-11-25T21:59:59Z",
		"last week": "2026-11-22T21:59:59Z", "last month": "2026-10-31T21:59:59Z",
	} {
		got, err := history.When(text, now)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q is %s (%v), want %s", text, got.UTC().Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"", "tomorrow", "-3h", "3 days", "2026-13-01", "d", "99999d"} {
		if got, err := history.When(text, now); !errors.Is(err, history.ErrWhen) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

// Whatever is understood as "since" is not after now, unless it says an instant
// or a date.
func FuzzWhen(f *testing.F) {
	for _, text := range []string{"yesterday", "7d", "36h", "2026-11-20", "last week", "9999w", "1e9h"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 26, 10, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := history.When(text, now)
		if err == nil && got.After(now) && !strings.Contains(text, "-") {
			t.Errorf("%q is %s", text, got)
		}
	})
}
