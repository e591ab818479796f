package land

import (
	"context"

	"github.com/weirhq/weir"
)

// audit is a result of audit events as read: the events in the spool, the actors
// in memory.
type audit struct {
	events     *rowStream
	reader     *rowDecoder // of the actors
	actors     *lookup
	unknownTop *tally
	span       spanEvidence

	// seen are the actors that events name, with how many events do.
	seen   *texts
	counts []int64
}

// readAudit reads {"items":[..],"actors":[..]}.
func readAudit(in *intake, work *workdir, r weir.Request) (*audit, error) {
	events, err := newRowStream(work, eventsTable())
	if err != nil {
		return nil, err
	}
	a := &audit{events: events, reader: newRowDecoder(actorsTable()), span: newSpanEvidence(r), seen: newTexts()}
	a.actors = newLookup(a.reader)
	if err = events.end(a.readDocument(in)); err != nil {
		return nil, err
	}
	a.actors.index()
	return a, nil
}

func (a *audit) readDocument(in *intake) error {
	doc := newDocument(in)
	a.unknownTop = doc.unknown
	rows := &array{decoder: a.events.decoder, after: a.row}
	doc.arrays[a.events.decoder.table.Array] = rows
	doc.arrays[a.reader.table.Array] = &array{decoder: a.reader, after: a.bound}
	if err := doc.walk(); err != nil {
		return err
	}
	if !rows.seen {
		return refuse(CheckShape, "no %s at the top level, which has %s", a.events.decoder.table.Array, topLevel(doc.names))
	}
	return nil
}

// row completes an event that was read: its place and its evidence.
func (a *audit) row(b *batch) error {
	a.events.vector("position").setValue(1, a.events.rows+int64(b.rows)-1)
	a.span.see(a.events.vector("event_timestamp"))
	if id := last(a.events.vector("actor_id")); id != nil {
		code := int(a.seen.put(id))
		if code > len(a.counts) {
			a.counts = append(a.counts, 0)
		}
		a.counts[code-1]++
	}
	if !b.full() {
		return nil
	}
	if err := a.bound(a.reader.batch); err != nil {
		return err
	}
	return a.events.flush()
}

// bound refuses more actors than memory is meant to hold.
func (a *audit) bound(actors *batch) error {
	if actors.textBytes()+16*actors.rows*len(actors.cols)+len(a.seen.bytes) > maxLookups {
		return refuse(CheckLookups, "the actors hold more than %d MiB", maxLookups>>20)
	}
	return nil
}

func (a *audit) tables() []Table { return AuditTables() }

func (a *audit) rows(t Table) int64 {
	if t.Name == a.reader.table.Name {
		return int64(a.reader.batch.rows)
	}
	return a.events.rows
}

func (a *audit) visit(ctx context.Context, t Table, shared constants, each func(*batch) error) (Dangling, error) {
	if t.Name == a.reader.table.Name {
		return Dangling{}, visitLookup(ctx, t, a.actors, shared, each)
	}
	return Dangling{}, a.events.visit(ctx, shared, each)
}

func (a *audit) tell(m *Manifest) {
	note(m.Unknown, "", a.unknownTop)
	a.events.tell(m)
	note(m.Unknown, a.reader.table.Array, a.reader.unknown)
	note(m.Misfits, a.reader.table.Array, a.reader.misfits)
	m.Dangling.Actors = a.dangling()
}

// dangling counts the events whose actor is not among the actors.
func (a *audit) dangling() int64 {
	var n int64
	for i, events := range a.counts {
		if a.actors.find(a.seen.at(uint32(i+1))) == none {
			n += events
		}
	}
	return n
}

func (a *audit) written(Dangling) []Check { return nil }

func (a *audit) verify(src Source, length int64) ([]Check, error) {
	return refusalOf(append(wholeChecks(src, length), a.checkSpan(src), a.checkActors(), a.checkReferences()))
}

// checkSpan also notes days of which the server no longer has everything.
func (a *audit) checkSpan(src Source) Check {
	c := a.span.check(src.Request, "event")
	first := a.span.first
	if c.Outcome != Failed && !first.IsZero() && first.Before(src.SnapshotAt.Add(-auditKept)) {
		return check(CheckRange, Noted, "the span begins before what the server keeps, about 30 days")
	}
	return c
}

// checkActors notes an actor that stands twice with unlike rows: a name can
// change while the pages are read.
func (a *audit) checkActors() Check {
	if id, found := a.actors.repeated(); found {
		return check(CheckLookupKeys, Noted, "%s holds different rows for %s", a.reader.table.Array, a.reader.table.named(id))
	}
	return check(CheckLookupKeys, Passed, "")
}

func (a *audit) checkReferences() Check {
	if n := a.dangling(); n > 0 {
		return check(CheckLookups, Noted, "the actors of %s are not among the actors", count(n, "event"))
	}
	return check(CheckLookups, Passed, "")
}
