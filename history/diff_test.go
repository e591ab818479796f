package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// line is a row that can be compared.
type line struct {
	Key
	values string
}

func lineOf(key Key, values [6]Number) line {
	return line{key, fmt.Sprint(values)}
}

// snapshot is made-up rows, which may stand in any order.
type snapshot []Row

func (s snapshot) rows(each func(*Row) error) error {
	for i := range s {
		if err := each(&s[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s snapshot) lines() map[line]int {
	all := map[line]int{}
	for _, r := range s {
		all[lineOf(Key{string(r.IDs[0]), string(r.IDs[1]), string(r.IDs[2]), string(r.IDs[3])}, r.Values)]++
	}
	return all
}

func row(user, field, frame string, values ...string) Row {
	r := Row{IDs: [4][]byte{[]byte(user), []byte(field), []byte(frame), []byte("2026_Q1")}, UserName: []byte("name of " + user), FieldName: []byte(field)}
	for i, literal := range values {
		r.Values[i], _ = Parse([]byte(literal))
	}
	return r
}

// draw makes a snapshot; rows that name no user may share a key.
func draw(random *rand.Rand, people int, literals ...string) snapshot {
	var s snapshot
	literals = append(literals, "", "0", "1.5", "1.50", "-2", "1e40", "123456789012345678901234567890.5")
	for user := range people {
		if random.IntN(5) == 0 {
			continue
		}
		for field := range 3 {
			for frame := range 2 {
				if random.IntN(6) > 0 {
					s = append(s, row(fmt.Sprintf("u%d", user), fmt.Sprintf("f%d", field), fmt.Sprintf("w%d", frame), literals[random.IntN(len(literals))], literals[random.IntN(len(literals))]))
				}
			}
		}
	}
	for range random.IntN(6) {
		s = append(s, row("", "f0", "w0", literals[random.IntN(len(literals))]))
	}
	random.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	return s
}

// Applied to the first snapshot the changes give the second, whatever the order
// of the rows and however the work is cut; they come in one order, and the deltas
// of a column add up to that of its totals.
func TestDiffAppliedToTheFirstGivesTheSecond(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for n := range 60 {
		var beyond []string // with them nothing adds up
		if n%2 == 1 {
			beyond = []string{"1e500"}
		}
		a, b := draw(random, 30, beyond...), draw(random, 30, beyond...)
		o := Options{Dir: t.TempDir(), Rows: int64(n%4) * rowsPerPart, partBytes: int64(200 + random.IntN(3000))}
		applied := a.lines()
		var deltas [6]sum
		var last *Change
		s, err := Compare(t.Context(), a.rows, b.rows, o, func(c *Change) error {
			if last != nil && before(last, c) > 0 {
				t.Errorf("%v after %v", c.Key, last.Key)
			}
			kept := *c
			last = &kept
			if c.Kind != Appeared {
				applied[lineOf(c.Key, c.From)]--
			}
			if c.Kind != Vanished {
				applied[lineOf(c.Key, c.To)]++
			}
			for i := range deltas {
				deltas[i].add(c.Delta(i))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(applied, func(_ line, n int) bool { return n == 0 })
		if want := b.lines(); !maps.Equal(applied, want) {
			t.Fatalf("run %d: %d lines, want %d", n, len(applied), len(want))
		}
		checkCounts(t, s, a, b)
		if len(beyond) == 0 {
			checkSums(t, s, deltas)
		}
	}
}

func checkCounts(t *testing.T, s Summary, a, b snapshot) {
	t.Helper()
	if s.FromRows != int64(len(a)) || s.ToRows != int64(len(b)) || s.Same+s.Changed+s.Vanished != s.FromRows || s.Same+s.Changed+s.Appeared != s.ToRows {
		t.Errorf("counts %+v of %d and %d rows", s.Counts, len(a), len(b))
	}
}

func checkSums(t *testing.T, s Summary, deltas [6]sum) {
	t.Helper()
	var whole [6]sum
	for _, total := range s.Totals {
		columns := Columns()
		whole[slices.Index(columns[:], total.Column)].add(total.Delta)
	}
	for i := range whole {
		if got, want := cmp.Or(whole[i].total().String(), "0"), cmp.Or(deltas[i].total().String(), "0"); got != want {
			t.Errorf("column %d: totals differ by %q, the changes by %q", i, got, want)
		}
	}
}

func TestPeople(t *testing.T) {
	a := snapshot{row("gone", "f", "w", "5"), row("zero", "f", "w", "5"), row("null", "f", "w", "5"), row("part", "f", "w", "5"), row("part", "g", "w", "5"), row("idle", "f", "w", "0"), row("same", "f", "w", "1.0")}
	b := snapshot{row("zero", "f", "w", "0.00"), row("null", "f", "w"), row("part", "f", "w", "5"), row("idle", "f", "w", "0"), row("same", "f", "w", "1"), row("new", "f", "w")}
	seen := map[string]string{}
	s, err := Compare(t.Context(), a.rows, b.rows, Options{Dir: t.TempDir()}, func(c *Change) error {
		seen[c.UserID+" "+c.FieldID] = c.Kind.String() + " " + c.Person.String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"gone f": "vanished vanished", "zero f": "changed zeroed", "null f": "changed zeroed", "part g": "vanished stayed", "new f": "appeared appeared",
	}
	if !maps.Equal(seen, want) {
		t.Errorf("changes %v, want %v", seen, want)
	}
	var people []string
	for _, p := range s.People {
		people = append(people, fmt.Sprintf("%s %s %s %d", p.Presence, p.ID, p.Name, p.Rows))
	}
	if want := []string{"appeared new name of new 1", "vanished gone name of gone 1", "zeroed null name of null 1", "zeroed zero name of zero 1"}; !slices.Equal(people, want) {
		t.Errorf("people %q, want %q", people, want)
	}
	if s.Same != 3 || s.Counts.People != [4]int64{0, 1, 1, 2} {
		t.Errorf("counts %+v", s.Counts)
	}
}

// Whatever ends a comparison, no file of it stays.
func TestNothingIsLeftBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	a, stop := draw(rand.New(rand.NewPCG(1, 1)), 20), errors.New("enough")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	var long snapshot
	for len(long) < 5000 {
		long = append(long, a...)
	}
	failing := func(func(*Row) error) error { return stop }
	none := func(*Change) error { return nil }
	for name, run := range map[string]func() error{
		"each": func() error {
			_, err := Compare(t.Context(), a.rows, snapshot{}.rows, Options{Dir: dir}, func(*Change) error { return stop })
			return err
		},
		"rows":      func() error { _, err := Compare(t.Context(), a.rows, failing, Options{Dir: dir}, none); return err },
		"cancelled": func() error { _, err := Compare(cancelled, long.rows, a.rows, Options{Dir: dir}, none); return err },
	} {
		if err := run(); !errors.Is(err, stop) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: %d files are left, %v", name, len(left), err)
		}
	}
}

// A spool that does not read back is an error, never a panic or a wrong answer.
func FuzzRecords(f *testing.F) {
	r := row("u", "f", "w", "1.5", "1e400", "123456789012345678901234567890")
	text, _ := appendRecord(nil, nil, &r)
	f.Add(text)
	f.Add(append(text, text[:len(text)-1]...))
	c := Change{Kind: Changed, Key: Key{"u", "f", "w", "p"}, From: r.Values}
	f.Add(appendChange(nil, &c))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, _ := appendRecords(nil, text)
		for i := range found {
			_, _ = matched{from: &found[i]}.change()
		}
		if c, err := readChange(text); err == nil {
			again, err := readChange(appendChange(nil, &c))
			if err != nil || before(&c, &again) != 0 || fmt.Sprint(c) != fmt.Sprint(again) {
				t.Errorf("%v comes back as %v, %v", c, again, err)
			}
		}
	})
}
