package land

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// lostNumbers are the numbers of one batch that a double cannot name.
type lostNumbers struct {
	batch  *batch
	column int           // of _extra
	rows   map[int][]int // columns by row
}

func newLostNumbers(b *batch, extra int) *lostNumbers {
	return &lostNumbers{batch: b, column: extra}
}

func (l *lostNumbers) add(row, column int) {
	if l.rows == nil {
		l.rows = map[int][]int{}
	}
	l.rows[row] = append(l.rows[row], column)
}

// extra is the column _extra with the literals of the lost numbers added, under
// the names they have in the result.
func (l *lostNumbers) extra(t Table) (*vector, error) {
	v := &vector{kind: JSON, texts: newTexts()}
	old := &l.batch.cols[l.column]
	for row, code := range old.codes {
		var text []byte
		if code != 0 {
			text = old.texts.at(code)
		}
		text, err := l.object(t, row, text)
		if err != nil {
			return nil, err
		}
		v.codes = append(v.codes, 0)
		if len(text) > 0 {
			v.setText(text)
		}
	}
	return v, nil
}

func (l *lostNumbers) object(t Table, row int, text []byte) ([]byte, error) {
	columns := l.rows[row]
	if len(columns) == 0 {
		return text, nil
	}
	open := bytes.Clone(bytes.TrimSuffix(text, []byte("}")))
	for _, column := range columns {
		literal := l.batch.cols[column].appendLiteral(nil, row)
		var err error
		if open, err = keep(open, []byte(t.Columns[column].Member), jsontext.Value(literal)); err != nil {
			return nil, err
		}
	}
	return append(open, '}'), nil
}
