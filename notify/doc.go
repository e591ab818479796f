// Package notify tells people what they should know and would not look for: an
// export failed, a result was refused, the quota will not last, a snapshot is
// missing, the key does not work, somebody must decide; and that it is over.
//
// # From fact to message
//
//	Desk.Look     finds news in the ledger and in the plans it is told of
//	  │           each piece is news once, whoever finds it (ledger.Newsroom)
//	  ▼
//	messages      one for each receiver, kind and account gathers what comes
//	  │           within seconds; the next goes a quarter of an hour later
//	  ▼
//	Desk.Send     claims a due message, sends it, writes down how that ended
//
// News and the message that it joins are one transaction, so that each piece is
// queued exactly once. A message is delivered at least once: a sender that dies
// after the receiver took it leaves it to another, who sends it with the same
// token. The receiver tells repetitions by the token.
//
// # What a message holds
//
// Names of accounts, tabs, periods and schedules; numbers of exports; codes of
// failures. Never a value of a forecast, never a name or address of a person,
// never what the server wrote, never a key. Where more is to be known, it says
// which command tells it.
//
// # Who runs it
//
// Run looks and sends in a loop of its own. Where River works on the ledger, its
// workers call Send instead; both may run at once.
package notify
