// Package parquet writes batches of typed columns as a Parquet file that
// warehouses, DuckDB and dataframe libraries read as it is.
//
// Every column is optional. Text is a UTF-8 string, dictionary-encoded; numbers
// are DOUBLE; instants TIMESTAMP(MILLIS, UTC); days DATE; whole numbers INT32.
// Pages are compressed with zstd and carry statistics. The same batches give
// the same bytes: nothing of the clock, the machine or the number of cores goes
// into a file.
//
// The package is the one place that knows the Parquet library.
package parquet
