package clari

import (
	"strings"
	"testing"
)

func TestParseErrorBody(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       refusal
	}{
		{"API envelope", `{"code":"bad_request","namespace":"exports","errorId":"e-1","message":"No.","orgId":17,"source":"x"}`,
			refusal{code: "bad_request", errorID: "e-1", message: "No.", orgID: "17"}},
		{"gateway", `{"message":"API rate limit exceeded","request_id":"r-1"}`,
			refusal{message: "API rate limit exceeded", requestID: "r-1"}},
		{"errors", `{"errors":[{"status":"400","code":"c","message":"m","details":"d"},{"code":"second"}]}`,
			refusal{code: "c", message: "m: d"}},
		{"array", `[{"statusCode":400,"reasonPhrase":"Bad Request","description":"oppId","details":"too many"}]`,
			refusal{code: "Bad Request", message: "oppId: too many"}},
		{"array, the server's spelling", `[{"statusCode":400,"reaspnPhrase":"Bad Request","description":"oppId"}]`,
			refusal{code: "Bad Request", message: "oppId"}},
		{"nested error", `{"error":{"code":"c","message":"m"}}`, refusal{code: "c", message: "m"}},
		{"error text", `{"error":"invalid_token"}`, refusal{message: "invalid_token"}},
		{"outer wins", `{"code":"outer","errors":[{"code":"inner","message":"m"}]}`, refusal{code: "outer", message: "m"}},
		{"nulls", `{"code":null,"message":null,"errorId":null}`, refusal{message: `{"code":null,"message":null,"errorId":null}`}},
		{"odd types", `{"code":{"a":1},"message":["x"],"errorId":7}`, refusal{errorID: "7"}},
		{"byte order mark", "\xef\xbb\xbf" + `{"code":"c"}`, refusal{code: "c"}},
		{"empty", "", refusal{}},
		{"blank", " \n", refusal{}},
		{"HTML", "<html><head><TITLE>502\n Bad  Gateway</TITLE></head></html>", refusal{message: "a web page: 502 Bad Gateway"}},
		{"HTML without title", "<!doctype html><p>no", refusal{message: "a web page"}},
		{"plain", "upstream connect error", refusal{message: "upstream connect error"}},
		{"broken JSON", `{"code":"c"`, refusal{message: `{"code":"c"`}},
		{"too deep", `[[[[{"code":"c"}]]]]`, refusal{message: `[[[[{"code":"c"}]]]]`}},
	} {
		if got := parseErrorBody([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestShow(t *testing.T) {
	for _, tt := range []struct {
		in   string
		max  int
		want string
	}{
		{"plain ünï 報告", 300, "plain ünï 報告"},
		{"a\x1b[2Jb\r\nc\x7f", 300, `a\x1b[2Jb\x0d\x0ac\x7f`},
		{"bad\xffutf", 300, `bad\xffutf`},
		{"right\u202eleft\u0085", 300, `right\xe2\x80\xaeleft\xc2\x85`},
		{"\ufffd", 300, "\ufffd"},
		{"abcdef", 3, "abc…"},
		{"ab\x1b", 3, "ab…"},
		{"äöü", 4, "äö…"},
	} {
		if got := show(tt.in, tt.max); got != tt.want {
			t.Errorf("show(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
		}
	}
	if got := show(strings.Repeat("\x00", 5000), maxMessageBytes); len(got) > maxMessageBytes+len("…") {
		t.Errorf("%d bytes", len(got))
	}
}
