package postgres_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
)

// rechecked finds one altered value out, in a double and in what no double
// names, and says which total it is of.
func rechecked(t *testing.T, p place) {
	m := mustLand(t, p, strings.Replace(landtest.Result(), `"fé"`, `"fé\u0000"`, 1), nil)
	for _, step := range []struct{ alter, want string }{
		{"UPDATE forecast_entries SET crm_total = NULL WHERE crm_total IS NULL", ""},
		{"UPDATE forecast_entries SET forecast_value = 1234.25 WHERE forecast_value = 1234.5", `totals: forecast_value of field "f1" does not add up to what the manifest says`},
		{"UPDATE forecast_entries SET forecast_value = 1234.5 WHERE forecast_value = 1234.25", ""},
		{"UPDATE forecast_entries SET _extra = replace(_extra::text, '993', '992')::json WHERE _extra::text LIKE '%993%'",
			`totals: quota_value of field "f1" does not add up to what the manifest says`},
	} {
		p.query(t, step.alter)
		var faults []string
		err := p.Archive(t).Recheck(t.Context(), m.Path, func(r land.Rechecked) error {
			faults = append(faults, r.Faults...)
			return nil
		})
		if got := strings.Join(faults, "\n"); err != nil || got != step.want {
			t.Errorf("%s: %q, %v; want %q", step.alter, got, err, step.want)
		}
	}
}
