package land_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

func activitySource(t testing.TB) land.Source {
	src := source(t)
	src.Request = weir.Request{Kind: weir.Activity, Since: "2026-11-01", Until: "2026-11-07"}
	return src
}

// receiveOf verifies a text as the result of a source.
func receiveOf(t testing.TB, text string, src land.Source) *land.Receipt {
	t.Helper()
	r, err := land.Receive(context.Background(), strings.NewReader(text), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func refusalAs(t *testing.T, text string, src land.Source) *land.Refusal {
	t.Helper()
	_, err := land.Receive(context.Background(), strings.NewReader(text), src)
	var refused *land.Refusal
	if !errors.As(err, &refused) {
		t.Fatalf("Receive(%.60q) = %v, want a refusal", text, err)
	}
	return refused
}

// landedRows publishes a receipt as JSONL and gives one table.
func landedRows(t testing.TB, r *land.Receipt, table string) string {
	t.Helper()
	dest, path := directory(t)
	m := publish(t, r, dest, jsonl)
	for _, mt := range m.Tables {
		if mt.Name == table {
			return read(t, filepath.Join(path, mt.Files[0].Path))
		}
	}
	t.Fatalf("no table %s", table)
	return ""
}

func columns(t *testing.T, text string, names ...string) string {
	t.Helper()
	var lines []string
	for _, name := range names {
		lines = append(lines, name+": "+strings.Join(column(t, text, name), " "))
	}
	return strings.Join(lines, "\n")
}

const activityDocument = `{"activities":[` +
	`{"accounts":[{"accountId":"001","accountName":"Big, \"Co\"","tier":1}],"activityId":"a1","activityType":"MEETING","subject":"Hi\n","date":1793880000123,` +
	`"activityOwnerId":"u1","activityOrganiserId":7,"opportunities":[],"participants":[{"name":"Ada","email":"ada@x.test","sfdcUserId":"5","isInternal":true},"bob@x.test","Carl",null,3],"mood":{"a":1.50}},` +
	`{"activityId":12,"activityType":"EMAIL_SENT","date":"1793880000124","accounts":["001","002"],"opportunities":"none","participants":null},` +
	`{"date":"2026-11-07T23:59:59.999Z"}]}`

func TestActivities(t *testing.T) {
	r := receiveOf(t, activityDocument, activitySource(t))
	if r.Rows() != 3 {
		t.Errorf("%d rows", r.Rows())
	}
	for table, want := range map[string]string{
		"activities": `activity_id: "a1" "12" null
activity_position: 0 1 2
activity_type: "MEETING" "EMAIL_SENT" null
subject: "Hi\n" null null
activity_date: "2026-11-05T12:00:00.123Z" "2026-11-05T12:00:00.124Z" "2026-11-07T23:59:59.999Z"
activity_owner_id: "u1" null null
activity_organiser_id: "7" null null
_extra: {"mood":{"a":1.50}} {"opportunities":"none"} null`,
		"activity_accounts": `activity_id: "a1" "12" "12"
activity_position: 0 1 1
activity_date: "2026-11-05T12:00:00.123Z" "2026-11-05T12:00:00.124Z" "2026-11-05T12:00:00.124Z"
position: 0 0 1
account_id: "001" "001" "002"
account_name: "Big, \"Co\"" null null
_extra: {"tier":1} null null`,
		"activity_participants": `activity_id: "a1" "a1" "a1" "a1" "a1"
position: 0 1 2 3 4
name: "Ada" null "Carl" null null
email: "ada@x.test" "bob@x.test" null null null
crm_user_id: "5" null null null null
is_internal: true null null null null
_extra: null null null null {"value":3}`,
	} {
		names := []string{}
		for line := range strings.Lines(want) {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
		if got := columns(t, landedRows(t, r, table), names...); got != want {
			t.Errorf("%s\n%s\nwant\n%s", table, got, want)
		}
	}
	if got := landedRows(t, r, "activity_opportunities"); got != "" {
		t.Errorf("opportunities %s", got)
	}
}

func TestActivityPlaces(t *testing.T) {
	dest, path := directory(t)
	publish(t, receiveOf(t, activityDocument, activitySource(t)), dest, csv)
	where := "since=2026-11-01/until=2026-11-07/snapshot=20261123T150405Z-" + jobID
	want := []string{"_manifests/activity/" + where + ".json", "_views/latest.sql", "_raw/activity/" + where + ".json.zst"}
	for _, table := range land.ActivityTables() {
		want = append(want, table.Name+"/"+where+"/part-0.csv")
	}
	if got := tree(t, path); !sameSet(got, want) {
		t.Errorf("got  %s", strings.Join(got, "\n     "))
	}
	found, err := dest.Find(context.Background(), activitySource(t).Request, land.CSV)
	if err != nil || len(found) != 1 || found[0].Misfits["activities"]["opportunities"] != 1 || found[0].Unknown["activities[].accounts"]["tier"] != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
	offset := activitySource(t)
	offset.Request.Since, offset.Request.Until = "2026-11-01T12:00:00+02:00", "2026-11-06T12:00:00.005-05:00"
	m := publish(t, receiveOf(t, activityDocument, offset), dest, csv)
	if !strings.HasPrefix(m.Path, "_manifests/activity/since=20261101T100000Z/until=20261106T170000005Z/") {
		t.Errorf("manifest %s", m.Path)
	}
}

func TestActivityRefusals(t *testing.T) {
	one := func(members string) string {
		return `{"activities":[{"activityId":"a","date":1793880000123` + members + `}]}`
	}
	for name, c := range map[string]struct{ text, check, detail string }{
		"a forecast":      {document(entry("")), land.CheckShape, `no activities at the top level, which has "entries"`},
		"a bare array":    {`[{"activityId":"a"}]`, land.CheckShape, "an array, not an object with activities"},
		"an element":      {`{"activities":["a"]}`, land.CheckShape, "activities[0] is a string"},
		"an id":           {`{"activities":[{"activityId":["a"]}]}`, land.CheckIDs, "activityId"},
		"an id twice":     {`{"activities":[{"activityId":"a"},{"activityId":"b"},{"activityId":"a"}]}`, land.CheckActivities, "activities[0] and activities[2]"},
		"a number as id":  {`{"activities":[{"activityId":"1"},{"activityId":1}]}`, land.CheckActivities, "activities[0] and activities[1]"},
		"another week":    {`{"activities":[{"activityId":"a","date":1793188800000}]}`, land.CheckRange, "asked for 2026-11-01..2026-11-07, 1 activity outside it, one at 2026-10-28T12:00:00Z"},
		"half":            {one("")[:40], land.CheckDocument, "ends in the middle"},
		"half an array":   {one(`,"accounts":[{"accountId":"1"},`)[:70], land.CheckDocument, "ends in the middle"},
		"repeated member": {one(`,"accounts":[],"accounts":[]`), land.CheckDocument, "twice"},
		"repeated inside": {one(`,"accounts":[{"a":1,"a":2}]`), land.CheckDocument, "twice"},
	} {
		src := activitySource(t)
		src.Length = int64(len(c.text))
		r := refusalAs(t, c.text, src)
		if r.Check != c.check || !strings.Contains(r.Detail, c.detail) {
			t.Errorf("%s: refused by %s: %s\nwant %s: ...%s...", name, r.Check, r.Detail, c.check, c.detail)
		}
		if unpack(t, r.Kept) != c.text || !strings.Contains(r.Kept, "activity-2026-11-01-2026-11-07-") {
			t.Errorf("%s: kept as %s", name, r.Kept)
		}
	}
}

// What is no reason to refuse is noted.
func TestActivityNotes(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		types []string
		check string
		want  land.Outcome
	}{
		"nothing":          {`{"activities":null}`, nil, land.CheckRange, land.NotShown},
		"no date":          {`{"activities":[{"activityId":"a"}]}`, nil, land.CheckRange, land.NotShown},
		"a date missing":   {`{"activities":[{"activityId":"a"},{"activityId":"b","date":1793880000123}]}`, nil, land.CheckRange, land.Noted},
		"another midnight": {`{"activities":[{"activityId":"a","date":"2026-11-08T07:00:00Z"}]}`, nil, land.CheckRange, land.Noted},
		"in the week":      {`{"activities":[{"activityId":"a","date":"2026-11-01T00:00:00Z"}]}`, nil, land.CheckRange, land.Passed},
		"no id":            {`{"activities":[{},{}]}`, nil, land.CheckActivities, land.Noted},
		"another type":     {`{"activities":[{"activityType":"EMAIL_SENT"}]}`, []string{"MEETING"}, land.CheckTypes, land.Noted},
		"the type":         {`{"activities":[{"activityType":"MEETING"}]}`, []string{"MEETING"}, land.CheckTypes, land.Passed},
		"any type":         {`{"activities":[{"activityType":"MEETING"}]}`, nil, land.CheckTypes, land.NotAsked},
	} {
		src := activitySource(t)
		src.Request.Types = c.types
		if got := outcome(receiveOf(t, c.text, src), c.check); got != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.check, got, c.want)
		}
	}
}

// An activity may have more children than a batch holds, and a document more
// activities: nothing is lost or put elsewhere at the seams.
func TestManyActivities(t *testing.T) {
	const activities, most = 10_000, 20_000
	var text strings.Builder
	text.WriteString(`{"activities":[`)
	want := 0
	for i := range activities {
		if i > 0 {
			text.WriteString(",")
		}
		children := i % 3
		if i == 8191 {
			children = most
		}
		want += children
		fmt.Fprintf(&text, `{"participants":[%s],"activityId":"a%d"}`, strings.TrimSuffix(strings.Repeat(`"x",`, children), ","), i)
	}
	text.WriteString("]}")
	r := receiveOf(t, text.String(), activitySource(t))
	rows, position, last := 0, 0, ""
	for line := range strings.Lines(landedRows(t, r, "activity_participants")) {
		var row struct {
			ID       string `json:"activity_id"`
			Activity int    `json:"activity_position"`
			Position int    `json:"position"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.ID != last {
			position, last = 0, row.ID
		}
		if row.ID != fmt.Sprintf("a%d", row.Activity) || row.Position != position {
			t.Fatalf("row %d is %+v, want position %d", rows, row, position)
		}
		position++
		rows++
	}
	if r.Rows() != activities || rows != want {
		t.Errorf("%d activities and %d participants, want %d and %d", r.Rows(), rows, activities, want)
	}
}

func TestTooManyChildren(t *testing.T) {
	text := `{"activities":[{"accounts":[` + strings.Repeat("1,", 1<<18) + `1]}]}`
	if r := refusalAs(t, text, activitySource(t)); r.Check != land.CheckSize {
		t.Errorf("refused by %s", r.Check)
	}
}

// FuzzActivities: what is accepted is strict JSON of which every activity and
// every element of its arrays lands.
func FuzzActivities(f *testing.F) {
	f.Add([]byte(activityDocument))
	f.Add([]byte(`{"activities":[{"activityId":"a","accounts":[[],{},"x",null,1e9]}],"x":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		src := activitySource(t)
		src.Request.Since, src.Request.Until = "", ""
		r, err := land.Receive(context.Background(), bytes.NewReader(text), src)
		if err != nil {
			if r != nil || !errors.Is(err, land.ErrRefused) && !errors.Is(err, land.ErrTransfer) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer r.Close()
		var plain struct{ Activities []map[string]any }
		if err := json.Unmarshal(text, &plain); err != nil || int64(len(plain.Activities)) != r.Rows() {
			t.Fatalf("%d of %d activities: %v", r.Rows(), len(plain.Activities), err)
		}
		for table, member := range map[string]string{"activity_accounts": "accounts", "activity_opportunities": "opportunities", "activity_participants": "participants"} {
			want := 0
			for _, a := range plain.Activities {
				if list, ok := a[member].([]any); ok {
					want += len(list)
				}
			}
			if got := len(column(t, landedRows(t, r, table), "_extra")); got != want {
				t.Fatalf("%s: %d rows of %d", table, got, want)
			}
		}
	})
}

// manyActivities generates a result without holding it.
type manyActivities struct {
	activities, at int
	rest           string
	peak           *peak
}

func (s *manyActivities) Read(p []byte) (int, error) {
	for s.rest == "" {
		switch {
		case s.at > s.activities:
			return 0, io.EOF
		case s.at == s.activities:
			s.rest = `{}]}`
		default:
			s.rest = fmt.Sprintf(`{"activityId":"activity-%d","subject":"Subject %d","date":1793880000123,"accounts":[{"accountId":"00%d","accountName":"Customer %d"}],`+
				`"participants":[{"name":"Person %d","email":"p%d@x.test"},"q%d@x.test"]},`, s.at, s.at, s.at, s.at, s.at, s.at, s.at)
		}
		if s.at == 0 {
			s.rest = `{"activities":[` + s.rest
		}
		if s.at++; s.at%20_000 == 0 {
			s.peak.look()
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Memory does not grow with the document: 8 MB of activities stay below 40 MB,
// and four times as many do too.
func TestActivitiesInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads 40 MB")
	}
	const bound = 40 << 20
	for _, n := range []int{40_000, 160_000} {
		body := &manyActivities{activities: n, peak: newPeak()}
		r, err := land.Receive(context.Background(), body, activitySource(t))
		if err != nil {
			t.Fatal(err)
		}
		dest, _ := directory(t)
		m := publish(t, r, dest, land.Target{Format: land.CSV, Primary: true})
		if r.Rows() != int64(n)+1 || m.Tables[3].Rows != int64(2*n) {
			t.Errorf("%d activities, %d participants of %d", r.Rows(), m.Tables[3].Rows, n)
		}
		body.peak.look()
		if got := body.peak.above(); got > bound {
			t.Errorf("%d activities took %d MiB", n, got>>20)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
