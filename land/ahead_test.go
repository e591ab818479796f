package land

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

// story is everything that reading a result brought to light, as text.
func story(t testing.TB, text string, change func(*Source)) string {
	t.Helper()
	src := Source{
		Request: weir.Request{Kind: weir.Forecast, ForecastID: "f", Period: "2026_Q1"}, Job: weir.Job{ID: "j"},
		SnapshotAt: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Length: int64(len(text)), SpoolDir: filepath.Join(t.TempDir(), "spool"),
	}
	change(&src)
	r, err := Receive(context.Background(), strings.NewReader(text), src)
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return "refused: " + refusal.Check + ": " + refusal.Detail
	}
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	f := r.content.(*forecast)
	var out bytes.Buffer
	var dangling Dangling
	for _, table := range ForecastTables() {
		e, err := newJSONLEncoder(&out, table)
		if err != nil {
			t.Fatal(err)
		}
		missing, err := r.visit(context.Background(), table, e.write)
		if err = errors.Join(err, e.close()); err != nil {
			t.Fatal(err)
		}
		dangling.add(missing)
	}
	fmt.Fprintln(&out, r.Checks(), f.evidence.rows, f.evidence.periods, f.evidence.present, f.inexact, f.totals.list(), f.totals.beyond, dangling)
	for _, array := range slices.Sorted(maps.Keys(f.readers)) {
		fmt.Fprintln(&out, array, f.readers[array].unknown.names(), f.readers[array].misfits.names())
	}
	fmt.Fprintln(&out, f.evidence.entryPeriod.names(), f.evidence.currencies.names(), f.entries.unknown.names(), f.entries.misfits.names(), f.unknownTop.names())
	return out.String()
}

func parsed(s *Source) { s.parserOnly = true }

func inPieces(size int) func(*Source) { return func(s *Source) { s.pieceBytes = size } }

// alike reads a text by the parser alone and ahead of it, in pieces of several
// sizes.
func alike(t *testing.T, text string, sizes ...int) {
	t.Helper()
	want := story(t, text, parsed)
	for _, size := range sizes {
		if got := story(t, text, inPieces(size)); got != want {
			at := 0
			for at < len(got) && at < len(want) && got[at] == want[at] {
				at++
			}
			t.Fatalf("pieces of %d bytes of %.500q: got\n%.300s\nwant\n%.300s", size, text, got[max(at-50, 0):], want[max(at-50, 0):])
		}
	}
}

const (
	oddPeriods = `"timePeriods":[{"timePeriodId":"2026_Q1","startDate":"2026-01-01","endDate":"2026-03-31"}]`
	oddLookups = oddPeriods + `,"users":[{"userId":"u1","name":"A"}]`
)

// Every way in which an element can be unusual or wrong reads as the parser
// reads it, refusals and their places included.
func TestAheadReadsAsTheParserDoes(t *testing.T) {
	for _, odd := range []string{
		`{}`, `{"userId":null}`, `{ "userId" : "u1" , "fieldId":"f" }`, `{"userId":"u\u0031","currency":{"code":"USD","symbol":"€"}}`,
		`{"userId":"a\ud83d\ude00","updatedBy":"\ud800"}`, "{\"userId\":\"\xff\"}", "{\"userId\":\"a\nb\"}", `{"userId":5}`, `{"userId":{}}`,
		`{"x":1,"x":2}`, `{"x":1,"\u0078":2}`, `{"userId":"u1","user\u0049d":"u2"}`, `{"currency":{"code":"A","code":"B"}}`, `{"currency":{},"currency":null}`,
		`{"currency":{"z":[1, 2 ],"code":7}}`, `{"currency":"USD"}`, `{"currency":null}`, `{"currency":[]}`, `{"x":{"a":1,"a":2}}`, `{"x":[{"userId":"t"},{"userId":"t"}]}`,
		`{"x":[}`, `{"x":[1,]}`, `{"x":tru}`, `{"x":nul}`, `{"x":-}`, `{"x":01}`, `{"x":1.}`, `{"x":1e}`, `{"x":.5}`, `{"x":+1}`, `{"x":1e5,"y":-0.0e-1}`,
		`{"forecastValue":1e400,"quotaValue":-0,"crmTotal":"12","crmClosed":123456789012345678901}`, `{"forecastValue":true,"isUpdated":1,"isUpdated2":false}`,
		`{"forecastValue":01}`, `{"forecastValue":1.}`, `{"forecastValue":-}`, `{"forecastValue":1.2.3}`, `{"forecastValue":00.5}`, `{"forecastValue":.5}`, `{"forecastValue":5`,
		`{"forecastValue":-0.00,"quotaValue":0.50,"crmTotal":0,"crmClosed":-12.5}`, `{"forecastValue":123456789012345678,"quotaValue":1234567890123456.78,"crmTotal":1234567890123456789}`,
		`{"updatedBy":"a\\"},{"updatedBy":"a\","x":1}`,
		`{"updatedBy":"a\\"},{"updatedBy":"a\\"},{"updatedBy":"a\"b"},{"updatedBy":"a"},{"updatedBy":"\u0061"},{"updatedBy":"a"},{"updatedBy":"ab"},{"updatedBy":""},{"updatedBy":"€"},{"updatedBy":"€"}`,
		`{"updatedOn":"2026-01-01T00:00:00Z","adjustedOn":1767952800123,"isUpdated":true}`, `{"updatedOn":"x","adjustedOn":1.5}`,
		`{"` + strings.Repeat("n", 300) + `":1}`, `{"x":"` + strings.Repeat(`y`, 3000) + `"}`, `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
		`{"x":` + strings.Repeat("[", 12_000), `7`, `null`, `[]`, `"s"`, ``, `,`, `{"userId":"u1"} {"userId":"u2"}`, `{"userId":"u1"`, `{"userId"}`, `{"userId" "u1"}`, `{userId:1}`,
		"{\"userId\":\"u1\"}\x00", `{"":1,"":2}`, `{"":{}}`, `{"a":"\u0000","b":"\/\b"}`, `{"timePeriodId":"2026_Q4"}`, `{'userId':1}`, `{"userId":"u1",}`, `]`, `}`,
	} {
		for _, form := range []string{
			`{"entries":[%s],` + oddLookups + `}`, `{` + oddLookups + `,"entries":[` + plain(9) + `,%s,` + plain(20) + `]}`,
			"{\"a\":1,\"entries\" : [\n" + plain(5) + " ,\n%s , " + plain(3) + " ] ,\n" + oddLookups + `,"b":{"c":[{}]}}`, `{"entries":[` + plain(5) + `,%s`,
			`{"entries":[` + plain(5) + `,%s],"entries":[],` + oddLookups + `}`,
			`{"users":[` + people(9) + `,%s,` + people(4) + `],"entries":[` + plain(5) + `],` + oddPeriods + `,"fields":[%s]}`,
		} {
			alike(t, strings.ReplaceAll(form, "%s", odd), 60, 700, aheadPiece)
		}
	}
}

func plain(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"userId":"u%d","fieldId":"f%d","timePeriodId":"2026_Q1","forecastValue":%d.5,"updatedBy":null,"x%d":[{"userId":"n"},{"userId":"n"}]}`, n*100+i, i%3, i, i%4))
	}
	return strings.Join(all, ",")
}

// people are users, some of whom have more than the columns take.
func people(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"userId":"u%d","name":"P %d","email":"p%d@x","scopeId":null,"hierarchyName":%d,"x":{"userId" : "n"}}`, n*100+i, i, i%3, i))
	}
	return strings.Join(all, ",")
}

// Guesses that are wrong, rows larger than a piece, and more rows and names
// than one scan takes.
func TestAheadOfManyRows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var many, traps, names []string
	for i := range 9_000 {
		many = append(many, fmt.Sprintf(`{"userId":"u%d"}`, i))
		if i < 300 {
			traps = append(traps, fmt.Sprintf(`{"userId":"u%d","x":[%s],"timePeriodId":"2026_Q1"}`, i, strings.Repeat(`{"userId":"n"},`, random.IntN(60))+"0"))
		}
		if i < 600 {
			names = append(names, fmt.Sprintf(`{"userId":"u%d","n%d":1,"fieldId":"f%d","currency":{"code":"C%d"}}`, i, i%250, i, i))
		}
	}
	for _, rows := range [][]string{many, traps, names} {
		alike(t, `{"entries":[`+strings.Join(rows, ",")+`],`+oddLookups+`}`, 200, 5000, aheadPiece)
		alike(t, `{`+oddPeriods+`,"users":[`+strings.Join(rows, ",")+`],"entries":[`+plain(9)+`]}`, 200, 5000, aheadPiece)
	}
}

// The number of workers decides nothing.
func TestAnyNumberOfWorkers(t *testing.T) {
	text := `{` + oddPeriods + `,"entries":[` + plain(3000) + `],"users":[` + people(3*shortLookup) + `]}`
	want := story(t, text, parsed)
	if got := story(t, text, func(*Source) {}); got != want {
		t.Error("pieces of the usual size read otherwise")
	}
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, workers := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(workers)
		if got := story(t, text, inPieces(3000)); got != want {
			t.Errorf("%d workers read otherwise", workers)
		}
	}
}

func FuzzAhead(f *testing.F) {
	f.Add([]byte(`{"entries":[`+plain(3)+`],`+oddLookups+`}`), 40)
	f.Add([]byte(`{"entries":[{"userId":"a","x":{"y":[1]}},{"currency":{"code":"\u00e9"}}],"x":[]}`), 20)
	f.Add([]byte(`{"timePeriods":[],"entries":[{"forecastValue":-1.5e3}, {} ]}`), 7)
	f.Add([]byte(`{"users":[`+people(3)+`],"entries":[`+plain(2)+`],"timePeriods":[{"timePeriodId":"2026_Q1","year":2026,"startDate":1e3}]}`), 50)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		alike(t, string(text), 2+size&0x3ff, aheadPiece)
	})
}
