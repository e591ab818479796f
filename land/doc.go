// Package land turns a finished job's result into a published snapshot.
//
// # Two stages
//
// [Receive] reads the result once, in bounded memory, while it downloads. It
// keeps the bytes as they came, reads the document strictly, spools the rows as
// typed columns, holds the lookup tables, and runs every check. [Receipt.Publish]
// then writes the tables to one destination in one format, as often as there
// are deliveries. Nothing is written to a destination before every check has
// passed, and a snapshot exists exactly when its manifest does.
//
// # What is refused
//
// A result that arrived whole and is not what was asked is a [Refusal] that
// names one of the checks ([CheckPeriod] and its neighbours); its bytes are kept
// in "rejected" beside the spool directory. A download that was cut, or shorter
// than announced, Is [ErrTransfer] instead and may be tried again. A document
// that ends in the middle is a transfer error when no length was announced, and
// a refusal when every announced byte came.
//
// # What becomes of a value
//
//   - Absent and null are null. Nothing becomes 0 or "".
//   - Numbers keep their literal: CSV and JSONL write it as it came. Parquet has
//     the nearest DOUBLE, and _extra has the literal too when no double names
//     that decimal number; beyond the range of a double the column is null.
//   - Instants are Unix milliseconds, as a number or in a string, or RFC 3339;
//     days are 2024-03-01, 03/01/2024, or an instant that is midnight UTC.
//   - A value of another JSON type than its column's, or that the column cannot
//     hold, leaves the column null and stands in _extra, counted in the manifest
//     as a misfit. In an id it is refused, because ids decide what a row is.
//   - Members that no column takes stand in _extra, whitespace removed and every
//     literal to the letter. Those of the top level are counted by name and
//     stand in the raw file alone.
//
// # Activities and audit events
//
// Activities become four tables: their accounts, opportunities and participants
// each have one, whose rows say whose they are and where they stood; an activity
// has at most 262,144 of each. Activities of one id are refused, and so are rows
// more than a day outside the span that was asked for. Spans of snapshots may
// overlap: in the views the newest snapshot counts whose span holds an instant.
//
// # What belongs to an entry
//
// An entry is identified by user, field, time frame and period; two entries of
// one identity are refused. Its user, field and period are found by id, which
// may stand twice in a lookup array only with equal rows. One time frame id may
// name several frames, one in each period: the entry's is the one that shares
// the most days with the entry's period, and none when that is not decided.
// Ids that nothing is found for leave the row in place and its looked-up
// columns null; the manifest counts them.
//
// # The server's CSV
//
// A result may also be CSV, one row for each value. Its rows of one user, field,
// week and timeframe become one entry, Data Type saying which column. The file
// has no ids: a user's is "csv-" and 16 hex digits of the CRM user id (else the
// e-mail, else the name) with role and parent role; a field's is its name; a
// frame's is "TF:" and its start day; a period's is the quarter and year that
// its label names, and a label that names none is refused. Rows of one entry may
// stand up to 131,072 entries apart; what comes up again later, or twice, is
// refused. Rows without a user or a field stay apart, one entry each. Blank is
// null, as the file cannot show empty text.
//
// # What is in memory
//
// Blocks of the input, for each core (at most four) a piece of it with its rows
// or a Parquet row group, 131,072 entry keys of 24 bytes (more go to disk as
// sorted runs), and the lookup tables, whose 256 MiB are the one bound that
// refuses a result for its size. A single value, or a row, may have 16 MiB, the
// names of the top level 1 MiB together.
//
// # On many cores
//
// The entries, and lookup arrays that are long, are decoded in pieces, ahead of
// the parser, and Parquet's row groups are encoded several at a time. Neither what is read nor what is written
// depends on the number of cores.
//
// # Files
//
// Under a destination stand
//
//	<table>/forecast_id=F/time_period=P/snapshot=S/part-0.<format>
//	_raw/forecast/forecast_id=F/time_period=P/snapshot=S.json.zst (or .csv.zst)
//	_manifests/forecast/forecast_id=F/time_period=P/snapshot=S.json
//
// with since=A/until=B in place of forecast and period for activities and audit
// events, and
//
//	_views/latest.sql
//
// and the same again below <format>/ for each further format, whose manifests
// share the one raw file. Files being written stand in _tmp below a lock that
// their process holds; [OpenDestination] removes those of dead processes. CSV
// has LF line ends. The same result gives the same bytes in every file, the
// compressed forms of CSV and JSONL among them.
package land
