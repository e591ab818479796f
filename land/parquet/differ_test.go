package parquet_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/weirhq/weir/land/parquet"
)

// columns has every kind of column.
func columns() []parquet.Column {
	return []parquet.Column{
		{Name: "text", Kind: parquet.String}, {Name: "lasting", Kind: parquet.String}, {Name: "document", Kind: parquet.Document}, {Name: "double", Kind: parquet.Double},
		{Name: "bool", Kind: parquet.Bool}, {Name: "millis", Kind: parquet.Millis}, {Name: "date", Kind: parquet.Date}, {Name: "integer", Kind: parquet.Integer},
	}
}

// made is a batch with its values in a form to compare: one text for each row
// and column, null as "-".
type made struct {
	rows   int
	values []parquet.Values
}

// shape says what the values of a column are like.
type shape struct{ nulls, distinct, run, length int }

func shapeOf(random *rand.Rand) shape {
	pick := func(of ...int) int { return of[random.IntN(len(of))] }
	return shape{nulls: pick(0, 0, 1, 3, 100), distinct: pick(1, 2, 3, 40, 3000, 1<<40), run: pick(1, 1, 7, 300), length: pick(0, 5, 5, 400)}
}

func (s shape) batch(random *rand.Rand, rows int, lasting func(uint32) []byte) made {
	m := made{rows: rows, values: make([]parquet.Values, len(columns()))}
	for i, c := range columns() {
		v := &m.values[i]
		var texts [][]byte
		v.Count, v.Lasting, v.Text = rows, false, func(code uint32) []byte { return texts[code-1] }
		if c.Name == "lasting" {
			v.Count, v.Lasting, v.Text = 1000, true, lasting
		}
		value := int64(0)
		for row := range rows {
			if row%s.run == 0 {
				value = random.Int64N(int64(s.distinct))
			}
			null := s.nulls > 0 && random.IntN(100) < s.nulls
			switch {
			case c.Kind == parquet.String || c.Kind == parquet.Document:
				texts = append(texts, fmt.Appendf(nil, "%s%d", strings.Repeat("é", s.length), value))
				code := uint32(len(texts))
				if v.Lasting {
					code = uint32(value%1000) + 1
				}
				if null {
					code = 0
				}
				v.Codes = append(v.Codes, code)
			default:
				present := uint8(1)
				if null {
					present = 0
				}
				v.Present = append(v.Present, present)
				v.Ints = append(v.Ints, fitted(c.Kind, value))
				v.Doubles = append(v.Doubles, math.Copysign(float64(value)/100, float64(1-value%2*2)))
			}
		}
	}
	return m
}

func fitted(kind parquet.Kind, value int64) int64 {
	switch kind {
	case parquet.Bool:
		return value & 1
	case parquet.Millis:
		return value*1001 - 5_000_000
	}
	return int64(int32(value)) - 1000
}

// byLibrary writes the batches with parquet-go alone.
func byLibrary(t testing.TB, batches []made) []byte {
	nodes := map[parquet.Kind]parquetgo.Node{
		parquet.String: parquetgo.String(), parquet.Document: parquetgo.String(), parquet.Double: parquetgo.Leaf(parquetgo.DoubleType), parquet.Bool: parquetgo.Leaf(parquetgo.BooleanType),
		parquet.Millis: parquetgo.Timestamp(parquetgo.Millisecond), parquet.Date: parquetgo.Date(), parquet.Integer: parquetgo.Int(32),
	}
	group := parquetgo.Group{}
	for _, c := range columns() {
		group[c.Name] = parquetgo.Optional(nodes[c.Kind])
	}
	schema := parquetgo.NewSchema("table", group)
	place := map[string]int{}
	for i, path := range schema.Columns() {
		place[path[0]] = i
	}
	var out bytes.Buffer
	w := parquetgo.NewGenericWriter[any](&out, schema, parquetgo.Compression(&zstd.Codec{}))
	for _, m := range batches {
		rows := make([]parquetgo.Row, m.rows)
		for row := range rows {
			rows[row] = make(parquetgo.Row, len(columns()))
			for i, c := range columns() {
				rows[row][place[c.Name]] = valueOf(c.Kind, &m.values[i], row, place[c.Name])
			}
		}
		if _, err := w.WriteRows(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func valueOf(kind parquet.Kind, v *parquet.Values, row, column int) parquetgo.Value {
	null := parquetgo.NullValue().Level(0, 0, column)
	if kind == parquet.String || kind == parquet.Document {
		if v.Codes[row] == 0 {
			return null
		}
		return parquetgo.ByteArrayValue(v.Text(v.Codes[row])).Level(0, 1, column)
	}
	if v.Present[row] == 0 {
		return null
	}
	switch kind {
	case parquet.Double:
		return parquetgo.DoubleValue(v.Doubles[row]).Level(0, 1, column)
	case parquet.Bool:
		return parquetgo.BooleanValue(v.Ints[row] == 1).Level(0, 1, column)
	case parquet.Millis:
		return parquetgo.Int64Value(v.Ints[row]).Level(0, 1, column)
	}
	return parquetgo.Int32Value(int32(v.Ints[row])).Level(0, 1, column)
}

func bySequence(t testing.TB, batches []made) []byte {
	var out bytes.Buffer
	w := parquet.NewWriter(&out, "table", columns())
	for _, m := range batches {
		if err := w.Write(m.rows, m.values); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// content reads a file with the library: every value by column name and row,
// and per column the least and largest value and the nulls.
func content(t testing.TB, file []byte) (values, facts map[string]string) {
	t.Helper()
	f, err := parquetgo.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]*strings.Builder{}
	facts = map[string]string{}
	for _, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			name := f.Schema().Columns()[i][0]
			if texts[name] == nil {
				texts[name] = &strings.Builder{}
			}
			readChunk(t, chunk, texts[name])
		}
	}
	values = map[string]string{}
	for name, text := range texts {
		values[name] = text.String()
	}
	if groups := f.Metadata().RowGroups; len(groups) == 1 {
		for _, c := range groups[0].Columns {
			s := c.MetaData.Statistics
			facts[c.MetaData.PathInSchema[0]] = fmt.Sprintf("%q %q %d of %d", s.MinValue, s.MaxValue, s.NullCount, c.MetaData.NumValues)
		}
	}
	return values, facts
}

func readChunk(t testing.TB, chunk parquetgo.ColumnChunk, to *strings.Builder) {
	pages := chunk.Pages()
	defer pages.Close()
	buffer := make([]parquetgo.Value, 500)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		reader := page.Values()
		for {
			n, err := reader.ReadValues(buffer)
			for _, v := range buffer[:n] {
				fmt.Fprintf(to, "%+q,", v.String())
			}
			if err != nil {
				break
			}
		}
	}
}

// Whatever the batches are like, the file reads as the one that the library
// makes of them.
func TestReadsAsTheLibrarysOwn(t *testing.T) {
	for seed := range uint64(12) {
		differ(t, seed, 1+int(seed*seed*100))
	}
	if !testing.Short() {
		differ(t, 99, 40_000) // more than a page
	}
}

func FuzzWriter(f *testing.F) {
	f.Add(uint64(1), 10)
	f.Add(uint64(77), 40_000)
	f.Fuzz(func(t *testing.T, seed uint64, rows int) { differ(t, seed, rows&0xffff) })
}

func differ(t *testing.T, seed uint64, rows int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	var lasting [][]byte
	for i := range 1000 {
		lasting = append(lasting, fmt.Appendf(nil, "lasting %d", i))
	}
	var batches []made
	for left := rows; left > 0; {
		n := min(left, 1+random.IntN(8192))
		batches = append(batches, shapeOf(random).batch(random, n, func(code uint32) []byte { return lasting[code-1] }))
		left -= n
	}
	got, gotFacts := content(t, bySequence(t, batches))
	want, wantFacts := content(t, byLibrary(t, batches))
	for name := range want {
		if got[name] != want[name] {
			t.Fatalf("seed %d, %d rows: column %s differs: %.200s, want %.200s", seed, rows, name, got[name], want[name])
		}
	}
	for name, facts := range wantFacts {
		long := strings.Count(facts, "é") > 120 // longer texts have no statistics here
		if gotFacts[name] != facts && !long && name != "double" && len(gotFacts) == len(wantFacts) {
			t.Fatalf("seed %d: column %s is %s, want %s", seed, name, gotFacts[name], facts)
		}
	}
}

// Groups that are made apart, and one writer, give the same bytes.
func TestGroupsMadeApart(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	lasting := func(code uint32) []byte { return fmt.Appendf(nil, "lasting %d", code) }
	var batches []made
	for range 34 {
		batches = append(batches, shape{5, 40, 3, 5}.batch(random, parquet.RowsPerGroup/16, lasting))
	}
	var out bytes.Buffer
	w := parquet.NewWriter(&out, "table", columns())
	groups := []*parquet.Group{parquet.NewGroup(columns()), parquet.NewGroup(columns())}
	for n := 0; n < len(batches); n += 16 {
		g := groups[n/16%2]
		for _, m := range batches[n:min(n+16, len(batches))] {
			if err := g.Write(m.rows, m.values); err != nil {
				t.Fatal(err)
			}
		}
		g.Seal()
		if err := w.Commit(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if want := bySequence(t, batches); !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%d bytes, want %d", out.Len(), len(want))
	}
}
