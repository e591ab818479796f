package land

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func numbers(literals ...string) *vector {
	v := &vector{kind: Number, texts: newTexts()}
	for _, literal := range literals {
		v.tags, v.vals = append(v.tags, tagNull), append(v.vals, 0)
		v.setNumber([]byte(literal))
	}
	return v
}

func TestNumberSurvivesDouble(t *testing.T) {
	for literal, want := range map[string]bool{
		"0": true, "-0": true, "0.1": true, "0.10": true, "1e308": true, "5e-324": true, "-1.50E+3": true, "123456789012345": true, "100000000000000000000": true,
		"9007199254740993": false, "9007199254740992": true, "123456789012345678": false, "0.123456789012345678": false, "1e400": false, "-1e400": false,
		"1e-400": false, "2e-324": false, "1e-99999999999999999999": false, "0e99999999999999999999": true, "0.30000000000000004": true, "0.300000000000000044": false,
		"999999999999999999": false, "1000000000000000001": false,
	} {
		v := numbers(literal)
		got, survives := v.float(0)
		nearest, _ := strconv.ParseFloat(literal, 64)
		if survives != want || survives != v.survives(0) {
			t.Errorf("%s survives: %v", literal, survives)
		}
		lost := math.IsInf(nearest, 0) || nearest == 0 && !want
		if lost != math.IsNaN(got) || !lost && (got != nearest || math.Signbit(got) != math.Signbit(nearest)) {
			t.Errorf("%s is %v, want %v", literal, got, nearest)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"0", "-0.0", "12.50", "-999999999999999999", "1e5", "0.000000000000000001", "123456789012345678.9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, literal string) {
		nearest, err := strconv.ParseFloat(literal, 64)
		if err != nil || !isJSONNumber(literal) || len(literal) > 400 {
			t.Skip()
		}
		v := numbers(literal)
		if got := string(v.appendLiteral(nil, 0)); got != literal {
			t.Fatalf("%s came back as %s", literal, got)
		}
		value, survives := v.float(0)
		exact, ok := new(big.Rat).SetString(literal)
		shortest, _ := new(big.Rat).SetString(strconv.FormatFloat(nearest, 'e', -1, 64))
		if ok && survives != (exact.Cmp(shortest) == 0) {
			t.Fatalf("%s survives: %v", literal, survives)
		}
		if !math.IsNaN(value) && value != nearest {
			t.Fatalf("%s is %v, want %v", literal, value, nearest)
		}
	})
}

func isJSONNumber(literal string) bool {
	if len(literal) > 5 && (bytes.ContainsAny([]byte(literal[len(literal)-5:]), "eE")) == false && bytes.ContainsAny([]byte(literal), "eE") {
		return false // exponents that big.Rat would take for ever over
	}
	value, err := jsontext.NewDecoder(bytes.NewReader([]byte(literal))).ReadValue()
	return err == nil && value.Kind() == '0' && string(value) == literal
}

// Rows of another batch keep their texts and literals, whose codes change.
func TestBatchAppend(t *testing.T) {
	fill := func(text, literal string) *batch {
		b := newBatch([]Kind{Text, Number})
		for _, literal := range []string{"1.50", literal} {
			b.addRow()
			b.cols[0].setText([]byte(text))
			b.cols[1].setNumber([]byte(literal))
		}
		b.addRow()
		return b
	}
	all := fill("a", "1e5")
	all.append(fill("b", "2e5"))
	all.append(fill("a", "1e5"))
	got := ""
	for row := range all.rows {
		if code := all.cols[0].codes[row]; code != 0 {
			got += string(all.cols[0].texts.at(code)) + string(all.cols[1].appendLiteral(nil, row))
		}
		got += ";"
	}
	if want := "a1.50;a1e5;;b1.50;b2e5;;a1.50;a1e5;;"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSumsAreExact(t *testing.T) {
	for want, literals := range map[string][]string{
		"0.3":                     {"0.1", "0.2"},
		"0":                       {"-0", "0.00", "1.5", "-1.5"},
		"-0.05":                   {"-0.05"},
		"1999999999999999998":     {"999999999999999999", "999999999999999999"},
		"9999999999999999990.001": {"999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "999999999999999999", "0.001"},
		"100000000000000000000.5": {"1e20", "5E-1"},
		"-9999999999999999990":    {"-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999", "-999999999999999999"},
	} {
		v, s := numbers(literals...), &sum{}
		for row := range literals {
			s.add(v, row)
		}
		if got := s.text(); got != want || s.rows != int64(len(literals)) {
			t.Errorf("%v sum to %s, want %s", literals, got, want)
		}
	}
	bomb, s := numbers("1e999999999", "1"), &sum{}
	s.add(bomb, 0)
	s.add(bomb, 1)
	if s.text() != "1" || s.skipped != 1 {
		t.Errorf("sum %s, skipped %d", s.text(), s.skipped)
	}
}

// Keys beyond memory go to disk, and a repetition is found across runs.
func TestKeysBeyondMemory(t *testing.T) {
	const rows = 3*keysPerRun + 1000
	for _, repeat := range []bool{false, true} {
		k := newKeySet(func() (*os.File, error) { return os.Create(filepath.Join(t.TempDir(), "keys")) })
		b := newBatch([]Kind{Text, Text})
		for n := range rows {
			id := n
			if repeat && n == rows-1 {
				id = 7
			}
			b.addRow()
			b.cols[0].setText(strconv.AppendInt(nil, int64(id/100), 10))
			if id%100 > 0 { // null now and then
				b.cols[1].setText(strconv.AppendInt(nil, int64(id%100), 10))
			}
			if b.full() || n == rows-1 {
				if err := k.add(b, []int{0, 1}, nil); err != nil {
					t.Fatal(err)
				}
				b.reset()
			}
		}
		first, second, total, err := k.repeated()
		if err != nil || len(k.runs) != 4 { // three that were full, and the rest
			t.Fatalf("%d runs, %v", len(k.runs), err)
		}
		if repeat != (total == 1 && first == 7 && second == rows-1) || !repeat && total != 0 {
			t.Errorf("found %d: %d and %d", total, first, second)
		}
		if err := k.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestKeysTellColumnsApart(t *testing.T) {
	k := newKeySet(nil)
	b := newBatch([]Kind{Text, Text})
	for _, pair := range [][2]string{{"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}, {"a", "-"}, {"-", "a"}, {"-", "-"}, {"", ""}} {
		b.addRow()
		for i, id := range pair {
			if id != "-" {
				b.cols[i].setText([]byte(id))
			}
		}
	}
	if err := k.add(b, []int{0, 1}, nil); err != nil {
		t.Fatal(err)
	}
	if first, second, total, _ := k.repeated(); total != 0 {
		t.Errorf("rows %d and %d share a key", first, second)
	}
}

func TestSpoolGivesBatchesBack(t *testing.T) {
	all := []Kind{Text, Number, Bool, Instant, Date, Integer, JSON}
	path := filepath.Join(t.TempDir(), "spool")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newSpoolWriter(file)
	var want []string
	for n := range 3 {
		b := newBatch(all)
		for row := range n * 5 {
			b.addRow()
			if row%2 == 0 {
				b.cols[0].setText(fmt.Appendf(nil, "t%d", row%4))
				b.cols[1].setNumber(fmt.Appendf(nil, "%d.%de0", n, row))
				b.cols[3].setValue(1, int64(-row))
			}
		}
		want = append(want, render(b))
		if err := w.write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readSpool(whole, all); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	for at := range whole {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x40
		if got, err := readSpool(broken, all); err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("byte %d turned: %v", at, got)
		}
		if _, err := readSpool(whole[:at], all); at > 0 && err == nil && at%1000 == 1 {
			t.Fatalf("cut at %d was not seen", at)
		}
	}
}

func render(b *batch) string {
	text := fmt.Sprint(b.rows)
	for i := range b.cols {
		v := &b.cols[i]
		for row := range b.rows {
			switch {
			case v.null(row):
				text += " -"
			case v.kind.coded():
				text += " " + string(v.texts.at(v.codes[row]))
			default:
				text += " " + string(v.appendPlain(nil, row))
			}
		}
	}
	return text
}

func readSpool(content []byte, kinds []Kind) ([]string, error) {
	r := newSpoolReader(bytes.NewReader(content), kinds)
	var all []string
	for {
		b, err := r.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, render(b))
	}
}
