package view

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Counted is one of many accounts, in a line.
type Counted struct {
	Name      string    `json:"name"`
	Running   int       `json:"running"`
	Waiting   int       `json:"waiting"`
	Landing   int       `json:"landing"`
	Unknown   int       `json:"unknown"`
	Slots     int       `json:"slots"`
	QuotaFree int       `json:"quota_free"`
	Quota     int       `json:"quota"`
	NotBefore time.Time `json:"not_before,omitzero"`
	Why       string    `json:"why,omitempty"`
}

// CountedOf is an account in a line; numbers not known are -1.
func CountedOf(c ledger.Counted) Counted {
	v := Counted{
		Name: c.Account.Name, Running: c.Open[weir.Running] + c.Open[weir.Submitting], Waiting: c.Open[weir.Planned],
		Landing: c.Open[weir.Ready], Unknown: c.Open[weir.Unknown], Slots: -1, Quota: -1, QuotaFree: -1,
		NotBefore: c.Account.NotBefore, Why: c.Account.Wait.Text,
	}
	if c.Budget.Slots > 0 {
		v.Slots = c.Budget.Slots
	}
	if c.Budget.Known() && c.Budget.QuotaFree >= 0 {
		v.Quota, v.QuotaFree = c.Budget.Quota, c.Budget.QuotaFree
	}
	return v
}
