package cli

import (
	"database/sql"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdDatabase does to an SQLite file what another program might. The driver is
// the ledger's.
func cmdDatabase(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "database FILE SQL")
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}
