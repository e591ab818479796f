// Package postgres makes a destination of a PostgreSQL database: [Open] gives
// the [land.Database] that a URL names.
//
//	postgres://USER@HOST:PORT/DATABASE?schema=clari&sslmode=verify-full
//
// The password comes from PGPASSWORD, from PGPASSFILE or ~/.pgpass, never from
// the URL.
//
// # What stands there
//
// In the schema (clari, unless the URL says otherwise) one table for each table
// of a snapshot, with its columns and before them forecast_id and time_period,
// or since and until, and snapshot: double precision for numbers, timestamptz, date, integer, boolean,
// text, and json for _extra. A number that no double names exactly is in _extra
// too, with its literal; one beyond the range of a double is null in its column.
//
// _weir_snapshots has one row for each snapshot, its manifest among it; a
// snapshot exists exactly when its row does. For each table the view
// TABLE_latest shows the newest snapshot of each forecast, period and kind of
// request; of activities and audit events, for each instant the rows of the
// newest snapshot whose span holds it.
//
// # What is promised
//
// A snapshot is loaded by COPY in one transaction: all tables and its row of
// _weir_snapshots, or nothing. Landing it again gives the manifest that is
// there. Two that land the same snapshot take turns, by an advisory lock of the
// transaction, so that the second one finds it.
//
// Tables, columns and views that are missing are created, in a transaction of
// its own before. A column of another type is a [SchemaError]: nothing is
// altered that exists. A user who may not create anything can land as long as
// nothing is missing. Columns that are not weir's are left alone; they must take
// null or have a default.
//
// # Text
//
// PostgreSQL holds no NUL character: in text each is replaced by U+FFFD, which
// the manifest's check "text" counts. The database must be in UTF-8.
package postgres
