// Package riverui shows River's own pages under weir's login: the queue that
// spreads landings, messages and chores over the servers of a PostgreSQL, job by
// job.
//
// The pages are River's, scripts included, so they get a policy of their own and
// cannot repeat a form's token: a request of theirs that changes something is
// let through on the browser's word that it comes from this origin. What can be
// changed is the queue. The rows of the ledger are the truth: a job that is
// cancelled or deleted here is offered again as long as its row is open.
package riverui
