// Package plan decides. It is pure: from exports, budget, history and an
// instant it says what to do next, why in words a person can read, and when to
// look again. Nothing in it blocks, reads a clock, or fails.
//
// [Next] is the decision about one account; [View] is all that it rests on and
// [Plan] what it says. Those who act do the first action, write down what came of
// it, and ask again. The same view and instant always give the same plan.
//
// # In what order
//
//  1. What the server told is written down first: ended jobs are settled, jobs
//     are recognised, lost intents become unknown.
//  2. While the gate or the account is closed nothing is asked.
//  3. Wishes to cancel, then at most one POST with the reads that must precede
//     it, then what proves a lost POST's fate, then the next look at what runs.
//
// # What it is held to
//
// It never plans a POST without a free slot, quota, an open gate and a list of
// at most a minute; never one beside an unknown fate of the like. No job is given
// to two exports. Every open export is the subject of an action or has a [Stand]
// that says what it waits for and until when. More slots told are never fewer
// used. The tests of this package check these on random views, and package sim
// measures what the numbers in it are worth.
package plan
