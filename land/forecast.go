package land

import "os"

const spoolName = "entries.s2"

// forecast is a forecast result as read: the entries in the spool, the lookup
// tables in memory, and the evidence for the checks.
type forecast struct {
	work     *workdir
	entries  *rowDecoder
	readers  map[string]*rowDecoder // of the lookup tables, by array
	lookups  map[string]*lookup     // by table name
	evidence evidence

	unknownTop *tally
	inexact    int64
	totals     *totals

	columns []Column // of the entries as read
	keys    *keySet
	keyCols []int
	loose   int64 // entries that nothing identifies
	out     *spoolWriter
}

// readForecast reads the document from the intake, JSON or CSV. An error is the
// parser's, the intake's, a refusal, or a write error. Without workers the
// parser reads all of a JSON document.
func readForecast(in *intake, work *workdir, form string, how reading) (*forecast, error) {
	f, err := newForecast(work)
	if err != nil {
		return nil, err
	}
	if form == formCSV {
		err = f.readSheet(in)
	} else {
		err = f.readDocument(in, how)
	}
	if closed := f.out.close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = f.keys.close() // the file goes with the work directory
		return nil, err
	}
	f.complete()
	return f, nil
}

func newForecast(work *workdir) (*forecast, error) {
	file, err := work.create(spoolName)
	if err != nil {
		return nil, err
	}
	f := &forecast{
		work: work, readers: map[string]*rowDecoder{}, lookups: map[string]*lookup{}, out: newSpoolWriter(file), unknownTop: newTally(),
		keys:     newKeySet(func() (*os.File, error) { return work.create("keys") }),
		evidence: evidence{entryPeriod: newTally(), currencies: newTally(), present: map[string]int64{}},
	}
	f.entries, f.columns = newRowDecoder(entriesTable()), layout(entriesTable())
	f.totals = newTotals(f.columns)
	for i, c := range f.columns {
		if c.ID {
			f.keyCols = append(f.keyCols, i)
		}
	}
	for _, table := range ForecastTables()[1:] {
		f.readers[table.Array] = newRowDecoder(table)
		f.lookups[table.Name] = newLookup(f.readers[table.Array])
	}
	return f, nil
}

// readDocument reads the JSON form.
func (f *forecast) readDocument(in *intake, how reading) error {
	doc := newDocument(in)
	f.unknownTop = doc.unknown
	for name, reader := range f.readers {
		doc.arrays[name] = &array{decoder: reader, after: f.bound, ahead: f.lookupsAhead(in, how, reader), begin: how.parsed}
	}
	entries := &array{decoder: f.entries, after: func(b *batch) error {
		if !b.full() {
			return nil
		}
		return f.flush(b, nil)
	}}
	if how.reads(f.entries.table) {
		entries.ahead = &ahead{
			in: in, reading: how, fresh: f.newPiece, take: f.takePiece,
			flush: func() error { return f.flush(f.entries.batch, nil) },
		}
	}
	doc.arrays[f.entries.table.Array] = entries
	if err := doc.walk(); err != nil {
		return err
	}
	if !entries.seen {
		return refuse(CheckShape, "no %s at the top level, which has %s", f.entries.table.Array, topLevel(doc.names))
	}
	return f.flush(f.entries.batch, nil)
}

// lookupsAhead reads the rows of a lookup array ahead of the parser, or is nil.
func (f *forecast) lookupsAhead(in *intake, how reading, d *rowDecoder) *ahead {
	if !how.reads(d.table) {
		return nil
	}
	return &ahead{
		in: in, reading: how, flush: func() error { return nil },
		fresh: func() *piece { return newLookupPiece(d.table) },
		take:  func(p *piece) error { return f.takeLookup(d, p) },
	}
}

// flush takes a batch of entries. Rows marked loose have no key; nil marks none.
func (f *forecast) flush(b *batch, loose []bool) error {
	if b.rows == 0 {
		return nil
	}
	err := f.take(b, inexact(b), f.keys.hash.of(b, f.keyCols), loose, f.out.pack.pack(b))
	b.reset()
	return err
}

// take takes a batch of entries and what was made of it: its periods,
// currencies and totals, its keys, and the batch itself into the spool.
func (f *forecast) take(b *batch, inexact int64, keys []rowKey, loose []bool, packed []byte) error {
	f.evidence.rows += int64(b.rows)
	countTexts(f.evidence.entryPeriod, f.read(b, "time_period_id"), true)
	countTexts(f.evidence.currencies, f.read(b, "currency_code"), false)
	f.inexact += inexact
	f.totals.add(b)
	if err := f.keys.take(keys, loose); err != nil {
		return err
	}
	return f.out.writePacked(packed)
}

// read gives the column of a batch of entries as read.
func (f *forecast) read(b *batch, name string) *vector {
	for i, c := range f.columns {
		if c.Name == name {
			return &b.cols[i]
		}
	}
	return nil
}

// countTexts adds how often each text stands in a column, null as "" if wanted.
func countTexts(t *tally, v *vector, nulls bool) {
	byCode := make([]int64, v.texts.count()+1)
	for _, code := range v.codes {
		byCode[code]++
	}
	for code, n := range byCode {
		switch {
		case n == 0:
		case code > 0:
			t.addN(v.texts.at(uint32(code)), n)
		case nulls:
			t.addN(nil, n)
		}
	}
}

// lookEvery is after how many rows a lookup table's memory is looked at.
const lookEvery = 256

// bound refuses lookup tables that memory is not meant to hold.
func (f *forecast) bound(b *batch) error {
	if b.rows%lookEvery != 0 && b.textBytes() < maxLookups/len(f.lookups) {
		return nil
	}
	return f.boundAll()
}

func (f *forecast) boundAll() error {
	total := 0
	for _, l := range f.lookups {
		total += l.batch.textBytes() + 16*l.batch.rows*len(l.batch.cols)
	}
	if total > maxLookups {
		return refuse(CheckLookups, "the lookup arrays hold more than %d MiB", maxLookups>>20)
	}
	return nil
}

// complete ends a reading that met no error: the indices of the lookup tables
// and the evidence.
func (f *forecast) complete() {
	for _, l := range f.lookups {
		l.index()
	}
	for i, c := range f.columns {
		f.evidence.present[c.Name] = f.entries.present[i]
	}
	periods := f.lookups["forecast_time_periods"]
	ids := &periods.batch.cols[periods.id]
	for code := 1; code <= ids.texts.count(); code++ {
		f.evidence.periods = append(f.evidence.periods, string(ids.texts.at(uint32(code))))
	}
}

func topLevel(names []string) string {
	if len(names) == 0 {
		return "no members"
	}
	return quotedList(names)
}

// keyCheck refuses entries that are there twice.
func (f *forecast) keyCheck() (Check, error) {
	first, second, total, err := f.keys.repeated()
	_ = f.keys.close() // the file goes with the work directory
	f.keys = nil
	if err != nil {
		return Check{}, writeError("read back", f.work.path, err)
	}
	if total > 0 {
		return check(CheckEntryKeys, Failed, "entries[%d] and entries[%d] are of one user, field, time frame and period; %d repeated in all", first, second, total), nil
	}
	if f.loose > 0 {
		return check(CheckEntryKeys, Noted, "%s without user or field, which nothing tells apart", count(f.loose, "entry")), nil
	}
	return check(CheckEntryKeys, Passed, ""), nil
}

func (f *forecast) lookupKeyCheck() Check {
	for _, table := range ForecastTables()[1:] {
		if table.Name == "forecast_time_frames" {
			continue // one id may name a frame in each of several periods
		}
		if id, found := f.lookups[table.Name].repeated(); found {
			return check(CheckLookupKeys, Failed, "%s holds different rows for %s", table.Array, table.named(id))
		}
	}
	return check(CheckLookupKeys, Passed, "")
}
