package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

func activityTypes() []string {
	return []string{"MEETING", "EMAIL_SENT", "EMAIL_RECEIVED", "ATTACHMENT_SENT", "ATTACHMENT_RECEIVED"}
}

// span is a stretch of time, until excluded, and what is wanted of it.
type span struct {
	from, until time.Time
	types       []string // of activities; empty is all
	filter      auditFilter
}

// mostDays bounds what a request can make the emulator write.
const mostDays = 3700

// daysOf reads the bounds of an activity export: only the date and the zone
// count, and the last day is included. Default: the last seven days.
func daysOf(start, end string, now time.Time) (span, error) {
	first, err := dayIn(start, dayOf(now).AddDate(0, 0, -6))
	if err != nil {
		return span{}, err
	}
	last, err := dayIn(end, dayOf(now))
	if err != nil {
		return span{}, err
	}
	until := last.AddDate(0, 0, 1)
	if !first.Before(until) {
		return span{}, errors.New("endDate is before startDate")
	}
	if until.Sub(first) > mostDays*24*time.Hour {
		return span{}, fmt.Errorf("more than %d days from startDate to endDate", mostDays)
	}
	return span{from: first, until: until}, nil
}

func dayIn(text string, absent time.Time) (time.Time, error) {
	if text == "" {
		return absent, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("date %q is not RFC 3339 with an offset", clip(text, 40))
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location()), nil
}

// Activity is one meeting, mail or attachment.
type Activity struct {
	ActivityID          string        `json:"activityId"`
	ActivityType        string        `json:"activityType"`
	Subject             string        `json:"subject"`
	Date                any           `json:"date"` // milliseconds, as a number or as a string
	ActivityOwnerID     string        `json:"activityOwnerId"`
	ActivityOrganiserID string        `json:"activityOrganiserId"`
	Accounts            []Account     `json:"accounts"`
	Opportunities       []Deal        `json:"opportunities"`
	Participants        []Participant `json:"participants"`
}

// Account is whom an activity concerns.
type Account struct {
	AccountID      string `json:"accountId"`
	AccountName    string `json:"accountName"`
	AccountOwnerID string `json:"accountOwnerId"`
}

// Deal is an opportunity that an activity concerns.
type Deal struct {
	OpportunityID      string `json:"opportunityId"`
	OpportunityName    string `json:"opportunityName"`
	OpportunityOwnerID string `json:"opportunityOwnerId"`
}

// Participant is who took part.
type Participant struct {
	Name       string `json:"name"`
	Email      string `json:"email"`
	SFDCUserID string `json:"sfdcUserId"`
	IsInternal bool   `json:"isInternal"`
}

// writeActivities writes the document of an activity export, oldest first.
func (e *Emulator) writeActivities(w io.Writer, s span) error {
	out := &stream{w: w}
	out.text("{")
	out.key("activities")
	out.text("[")
	first := true
	for at, d := range e.moments("activity", s.from, s.until, e.config.ActivitiesPerDay) {
		a := e.activity(at, d)
		if len(s.types) > 0 && !slices.Contains(s.types, a.ActivityType) {
			continue
		}
		if err := out.element(&first, a); err != nil {
			return err
		}
	}
	out.text("]}\n")
	out.flush()
	return out.err
}

// element writes one more element of an array.
func (s *stream) element(first *bool, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if !*first {
		s.text(",")
	}
	*first = false
	s.buf = append(s.buf, text...)
	s.ready()
	return s.err
}

// moments lists so many instants a day within a span, in order, each with what
// it draws from. An instant belongs to its day and number, whatever the span.
func (e *Emulator) moments(kind string, from, until time.Time, perDay int) func(func(time.Time, draw) bool) {
	return func(yield func(time.Time, draw) bool) {
		step := 24 * time.Hour / time.Duration(perDay)
		for day := dayOf(from); day.Before(until); day = day.AddDate(0, 0, 1) {
			for k := range perDay {
				d := e.draw.text(kind).with(day.Unix()).with(int64(k))
				at := day.Add(time.Duration(k) * step).Add(time.Duration(d.text("at").float() * float64(step))).Truncate(time.Millisecond)
				inside := !at.Before(from) && at.Before(until)
				if inside && !yield(at, d) {
					return
				}
			}
		}
	}
}

func (e *Emulator) activity(at time.Time, d draw) Activity {
	c := Contents{config: e.config, org: e.draw.text("people")}
	owner, other := c.person(d.with(1).below(e.config.Users)), c.person(d.with(2).below(e.config.Users))
	subjects := []string{`Review, "final"`, "Quarterly check-in", "Re: Angebot\nNr. 7", "デモ", "", "Pricing"}
	a := Activity{
		ActivityID: d.hex(32), ActivityType: activityTypes()[d.with(3).below(5)], Subject: subjects[d.with(4).below(len(subjects))],
		Date: at.UnixMilli(), ActivityOwnerID: owner.CRMID, ActivityOrganiserID: other.CRMID,
		Accounts: []Account{}, Opportunities: []Deal{}, Participants: []Participant{},
	}
	if d.with(5).chance(0.3) {
		a.Date = strconv.FormatInt(at.UnixMilli(), 10)
	}
	for i := range d.with(6).below(3) {
		n := d.with(int64(10 + i)).below(200)
		a.Accounts = append(a.Accounts, Account{fmt.Sprintf("001%012d", n), fmt.Sprintf("Customer %d, Ltd.", n), owner.CRMID})
		a.Opportunities = append(a.Opportunities, Deal{oppID(n), fmt.Sprintf("Deal %d", n), owner.CRMID})
	}
	for _, u := range []User{owner, other} {
		a.Participants = append(a.Participants, Participant{u.Name, u.Email, u.CRMID, true})
	}
	if d.with(7).chance(0.5) {
		a.Participants = append(a.Participants, Participant{"Guest", "guest@example.org", "", false})
	}
	return a
}

func oppID(n int) string { return fmt.Sprintf("006%012d", n) }
