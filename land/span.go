package land

import (
	"time"

	"github.com/weirhq/weir"
)

const (
	// spanSlack is how far beside the days asked for a row may be before the
	// result is taken for another one: whose midnight the server means is its own
	// business.
	spanSlack = 24 * time.Hour
	// auditKept is about how long the server keeps audit events.
	auditKept = 30 * 24 * time.Hour
)

// spanEvidence compares the instants of the rows with the span asked for.
type spanEvidence struct {
	first, last time.Time // asked for; zero: open
	rows        int64
	without     int64 // rows with no instant
	beside      int64 // outside, by no more than the slack
	outside     int64 // outside by more
	stray       time.Time
}

func newSpanEvidence(r weir.Request) spanEvidence {
	first, last := r.Span()
	return spanEvidence{first: first, last: last}
}

// see takes the last row of a column of instants.
func (s *spanEvidence) see(v *vector) {
	s.rows++
	last := len(v.tags) - 1
	if v.tags[last] == tagNull {
		s.without++
		return
	}
	at := time.UnixMilli(v.vals[last]).UTC()
	early, late := !s.first.IsZero() && at.Before(s.first), !s.last.IsZero() && at.After(s.last)
	switch {
	case !early && !late:
	case early && at.Before(s.first.Add(-spanSlack)), late && at.After(s.last.Add(spanSlack)):
		s.outside++
		s.stray = at
	default:
		s.beside++
	}
}

// check refuses rows that the request did not ask for. Rows less than a day
// beside the span are noted: then the server means other midnights.
func (s *spanEvidence) check(r weir.Request, noun string) Check {
	asked := r.Since + ".." + r.Until
	switch {
	case s.first.IsZero() && s.last.IsZero():
		return check(CheckRange, NotAsked, "")
	case s.outside > 0:
		return check(CheckRange, Failed, "asked for %s, %s outside it, one at %s", asked, count(s.outside, noun), s.stray.Format(time.RFC3339))
	case s.rows == 0:
		return check(CheckRange, NotShown, "no rows")
	case s.without == s.rows:
		return check(CheckRange, NotShown, "no %s shows when it was", noun)
	case s.beside > 0:
		return check(CheckRange, Noted, "asked for %s, %s up to a day beside it", asked, count(s.beside, noun))
	case s.without > 0:
		return check(CheckRange, Noted, "%s without an instant", count(s.without, noun))
	}
	return check(CheckRange, Passed, "")
}
