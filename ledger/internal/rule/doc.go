// Package rule holds what every ledger must decide alike, whatever it stores
// rows in: what a transition does to deliveries, when a landing ends its
// export, how a new fact about a job joins the old ones, when a job was bought.
// All of it is pure; the stores only read rows, ask, and write rows.
package rule
