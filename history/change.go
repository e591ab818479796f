package history

import "strings"

// Kind is what became of a row.
type Kind uint8

// What can become of a row. A row with the same values is no change.
const (
	Changed  Kind = iota + 1 // in both snapshots, with other values
	Appeared                 // in the second only
	Vanished                 // in the first only
)

// String is the kind as files have it.
func (k Kind) String() string { return [...]string{"", "changed", "appeared", "vanished"}[k] }

// Presence is what became of a person.
type Presence uint8

// What can become of a person. Vanished and zeroed are told apart because they
// mean different things: who left the forecast has no row any more, who went to
// zero has rows and no number in them.
const (
	Stayed Presence = iota
	Joined          // has rows in the second snapshot only
	Left            // has rows in the first snapshot only
	Zeroed          // had a number other than zero, and has rows but none now
)

// String is the presence as files have it.
func (p Presence) String() string {
	return [...]string{"stayed", "appeared", "vanished", "zeroed"}[p]
}

// Change is one row that differs between two snapshots.
type Change struct {
	Kind Kind
	// Person is what became of the row's user as a whole.
	Person Presence
	Key
	UserName, FieldName string
	// Start is the first day of the time frame, in days since 1970-01-01.
	Start    int64
	HasStart bool
	// From and To are the values of [Columns].
	From, To [values]Number
}

// Delta is by how much a value changed, a missing one counting as none, so that
// the deltas of a field add up to that of its total.
func (c *Change) Delta(column int) Number { return c.To[column].Minus(c.From[column]) }

// Differs reports whether a value is another one.
func (c *Change) Differs(column int) bool { return !c.From[column].Equal(c.To[column]) }

// before orders changes by user, field, time frame and period, then by kind.
func before(a, b *Change) int {
	for _, ids := range [...][2]string{{a.UserID, b.UserID}, {a.FieldID, b.FieldID}, {a.TimeFrameID, b.TimeFrameID}, {a.TimePeriodID, b.TimePeriodID}} {
		if order := strings.Compare(ids[0], ids[1]); order != 0 {
			return order
		}
	}
	return int(a.Kind) - int(b.Kind)
}

// appendChange writes a change in bytes.
func appendChange(dst []byte, c *Change) []byte {
	dst = append(dst, byte(c.Kind), byte(c.Person))
	row := Row{
		IDs:      [4][]byte{[]byte(c.UserID), []byte(c.FieldID), []byte(c.TimeFrameID), []byte(c.TimePeriodID)},
		UserName: []byte(c.UserName), FieldName: []byte(c.FieldName), Start: c.Start, HasStart: c.HasStart,
	}
	dst = appendBytes(dst, appendKey(nil, &row))
	dst = appendBytes(dst, appendPayload(nil, &c.From))
	dst = appendBytes(dst, appendPayload(nil, &c.To))
	return appendBytes(dst, appendLabel(nil, &row))
}

func readChange(text []byte) (Change, error) {
	s := scan{rest: text}
	c := Change{Kind: Kind(s.byte()), Person: Presence(s.byte())}
	c.Key = keyOf(s.bytes())
	from, good := valuesOf(s.bytes())
	to, also := valuesOf(s.bytes())
	c.From, c.To = from, to
	c.label(s.bytes())
	if s.short || !good || !also || c.Kind < Changed || c.Kind > Vanished || c.Person > Zeroed {
		return Change{}, errDamaged
	}
	return c, nil
}

func (c *Change) label(text []byte) {
	s := scan{rest: text}
	c.HasStart = s.byte() == 1
	c.Start = s.varint()
	c.UserName, c.FieldName = string(s.bytes()), string(s.bytes())
}
