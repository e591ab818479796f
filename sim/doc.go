// Package sim plays weir's own plan and pace in virtual time on a model of the
// server, beside models of what people use now. It has no goroutines that
// share anything, reads no clock and never sleeps: thousands of simulated hours
// pass in a second, and the same seed gives the same figures.
//
//	weir simulate
//
// prints the table ([Report]); one cell is one [Run].
//
// # The server
//
// As the project's description of the API has it: a concurrent limit that
// counts queued and running jobs of everybody, a queue, a quota that rolls over
// 30 days, one 400 for both that does not say which, a request limit (bucket,
// full minutes or any minute; refusals charged or not; no Retry-After) that
// answers 429, GET /admin/limits unless it is forbidden, and a list of all jobs
// of the key's user, so that other people's jobs are not in it. A request takes
// 80 to 220 ms there and back, a result half a second more.
//
// Jobs run log-normally. Four fifths of the spread (Persist 0.8, so 0.64 of the
// variance) belong to what is exported and come again with it; the past runs that
// weir learns from are drawn likewise. Every policy meets the same jobs: the
// n-th job of an export takes the same time whoever starts it and when.
//
// # The bound
//
// The makespan is divided by that of a clairvoyant: it knows how long each job
// will run, failed ones and their successors included, takes the longest first,
// and has a POST arrive in the very instant in which a slot frees. It pays the
// way of its first POST, one trip, and the download of the last result. (It is a
// schedule and not a proof: of the sum of all work over the slots it is at most
// 1.5 % above, in S2.) It knows nothing of a request limit, of refusals, or of
// other people's jobs, which S6 and S7 must be read with. A makespan of a policy
// that gave up exports is marked: what was not done takes no time.
//
// # What is counted
//
// Requests are all that were sent: reads of limits, lists, reads of a job,
// POSTs, downloads, refused ones too. Detection is the time from a job's end on
// the server to the answer by which the policy knew. Wasted are jobs bought
// whose result nobody fetched, those apart that the server failed. Missed are
// scheduled exports that did not land within a day.
//
// # The models of others
//
// They are as good as their sources allow, and where those are silent, what is
// kinder to them was taken.
//
//   - script: the polling advice of Clari's own guide: one job at a time, 5 s ×
//     1.5 to 60 s, 60 looks, 10 s between exports, 429 waits what Retry-After
//     says, else from 5 s on. A refused POST waits likewise.
//   - 30s x 5: the extractor of GitLab's data team (gitlab-data/analytics,
//     extract/clari): a look at once, then every 30 s, five in all, then a
//     timeout. It reads Retry-After from every 429 and fails where there is none.
//     It exports one quarter a run; here runs follow one another without a pause.
//   - 15s x 60: the connector in PostHog (posthog, sources/clari/clari.py): a look
//     at once, then every 15 s, sixty in all; five tries with exponential waits
//     from 2 to 90 s on a 429, and any other refusal fails.
//   - loop 5s: the asynchronous job orchestrator of Airbyte's connector kit
//     (airbyte-python-cdk, AsyncJobOrchestrator): starts jobs up to a configured
//     number, reads each running job once, downloads what is done, sleeps 5 s; a
//     POST that fails counts as one of three attempts. Configured with the true
//     number of slots, with half and with twice as many.
//   - parallel: a thread for each export, a look every 5 s, refusals repeated
//     after 1 s × 2 to 60 s at most ten times.
//
// weir greedy is weir without the look-ahead of the quota, for S9 alone: a
// backfill that takes what there is. In S9 nobody can do better than 40 of 96
// within any 30 days, 60 being scheduled, so that day 60 is the earliest end that
// misses nothing.
package sim
