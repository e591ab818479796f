package land

import (
	"slices"
	"strings"
)

// Dangling counts rows whose ids have no row in a lookup table. The rows are
// kept; what would have been looked up is null.
type Dangling struct {
	Users       int64 `json:"users"`
	Fields      int64 `json:"fields"`
	TimePeriods int64 `json:"time_periods"`
	TimeFrames  int64 `json:"time_frames"`
	// AmbiguousTimeFrames have several frames of one id of which none fits the
	// entry's period best.
	AmbiguousTimeFrames int64 `json:"ambiguous_time_frames"`
	// Actors counts audit events whose actor is not among the actors.
	Actors int64 `json:"actors,omitempty"`
}

func (d Dangling) total() int64 {
	return d.Users + d.Fields + d.TimePeriods + d.TimeFrames + d.AmbiguousTimeFrames
}

func (d *Dangling) add(other Dangling) {
	d.Users += other.Users
	d.Fields += other.Fields
	d.TimePeriods += other.TimePeriods
	d.TimeFrames += other.TimeFrames
	d.AmbiguousTimeFrames += other.AmbiguousTimeFrames
}

// constants are the values that every row of a snapshot shares.
type constants struct {
	request, job string
	instant      int64 // Unix milliseconds
}

// widener turns batches as read into batches as written: all columns of the
// table in order, looked-up and constant ones among them.
type widener struct {
	table   Table
	sources []source
	out     *batch
	lookups map[string]*lookup // by table name; nil for a lookup table itself
	ids     map[string]int     // the vector of an entry's id, by lookup table

	rows     map[string][]int32 // of the batch at hand, by lookup table
	byCode   []int32
	frames   frameCache
	dangling Dangling
}

// source is where one column of the output comes from.
type source struct {
	read     int // vector of the batch as read, or -1
	lookup   string
	column   int // vector of the lookup
	constant bool
	value    int64 // of a constant that is no text
}

func newWidener(t Table, lookups map[string]*lookup, shared constants) *widener {
	read := layout(t)
	w := &widener{
		table: t, lookups: lookups, out: newBatch(kinds(t.Columns)),
		ids: map[string]int{}, rows: map[string][]int32{}, frames: frameCache{},
	}
	for i, c := range t.Columns {
		s := source{read: -1}
		switch {
		case c.Constant != "":
			s.constant = true
			s.value = shared.instant
			w.out.cols[i].setConstant(c.Constant, shared)
			w.out.cols[i].lasting = true
		case c.Lookup != "":
			table, column, _ := strings.Cut(c.Lookup, ".")
			s.lookup = table
			s.column = slices.IndexFunc(lookups[table].columns, func(l Column) bool { return l.Name == column })
			w.out.cols[i].lasting = true
		default:
			s.read = slices.IndexFunc(read, func(l Column) bool { return l.Name == c.Name })
		}
		w.sources = append(w.sources, s)
	}
	for name, l := range lookups {
		w.ids[name] = slices.IndexFunc(read, func(c Column) bool { return c.Name == l.columns[l.id].Name })
	}
	return w
}

func (v *vector) setConstant(what string, shared constants) {
	switch what {
	case "request":
		v.texts.put([]byte(shared.request))
	case "job":
		v.texts.put([]byte(shared.job))
	}
}

// widen gives the batch as written. It stays valid until the next call and as
// long as b does.
func (w *widener) widen(b *batch) *batch {
	w.out.rows = b.rows
	w.match(b)
	for i, s := range w.sources {
		v := &w.out.cols[i]
		switch {
		case s.constant:
			fillConstant(v, s, b.rows)
		case s.lookup != "":
			gather(v, &w.lookups[s.lookup].batch.cols[s.column], w.rows[s.lookup])
		default:
			*v = b.cols[s.read]
		}
	}
	return w.out
}

// fillConstant repeats the constant; an empty text is null.
func fillConstant(v *vector, s source, rows int) {
	v.codes, v.tags, v.vals = v.codes[:0], v.tags[:0], v.vals[:0]
	code := uint32(1)
	if v.kind.coded() && len(v.texts.at(1)) == 0 {
		code = 0
	}
	for range rows {
		if v.kind.coded() {
			v.codes = append(v.codes, code)
			continue
		}
		v.tags, v.vals = append(v.tags, 1), append(v.vals, s.value)
	}
}

// gather copies the looked-up rows of a column.
func gather(v, from *vector, rows []int32) {
	v.texts = from.texts
	v.codes, v.tags, v.vals = v.codes[:0], v.tags[:0], v.vals[:0]
	for _, row := range rows {
		switch {
		case from.kind.coded() && row == none:
			v.codes = append(v.codes, 0)
		case from.kind.coded():
			v.codes = append(v.codes, from.codes[row])
		case row == none:
			v.tags, v.vals = append(v.tags, tagNull), append(v.vals, 0)
		default:
			v.tags, v.vals = append(v.tags, from.tags[row]), append(v.vals, from.vals[row])
		}
	}
}

// match finds the lookup rows of every entry.
func (w *widener) match(b *batch) {
	if w.lookups == nil {
		return
	}
	w.dangling.Users += w.matchIDs("forecast_users", b)
	w.dangling.Fields += w.matchIDs("forecast_fields", b)
	w.dangling.TimePeriods += w.matchIDs("forecast_time_periods", b)
	w.matchFrames(b)
}

// matchIDs looks each distinct id up once.
func (w *widener) matchIDs(name string, b *batch) (missing int64) {
	ids, l := &b.cols[w.ids[name]], w.lookups[name]
	w.byCode = append(w.byCode[:0], none)
	for code := 1; code <= ids.texts.count(); code++ {
		w.byCode = append(w.byCode, l.find(ids.texts.at(uint32(code))))
	}
	rows := w.rows[name][:0]
	for _, code := range ids.codes {
		row := w.byCode[code]
		rows = append(rows, row)
		if code != 0 && row == none {
			missing++
		}
	}
	w.rows[name] = rows
	return missing
}

func (w *widener) matchFrames(b *batch) {
	const name = "forecast_time_frames"
	frames, periods := &b.cols[w.ids[name]], &b.cols[w.ids["forecast_time_periods"]]
	clear(w.frames)
	rows := w.rows[name][:0]
	for i, code := range frames.codes {
		if code == 0 {
			rows = append(rows, none)
			continue
		}
		found := w.frameOf(frames, periods, code, periods.codes[i])
		rows = append(rows, found.row)
		switch found.how {
		case dangling:
			w.dangling.TimeFrames++
		case ambiguous:
			w.dangling.AmbiguousTimeFrames++
		}
	}
	w.rows[name] = rows
}

func (w *widener) frameOf(frames, periods *vector, frame, period uint32) frameMatch {
	key := [2]uint32{frame, period}
	if found, ok := w.frames[key]; ok {
		return found
	}
	var periodID []byte
	if period != 0 {
		periodID = periods.texts.at(period)
	}
	row, how := frameOf(w.lookups["forecast_time_frames"], w.lookups["forecast_time_periods"], frames.texts.at(frame), periodID)
	w.frames[key] = frameMatch{row, how}
	return w.frames[key]
}
