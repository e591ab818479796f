// Command weir takes data out of Clari within its limits. See weir --help.
package main
