package weir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

// Names of files and ids of jobs come from the server: what is read out of them
// stands in them, and a name that shows another target never matches.
func FuzzRecognise(f *testing.F) {
	f.Add("clari_export_net_arr_2026_Q1_20261123_115900.json", "net_arr", "2026_Q1")
	f.Add("clari_export_a_2025_Q4_2026_Q117_20261123_115900.csv", "a_2025_Q4", "2026_Q1")
	f.Add("clari_export__2026_Q1_1_1.x\n", "", "")
	f.Fuzz(func(t *testing.T, name, id, period string) {
		r := weir.Request{Kind: weir.Forecast, ForecastID: id, Period: weir.Period(period)}
		found, of, ok := weir.FileTarget(name)
		likely := weir.Recognise(name, r)
		switch {
		case ok && (!strings.HasPrefix(name, "clari_export_"+found+"_"+string(of)) || found == ""):
			t.Fatalf("%q shows %q %q", name, found, of)
		case ok != (likely != weir.CannotTell):
			t.Fatalf("%q has a target (%t) and is %d", name, ok, likely)
		case likely == weir.Match && (found != id || string(of) != period):
			t.Fatalf("%q matches %q %q", name, id, period)
		}
		if ok {
			if _, err := weir.ParsePeriod(string(of)); err != nil {
				t.Fatalf("%q shows the period %q: %v", name, of, err)
			}
		}
	})
}

func FuzzJobCreated(f *testing.F) {
	f.Add("6073683781a6da229df71e00", int64(1795737600))
	f.Add("ffffffffffffffffffffffff", int64(0))
	f.Add("+0736837", int64(1<<40))
	f.Fuzz(func(t *testing.T, id string, unix int64) {
		now := time.Unix(unix%(1<<40), 0)
		at, ok := weir.JobCreated(id, now)
		if ok && (at.Year() < 2015 || !at.Before(now.Add(24*time.Hour)) || len(id) != 24) {
			t.Fatalf("%q was made at %s, at %s", id, at, now)
		}
	})
}
