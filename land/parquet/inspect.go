package parquet

import (
	"fmt"
	"io"

	parquetgo "github.com/parquet-go/parquet-go"
)

// Inspect reads from a file's footer how many rows it has and its columns, in
// order. It reads no values.
func Inspect(file io.ReaderAt, size int64) (rows int64, columns []string, err error) {
	f, err := parquetgo.OpenFile(file, size, parquetgo.SkipPageIndex(true), parquetgo.SkipBloomFilters(true))
	if err != nil {
		return 0, nil, fmt.Errorf("inspect parquet file: %w", err)
	}
	for _, c := range f.Root().Columns() {
		columns = append(columns, c.Name())
	}
	return f.NumRows(), columns, nil
}
