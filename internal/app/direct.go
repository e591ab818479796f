package app

import (
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger"
)

// SinceLastWishes are a wish for the audit events since the last ones as the
// ledger takes them: one for each format, because each has a cursor of its own.
// Any other wish stays as it is.
func SinceLastWishes(w ledger.Wish) []ledger.Wish {
	if !w.SinceLast {
		return []ledger.Wish{w}
	}
	var all []ledger.Wish
	for i, format := range slices.Clone(w.Formats) {
		w.Formats, w.Secondary = []string{format}, i > 0
		all = append(all, w)
	}
	return all
}

// prospectSince shows from where the events since the last ones would be read.
func (s *Session) prospectSince(ctx context.Context, w ledger.Wish, x ProspectExport) (ProspectExport, error) {
	at, err := s.Ledger.Cursor(ctx, w.Account, w.Destination, w.Formats[0], w.Request)
	x.Title = "audit as far back as it is kept"
	if !at.IsZero() {
		x.Since = at.UTC().Format(time.RFC3339)
		x.Title = "audit since " + x.Since
	}
	return x, err
}
