package land_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

func auditSource(t testing.TB) land.Source {
	src := source(t)
	src.Request = weir.Request{Kind: weir.Audit, Since: "2026-11-01", Until: "2026-11-07"}
	return src
}

const auditDocument = `{"actors":[{"actorType":"USER","actorId":"u1","name":"Ada","email":"ada@x.test","team":"N"}],"items":[` +
	`{"actorId":"u1","actorType":"USER","sessionId":"s","sessionType":"WEB","event":"user.login","ipAddress":"192.0.2.1","eventParameters":{"path":"/v4", "n" : 1.0},"eventTimestamp":"2026-11-05T09:20:00.123Z"},` +
	`{"actorId":9,"event":"role.changed","eventParameters":"none","eventTimestamp":1793880000123,"why":null}]}`

func TestAuditEvents(t *testing.T) {
	r := receiveOf(t, auditDocument, auditSource(t))
	want := `position: 0 1
event_timestamp: "2026-11-05T09:20:00.123Z" "2026-11-05T12:00:00.123Z"
event: "user.login" "role.changed"
actor_id: "u1" "9"
session_type: "WEB" null
ip_address: "192.0.2.1" null
event_parameters: {"path":"/v4","n":1.0} null
_extra: null {"eventParameters":"none","why":null}`
	if got := columns(t, landedRows(t, r, "audit_events"), "position", "event_timestamp", "event", "actor_id", "session_type", "ip_address", "event_parameters", "_extra"); got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
	want = `actor_id: "u1"
actor_type: "USER"
name: "Ada"
email: "ada@x.test"
_extra: {"team":"N"}`
	if got := columns(t, landedRows(t, r, "audit_actors"), "actor_id", "actor_type", "name", "email", "_extra"); got != want {
		t.Errorf("actors\n%s\nwant\n%s", got, want)
	}
	dest, _ := directory(t)
	m := publish(t, r, dest, land.Target{Format: land.Parquet, Primary: true})
	if m.Dangling.Actors != 1 || outcome(r, land.CheckLookups) != land.Noted || m.Rows() != 2 {
		t.Errorf("manifest %+v", m)
	}
}

func TestAuditRefusalsAndNotes(t *testing.T) {
	for name, c := range map[string]struct{ text, check string }{
		"no items":     {`{"actors":[]}`, land.CheckShape},
		"another week": {`{"items":[{"eventTimestamp":"2026-10-01T00:00:00Z"}]}`, land.CheckRange},
		"an actor":     {`{"items":[],"actors":[{"actorId":{}}]}`, land.CheckIDs},
	} {
		if r := refusalAs(t, c.text, auditSource(t)); r.Check != c.check {
			t.Errorf("%s: refused by %s: %s", name, r.Check, r.Detail)
		}
	}
	old := auditSource(t)
	old.Request.Since = "2026-10-01"
	if got := outcome(receiveOf(t, `{"items":[]}`, old), land.CheckRange); got != land.Noted {
		t.Errorf("days that are no longer kept are %s", got)
	}
	twice := `{"items":[],"actors":[{"actorId":"u","name":"A"},{"actorId":"u","name":"B"}]}`
	if got := outcome(receiveOf(t, twice, auditSource(t)), land.CheckLookupKeys); got != land.Noted {
		t.Errorf("a renamed actor is %s", got)
	}
}

// Overlapping snapshots: of each instant the newest counts whose span holds it.
func TestViewsOfSpans(t *testing.T) {
	dest, path := directory(t)
	land1 := func(kind weir.Kind, since, until string, day int) {
		src := activitySource(t)
		src.Request = weir.Request{Kind: kind, Since: since, Until: until}
		src.SnapshotAt = time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)
		text := `{"activities":[]}`
		if kind == weir.Audit {
			text = `{"items":[]}`
		}
		publish(t, receiveOf(t, text, src), dest, csv)
	}
	land1(weir.Activity, "2026-11-01", "2026-11-07", 8)
	land1(weir.Activity, "2026-11-02", "2026-11-08", 9)
	land1(weir.Activity, "2026-11-03", "2026-11-03", 10)
	land1(weir.Activity, "2026-11-03", "2026-11-05", 8)
	land1(weir.Activity, "2026-11-08", "2026-11-12", 8) // its first day counts no more, the others do
	land1(weir.Audit, "2026-11-01", "2026-11-07", 8)
	views := read(t, path+"/_views/latest.sql")
	for _, want := range []string{
		"CREATE OR REPLACE VIEW activity_participants AS", "CREATE OR REPLACE VIEW audit_events AS", "PARTITION BY _weir_request, actor_type, actor_id",
		"WHERE activity_date IS NULL OR (activity_date NOT BETWEEN TIMESTAMPTZ '2026-11-02 00:00:00.000+00' AND TIMESTAMPTZ '2026-11-08 23:59:59.999+00')",
	} {
		if !strings.Contains(views, want) {
			t.Errorf("no %s in\n%s", want, views)
		}
	}
	// the newest two, the first day of the first, and nothing of the fourth
	_, activities, _ := strings.Cut(views, "VIEW activities AS")
	activities, _, _ = strings.Cut(activities, ";")
	for part, n := range map[string]int{"since=2026-11-01": 1, "since=2026-11-02": 1, "since=2026-11-03/until=2026-11-03": 1, "until=2026-11-05": 0, "until=2026-11-12": 1} {
		if got := strings.Count(activities, part); got != n {
			t.Errorf("%s stands %d times in\n%s", part, got, activities)
		}
	}
}

// The current quarter, asked for without its name, lands as what came.
func TestCurrentWeek(t *testing.T) {
	src := source(t)
	src.Request = weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Direct: true}
	src.Job = weir.Job{}
	r := receiveOf(t, document(entry("")), src)
	dest, path := directory(t)
	m := publish(t, r, dest, csv)
	want := "forecast_id=net_arr/time_period=2026_Q1/snapshot=20261123T150405Z-now-" + r.Result().SHA256[:8] + ".json"
	if !strings.HasSuffix(m.Path, want) || m.Request.Period != "2026_Q1" || !m.Request.Direct || m.Job.ID != "" {
		t.Errorf("manifest %+v", m)
	}
	if rows := read(t, path+"/"+m.Tables[0].Files[0].Path); !strings.Contains(rows, ","+src.Request.Likeness()+",,2026-11-23T15:04:05.678Z,") {
		t.Errorf("rows\n%s", rows)
	}
	found, err := dest.Find(context.Background(), src.Request, land.CSV)
	if err != nil || len(found) != 1 || found[0].Path != m.Path {
		t.Errorf("found %+v, %v", found, err)
	}
	two := `{"entries":[],"timePeriods":[{"timePeriodId":"2026_Q1"},{"timePeriodId":"2026_Q2"}]}`
	for _, text := range []string{two, `{"entries":[]}`, `{"entries":[],"timePeriods":[{"timePeriodId":"../x"}]}`} {
		if r := refusalAs(t, text, src); r.Check != land.CheckPeriod {
			t.Errorf("refused by %s: %s", r.Check, r.Detail)
		}
	}
}

// FuzzAudit: what is accepted is strict JSON of which every event lands.
func FuzzAudit(f *testing.F) {
	f.Add([]byte(auditDocument))
	f.Add([]byte(`{"items":[{"eventParameters":{"a":[{}]}}],"actors":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		src := auditSource(t)
		src.Request.Since, src.Request.Until = "", ""
		r, err := land.Receive(context.Background(), bytes.NewReader(text), src)
		if err != nil {
			if r != nil || !errors.Is(err, land.ErrRefused) && !errors.Is(err, land.ErrTransfer) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer r.Close()
		var plain struct{ Items, Actors []any }
		if err := json.Unmarshal(text, &plain); err != nil || int64(len(plain.Items)) != r.Rows() {
			t.Fatalf("%d of %d events: %v", r.Rows(), len(plain.Items), err)
		}
		if got := len(column(t, landedRows(t, r, "audit_actors"), "_extra")); got != len(plain.Actors) {
			t.Fatalf("%d actors of %d", got, len(plain.Actors))
		}
		dest, _ := directory(t)
		publish(t, r, dest, land.Target{Format: land.Parquet})
	})
}
