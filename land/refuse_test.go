package land_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/weirhq/weir/land"
)

func TestRefusesByName(t *testing.T) {
	lookups := users + "," + fields + "," + timePeriods + "," + timeFrames
	for name, c := range map[string]struct{ text, check, detail string }{
		"bare array":          {`[` + entry("") + `]`, land.CheckShape, "an array"},
		"another key":         {`{"data":[` + entry("") + `]}`, land.CheckShape, `no entries at the top level, which has "data"`},
		"error object":        {`{"code":"bad_request","message":"no"}`, land.CheckShape, `"code", "message"`},
		"empty object":        {`{}`, land.CheckShape, "no members"},
		"a number":            {`17`, land.CheckShape, "a number"},
		"null":                {`null`, land.CheckShape, "null"},
		"entries an object":   {`{"entries":{},` + lookups + `}`, land.CheckShape, "entries is an object"},
		"entry a number":      {document(entry(""), "7"), land.CheckShape, "entries[1] is a number"},
		"user a string":       {`{"entries":[],"users":["x"]}`, land.CheckShape, "users[0] is a string"},
		"html":                {"<!DOCTYPE html><html>", land.CheckDocument, "HTML"},
		"xml":                 {"<error/>", land.CheckDocument, "markup"},
		"csv":                 {"User,Email,CRM User ID,Role\nA,b,c,d\n", land.CheckDocument, "CSV"},
		"empty":               {"", land.CheckDocument, "empty"},
		"half":                {document(entry(""))[:300], land.CheckDocument, "ends in the middle"},
		"trailing garbage":    {document(entry("")) + "x", land.CheckDocument, "not JSON"},
		"two documents":       {document(entry("")) + "{}", land.CheckDocument, "follows the end"},
		"invalid UTF-8":       {document(entry(",\"updatedBy\":\"\xff\"")), land.CheckDocument, "UTF-8"},
		"lone surrogate":      {document(entry(`,"updatedBy":"\ud800"`)), land.CheckDocument, "not JSON"},
		"repeated array":      {`{"entries":[],"entries":[],` + lookups + `}`, land.CheckDocument, "twice"},
		"repeated member":     {document(entry(`,"isUpdated":true,"isUpdated":false`)), land.CheckDocument, "twice"},
		"repeated unknown":    {document(entry(`,"x":{"a":1,"\u0061":2}`)), land.CheckDocument, "twice"},
		"bad number":          {document(entry(`,"forecastValue":01`)), land.CheckDocument, "not JSON"},
		"NaN":                 {document(entry(`,"forecastValue":NaN`)), land.CheckDocument, "not JSON"},
		"nesting in an entry": {document(entry(`,"x":` + strings.Repeat("[", 1<<16))), land.CheckDocument, "not JSON"},
		"nesting on top":      {`{"x":` + strings.Repeat(`{"":`, 1<<16), land.CheckDocument, "not JSON"},
		"numeric id":          {`{"entries":[{"userId":5}],` + lookups + `}`, land.CheckIDs, "userId of a row of entries is a number, not a string"},
		"numeric lookup id":   {`{"entries":[],"fields":[{"fieldId":{}}]}`, land.CheckIDs, "fieldId"},
		"same entry twice":    {document(entry(""), entry(`,"forecastValue":1`)), land.CheckEntryKeys, "entries[0] and entries[1]"},
		"unlike users":        {`{"entries":[` + entry("") + `],"users":[{"userId":"u1","name":"A"},{"userId":"u1","name":"B"}],` + timePeriods + `}`, land.CheckLookupKeys, `users holds different rows for the id of one person`},
		"another period":      {`{"entries":[],"timePeriods":[{"timePeriodId":"2026_Q4"}]}`, land.CheckPeriod, `asked for 2026_Q1, the result shows "2026_Q4"`},
		"an entry of another": {document(entry(""), strings.Replace(entry(""), "2026_Q1", "2026_Q4", 1)), land.CheckPeriod, "1 entry of another period"},
		"no period at all":    {`{"entries":[]}`, land.CheckPeriod, "no period at all"},
	} {
		t.Run(name, func(t *testing.T) {
			r := refusal(t, c.text, nil)
			if r.Check != c.check || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("refused by %s: %s\nwant %s: ...%s...", r.Check, r.Detail, c.check, c.detail)
			}
			if got := unpack(t, r.Kept); got != c.text {
				t.Errorf("kept %.60q", got)
			}
		})
	}
}

func TestRefusesWhatTheServerCallsTruncated(t *testing.T) {
	for name, change := range map[string]func(*land.Source){
		"rows":  func(s *land.Source) { s.Job.RowsTruncated = true },
		"cells": func(s *land.Source) { s.Job.CellsTruncated = true },
	} {
		if r := refusal(t, document(entry("")), change); r.Check != land.CheckTruncation || !strings.Contains(r.Detail, name) {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func TestRefusesAnotherCurrency(t *testing.T) {
	ask := func(s *land.Source) { s.Request.Currency = "usd" }
	r := refusal(t, document(entry(`,"currency":{"code":"EUR"}`)), ask)
	if r.Check != land.CheckCurrency || !strings.Contains(r.Detail, `"EUR"`) {
		t.Error(r)
	}
	src := source(t)
	ask(&src)
	got, err := land.Receive(context.Background(), strings.NewReader(document(entry(`,"currency":{"code":"USD"}`))), src)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if c := outcome(got, land.CheckCurrency); c != land.Passed {
		t.Errorf("currency %s", c)
	}
}

func outcome(r *land.Receipt, name string) land.Outcome {
	for _, c := range r.Checks() {
		if c.Name == name {
			return c.Outcome
		}
	}
	return ""
}

func TestRefusalText(t *testing.T) {
	r := refusal(t, "{\"entries\":[{\"userId\":[\"\\u001b[31m\"]}]}", nil)
	if strings.ContainsAny(r.Error(), "\x1b\n") {
		t.Errorf("control characters in %q", r.Error())
	}
}

// A value that does not end must not be held: 16 MiB is the most.
func TestRefusesLongValues(t *testing.T) {
	long := strings.Repeat("a", 1<<16)
	endless := func(before, piece string) io.Reader {
		return io.MultiReader(strings.NewReader(before), io.LimitReader(&repeat{piece: piece}, 64<<20))
	}
	for name, body := range map[string]io.Reader{
		"string in an entry":  endless(`{"entries":[{"updatedBy":"`, long),
		"string at the top":   endless(`{"x":"`, long),
		"number":              endless(`{"entries":[{"forecastValue":1`, "0"),
		"row of many members": io.MultiReader(strings.NewReader(`{"entries":[{"a":1`), io.LimitReader(&repeat{piece: `,"%"` + ":1", count: true}, 64<<20)),
		"unknown object":      io.MultiReader(strings.NewReader(`{"x":[[{"a":1`), io.LimitReader(&repeat{piece: `,"%"` + ":1", count: true}, 64<<20)),
		"objects in one":      io.MultiReader(strings.NewReader(`{"x":{"y":{"a":1`), io.LimitReader(&repeat{piece: `},"%"` + ":{", count: true}, 64<<20)),
		"white space":         endless(`{"entries":`, "        "),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := land.Receive(context.Background(), body, source(t))
			var refused *land.Refusal
			if !errors.As(err, &refused) || refused.Check != land.CheckSize {
				t.Errorf("got %v", err)
			}
		})
	}
}

// repeat gives a piece for ever, a running number in place of %.
type repeat struct {
	piece string
	count bool
	n     int
	rest  string
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.rest == "" {
		r.rest = r.piece
		if r.count {
			r.n++
			r.rest = strings.Replace(r.piece, "%", strings.Repeat("k", 1000)+string(rune('a'+r.n%26))+itoa(r.n), 1)
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func itoa(n int) string {
	digits := ""
	for ; n > 0; n /= 10 {
		digits = string(rune('0'+n%10)) + digits
	}
	return digits
}

func TestTransferErrors(t *testing.T) {
	text := document(entry(""))
	broken := errors.New("connection reset")
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
	}{
		"short":            {strings.NewReader(text), int64(len(text)) + 1},
		"long":             {strings.NewReader(text), int64(len(text)) - 1},
		"cut":              {strings.NewReader(text[:200]), int64(len(text))},
		"cut, no length":   {strings.NewReader(text[:200]), -1},
		"nothing of much":  {strings.NewReader(""), 100},
		"read error":       {io.MultiReader(strings.NewReader(text[:200]), failing{broken}), -1},
		"error at the end": {io.MultiReader(strings.NewReader(text), failing{broken}), -1},
		"unexpected EOF":   {io.MultiReader(strings.NewReader(text[:200]), failing{io.ErrUnexpectedEOF}), int64(len(text))},
		"bad and cut":      {io.MultiReader(strings.NewReader("[1"), failing{broken}), -1},
	} {
		t.Run(name, func(t *testing.T) {
			src := source(t)
			src.Length = c.length
			_, err := land.Receive(context.Background(), c.body, src)
			if !errors.Is(err, land.ErrTransfer) || errors.Is(err, land.ErrRefused) {
				t.Errorf("got %v", err)
			}
			if left, _ := os.ReadDir(src.SpoolDir); len(left) > 0 {
				t.Errorf("spool holds %v", left)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(src.SpoolDir), "rejected")); err == nil {
				t.Error("something was kept as rejected")
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestReceiveEndsWithItsContext(t *testing.T) {
	stop := errors.New("stopped by a test")
	ctx, cancel := context.WithCancelCause(context.Background())
	text := document(entry(""))
	body := io.MultiReader(strings.NewReader(text[:100]), readerFunc(func(p []byte) (int, error) {
		cancel(stop)
		return copy(p, text[100:120]), nil
	}), strings.NewReader(text[120:]))
	_, err := land.Receive(ctx, body, source(t))
	if !errors.Is(err, stop) || errors.Is(err, land.ErrTransfer) || errors.Is(err, land.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Whatever part of a document arrives, it never lands, and the error says
// whether asking again can help.
func TestCutAtEveryByte(t *testing.T) {
	text := `{"users":null,"timePeriods":[{"timePeriodId":"2026_Q1"}],"entries":[{"forecastValue":-1.5e3,"isUpdated":true,` +
		`"currency":{"code":"€"},"x":[null,{"\u00e9":false}]}]}`
	src := source(t)
	for cut := range len(text) {
		for _, length := range []int64{-1, int64(cut), int64(len(text))} {
			src.Length = length
			r, err := land.Receive(context.Background(), strings.NewReader(text[:cut]), src)
			if r != nil || err == nil {
				t.Fatalf("cut at %d landed", cut)
			}
			whole := length == int64(cut) || cut == 0 && length < 0
			if errors.Is(err, land.ErrRefused) != whole || errors.Is(err, land.ErrTransfer) == whole {
				t.Fatalf("cut at %d of announced %d: %v", cut, length, err)
			}
		}
	}
	if left, _ := os.ReadDir(src.SpoolDir); len(left) > 0 {
		t.Errorf("spool holds %v", left)
	}
}

// Small reads must not matter.
func TestOneByteAtATime(t *testing.T) {
	text := document(entry(`,"forecastValue":12.50`))
	r, err := land.Receive(context.Background(), readerFunc(oneByte(text)), source(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Rows() != 1 || r.Result().Bytes != int64(len(text)) {
		t.Errorf("%d rows of %d bytes", r.Rows(), r.Result().Bytes)
	}
}

func oneByte(text string) func([]byte) (int, error) {
	return func(p []byte) (int, error) {
		if text == "" {
			return 0, io.EOF
		}
		p[0], text = text[0], text[1:]
		return 1, nil
	}
}

func TestUnsupportedIsSaid(t *testing.T) {
	src := source(t)
	src.Request.Kind = "weather"
	if _, err := land.Receive(context.Background(), strings.NewReader(""), src); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestSpoolThatCannotBeWritten(t *testing.T) {
	src := source(t)
	if err := os.WriteFile(src.SpoolDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := land.Receive(context.Background(), strings.NewReader(document(entry(""))), src)
	var write *land.WriteError
	if !errors.Is(err, land.ErrDestination) || !errors.As(err, &write) {
		t.Errorf("got %v", err)
	}
}

func TestSpoolModes(t *testing.T) {
	src := source(t)
	r, err := land.Receive(context.Background(), strings.NewReader(document(entry(""))), src)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(src.SpoolDir, func(path string, entry os.DirEntry, _ error) error {
		info, err := entry.Info()
		want := os.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil || r.Close() != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(src.SpoolDir); len(left) > 0 {
		t.Errorf("after Close the spool holds %v", left)
	}
}

func TestSweepSpool(t *testing.T) {
	src := source(t)
	r, err := land.Receive(context.Background(), strings.NewReader(document(entry(""))), src)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(src.SpoolDir, "run-dead")
	if err := os.MkdirAll(filepath.Join(dead, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run-old.lock", "note.txt"} {
		if err := os.WriteFile(filepath.Join(src.SpoolDir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := land.SweepSpool(src.SpoolDir); err != nil {
		t.Fatal(err)
	}
	left := tree(t, src.SpoolDir)
	if len(left) != 4 { // raw, entries and lock of the live one, and the note
		t.Errorf("left %v", left)
	}
	dest, _ := directory(t)
	publish(t, r, dest, csv)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, src.SpoolDir); len(got) != 1 || got[0] != "note.txt" {
		t.Errorf("at the end %v", got)
	}
	if err := land.SweepSpool(filepath.Join(src.SpoolDir, "missing")); err != nil {
		t.Error(err)
	}
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	text, err := io.ReadAll(decoder)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Bytes that the announced hash is not of are a transfer to repeat, also where
// they are no document; those that it is of pass by name.
func TestAnnouncedHash(t *testing.T) {
	text := document(entry(""))
	sum := sha256.Sum256([]byte(text))
	src := source(t)
	src.SHA256 = sum[:]
	for _, lying := range []string{text + " ", "<html>"} {
		if _, err := land.Receive(context.Background(), strings.NewReader(lying), src); !errors.Is(err, land.ErrTransfer) {
			t.Errorf("%.10s: %v", lying, err)
		}
	}
	r, err := land.Receive(context.Background(), strings.NewReader(text), src)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	outcomes := map[string]land.Outcome{}
	for _, c := range r.Checks() {
		outcomes[c.Name] = c.Outcome
	}
	if outcomes[land.CheckHash] != land.Passed || outcomes[land.CheckTotals] != land.Passed {
		t.Errorf("%v", outcomes)
	}
}

// What totals leave out is noted by their check.
func TestTotalsAreChecked(t *testing.T) {
	for _, c := range receive(t, document(entry(`,"forecastValue":1e-900`))).Checks() {
		if c.Name == land.CheckTotals && (c.Outcome != land.Noted || c.Detail != "1 sum of 1 field; left out for their size: 1 number") {
			t.Errorf("%+v", c)
		}
	}
}

// What a refusal says ends in logs: no address of a person stands in it, in
// whatever place the server put one.
func TestRefusalsTellNoAddress(t *testing.T) {
	const lookups = `"timePeriods":[],"timeFrames":[]`
	for name, text := range map[string]string{
		"in an object":  `{"entries":[{"userId":{"mail":"ada@x.test"}}],` + lookups + `}`,
		"of a user":     `{"entries":[],"users":[{"userId":["ada@x.test"]}],` + lookups + `}`,
		"two rows":      `{"entries":[` + entry("") + `],"users":[{"userId":"ada@x.test","name":"A"},{"userId":"ada@x.test","name":"B"}],` + timePeriods + `}`,
		"an entry's id": strings.ReplaceAll(document(entry(""), entry("")), `"userId":"u1"`, `"userId":"ada@x.test"`),
		"a bad value":   `{"entries":[],"users":[{"userId":"u1","email":"ada@x.test"x}]}`,
	} {
		if r := refusal(t, text, nil); strings.Contains(r.Error()+r.Detail, "ada") {
			t.Errorf("%s: %v", name, r)
		}
	}
}
