package notify

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Subjects of news that is about a whole account.
const (
	aboutKey   = "key"
	aboutQuota = "quota"
)

// sightLife is how old a plan may be to tell anything: one that does not conduct
// any more knows nothing.
const sightLife = 30 * time.Second

// standing tells of what holds an account back, and that it no longer does.
// Only the process that conducts the account knows.
func (d *Desk) standing(ctx context.Context, now time.Time) error {
	var err error
	for account, s := range d.sights() {
		err = errors.Join(err, d.decisions(ctx, account, s.deciding, now), d.quota(ctx, account, s.shortAt, now))
	}
	if d.Refused == nil {
		return err
	}
	for account, refused := range d.Refused() {
		n := ledger.News{Account: account, Kind: KeyRefused, Subject: aboutKey, Text: "the server refuses the API key; the account is paused", At: now}
		err = errors.Join(err, d.raise(ctx, n, refused, "the server takes the API key again"))
	}
	return err
}

// sights are what the accounts conducted here show, without what is old.
func (d *Desk) sights() map[string]sight {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := map[string]sight{}
	for account, s := range d.seen {
		if time.Since(s.at) < sightLife {
			fresh[account] = *s
		}
	}
	return fresh
}

func (d *Desk) quota(ctx context.Context, account string, shortAt, now time.Time) error {
	n := ledger.News{Account: account, Kind: QuotaLow, Subject: aboutQuota, Text: quotaText(shortAt, now), At: now}
	return d.raise(ctx, n, !shortAt.IsZero(), "the quota lasts for what is scheduled")
}

// decisions tells of exports that wait for a person, and of those that no
// longer do.
func (d *Desk) decisions(ctx context.Context, account string, deciding []weir.Export, now time.Time) error {
	waits := map[string]bool{}
	var err error
	for _, e := range deciding {
		waits[e.Fingerprint] = true
		err = errors.Join(err, d.tell(ctx, ledger.News{
			Account: account, Kind: NeedsPerson, Subject: e.Fingerprint, Export: e.ID, Text: decisionText(e), At: now,
		}))
	}
	told, failed := d.Book.Standing(ctx, account, NeedsPerson, atOnce)
	err = errors.Join(err, failed)
	for _, n := range told {
		if !waits[n.Subject] {
			n.Text, n.At = "decided: "+n.Text, now
			err = errors.Join(err, d.recover(ctx, n))
		}
	}
	return err
}

// raise tells news while it holds and that it is over once it does not.
func (d *Desk) raise(ctx context.Context, n ledger.News, holds bool, over string) error {
	if holds {
		return d.tell(ctx, n)
	}
	n.Text = over
	return d.recover(ctx, n)
}

// receivers are those of this process by name.
func (d *Desk) receivers() map[string]Receiver {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]Receiver{}
	for _, a := range d.addressees {
		all[a.Name] = a.To
	}
	return all
}

// names are the receivers' names in order, for logs.
func names(all map[string]Receiver) []string { return slices.Sorted(maps.Keys(all)) }
