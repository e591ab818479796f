package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// operation is what a test needs of the description of one call.
type operation struct {
	Responses map[string]struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
	Parameters []struct{ Name, In string }
}

func described(t *testing.T) map[string]operation {
	t.Helper()
	var d struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	all := map[string]operation{}
	for path, methods := range d.Paths {
		for method, o := range methods {
			all[strings.ToUpper(method)+" /api/v1"+path] = o
		}
	}
	return all
}

func TestAPIIsDescribed(t *testing.T) {
	s := newScene(t)
	have := slices.Sorted(maps.Keys(described(t)))
	want := append(slices.Collect(maps.Keys(s.calls())), "GET /api/v1/openapi.json")
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("openapi.json describes\n%s\nand the server has\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	for call, o := range described(t) {
		for _, p := range o.Parameters {
			if p.In == "path" && !strings.Contains(call, "{"+p.Name+"}") {
				t.Errorf("%s has no %s in its path", call, p.Name)
			}
		}
		if n := strings.Count(call, "{"); n > len(o.Parameters) {
			t.Errorf("%s describes %d parameters", call, len(o.Parameters))
		}
	}
}

// schemaOf compiles the description of an answer.
func schemaOf(t *testing.T, call, status string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	method, path, _ := strings.Cut(call, " /api/v1")
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	at := fmt.Sprintf("openapi.json#/paths/%s/%s/responses/%s/content/application~1json/schema", escape.Replace(path), strings.ToLower(method), status)
	schema, err := c.Compile(at)
	if err != nil {
		t.Fatalf("compile the answer of %s: %v", call, err)
	}
	return schema
}

func TestAnswersAreAsDescribed(t *testing.T) {
	s := everything(t)
	snapshot := s.land(s.wish("acme", "net_arr", "2025_Q3"))
	const post, get = "POST", "GET"
	for _, test := range []struct {
		call, target, body string
		status             int
	}{
		{"GET /api/v1/accounts", "/accounts", "", 200},
		{"GET /api/v1/accounts/{account}", "/accounts/acme", "", 200},
		{"GET /api/v1/accounts/{account}", "/accounts/nobody", "", 404},
		{"GET /api/v1/accounts/{account}/timeline", "/accounts/acme/timeline", "", 200},
		{"GET /api/v1/accounts/{account}/timeline", "/accounts/acme/timeline?minutes=0", "", 400},
		{"GET /api/v1/accounts/{account}/quota", "/accounts/acme/quota", "", 200},
		{"GET /api/v1/accounts/{account}/snapshots", "/accounts/acme/snapshots", "", 200},
		{"GET /api/v1/accounts/{account}/schedules", "/accounts/acme/schedules", "", 200},
		{"POST /api/v1/accounts/{account}/schedules/{schedule}/{action}", "/accounts/acme/schedules/nightly/run", "", 200},
		{"POST /api/v1/accounts/{account}/schedules/{schedule}/{action}", "/accounts/acme/schedules/nightly/pause", "", 200},
		{"POST /api/v1/accounts/{account}/schedules/{schedule}/{action}", "/accounts/acme/schedules/nightly/burn", "", 404},
		{"GET /api/v1/exports", "/exports", "", 200},
		{"GET /api/v1/exports", "/exports?state=landed&limit=1", "", 200},
		{"GET /api/v1/exports", "/exports?state=burnt", "", 400},
		{"GET /api/v1/exports/{id}", "/exports/1", "", 200},
		{"GET /api/v1/exports/{id}", "/exports/4", "", 200},
		{"GET /api/v1/exports/{id}", "/exports/5", "", 200},
		{"GET /api/v1/exports/{id}", "/exports/999", "", 404},
		{"GET /api/v1/exports/{id}", "/exports/x", "", 404},
		{"POST /api/v1/exports/{id}/{action}", "/exports/2/cancel", `{"force":true}`, 200},
		{"POST /api/v1/exports/{id}/{action}", "/exports/5/retry", "", 200},
		{"POST /api/v1/exports/{id}/{action}", "/exports/1/reland", "", 200},
		{"POST /api/v1/exports/{id}/{action}", "/exports/4/resolve", `{"none":true}`, 200},
		{"POST /api/v1/exports/{id}/{action}", "/exports/4/resolve", `{}`, 400},
		{"POST /api/v1/exports/{id}/{action}", "/exports/4/resolve", `{`, 400},
		{"GET /api/v1/snapshots/{id}", fmt.Sprintf("/snapshots/%d", snapshot), "", 200},
		{"GET /api/v1/snapshots/{id}", "/snapshots/999", "", 404},
		{"GET /api/v1/snapshots/{id}/diff/{from}", fmt.Sprintf("/snapshots/%d/diff/older", snapshot), "", 200},
		{"GET /api/v1/snapshots/{id}/diff/{from}", fmt.Sprintf("/snapshots/%d/diff/never", snapshot), "", 404},
		{"GET /api/v1/snapshots/{id}/diff/{from}", "/snapshots/999/diff/older", "", 404},
		{"GET /api/v1/openapi.json", "/openapi.json", "", 200},
	} {
		t.Run(test.call+" "+test.target, func(t *testing.T) {
			method := get
			if strings.HasPrefix(test.call, post) {
				method = post
			}
			answer := s.ask(method, "/api/v1"+test.target, test.body)
			text, err := io.ReadAll(answer.Body)
			s.ok(err)
			if answer.StatusCode != test.status || answer.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("answers %d, %s: %s", answer.StatusCode, answer.Header.Get("Content-Type"), text)
			}
			described := "default"
			if test.status == http.StatusOK {
				described = "200"
			}
			body, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			s.ok(err)
			if err := schemaOf(t, test.call, described).Validate(body); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
	want := []string{"run acme nightly", "pause acme nightly true", "cancel 2 true", "retry 5", "reland 1", `resolve 4 ""`}
	if !slices.Equal(s.office.asked, want) {
		t.Errorf("the keeper was asked %q, want %q", s.office.asked, want)
	}
}

// What goes wrong within stays within.
func TestErrorsKeepTheirCause(t *testing.T) {
	s := everything(t)
	s.office.refuse = fmt.Errorf("write /secret/place: %w", errMade)
	answer := s.ask("POST", "/api/v1/exports/2/cancel", "")
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusInternalServerError || bytes.Contains(text, []byte("secret")) {
		t.Errorf("answers %d: %s", answer.StatusCode, text)
	}
	s.office.refuse = &Refusal{Status: http.StatusConflict, Code: "adopted", Hint: "force it", Err: errMade}
	answer = s.ask("POST", "/api/v1/exports/2/cancel", "")
	text, _ = io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusConflict || !bytes.Contains(text, []byte(`"adopted"`)) || !bytes.Contains(text, []byte("force it")) {
		t.Errorf("answers %d: %s", answer.StatusCode, text)
	}
}
