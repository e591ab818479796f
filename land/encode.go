package land

import (
	"fmt"
	"io"

	"github.com/weirhq/weir/land/parquet"
)

// encoder writes one table's batches in one format.
type encoder interface {
	write(*batch) error
	// close ends the file; it does not close the writer below.
	close() error
}

func newEncoder(w io.Writer, t Table, target Target) (encoder, error) {
	if packing := target.Format.Packing(); packing != "" {
		packed, err := pack(w, packing)
		if err != nil {
			return nil, err
		}
		target.Format = target.Format.Plain()
		inner, err := newEncoder(packed, t, target)
		return packedEncoder{inner, packed}, err
	}
	switch target.Format {
	case Parquet:
		return newParquetEncoder(w, t), nil
	case CSV:
		return newCSVEncoder(w, t, target.CSVSafe)
	case JSONL:
		return newJSONLEncoder(w, t)
	}
	return nil, fmt.Errorf("encode %s: unknown format %q", t.Name, string(target.Format))
}

// parquetEncoder hands batches to the Parquet room.
type parquetEncoder struct {
	file   *parquet.Writer
	values *parquetValues
}

func newParquetEncoder(w io.Writer, t Table) *parquetEncoder {
	return &parquetEncoder{file: parquet.NewWriter(w, t.Name, parquetColumns(t)), values: newParquetValues(t)}
}

func (e *parquetEncoder) write(b *batch) error {
	values, err := e.values.of(b)
	if err != nil {
		return err
	}
	return e.file.Write(b.rows, values)
}

func parquetColumns(t Table) []parquet.Column {
	var columns []parquet.Column
	for _, c := range t.Columns {
		columns = append(columns, parquet.Column{Name: c.Name, Kind: parquetKind(c.Kind)})
	}
	return columns
}

// parquetValues turns batches into values of the Parquet room. Numbers become
// doubles; a literal that no double names goes to _extra as well.
type parquetValues struct {
	table   Table
	extra   int
	columns []parquet.Values
}

func newParquetValues(t Table) *parquetValues {
	return &parquetValues{table: t, extra: t.column("_extra"), columns: make([]parquet.Values, len(t.Columns))}
}

func parquetKind(kind Kind) parquet.Kind {
	switch kind {
	case Number:
		return parquet.Double
	case Bool:
		return parquet.Bool
	case Instant:
		return parquet.Millis
	case Date:
		return parquet.Date
	case Integer:
		return parquet.Integer
	case JSON:
		return parquet.Document
	}
	return parquet.String
}

// of gives the values of a batch until the next one.
func (e *parquetValues) of(b *batch) ([]parquet.Values, error) {
	lost := newLostNumbers(b, e.extra)
	for i := range b.cols {
		v, to := &b.cols[i], &e.columns[i]
		to.Codes, to.Present, to.Ints = v.codes, v.tags, v.vals
		if v.kind.coded() {
			to.Text, to.Count, to.Lasting = v.texts.at, v.texts.count(), v.lasting
		}
		if v.kind == Number {
			e.doubles(v, to, lost, i)
		}
	}
	if lost.rows != nil {
		extra, err := lost.extra(e.table)
		if err != nil {
			return nil, err
		}
		to := &e.columns[e.extra]
		to.Codes, to.Text, to.Count, to.Lasting = extra.codes, extra.texts.at, extra.texts.count(), false
	}
	return e.columns, nil
}

// doubles fills in the doubles of a column. A number beyond the range of a
// double is null, never an infinity or a zero.
func (e *parquetValues) doubles(v *vector, to *parquet.Values, lost *lostNumbers, column int) {
	to.Doubles = resize(to.Doubles, len(v.tags))
	copied := false
	for row, tag := range v.tags {
		if tag == tagNull {
			continue
		}
		value, survives := v.float(row)
		to.Doubles[row] = value
		if survives {
			continue
		}
		lost.add(row, column)
		if value != value { // NaN: none
			if !copied {
				to.Present, copied = append([]uint8(nil), v.tags...), true
			}
			to.Present[row] = tagNull
		}
	}
}

func (e *parquetEncoder) close() error { return e.file.Close() }
