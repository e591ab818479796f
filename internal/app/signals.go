package app

import (
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
	"github.com/weirhq/weir/signals/metrics"
)

// NewService is a service over a ledger that stays the caller's, with its
// signals: what it counts and whom it tells.
func NewService(path string, s Settings, getenv func(string) string, store *ledger.Store) (*Service, error) {
	owner, err := newOwner()
	if err != nil {
		return nil, err
	}
	counted := metrics.New(metrics.Config{
		Ledger: store, Policy: engine.PacePolicy(s.Policy, s.Rate), Version: Version(), Log: s.Log,
	})
	desk := &notify.Desk{Book: store, Owner: owner, Sent: counted.Notified, Log: s.Log}
	s.Watchers = append(s.Watchers, counted, desk)
	service := &Service{Path: path, Settings: s, Getenv: getenv, Store: store, Metrics: counted, Desk: desk}
	desk.Refused = service.refused
	return service, nil
}
