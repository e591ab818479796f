package view

import (
	"strings"
	"time"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
)

// Diff is what changed between two snapshots, as far as a page shows it.
type Diff struct {
	Title string    `json:"title"`
	From  DiffSide  `json:"from"`
	To    DiffSide  `json:"to"`
	Rows  DiffCount `json:"rows"`
	// Gone left the forecast, Zeroed still have rows and no number in them.
	Gone   DiffGroup `json:"vanished"`
	Zeroed DiffGroup `json:"zeroed"`
	Joined DiffGroup `json:"appeared"`
	// Totals are by field and column; TotalsCut says that there are more.
	Totals    []DiffTotal `json:"totals"`
	TotalsCut bool        `json:"totals_cut"`
	// Changes are the largest of the Values that changed.
	Changes []DiffChange `json:"changes"`
	Values  int          `json:"values"`
}

// DiffSide is one of the two.
type DiffSide struct {
	Snapshot   string    `json:"snapshot"`
	SnapshotAt time.Time `json:"snapshot_at"`
	Rows       int64     `json:"rows"`
}

// DiffCount counts rows by what became of them.
type DiffCount struct {
	Same     int64 `json:"same"`
	Changed  int64 `json:"changed"`
	Appeared int64 `json:"appeared"`
	Vanished int64 `json:"vanished"`
}

// DiffGroup are people of whom the same became. Named may be fewer than People.
type DiffGroup struct {
	People int64        `json:"people"`
	Named  []DiffPerson `json:"named"`
}

// More is how many are not named.
func (g DiffGroup) More() int64 { return g.People - int64(len(g.Named)) }

// DiffPerson is one of them.
type DiffPerson struct {
	ID   string `json:"user_id"`
	Name string `json:"user_name"`
	Rows int64  `json:"rows"`
}

// DiffTotal is the exact sum of a column over the rows of a field.
type DiffTotal struct {
	FieldID   string         `json:"field_id"`
	FieldName string         `json:"field_name"`
	Column    string         `json:"column"`
	From      history.Number `json:"from"`
	To        history.Number `json:"to"`
	Delta     history.Number `json:"delta"`
}

// DiffChange is one value that is another one.
type DiffChange struct {
	// Change is changed, appeared or vanished, and says it of the row.
	Change    string         `json:"change"`
	UserID    string         `json:"user_id"`
	UserName  string         `json:"user_name"`
	FieldID   string         `json:"field_id"`
	FieldName string         `json:"field_name"`
	TimeFrame string         `json:"time_frame"`
	Column    string         `json:"column"`
	From      history.Number `json:"from"`
	To        history.Number `json:"to"`
	Delta     history.Number `json:"delta"`
}

// Bounds on what one comparison shows.
const (
	maxDiffPeople = 100
	maxDiffTotals = 200
)

// DiffOf is a comparison with the largest of its changes, of so many values that
// changed.
func DiffOf(about history.About, s history.Summary, largest []history.Cell, values int) Diff {
	d := Diff{
		Title: about.To.Request.Title(), From: diffSide(about.From, s.FromRows), To: diffSide(about.To, s.ToRows),
		Rows: DiffCount{s.Same, s.Changed, s.Appeared, s.Vanished},
		Gone: diffGroup(s, history.Left), Zeroed: diffGroup(s, history.Zeroed), Joined: diffGroup(s, history.Joined),
		Totals: []DiffTotal{}, Changes: []DiffChange{}, Values: values, TotalsCut: s.TotalsCut || len(s.Totals) > maxDiffTotals,
	}
	for _, t := range s.Totals[:min(len(s.Totals), maxDiffTotals)] {
		d.Totals = append(d.Totals, DiffTotal(t))
	}
	for _, c := range largest {
		d.Changes = append(d.Changes, diffChange(c))
	}
	return d
}

func diffSide(m land.Manifest, rows int64) DiffSide {
	return DiffSide{Snapshot: m.Snapshot, SnapshotAt: m.SnapshotAt, Rows: rows}
}

func diffGroup(s history.Summary, what history.Presence) DiffGroup {
	g := DiffGroup{People: s.Counts.People[what], Named: []DiffPerson{}}
	for _, p := range s.People {
		if p.Presence == what && len(g.Named) < maxDiffPeople {
			g.Named = append(g.Named, DiffPerson{p.ID, p.Name, p.Rows})
		}
	}
	return g
}

func diffChange(c history.Cell) DiffChange {
	frame := c.Date()
	if frame == "" {
		frame = c.TimeFrameID
	}
	return DiffChange{
		Change: c.Kind.String(), UserID: c.UserID, UserName: c.UserName, FieldID: c.FieldID, FieldName: c.FieldName, TimeFrame: frame,
		Column: history.Columns()[c.Column], From: c.From[c.Column], To: c.To[c.Column], Delta: c.Delta(c.Column),
	}
}

// Money is a number for a person: digits in groups, two decimals at least,
// nothing as a dash.
func Money(n history.Number) string {
	if !n.There() {
		return "–"
	}
	text := n.String()
	if strings.ContainsAny(text, "eE") {
		return text
	}
	unsigned := strings.TrimPrefix(text, "-")
	whole, part, _ := strings.Cut(unsigned, ".")
	for len(part) < 2 {
		part += "0"
	}
	grouped := ""
	for len(whole) > 3 {
		grouped = "," + whole[len(whole)-3:] + grouped
		whole = whole[:len(whole)-3]
	}
	return text[:len(text)-len(unsigned)] + whole + grouped + "." + part
}

// Signed is a difference for a person, with its sign.
func Signed(n history.Number) string {
	if text := Money(n); !n.Counts() || strings.HasPrefix(text, "-") {
		return text
	}
	return "+" + Money(n)
}
