package pace_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

const year = 366 * 24 * time.Hour // the longest wait that is believed

func TestParseRetryAfter(t *testing.T) {
	const date = "Sun, 01 Mar 2026 10:00:00 GMT" // two hours behind t0
	tests := []struct {
		value, date string
		want        time.Duration // 0: not ok
	}{
		{"1", date, time.Second},
		{"120", date, 2 * time.Minute},
		{" 7 ", date, 7 * time.Second},
		{"007", date, 7 * time.Second},
		{"1.5", date, 1500 * time.Millisecond},
		{"0.001", date, time.Millisecond},
		{"0.0000000001", date, 1}, // rounded up
		{"31622400", date, year},
		{"31622400.5", date, 0},
		{"31622401", date, 0},
		{"99999999999999999999999999", date, 0},
		{"0", date, 0},
		{"0.0", date, 0},
		{"-5", date, 0},
		{"+5", date, 0},
		{"1e3", date, 0},
		{"0x10", date, 0},
		{"1_0", date, 0},
		{".5", date, 0},
		{"5.", date, 0},
		{"1.2.3", date, 0},
		{"5s", date, 0},
		{"5, 10", date, 0},
		{"NaN", date, 0},
		{"Inf", date, 0},
		{"", date, 0},
		{"later", date, 0},
		{"Sun, 01 Mar 2026 10:00:30 GMT", date, 30 * time.Second},
		{"Sunday, 01-Mar-26 10:00:30 GMT", date, 30 * time.Second}, // RFC 850
		{"Sun Mar  1 10:00:30 2026", date, 30 * time.Second},       // asctime
		{"Sun, 01 Mar 2026 10:00:00 GMT", date, 0},
		{"Sun, 01 Mar 2026 09:59:59 GMT", date, 0},
		{"Tue, 02 Mar 2027 10:00:00 GMT", date, year},
		{"Tue, 02 Mar 2027 10:00:01 GMT", date, 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", date, 0},
		{"Mon, 01 Jan 0001 00:00:00 GMT", date, 0},
		{"Sun, 01 Mar 2026 12:00:30 GMT", "", 30 * time.Second}, // against the receipt
		{"Sun, 01 Mar 2026 12:00:30 GMT", "yesterday", 30 * time.Second},
		{"Sun, 01 Mar 2026 10:00:30 GMT", "", 0},
	}
	for _, test := range tests {
		got, ok := pace.ParseRetryAfter(test.value, t0, test.date)
		if got != test.want || ok != (test.want != 0) {
			t.Errorf("%q with the date %q: %v, %v; want %v", test.value, test.date, got, ok, test.want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	f.Add("120", "", int64(0))
	f.Add("1.5", "Sun, 01 Mar 2026 10:00:00 GMT", int64(1))
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", int64(-1<<62))
	f.Fuzz(func(t *testing.T, value, date string, received int64) {
		d, ok := pace.ParseRetryAfter(value, time.Unix(received, 0), date)
		if ok && (d <= 0 || d > year) {
			t.Errorf("ok with %v", d)
		}
		if !ok && d != 0 {
			t.Errorf("not ok with %v", d)
		}
	})
}
