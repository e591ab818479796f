// Package emulator is a Clari on loopback: the export API with its own limits,
// its own clock and faults by script. No sandbox of the real service exists, so
// this is what weir is tried against, in tests, in simulations and by hand with
// "weir emulate".
//
// It shares no types with the client, deliberately: two readings of one
// description can be wrong in different ways, and then they disagree in a test
// instead of agreeing on a mistake.
//
// # In two lines
//
//	e, err := emulator.New(emulator.Config{Key: "made-up", Slots: 2, Rate: 10})
//	client := &http.Client{Transport: e.RoundTripper()} // base URL http://any.host/v4
//
// Over a socket the [Emulator] is an [http.Handler]; [Serve] runs it on a
// listener and [BaseURL] is the address to give to a client.
//
// # What it answers
//
// Every call of the export API: POST /export/forecast/{id}, /export/activity
// and /export/audit/events; GET /export/jobs, /export/jobs/{id} and its
// /results; PATCH to cancel; GET /admin/limits, /forecast/{id}, /audit/events
// and /opportunity. Errors come in the envelope of whoever would have sent
// them: the gateway in front, the API, the audit or the opportunity surface. A
// [Dialect] chooses among the wordings that clients have met.
//
// # Two clocks
//
// The client's clock is [Config.Now]. The organisation's runs [Config.Speed]
// times as fast and begins at [Config.Start]. Jobs, quota, job ids, dates, the
// Date header and the instants of a scenario are the organisation's; the
// request rate, Retry-After and scripted delays are the client's, because they
// belong to the connection. A Retry-After as a date is the Date header plus the
// wait, so that a client that measures one against the other waits right.
//
// Nothing runs between requests: each request first plays what has happened up
// to its instant. States therefore do not depend on when anybody looked, and
// the emulator works in a testing/synctest bubble. One seed and one sequence of
// requests at the same instants give the same bytes. Concurrent requests come
// in whatever order they come.
//
// # Limits
//
//   - [Config.Slots] bounds queued and running jobs of the organisation,
//     [Config.RunningSlots] those that run; further ones wait in order.
//   - [Config.Quota] bounds the jobs started in any 30 days. A cancel gives a
//     use back, whoever cancels; a failed job does not.
//   - Both refuse with 400 export_monthly_quota_reached in the same words.
//   - [Config.Rate] bounds one key's requests and refuses with 429.
//
// # Results
//
// A forecast file is a function of the seed, the tab, the period, what was
// asked and the instant that it shows. [Emulator.Contents] computes the same
// data for a test to compare with. It is written as it is computed: a hundred
// thousand people make a file of gigabytes and no memory. It holds what bites:
// names with quotes, commas and line breaks, nulls, absent values, ids without
// a match, fields that nobody knows, numbers beyond double precision, weeks out
// of order, a first week that begins before its quarter. [Config.Plain] leaves
// out the odd things.
//
// # Faults
//
// A [Scenario] scripts them, in Go or in YAML; SCENARIOS.md in this folder
// explains each with an example. [Emulator.Counters] and
// [Emulator.RequestLog] tell afterwards what was asked of it.
package emulator
