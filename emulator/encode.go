package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// stream writes a JSON document in portions of bounded size. After an error it
// writes nothing more, and its sections stop.
type stream struct {
	w   io.Writer
	buf []byte
	err error
}

const portion = 32 << 10

func (s *stream) text(t string) { s.buf = append(s.buf, t...) }

// ready sends full portions on and reports whether more is wanted.
func (s *stream) ready() bool {
	if len(s.buf) >= portion {
		s.flush()
	}
	return s.err == nil
}

func (s *stream) flush() {
	if s.err == nil && len(s.buf) > 0 {
		_, s.err = s.w.Write(s.buf)
	}
	s.buf = s.buf[:0]
}

// key writes a member's name, after a comma unless it is the object's first.
func (s *stream) key(name string) {
	if n := len(s.buf); n > 0 && s.buf[n-1] != '{' {
		s.buf = append(s.buf, ',')
	}
	s.buf = append(s.buf, '"')
	s.buf = append(s.buf, name...)
	s.buf = append(s.buf, '"', ':')
}

func (s *stream) quoted(name, value string) {
	s.key(name)
	s.buf = appendQuoted(s.buf, value)
}

func (s *stream) word(name string, w Word) {
	switch w.Presence {
	case Given:
		s.quoted(name, w.Text)
	case Null:
		s.key(name)
		s.text("null")
	}
}

func (s *stream) money(name string, m Money) {
	switch m.Presence {
	case Given:
		s.key(name)
		s.buf = appendCents(s.buf, m.Cents)
	case Null:
		s.key(name)
		s.text("null")
	}
}

func (s *stream) flag(name string, f Flag) {
	switch f.Presence {
	case Given:
		s.key(name)
		s.buf = strconv.AppendBool(s.buf, f.Yes)
	case Null:
		s.key(name)
		s.text("null")
	}
}

func (s *stream) instant(name string, i Instant) {
	switch i.Presence {
	case Given:
		s.key(name)
		s.buf = strconv.AppendInt(s.buf, i.Millis, 10)
	case Null:
		s.key(name)
		s.text("null")
	}
}

// appendQuoted writes a JSON string. Most are plain ASCII.
func appendQuoted(buf []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(buf, marshalled(value)...)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, value...)
	return append(buf, '"')
}

// marshalled escapes what must be and leaves <, > and & as they are.
func marshalled(value string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil { // a string always encodes
		return []byte(`""`)
	}
	return bytes.TrimSpace(out.Bytes())
}

// appendCents writes an amount as a JSON number, without needless zeros.
func appendCents(buf []byte, cents int64) []byte {
	if cents < 0 {
		buf = append(buf, '-')
		cents = -cents
	}
	buf = strconv.AppendInt(buf, cents/100, 10)
	switch rest := cents % 100; {
	case rest == 0:
		return buf
	case rest%10 == 0:
		return append(buf, '.', byte('0'+rest/10))
	default:
		return append(buf, '.', byte('0'+rest/10), byte('0'+rest%10))
	}
}

// WriteJSON writes the file as one object of five arrays, in an order that
// belongs to the tab and period.
func (c Contents) WriteJSON(w io.Writer) error {
	s := &stream{w: w}
	sections := []func(*stream){c.writeEntries, c.writeUsers, c.writeFields, c.writePeriods, c.writeFrames}
	s.text("{")
	for _, i := range c.tab.text(c.quarters[0].String()).text("order").order(len(sections)) {
		if sections[i](s); s.err != nil {
			return s.err
		}
	}
	s.text("}\n")
	s.flush()
	return s.err
}

// array opens a member that is an array; each opens one of its objects and
// reports whether more are wanted.
func (s *stream) array(name string) (each func() bool) {
	s.key(name)
	s.text("[")
	first := true
	return func() bool {
		if !first {
			s.text(",")
		}
		first = false
		if !s.ready() {
			return false
		}
		s.text("{")
		return true
	}
}

func (c Contents) writeEntries(s *stream) {
	each := s.array("entries")
	for e := range c.Entries() {
		if !each() {
			return
		}
		s.entry(e)
	}
	s.text("]")
}

func (s *stream) entry(e Entry) {
	s.quoted("fieldId", e.FieldID)
	s.quoted("timeFrameId", e.TimeFrameID)
	s.quoted("timePeriodId", e.TimePeriodID)
	s.quoted("userId", e.UserID)
	s.money("forecastValue", e.ForecastValue)
	s.flag("isUpdated", e.IsUpdated)
	s.word("updatedBy", e.UpdatedBy)
	s.instant("updatedOn", e.UpdatedOn)
	s.money("quotaValue", e.QuotaValue)
	s.money("adjustmentValue", e.AdjustmentValue)
	s.word("adjustedBy", e.AdjustedBy)
	s.instant("adjustedOn", e.AdjustedOn)
	s.money("crmTotal", e.CRMTotal)
	s.money("aggregationTotal", e.AggregationTotal)
	s.money("crmClosed", e.CRMClosed)
	if e.CurrencyCode != "" {
		s.key("currency")
		s.text("{")
		s.quoted("code", e.CurrencyCode)
		s.quoted("symbol", e.CurrencySymbol)
		s.text("}")
	}
	s.money("confidence", e.Confidence)
	s.text("}")
}

func (c Contents) writeUsers(s *stream) {
	each := s.array("users")
	for u := range c.Users() {
		if !each() {
			return
		}
		s.quoted("userId", u.ID)
		s.quoted("name", u.Name)
		s.quoted("email", u.Email)
		s.quoted("scopeId", u.ScopeID)
		s.quoted("crmId", u.CRMID)
		s.quoted("hierarchyId", u.HierarchyID)
		s.quoted("hierarchyName", u.HierarchyName)
		s.word("parentHierarchyId", u.ParentHierarchyID)
		s.word("parentHierarchyName", u.ParentHierarchyNm)
		s.word("region", u.Region)
		s.text("}")
	}
	s.text("]")
}

func (c Contents) writeFields(s *stream) {
	each := s.array("fields")
	for _, f := range c.Fields() {
		if !each() {
			return
		}
		s.quoted("fieldId", f.ID)
		s.quoted("fieldName", f.Name)
		s.quoted("fieldType", f.Type)
		s.text("}")
	}
	s.text("]")
}

func (c Contents) writePeriods(s *stream) {
	each := s.array("timePeriods")
	for _, p := range c.Periods() {
		if !each() {
			return
		}
		s.quoted("timePeriodId", p.ID)
		s.quoted("type", p.Type)
		s.quoted("label", p.Label)
		s.key("year")
		s.buf = strconv.AppendInt(s.buf, int64(p.Year), 10)
		s.quoted("startDate", p.StartDate)
		s.quoted("endDate", p.EndDate)
		s.word("crmId", p.CRMID)
		s.text("}")
	}
	s.text("]")
}

func (c Contents) writeFrames(s *stream) {
	each := s.array("timeFrames")
	for f := range c.TimeFrames() {
		if !each() {
			return
		}
		s.quoted("timeFrameId", f.ID)
		s.quoted("startDate", f.StartDate)
		s.quoted("endDate", f.EndDate)
		s.text("}")
	}
	s.text("]")
}
