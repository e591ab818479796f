package land

import (
	"bytes"
	"context"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weirhq/weir"
)

// maxChildren bounds the accounts, opportunities or participants of one
// activity, which are held in memory until its id is known.
const maxChildren = 1 << 18

// activities is an activity result as read: four tables in the spool.
type activities struct {
	main       *rowStream
	children   []*childRows
	unknownTop *tally
	types      *tally
	span       spanEvidence

	keys    *keySet
	keyCols []int
	bare    []bool // rows of the batch at hand that have no id
	loose   int64
}

// readActivities reads {"activities":[..]}.
func readActivities(in *intake, work *workdir, r weir.Request) (*activities, error) {
	streams, err := newRowStreams(work, ActivityTables()...)
	if err != nil {
		return nil, err
	}
	a := &activities{
		main: streams[0], types: newTally(), span: newSpanEvidence(r), keyCols: []int{0},
		keys: newKeySet(func() (*os.File, error) { return work.create("keys") }),
	}
	for _, s := range streams[1:] {
		a.children = append(a.children, newChildRows(s, a.main.decoder))
	}
	err = a.readDocument(in)
	for _, c := range a.children {
		err = c.stream.end(err)
	}
	if err = a.main.end(err); err != nil {
		_ = a.keys.close() // the file goes with the work directory
		return nil, err
	}
	return a, nil
}

func (a *activities) readDocument(in *intake) error {
	doc := newDocument(in)
	a.unknownTop = doc.unknown
	rows := &array{decoder: a.main.decoder, after: a.row}
	doc.arrays[a.main.decoder.table.Array] = rows
	if err := doc.walk(); err != nil {
		return err
	}
	if !rows.seen {
		return refuse(CheckShape, "no %s at the top level, which has %s", a.main.decoder.table.Array, topLevel(doc.names))
	}
	return a.flush()
}

// row completes an activity that was read: its place, its evidence, and whose
// its children are.
func (a *activities) row(b *batch) error {
	position := a.main.rows + int64(b.rows) - 1
	a.main.vector("activity_position").setValue(1, position)
	id, date, kind := a.main.vector("activity_id"), a.main.vector("activity_date"), a.main.vector("activity_type")
	a.span.see(date)
	a.types.add(last(kind))
	a.bare = append(a.bare, id.null(b.rows-1))
	for _, c := range a.children {
		if err := c.belong(id, date, position); err != nil {
			return err
		}
	}
	if b.full() {
		return a.flush()
	}
	return nil
}

// last is the text of the last row; nil is null.
func last(v *vector) []byte {
	if code := v.codes[len(v.codes)-1]; code != 0 {
		return v.texts.at(code)
	}
	return nil
}

func (a *activities) flush() error {
	for _, none := range a.bare {
		if none {
			a.loose++
		}
	}
	if err := a.keys.add(a.main.decoder.batch, a.keyCols, a.bare); err != nil {
		return err
	}
	a.bare = a.bare[:0]
	return a.main.flush()
}

// childRows reads the array of one name in the activities.
type childRows struct {
	stream *rowStream
	// mark is the first row of the activity at hand.
	mark int
}

func newChildRows(s *rowStream, parent *rowDecoder) *childRows {
	c := &childRows{stream: s}
	_, name, _ := strings.Cut(s.decoder.table.Array, "[].")
	parent.members[name] = member{each: c.read}
	return c
}

// read reads an array; every element becomes a row. start is where the activity
// begins.
func (c *childRows) read(dec *jsontext.Decoder, start int64) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	d := c.stream.decoder
	for n := int64(0); dec.PeekKind() != ']'; n++ {
		if err := c.element(dec); err != nil {
			return err
		}
		c.stream.vector("position").setValue(1, n)
		if n >= maxChildren || dec.InputOffset()-start > maxValue {
			return refuse(CheckSize, "one activity holds more than %d %s or %d MiB", maxChildren, d.table.Array, maxValue>>20)
		}
	}
	_, err := dec.ReadToken()
	return err
}

// element reads an object, or anything else that stands in its place: a text is
// the row's id (of a participant the e-mail or the name), null a row of nulls,
// and the rest is kept in _extra.
func (c *childRows) element(dec *jsontext.Decoder) error {
	d := c.stream.decoder
	if dec.PeekKind() == '{' {
		return d.row(dec)
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	d.batch.addRow()
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
		plain, err := unquote(nil, value)
		if err == nil {
			c.stream.vector(textColumn(d.table.Name, plain)).setText(plain)
		}
		return err
	}
	extra, err := keep(nil, []byte("value"), value)
	if err == nil {
		d.batch.cols[d.rest].setText(append(extra, '}'))
	}
	return err
}

// textColumn is the column that an element takes which is no more than a text.
func textColumn(table string, text []byte) string {
	switch {
	case table == "activity_accounts":
		return "account_id"
	case table == "activity_opportunities":
		return "opportunity_id"
	case bytes.ContainsRune(text, '@'):
		return "email"
	}
	return "name"
}

// belong says of the rows that were read whose they are. Only then they may go
// to the spool: the id may stand behind them.
func (c *childRows) belong(id, date *vector, position int64) error {
	b := c.stream.decoder.batch
	ids, positions, dates := c.stream.vector("activity_id"), c.stream.vector("activity_position"), c.stream.vector("activity_date")
	text, when := last(id), len(date.tags)-1
	for row := c.mark; row < b.rows; row++ {
		if text != nil {
			ids.setTextAt(row, text)
		}
		positions.tags[row], positions.vals[row] = 1, position
		dates.tags[row], dates.vals[row] = date.tags[when], date.vals[when]
	}
	if b.full() {
		if err := c.stream.flush(); err != nil {
			return err
		}
	}
	c.mark = b.rows
	return nil
}

func (a *activities) tables() []Table { return ActivityTables() }

func (a *activities) streamOf(t Table) *rowStream {
	for _, c := range a.children {
		if c.stream.decoder.table.Name == t.Name {
			return c.stream
		}
	}
	return a.main
}

func (a *activities) rows(t Table) int64 { return a.streamOf(t).rows }

func (a *activities) visit(ctx context.Context, t Table, shared constants, each func(*batch) error) (Dangling, error) {
	return Dangling{}, a.streamOf(t).visit(ctx, shared, each)
}

func (a *activities) tell(m *Manifest) {
	note(m.Unknown, "", a.unknownTop)
	a.main.tell(m)
	for _, c := range a.children {
		c.stream.tell(m)
	}
}

func (a *activities) written(Dangling) []Check { return nil }

func (a *activities) verify(src Source, length int64) ([]Check, error) {
	keys, err := a.keyCheck()
	if err != nil {
		return nil, err
	}
	return refusalOf(append(wholeChecks(src, length),
		a.span.check(src.Request, "activity"), keys, a.checkTypes(src.Request)))
}

// wholeChecks are the checks of every result that is JSON, read to its end.
func wholeChecks(src Source, length int64) []Check {
	return []Check{
		check(CheckDocument, Passed, ""), check(CheckSize, Passed, ""), check(CheckShape, Passed, ""), check(CheckIDs, Passed, ""),
		checkLength(src.Length, length), checkHash(src.SHA256), checkTruncation(src.Job),
	}
}

// keyCheck refuses an activity that is there twice.
func (a *activities) keyCheck() (Check, error) {
	first, second, total, err := a.keys.repeated()
	_ = a.keys.close() // the file goes with the work directory
	switch {
	case err != nil:
		return Check{}, writeError("read back", a.main.path, err)
	case total > 0:
		return check(CheckActivities, Failed, "activities[%d] and activities[%d] have one id; %d repeated in all", first, second, total), nil
	case a.loose > 0:
		return check(CheckActivities, Noted, "%s without an id", count(a.loose, "activity")), nil
	}
	return check(CheckActivities, Passed, ""), nil
}

// checkTypes notes activities of a type that was not asked for.
func (a *activities) checkTypes(r weir.Request) Check {
	switch {
	case len(r.Types) == 0:
		return check(CheckTypes, NotAsked, "")
	case a.types.total() == 0:
		return check(CheckTypes, NotShown, "no activities")
	}
	var asked int64
	for _, name := range r.Types {
		asked += a.types.counts[name]
	}
	if more := a.types.total() - asked; more > 0 {
		return check(CheckTypes, Noted, "%s of another type than asked for", count(more, "activity"))
	}
	return check(CheckTypes, Passed, "")
}
