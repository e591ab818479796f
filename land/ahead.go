package land

import (
	"bytes"
	"sync"
)

const (
	// aheadPiece is how much of the input a piece begins with.
	aheadPiece = 512 << 10
	// shortLookup is how many rows of a lookup array the parser reads at first.
	shortLookup = 500
	// mostAlone bounds how many pieces are read one by one before places are
	// guessed again.
	mostAlone = 256
)

// ahead reads the elements of an array in pieces, several at a time. A piece
// begins with the end of the one before: a place that is guessed, because only
// reading shows where an element ends. In order, each piece that reads to its
// very end proves where the next one begins. Where one does not, what was read
// of it stands, and everything behind it is read again from there. So a wrong
// guess costs time, and nothing else. Where the pieces are cut depends on the
// input alone, not on the number of workers.
type ahead struct {
	reading
	in    *intake
	flush func() error // takes what the parser has read
	fresh func() *piece
	take  func(*piece) error // in order

	opening []byte // how an element begins: a brace and its first name
	carry   []byte // taken from the input, behind the last piece
	free    []*piece
	wrong   int // guesses that were, lately
	alone   int // pieces to be read before the next guess
}

// reading says how elements are read ahead; without workers they are not.
type reading struct {
	workers int
	piece   int // bytes
	// parsed is how many rows of a lookup array the parser reads before. Most
	// such arrays end there, and what stands behind them is not read in vain.
	parsed int64
}

// reads reports whether the rows of a table can be read ahead.
func (r reading) reads(t Table) bool {
	return r.workers > 0 && newScanner(newRowDecoder(t)) != nil
}

// piece is some input with the rows that were read of it, and what a worker
// made of those.
type piece struct {
	text  []byte
	first bool // no element stands before it
	sure  bool // its end was not guessed
	done  chan struct{}

	rows    *rowDecoder
	scan    *scanner
	hash    *keyHash // nil for rows of a lookup table, which want no more
	keyCols []int
	pack    spoolPacker
	got     scanned
	keys    []rowKey
	inexact int64
	packed  []byte
}

// run reads elements up to the end of the array, or to one that the parser has
// to read, and says how many there were. The input then goes on there. any says
// that elements stand before.
func (a *ahead) run(any bool) (rows int64, err error) {
	a.in.parsed = func() int64 { return a.in.given } // nothing is unfinished here
	work := make(chan *piece, a.workers+2)
	var running sync.WaitGroup
	for range a.workers {
		running.Go(func() {
			for p := range work {
				p.read()
				p.done <- struct{}{}
			}
		})
	}
	defer running.Wait()
	defer close(work)
	for {
		n, more, err := a.round(work, any || rows > 0)
		rows += n
		if !more || err != nil {
			return rows, err
		}
	}
}

// round reads pieces as long as guesses prove right.
func (a *ahead) round(work chan<- *piece, any bool) (rows int64, more bool, err error) {
	var queue []*piece
	for {
		for len(queue) < a.workers+2 && (len(queue) == 0 || !queue[len(queue)-1].sure) {
			p := a.cut(!any && rows == 0 && len(queue) == 0)
			if p == nil {
				break
			}
			queue = append(queue, p)
			work <- p
		}
		if len(queue) == 0 {
			return rows, false, nil
		}
		p := queue[0]
		<-p.done
		if err == nil {
			err = a.take(p)
		}
		rows += int64(p.rows.batch.rows)
		if err != nil || p.got.closed || p.got.end < len(p.text) {
			more = err == nil && !p.got.closed && p.rows.batch.rows > 0
			a.putBack(queue)
			return rows, more, err
		}
		a.right()
		a.free = append(a.free, p)
		queue = queue[1:]
	}
}

// cut takes the next piece from the input; it is nil at the end.
func (a *ahead) cut(first bool) *piece {
	p := a.spare()
	p.text, p.first = append(p.text[:0], a.carry...), first
	a.carry = a.carry[:0]
	for len(p.text) < a.piece {
		n, err := a.in.Read(p.text[len(p.text):a.piece])
		p.text = p.text[:len(p.text)+n]
		if err != nil {
			break // the intake says it again
		}
	}
	if len(p.text) == 0 {
		a.free = append(a.free, p)
		return nil
	}
	if p.sure = true; len(p.text) < a.piece {
		return p
	}
	if a.opening == nil {
		a.opening = openingOf(p.text)
	}
	if a.alone > 0 {
		a.alone--
		return p
	}
	if at := guessEnd(p.text, a.opening); at > 0 {
		a.carry = append(a.carry, p.text[at:]...)
		p.text, p.sure = p.text[:at], false
	}
	return p
}

func (a *ahead) spare() *piece {
	if n := len(a.free); n > 0 {
		p := a.free[n-1]
		a.free = a.free[:n-1]
		return p
	}
	p := a.fresh()
	p.text, p.done = make([]byte, 0, a.piece), make(chan struct{}, 1)
	return p
}

// putBack gives everything behind what the first piece read back to the input.
func (a *ahead) putBack(queue []*piece) {
	first := queue[0]
	rest := bytes.Clone(first.text[first.got.end:])
	for _, p := range queue[1:] {
		<-p.done
		rest = append(rest, p.text...)
	}
	rest = append(rest, a.carry...)
	a.carry = a.carry[:0]
	a.in.unread(rest)
	if !first.sure && !first.got.closed {
		a.wrong = min(a.wrong+1, 8)
		a.alone = min(2<<a.wrong, mostAlone)
	}
	a.free = append(a.free, queue...)
}

func (a *ahead) right() { a.wrong = max(a.wrong-1, 0) }

// openingOf is the brace and the first name of the first element in a text
// without the white space between, or nothing.
func openingOf(text []byte) []byte {
	at := bytes.IndexByte(text, '{')
	if at < 0 {
		return []byte{}
	}
	from := at + 1 + spaces(text[at+1:])
	if from >= len(text) || text[from] != '"' {
		return []byte{}
	}
	end, _ := stringEnd(text, from)
	if end < 0 {
		return []byte{}
	}
	return bytes.Clone(text[from : end+1])
}

// guessEnd looks back from the end of a text for a place after an element:
// between } and , and { and the name that elements begin with.
func guessEnd(text, opening []byte) int {
	for at := len(text); ; {
		if at = bytes.LastIndexByte(text[:at], '{'); at <= 0 {
			return 0
		}
		inside := text[at+1:]
		inside = inside[spaces(inside):]
		if !bytes.HasPrefix(inside, opening) {
			continue
		}
		before := bytes.TrimRight(text[:at], " \t\r\n")
		before, found := bytes.CutSuffix(before, []byte(","))
		if !found {
			continue
		}
		before = bytes.TrimRight(before, " \t\r\n")
		if bytes.HasSuffix(before, []byte("}")) {
			return len(before)
		}
	}
}

func spaces(text []byte) int {
	return len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
}
