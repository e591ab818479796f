package clari

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func seed(f *testing.F, texts ...string) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
}

// A list either fails or is valid JSON all of whose jobs have usable ids.
func FuzzDecodeJobs(f *testing.F) {
	text, _ := fullJob()
	seed(f, "["+text+"]", `{"jobs":[{"id":"a"}],"x":null}`, `[]`, `{"jobs":null}`, `[null]`, `[{"jobId":"a"}`, "\xef\xbb\xbf[]", `[] []`)
	f.Fuzz(func(t *testing.T, body []byte) {
		jobs, size, err := decodeJobs(bytes.NewReader(body))
		if size > int64(len(body)) {
			t.Errorf("%d bytes of %d", size, len(body))
		}
		if err != nil {
			return
		}
		if !json.Valid(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))) {
			t.Errorf("accepted %q", body)
		}
		for _, job := range jobs {
			if !isID(job.ID) {
				t.Errorf("id %q", job.ID)
			}
		}
	})
}

// A job that decodes is the one that was asked for.
func FuzzDecodeJob(f *testing.F) {
	text, _ := fullJob()
	seed(f, text, `{"job":`+text+`}`, `{"status":"DONE"}`, `{"id":1}`, `{"startTime":"2026-01-01T00:00:00Z","status":"x"}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		job, err := decodeJob(body, jobID)
		if err != nil {
			return
		}
		if job.ID != jobID {
			t.Errorf("id %q", job.ID)
		}
		if job.StartedAt.Year() > 9999 || job.EndedAt.Year() > 9999 || job.ExpiresAt.Year() > 9999 {
			t.Errorf("times of %+v", job)
		}
		if _, err := json.Marshal(job); err != nil {
			t.Error(err)
		}
	})
}

// A start succeeds only with a usable id.
func FuzzDecodeStarted(f *testing.F) {
	seed(f, `{"jobId":"a"}`, `{"job":{"id":"a"}}`, `{"id":null}`, `{"jobId":1e400}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if started, err := decodeStarted(body); err == nil && !isID(started.JobID) {
			t.Errorf("id %q", started.JobID)
		}
	})
}

// Limits that decode say something, and hold usable ids only.
func FuzzDecodeLimits(f *testing.F) {
	seed(f, `{"jobs":{"concurrentLimit":3,"runningJobIds":["a",1,{"id":"b"}]}}`, `{"monthlyQuota":"30"}`, `{"jobs":{"submittedJobIds":[null]}}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		limits, err := decodeLimits(body)
		if err != nil {
			return
		}
		if limits.Said == (LimitsSaid{}) {
			t.Error("nothing was said")
		}
		for _, id := range append(limits.RunningJobIDs, limits.SubmittedJobIDs...) {
			if !isID(id) {
				t.Errorf("id %q", id)
			}
		}
	})
}

// Whatever an error body holds, its words are bounded and print.
func FuzzErrorBody(f *testing.F) {
	seed(f, `{"code":"c","message":"m"}`, `[{"reaspnPhrase":"x"}]`, `{"errors":[{"code":"c"}]}`, "<title>\x1b</title>", "\xff\x00", "")
	f.Fuzz(func(t *testing.T, body []byte) {
		r := parseErrorBody(body)
		for _, word := range []string{r.code, r.message, r.errorID, r.requestID, r.orgID} {
			shown := show(word, maxMessageBytes)
			if len(shown) > maxMessageBytes+len("…") || !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q shows as %q", word, shown)
			}
		}
	})
}

// A base URL that is accepted carries no secret, survives being read again, and
// a link resolved against it stays at its origin.
func FuzzBaseURL(f *testing.F) {
	f.Add("https://api.clari.com/v4/", "?c=1", "..")
	f.Add("http://[::1]:1", "https://[::1]:1/x", "a/b")
	f.Add("https://u:p@h", "//evil", "%2e")
	f.Fuzz(func(t *testing.T, text, link, id string) {
		base, err := parseBaseURL(text, false)
		if err != nil {
			return
		}
		again, err := parseBaseURL(base.String(), false)
		if err != nil || again.String() != base.String() || base.User != nil || base.Scheme == "http" && !isLoopback(base) {
			t.Fatalf("%q became %q, then %v, %v", text, base, again, err)
		}
		target, err := resolveNextLink(base.String()+"/audit/events", link)
		if err == nil && (origin(target) != origin(base) || target.User != nil) {
			t.Errorf("%q leads to %v", link, target)
		}
		whole, err := url.Parse(base.String() + "/export/jobs/" + escape(id))
		if err != nil || id != "" && strings.Count(whole.EscapedPath(), "/") != strings.Count(base.EscapedPath(), "/")+3 {
			t.Errorf("id %q escapes its segment: %v, %v", id, whole, err)
		}
	})
}
