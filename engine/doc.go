// Package engine does what package plan says. It is thin shells around pure
// decisions: each step reads a view from the ledger, asks plan.Next what to do,
// does the first thing, writes down what came of it, and asks again. Nothing
// that matters lives in memory, so an engine may die between any two
// instructions and another goes on from the ledger.
//
// # One conductor
//
// A [Conductor] is one goroutine that acts for an account under a lease. Its
// decisions carry the lease's owner and generation and the ledger refuses them
// when somebody else has taken over; facts from the server are written whatever
// happened to the lease. Right before any request is written the age of the
// lease's last renewal is checked, by the monotonic and the wall clock,
// whichever is older: a process that was frozen or a laptop that slept sends
// nothing on a right it may have lost.
//
// # What a POST may cost
//
// The intent is committed before a POST is sent, one POST is in flight at a
// time, and an answer that is not certain makes the export unknown. An unknown
// export is posted again only when its job is proved absent.
//
// # Landing
//
// Finished jobs are landed through the port [Lander]. The deliveries in the
// ledger are the truth and are offered again at every step; a lander that
// forgets loses nothing. It also says when it wants to be asked again: a
// conductor whose results land elsewhere does not look every second. [Pool] is
// the embedded lander.
//
// # Files
//
// conduct.go is the loop; submit.go posts; reconcile.go decides what became of
// things; poll.go reads jobs; limits.go reads limits; offer.go hands results to
// the lander; deliver.go lands; lease.go holds the lease; wait.go is a command
// that waits for its own deliveries.
package engine
