// Package parquet writes batches of typed columns as a Parquet file that
// warehouses, DuckDB and dataframe libraries read as it is.
//
// Every column is optional. Text is a UTF-8 string, dictionary-encoded; numbers
// are DOUBLE; instants TIMESTAMP(MILLIS, UTC); days DATE; whole numbers INT32.
// Few distinct numbers go by a dictionary too. Pages are of the first version,
// compressed with zstd; every column of a row group carries its least and
// largest value and its nulls. The same batches give the same bytes: nothing of
// the clock, the machine or the number of cores goes into a file.
//
// # Row groups
//
// A [Writer] takes batches one after the other, or row groups that were made on
// goroutines of their own: [NewGroup], [Group.Write], [Group.Seal], and then
// [Writer.Commit] in turn.
//
// # Why the writer is not a library's
//
// parquet-go reads here ([Inspect]) and wrote here once. It takes values one by
// one and finds each text in a dictionary by its hash. The batches of package
// land hold codes already, most of them for a whole file, so that a code leads
// to its place in the dictionary through a table; with that the entries' 39
// columns take a third of the CPU that they took. The tests read every file back
// with parquet-go and compare it with what parquet-go itself makes of the same
// batches.
package parquet
