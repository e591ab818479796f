package land

// newPiece makes a piece for entries.
func (f *forecast) newPiece() *piece {
	rows := newRowDecoder(f.entries.table)
	return &piece{rows: rows, scan: newScanner(rows), hash: f.keys.hash.twin(), keyCols: f.keyCols}
}

// newLookupPiece makes a piece for rows of a lookup table.
func newLookupPiece(t Table) *piece {
	rows := newRowDecoder(t)
	return &piece{rows: rows, scan: newScanner(rows)}
}

// read is what a worker does with a piece.
func (p *piece) read() {
	p.got = p.scan.scan(p.text, p.first)
	if p.hash == nil {
		return
	}
	b := p.rows.batch
	p.inexact = inexact(b)
	p.keys = p.hash.of(b, p.keyCols)
	p.packed = p.pack.pack(b)
}

// takePiece takes the rows of a piece, as far as it was read.
func (f *forecast) takePiece(p *piece) error {
	if p.rows.batch.rows == 0 {
		return nil
	}
	for i, n := range p.rows.present {
		f.entries.present[i] += n
	}
	f.entries.unknown.merge(p.rows.unknown)
	f.entries.misfits.merge(p.rows.misfits)
	return f.take(p.rows.batch, p.inexact, p.keys, nil, p.packed)
}

// takeLookup adds the rows of a piece to a lookup table, as far as it was read.
func (f *forecast) takeLookup(d *rowDecoder, p *piece) error {
	d.batch.append(p.rows.batch)
	d.unknown.merge(p.rows.unknown)
	d.misfits.merge(p.rows.misfits)
	return f.boundAll()
}
