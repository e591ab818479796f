// Package servertest runs real servers for tests: a throw-away PostgreSQL and an
// S3-compatible object store, both on loopback, in a temporary directory of
// their own, ended and removed with the test.
//
// [StartPostgres] uses a PostgreSQL that is on the machine (in PATH or where
// Debian's packages put it), never one that is running. The program install.sh
// of this directory, which `make test` calls, installs Debian's package when
// there is none. As root the server runs as the user postgres or nobody,
// because PostgreSQL refuses root.
//
// [StartS3] runs the Versity gateway, whose pinned version is built once by `go
// install` into the Go build cache and found there ever after.
//
// A test whose server cannot be had fails and says what to do; it is never
// skipped.
package servertest
