// Command land measures how fast, and in how much memory, weir lands a
// forecast result as Parquet. It generates its documents itself, the same ones
// each time.
//
//	land generate -mb 900 -order first >document.json
//	land run document.json
//	land figures
//
// generate writes a document; run lands one, from a file or from a pipe ("-"),
// in a process of its own and prints what that cost; figures generates and runs
// what docs/design.md gives figures of. Nothing here is part of the tests.
//
// Wall time on a machine that others use says little, so every figure comes
// with CPU seconds, and rates are also given as input bytes per CPU second
// times two cores: what two cores would reach if both were free and the work
// were spread evenly.
package main
