package clari

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

const jobID = "6073683781a6da229df71e00"

func fullJob() (string, weir.Job) {
	return `{"jobId":"` + jobID + `","userId":1,"orgId":"17","title":"Forecast Export","module":"FORECAST",
		"startTime":1767225600000,"endTime":"1767225605000","expiredTime":1.7698176e12,"version":1,
		"fileName":"clari_export_net_arr_2026_Q11_20260101_000000.json","fileType":"JSON","status":"Done","viewed":true,
		"cellsTruncated":false,"rowsTruncated":"false","downloads":0,"currency":null,"unheard_of":{"a":[1]}}`,
		weir.Job{
			ID: jobID, Status: weir.JobDone, RawStatus: "Done", UserID: "1", OrgID: "17", Title: "Forecast Export",
			FileName: "clari_export_net_arr_2026_Q11_20260101_000000.json", FileType: "JSON",
			StartedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
			EndedAt:   time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC),
			ExpiresAt: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		}
}

func TestDecodeJob(t *testing.T) {
	text, want := fullJob()
	bare := weir.Job{ID: jobID, Status: weir.JobQueued, RawStatus: "PENDING"}
	for _, tt := range []struct {
		name, body string
		want       weir.Job
	}{
		{"as documented", text, want},
		{"wrapped", `{"job":` + text + `}`, want},
		{"id", `{"id":"` + jobID + `","status":"PENDING"}`, bare},
		{"wrapped id", `{"job":{"id":"` + jobID + `","status":"PENDING"}}`, bare},
		{"id outside", `{"id":"` + jobID + `","job":{"status":"PENDING"}}`, bare},
		{"job is a word", `{"job":"forecast","jobId":"` + jobID + `","status":"PENDING"}`, bare},
		{"no id, known status", `{"status":"PENDING"}`, bare},
		{"nulls", `{"jobId":"` + jobID + `","status":"PENDING","startTime":null,"rowsTruncated":null,"fileName":null}`, bare},
		{"absurd times", `{"jobId":"` + jobID + `","status":"PENDING","startTime":-5,"endTime":1e300,"expiredTime":"soon"}`, bare},
		{"duplicate", `{"jobId":"x","jobId":"` + jobID + `","status":"PENDING"}`, bare},
		{"unknown status", `{"jobId":"` + jobID + `","status":"RESTING"}`,
			weir.Job{ID: jobID, Status: weir.JobUnrecognised, RawStatus: "RESTING"}},
		{"truncated, oddly said", `{"jobId":"` + jobID + `","status":"PENDING","rowsTruncated":"YES","cellsTruncated":3}`,
			weir.Job{ID: jobID, Status: weir.JobQueued, RawStatus: "PENDING", RowsTruncated: true, CellsTruncated: true}},
	} {
		got, err := decodeJob([]byte(tt.body), jobID)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v\nwant %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestDecodeJobRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "html": "<html>", "another job": `{"jobId":"f073683781a6da229df71e00","status":"DONE"}`,
		"error object": `{"code":"x","message":"y"}`, "no id, unknown status": `{"status":"ERROR"}`, "two values": `{"jobId":"` + jobID + `"}{}`,
	} {
		if job, err := decodeJob([]byte(body), jobID); err == nil {
			t.Errorf("%s: got %+v", name, job)
		}
	}
}

func TestDecodeJobs(t *testing.T) {
	text, want := fullJob()
	other := weir.Job{ID: "abc", Status: weir.JobRunning, RawStatus: "RUNNING"}
	for _, tt := range []struct {
		name, body string
		want       []weir.Job
	}{
		{"array", "[" + text + `,{"id":"abc","status":"RUNNING"}]`, []weir.Job{want, other}},
		{"wrapped", `{"total":2,"jobs":[` + text + `,{"job":{"id":"abc","status":"RUNNING"}}],"page":{"n":[1]}}`, []weir.Job{want, other}},
		{"empty array", " [ ] \n", []weir.Job{}},
		{"empty wrapped", `{"jobs":[]}`, []weir.Job{}},
		{"byte order mark", "\xef\xbb\xbf[]", []weir.Job{}},
	} {
		got, size, err := decodeJobs(strings.NewReader(tt.body))
		if err != nil || !reflect.DeepEqual(got, tt.want) || size != int64(len(tt.body)) {
			t.Errorf("%s: got %+v, %d bytes, %v", tt.name, got, size, err)
		}
	}
}

// A list that is not wholly understood is evidence of nothing.
func TestDecodeJobsRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "null": "null", "html": "<html>", "text": `"jobs"`, "error object": `{"code":"x","message":"y"}`,
		"null list": `{"jobs":null}`, "list is an object": `{"jobs":{}}`, "two lists": `{"jobs":[],"jobs":[]}`,
		"entry is null": `[null]`, "entry is a word": `["` + jobID + `"]`, "entry without id": `[{"status":"DONE"}]`,
		"blank id": `[{"jobId":" "}]`, "control character in id": `[{"jobId":"a\u001bb"}]`, "endless id": `[{"jobId":"` + strings.Repeat("a", 201) + `"}]`,
		"cut in an entry": `[{"jobId":"a"},{"jobId":`, "cut between entries": `[{"jobId":"a"}`, "cut after a comma": `[{"jobId":"a"},`,
		"cut after the list": `{"jobs":[{"jobId":"a"}]`, "something follows": `[{"jobId":"a"}] x`, "second list follows": `[][]`,
		"comma missing": `[{"jobId":"a"} {"jobId":"b"}]`,
	} {
		if jobs, _, err := decodeJobs(strings.NewReader(body)); err == nil {
			t.Errorf("%s: got %+v", name, jobs)
		} else if errors.Is(err, io.EOF) {
			t.Errorf("%s: a clean end in %v", name, err)
		}
	}
}

// endless repeats a text for ever.
type endless struct{ text []byte }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.text = append(e.text[n:len(e.text):len(e.text)], e.text[:n]...)
	return n, nil
}

func TestDecodeJobsIsBounded(t *testing.T) {
	for name, src := range map[string]io.Reader{
		"one endless entry": io.MultiReader(strings.NewReader(`[{"jobId":"`), &endless{bytes.Repeat([]byte("a"), 4096)}),
		"endless space":     io.MultiReader(strings.NewReader(`[`), &endless{bytes.Repeat([]byte(" "), 4096)}),
		"endless field":     io.MultiReader(strings.NewReader(`{"x":[`), &endless{bytes.Repeat([]byte("1,"), 2048)}),
	} {
		if _, size, err := decodeJobs(src); !errors.Is(err, ErrTooLarge) || size > 4*maxEntry {
			t.Errorf("%s: %v after %d bytes", name, err, size)
		}
	}
	m := &meter{src: strings.NewReader("x"), total: maxList + 1}
	if _, err := decodeJobList(m); !errors.Is(err, ErrTooLarge) {
		t.Errorf("list over its bound: %v", err)
	}
}

// A long list costs no more than its jobs: no entry counts against another.
func TestDecodeJobsLong(t *testing.T) {
	var b strings.Builder
	const n = 5000
	for i := range n {
		fmt.Fprintf(&b, `,{"jobId":"%024x","status":"DONE","title":%q}`, i, strings.Repeat("t", 400))
	}
	if b.Len() <= maxEntry {
		t.Fatal("the list is too short to show anything")
	}
	jobs, _, err := decodeJobs(strings.NewReader("[" + b.String()[1:] + "]"))
	if err != nil || len(jobs) != n {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

func TestDecodeStarted(t *testing.T) {
	for body, want := range map[string]Started{
		`{"jobId":"a1"}`:                           {JobID: "a1"},
		`{"id":"a1","status":"SCHEDULED"}`:         {JobID: "a1", RawStatus: "SCHEDULED"},
		`{"job":{"id":"a1","status":"SCHEDULED"}}`: {JobID: "a1", RawStatus: "SCHEDULED"},
		`{"job":{"jobId":"a1"},"status":"QUEUED"}`: {JobID: "a1", RawStatus: "QUEUED"},
		`{"id":"request","job":{"jobId":"a1"}}`:    {JobID: "a1"},
		`{"jobId":12345}`:                          {JobID: "12345"},
	} {
		if got, err := decodeStarted([]byte(body)); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{"", "{}", "null", "[]", `"a1"`, `{"jobId":null}`, `{"jobId":""}`, `{"jobId":{"a":1}}`, `{"jobId":"a\nb"}`, "OK", `{"jobId":"a1"`} {
		if got, err := decodeStarted([]byte(body)); err == nil {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}

func TestDecodeCancellation(t *testing.T) {
	for body, want := range map[string]Cancellation{
		`{"status":"CANCELLED","successful":true}`:            {Status: weir.JobCancelled, RawStatus: "CANCELLED", Successful: true},
		`{"status":"STARTED","successful":false}`:             {Status: weir.JobRunning, RawStatus: "STARTED"},
		`{"status":"aborted"}`:                                {Status: weir.JobAborted, RawStatus: "aborted", Successful: true},
		`{"successful":"true"}`:                               {Status: weir.JobUnrecognised, Successful: true},
		`{"job":{"status":"CANCELLED"},"successful":true}`:    {Status: weir.JobCancelled, RawStatus: "CANCELLED", Successful: true},
		`{"jobId":"x","status":"CANCELED","successful":null}`: {Status: weir.JobCancelled, RawStatus: "CANCELED", Successful: true},
	} {
		if got, err := decodeCancellation([]byte(body)); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{"", "{}", "null", "[]", `{"code":"x"}`} {
		if got, err := decodeCancellation([]byte(body)); err == nil {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	full := `{"concurrentLimit":3,"monthlyQuota":"1000","runningJobIds":["a",{"jobId":"b"}],"submittedJobIds":[],"availableConcurrentLimit":0,"availableMonthlyQuota":-5}`
	want := Limits{
		ConcurrentLimit: 3, MonthlyQuota: 1000, RunningJobIDs: []string{"a", "b"}, SubmittedJobIDs: []string{}, AvailableMonthly: -5,
		Said: LimitsSaid{true, true, true, true, true, true},
	}
	partial := Limits{MonthlyQuota: 30, Said: LimitsSaid{MonthlyQuota: true}}
	for body, want := range map[string]Limits{
		`{"jobs":` + full + `,"more":1}`: want,
		full:                             want,
		`{"jobs":{"monthlyQuota":30,"concurrentLimit":null,"runningJobIds":null}}`:                     partial,
		`{"jobs":{"monthlyQuota":30,"concurrentLimit":1.5,"availableConcurrentLimit":99999999999999}}`: partial,
	} {
		if got, err := decodeLimits([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		"", "{}", "null", "[]", `{"jobs":{}}`, `{"jobs":null}`, `{"code":"x"}`, `{"jobs":{"monthlyQuota":30,"runningJobIds":"a"}}`,
		`{"jobs":{"monthlyQuota":30,"submittedJobIds":["a",null]}}`, `{"jobs":{"monthlyQuota":30,"submittedJobIds":[[]]}}`, `{"jobs":{"monthlyQuota":30}`,
	} {
		if got, err := decodeLimits([]byte(body)); err == nil {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}
