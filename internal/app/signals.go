package app

import (
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/signals/metrics"
)

// NewService is a service over a ledger that stays the caller's, with its
// signals.
func NewService(path string, s Settings, getenv func(string) string, store *ledger.Store) *Service {
	counted := metrics.New(metrics.Config{
		Ledger: store, Policy: engine.PacePolicy(s.Policy, s.Rate), Version: Version(), Log: s.Log,
	})
	s.Watchers = append(s.Watchers, counted)
	return &Service{Path: path, Settings: s, Getenv: getenv, Store: store, Metrics: counted}
}
