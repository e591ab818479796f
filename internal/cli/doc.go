// Package cli is weir's command line: one file per command, parsing apart from
// doing, exit codes in one place. Standard output is data; standard error is
// progress and logs.
package cli
