// Package gosource reads the Go files of a module into syntax trees, for the
// checks of [github.com/weirhq/weir/internal/archtest] and for the size table
// of internal/shape.
//
// It reads every file whatever its build constraints, so that a rule cannot be
// evaded by a tag, and it does what the go tool does about folders: testdata,
// vendor, nested modules and names that begin with "." or "_" are no part of a
// module.
package gosource
