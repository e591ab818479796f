// Package riverlander spreads landings, and other work that any server may do,
// over the servers that share a PostgreSQL. It puts River, a queue in that
// database, behind the port engine.Lander.
//
// The rows of the ledger are the truth and River is the muscle. A delivery is a
// row first; its job in River is inserted after that row is committed and may be
// lost: the conductor offers what is open again and again, and the job's key
// holds the delivery's generation, so that a claim that was swept makes another
// job. A worker claims the delivery before it does anything, so two jobs for one
// delivery land it once.
//
// Only a process that has the account's key and can open the destination claims;
// another puts the job back. The request for the result is taken from the pace of
// the account's one conductor before the job is inserted.
//
// A message of the ledger goes the same way, by a queue of its own: its row is
// there first, its job holds its id, and the worker claims it before it sends.
//
// A [Chore] is work that is due every so often and done by one server: its job's
// key holds the turn.
package riverlander
