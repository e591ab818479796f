package landtest

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// Rows is how many entries each result of the suite has.
const Rows = 4

// HostileID is a forecast id that is nobody's friend in paths and SQL.
const HostileID = "../Ä' \";%00\\x"

// Result is a small result in which every type of column stands, text of many
// scripts, quotes, a NUL, numbers that no double names, and fields that nobody
// knows.
func Result() string {
	return `{"entries":[` + strings.Join([]string{
		`{"userId":"u1","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1","forecastValue":1234.5,"isUpdated":true,"updatedBy":"u2","updatedOn":1767625445678,"currency":{"code":"USD","symbol":"$"}}`,
		`{"userId":"u2","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1","forecastValue":-0,"isUpdated":false,"quotaValue":9007199254740993,"adjustmentValue":1e400}`,
		`{"userId":"u1","fieldId":"fé","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1","forecastValue":null,"updatedBy":"","mood":{"a":[1.10,"\u0000"]}}`,
		`{"userId":"gone","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1","crmTotal":0.1}`,
	}, ",") + `],"users":[{"userId":"u1","name":"Ada \"A\" L, Jr\n\\.","email":"ada@x.test","scopeId":"{\"a\":1}"},{"userId":"u2","name":"Ωmega 日本 😀\u0000","email":null}],` +
		`"fields":[{"fieldId":"f1","fieldName":"Commit","fieldType":"currency"}],` +
		`"timePeriods":[{"timePeriodId":"2026_Q1","type":"quarter","label":"Q1","year":2026,"startDate":"2026-01-01","endDate":"2026-03-31","crmId":"p1"}],` +
		`"timeFrames":[{"timeFrameId":"TF:2026-01-05","startDate":"2026-01-05","endDate":"2026-01-11"}]}`
}

// Activities is a small activity result of the first week of November 2026.
func Activities() string {
	return `{"activities":[{"activityId":"a1","activityType":"MEETING","subject":"Ω \u0000","date":1793880000123,` +
		`"accounts":[{"accountId":"001","accountName":"Big, \"Co\"","tier":1}],"participants":[{"name":"Ada","email":"ada@x.test","isInternal":true},"bob@x.test"]},` +
		`{"activityId":2,"date":"1793880000124","opportunities":["006"]}]}`
}

// AuditEvents is a small result of audit events of the same week.
func AuditEvents() string {
	return `{"items":[{"actorId":"u1","event":"user.login","eventParameters":{"path":"\u0000"},"eventTimestamp":"2026-11-05T09:20:00.123Z"},` +
		`{"actorId":"gone","event":"role.changed"}],"actors":[{"actorType":"USER","actorId":"u1","name":"Ada"}]}`
}

// Receive verifies a result as the answer to a request that change may alter.
func Receive(t testing.TB, text string, change func(*land.Source)) *land.Receipt {
	t.Helper()
	src := land.Source{
		Request:    weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"},
		Job:        weir.Job{ID: "6073683781a6da229df71e00", RawStatus: "DONE"},
		SnapshotAt: time.Date(2026, 11, 23, 15, 4, 5, 678_000_000, time.UTC), Length: -1, Version: "test",
		SpoolDir: filepath.Join(t.TempDir(), "spool"),
	}
	if change != nil {
		change(&src)
	}
	r, err := land.Receive(context.Background(), strings.NewReader(text), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
