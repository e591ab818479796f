package ledger

import (
	"path/filepath"
	"strings"
	"testing"
)

// Every question of a tick goes by an index that holds only what is asked for;
// none reads through what has ended.
func TestPlans(t *testing.T) {
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "weir.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	open, _ := listQuery(Filter{Account: "a", OpenOnly: true})
	newest, _ := listQuery(Filter{Account: "a", Limit: 10})
	leafed, _ := pageQuery(Page{Account: "a", Before: 9, Limit: 10})
	for _, test := range []struct{ query, index string }{
		{leafed, "exports_account "},
		{"SELECT id " + exportsMoved, "exports_moved "},
		{"SELECT id " + exportsLandedLike, "exports_like "},
		{selectLatestLanded, "exports_like "},
		{open, "exports_open "},
		{newest, "exports_account "},
		{selectOpenLike, "exports_open_like "},
		{selectLandedLike, "exports_like "},
		{selectDeliverable, "exports_open "},
		{updateSwept + "0)", "deliveries_claimed "},
		{selectListed, "COVERING INDEX jobs_listed "},
		{selectInList, "COVERING INDEX jobs_in_list "},
		{selectBought, "COVERING INDEX jobs_bought "},
		{selectMembers, "INDEX accounts_organisation "},
		{selectJobs + whereBought, "jobs_seen_in "},
		{`SELECT id` + whereBeside + `('unknown')`, "exports_open "},
		{selectJobs + whereSeenAfter, "jobs_seen "},
		{selectJobs + "j.account = $1 AND j.id IN ($2, $3)", "sqlite_autoindex_jobs_1 "},
		{selectDurations, "durations_newest "},
		{selectDurationKeys, "COVERING INDEX durations_newest "},
		{selectStanding, "news_standing "},
		{selectMended, "exports_like "},
		{selectTroubles, "events_trouble "},
		{selectOverdue, "exports_overdue "},
		{selectDue, "messages_due "},
	} {
		plan := explain(t, l, test.query)
		if !strings.Contains(plan, test.index) || strings.Contains(plan, "SCAN exports") || strings.Contains(plan, "SCAN jobs") {
			t.Errorf("%s\ngoes by\n%s\nand not by %s", test.query, plan, test.index)
		}
	}
}

// Counting reads an index that holds only what is counted.
func TestCountingPlans(t *testing.T) {
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "weir.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for query, by := range map[string]string{
		selectOpenCounts:  "SCAN exports USING INDEX exports_open",
		selectEndedCounts: "SCAN exports USING COVERING INDEX exports_ended",
	} {
		if plan := explain(t, l, query); !strings.Contains(plan, by) {
			t.Errorf("%s\ngoes by\n%s\nand not by %s", query, plan, by)
		}
	}
}

func explain(t *testing.T, l *Store, query string) string {
	t.Helper()
	rows, err := l.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, "a", "b", "c")
	steps, err := collect(rows, err, func(r row) (step string, err error) {
		var id, parent, unused int
		err = r.Scan(&id, &parent, &unused, &step)
		return step, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}
