package app

import (
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/config"
)

const kindsFile = `
accounts:
  main: {key: {env: CLARI_API_KEY}}
destinations:
  lake: {to: /data, formats: [parquet, csv]}
exports:
  - {name: acts, kind: activity, span: last 7 days, types: [MEETING]}
  - {name: log, kind: audit, span: since last}
  - {name: days, kind: audit, span: 2026-01-01..2026-01-31}
schedules:
  nightly: {exports: [acts, log, days], cron: "0 6 * * *"}
`

// What a schedule asks for of activities and audit events: rolling days as of the
// due instant; and since the last ones a wish for each format, that costs no quota.
func TestScheduledKinds(t *testing.T) {
	c, err := config.Parse("weir.yaml", []byte(kindsFile))
	if err != nil {
		t.Fatal(err)
	}
	entries := configuredSchedules(c, "main")
	due := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	wishes, err := entries[0].Wishes(due)
	if err != nil || len(wishes) != 4 {
		t.Fatalf("%d wishes, %v", len(wishes), err)
	}
	acts := wishes[0].Request
	if acts.Kind != weir.Activity || acts.Since != "2026-11-16" || acts.Until != "2026-11-22" || len(acts.Types) != 1 || acts.Direct || len(wishes[0].Formats) != 2 {
		t.Errorf("activities: %+v", wishes[0])
	}
	for i, format := range []string{"parquet", "csv"} {
		w := wishes[1+i]
		if !w.SinceLast || !w.Request.Direct || w.Request.Since != "" || len(w.Formats) != 1 || w.Formats[0] != format || w.Secondary != (i > 0) || !w.AsOf.Equal(due) {
			t.Errorf("since last: %+v", w)
		}
	}
	if days := wishes[3]; days.SinceLast || days.Request.Direct || days.Request.Until != "2026-01-31" {
		t.Errorf("days: %+v", days)
	}
	if n := len(requestsOf(wishes)); n != 2 {
		t.Errorf("%d exports of the quota, want those of the activities and the days", n)
	}
}
