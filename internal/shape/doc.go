// Command shape measures how long the files and functions of this module are
// and holds them to a budget.
//
//	go run ./internal/shape
//
// prints the size table, code and tests apart, and ends with 1 when something
// is over the budget, naming file and line. The same budget is a test of this
// package.
//
// A function's lines run from its func keyword to its closing brace, with
// comments and blank lines between them; a function literal is part of the
// function around it. A file's lines are all of its lines. Generated files are
// not counted: nobody reads them.
//
// The median and the 90th percentile bind the code as a whole, since taste
// shows there; the longest function and the longest file bind each one. A test
// may be a table, so tests have no percentiles to keep and twice the file.
package main
