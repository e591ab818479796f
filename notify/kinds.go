package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Kinds of news, as a configuration names them.
const (
	Failed      = "failed"       // an export was given up
	Rejected    = "rejected"     // verification refused a result
	NeedsPerson = "needs_person" // an export waits for somebody's decision
	KeyRefused  = "key_refused"  // the server takes the key for nothing
	QuotaLow    = "quota_low"    // the quota ends before what is scheduled does
	Missed      = "missed"       // a scheduled run was late, or its snapshot is
	Recovered   = ledger.Recovered
)

// Kinds are all of them.
func Kinds() []string {
	return []string{Failed, Rejected, NeedsPerson, KeyRefused, QuotaLow, Missed, Recovered}
}

// Title is a kind as the first words of a message.
func Title(kind string) string {
	switch kind {
	case Failed:
		return "exports failed"
	case Rejected:
		return "results were refused by verification"
	case NeedsPerson:
		return "exports wait for a decision"
	case KeyRefused:
		return "the API key is refused"
	case QuotaLow:
		return "the export quota runs out"
	case Missed:
		return "snapshots are missing or late"
	case Recovered:
		return "it works again"
	}
	return clean(kind)
}

// Advice is what to do about a kind.
func Advice(kind string) string {
	switch kind {
	case Failed, Rejected:
		return "weir status EXPORT tells why; weir retry EXPORT tries again"
	case NeedsPerson:
		return "weir explain EXPORT says what to check; weir resolve EXPORT decides it"
	case KeyRefused:
		return "put a working key where the configuration says; it is picked up within a minute"
	case QuotaLow:
		return "weir quota shows what comes back when; fewer periods or a longer schedule need less"
	case Missed:
		return "weir status shows what waits and why"
	}
	return ""
}

func failureText(t ledger.Trouble) string {
	code := "no code"
	if t.Export.Failure != nil {
		code = clean(t.Export.Failure.Code)
	}
	return fmt.Sprintf("%s (export %d): %s", name(t.Export.Request), t.Export.ID, code)
}

func overdueText(e weir.Export, now time.Time) string {
	return fmt.Sprintf("%s (export %d): due %s ago, not yet landed", name(e.Request), e.ID, round(now.Sub(e.AsOf)))
}

func lateText(s ledger.Schedule) string {
	return fmt.Sprintf("schedule %s: the run due %s started %s late", clean(s.Name), s.LastDueAt.Format(time.RFC3339), round(s.LastRunAt.Sub(s.LastDueAt)))
}

func decisionText(e weir.Export) string {
	return fmt.Sprintf("%s (export %d) waits for weir resolve %d", name(e.Request), e.ID, e.ID)
}

func quotaText(at, now time.Time) string {
	if !at.After(now) {
		return "nothing is left of the quota, and exports wait for it"
	}
	return fmt.Sprintf("nothing will be left of the quota for what is scheduled on %s", at.UTC().Format("2006-01-02 15:04 MST"))
}

func name(r weir.Request) string { return clean(r.Title()) }

// mostName bounds a name in a message, in characters.
const mostName = 120

// clean makes a name from outside fit for one line of any receiver.
func clean(text string) string {
	runes := 0
	return strings.Map(func(r rune) rune {
		if runes++; runes > mostName {
			return -1
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// round shows a duration as coarsely as it matters.
func round(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
