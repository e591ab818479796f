package ledger

import "github.com/pressly/goose/v3"

// dialect is all that differs between the databases; every statement is shared.
type dialect struct {
	goose goose.Dialect
	// clock is the database's clock in Unix milliseconds, as SQL.
	clock string
	// forUpdate and forShare lock the rows that a SELECT reads until the
	// transaction ends, where a transaction does not exclude others anyway.
	forUpdate, forShare string
	// classify wraps a driver's error with the ledger's own one, by its code.
	classify func(error) error
}
