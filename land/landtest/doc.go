// Package landtest is the contract of [land.Store] as a test suite, for every
// implementation to pass.
package landtest
