// Package pace keeps a program under a rate limit that it was never told: a
// gate in front of an HTTP API that lets through what the server bears, obeys
// 429 and Retry-After to the letter, and remembers what it learned.
//
// # Use
//
// Wrap the transport, and every request of the client goes through the gate:
//
//	gate := pace.NewGate(pace.Config{}, pace.State{})
//	client := &http.Client{Transport: &pace.Transport{Gate: gate}}
//
// One gate stands for one limit: usually one API key. Requests wait in order of
// [Priority] (by method, or [WithPriority]) and within one priority in the
// order they came. A request whose context would end before its turn, or that
// would wait longer than [WithMaxWait] allows, is refused at once with a
// [ClosedError] that names the instant, so that its worker can do other things.
//
// A 429 goes back to the caller unchanged. The gate never repeats a request:
// it makes the next one wait.
//
// # How the gate thinks
//
//	        429                      the wait is over
//	open ─────────► closed until t ──────────────────► one request probes
//	  ▲                   ▲                               │        │
//	  │                   └──────── 429: next step ───────┘        │
//	  └──────────────── any other answer: learn the rate ──────────┘
//
// While closed, nothing starts. What runs already (a download's body, say) is
// not touched. t is the latest instant of all 429 answers: what Retry-After
// says, from receipt, and without a usable Retry-After a back-off of 5 s, 7.5 s,
// 11.25 s and so on to 60 s. Several requests in flight that are refused
// together are one incident and one step. Then exactly one request goes; all
// others wait for its outcome. If it ends without an answer (a connection
// error, a cancelled context, a gateway's 502, 503 or 504), the next in line
// probes.
//
// Between incidents a token bucket paces the starts. Its rate is the
// configured one until the first 429, and from then on the learned one: lowered
// at each recovery, raised slowly while no 429 comes. See [Policy] for the
// numbers and [Policy.Observe] for the rules.
//
// RateLimit headers (see [Limit]) are read where the server sends them. They
// can only make the gate act later than it would have, never earlier.
//
// # Guarantees
//
//  1. No request starts before the instant that Retry-After told, counted from
//     receipt; an HTTP-date is measured against the answer's own Date header.
//  2. Jitter only ever lengthens a back-off, and never touches a told wait.
//  3. While an incident lasts, at most one request is in flight that started
//     after it, unless a probe is silent for longer than [Policy.ProbeTimeout].
//  4. Every wait ends: with a turn, with the context, or with a [ClosedError].
//  5. A clock that goes backwards never opens the gate early.
//
// Not guaranteed: that there is never a 429. The limit belongs to the server,
// and others may share it.
//
// # Pure use
//
// The decisions are pure functions over [State], a plain value: [Policy.Decide]
// says whether a request may start now or when, [Policy.Took] records that one
// started, [Policy.Observe] what came of it. They read no clock and never
// block; a simulation runs them in virtual time. State marshals to JSON, and
// [ParseState] reads it back, so that the next run starts with what this one
// learned.
package pace
