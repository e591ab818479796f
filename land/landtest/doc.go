// Package landtest is the contract of package land's places as test suites for
// every implementation to pass: [Store] for a [land.Store], [Run] for a
// [land.Destination], whether it takes files or rows.
package landtest
