// Package clari is a typed client of the Clari Revenue API: one method per
// endpoint, tolerant decoding of every answer seen in the wild, and errors that
// say what may be done next.
//
// # Which method
//
//   - [Client.StartForecastExport], [Client.StartActivityExport] and
//     [Client.StartAuditExport] start a job; [Client.Start] does so for any
//     [weir.Request].
//   - [Client.Jobs] reads every job of the key's user in one request,
//     [Client.Job] one of them, [Client.Cancel] cancels one.
//   - [Client.Results] streams the file of a finished job.
//   - [Client.Limits] tells slots and quota of the organisation.
//   - [Client.Forecast], [Client.AuditEvents] and [Client.Opportunities] answer
//     at once and cost no export quota.
//
// # What it never does
//
// It never sleeps, never retries and logs nothing. Pace and retries belong to
// the caller: wrap the transport (see [NewTransport] and [WithTransport]) to
// pace, and look at the error's [Kind] to decide.
//
// # What an error says
//
// Every error of a call is an [*Error]. Its [Kind] answers the one question that
// matters after a call: did it happen, and does asking again help?
//
//	kind            did it happen?           asking again
//	NotSent         no, no byte was written  is safe
//	Throttled       no (429)                 later, see RetryAfter
//	Refused         no, no slot or no quota  later, [Client.Limits] tells which
//	BadRequest      no                       will be refused again
//	NotFound        no (404, 405)            will be refused again
//	InvalidJob      no                       helps only if the job is still to finish
//	AlreadyFinished no, it was over          is useless
//	NotAuthorised   no (401)                 needs another key
//	Forbidden       no (403)                 needs another right
//	NoOptIn         no                       needs access to that forecast
//	Transient       a read that was lost     is right
//	Interrupted     the caller's context     as the caller likes
//	Undecodable     a read, no evidence      perhaps
//	TooLarge        a read, no evidence      is useless
//	Ambiguous       nobody knows             may buy a second job
//
// No idempotency key exists on the server. A POST or PATCH is Ambiguous from the
// moment a connection was handed to it until an answer of the server has been
// read and understood. Writes go over a connection of their own, so that
// net/http never repeats one silently.
//
// # Safety
//
// The key is a [Key], which no formatting verb, encoder or logger reveals, and
// it is blanked out of every text that comes back from the server or the
// transport. Redirects are never followed for writes; for reads only to https,
// at most five, without the key once the origin changes. Plain http is for
// loopback hosts unless [WithInsecureBaseURL] is given. Texts from outside are
// bounded and their control characters escaped in error texts; ids, titles and
// file names in results are as the server sent them, and hostile.
package clari
