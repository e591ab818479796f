package ledger

import "context"

// Exec runs a statement of a test's own on the store's one connection.
func (s *Store) Exec(ctx context.Context, query string) error {
	_, err := s.db.ExecContext(ctx, query)
	return err
}

// Pages is how many pages of 4 KiB the file has.
func (s *Store) Pages(ctx context.Context) (pages int, err error) {
	err = s.db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages)
	return pages, err
}

// SelectBought is what a tick asks of one account's purchases.
const SelectBought = selectBought
