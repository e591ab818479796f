package land

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// value puts a value of the CSV where its data type belongs: a column, or
// _extra for a type that nobody knows and for text that the column cannot hold.
func (s *sheet) value(at place, kind, text string) error {
	vector, known := s.typeOf(kind)
	if !known {
		s.f.entries.unknown.add([]byte(kind))
		return s.keepValue(at, kind, text)
	}
	bit := uint32(1) << vector
	if at.in.given[at.row]&bit != 0 {
		return s.twice(kind)
	}
	at.in.given[at.row] |= bit
	s.f.entries.present[vector]++
	if text == "" || s.take(at, vector, text) {
		return nil
	}
	s.f.entries.misfits.add([]byte(kind))
	return s.keepValue(at, kind, text)
}

func (s *sheet) keepValue(at place, kind, text string) error {
	fresh, err := s.window.keep(at, strings.Clone(kind), strings.Clone(text))
	if err == nil && !fresh {
		return s.twice(kind)
	}
	return err
}

func (s *sheet) twice(kind string) error {
	return refuse(CheckEntryKeys, "line %d has %s of one user, field, week and timeframe a second time", s.line, shown(kind))
}

// keepMore keeps what stands in a column that nobody knows. The rows of one
// entry may differ there: then the data type tells them apart.
func (s *sheet) keepMore(at place, column, text, kind string) error {
	if text == "" {
		return nil
	}
	s.f.entries.unknown.add([]byte(column))
	for _, o := range at.in.others[at.row] {
		if o == (other{column, text}) {
			return nil
		}
	}
	fresh, err := s.window.keep(at, column, strings.Clone(text))
	if err == nil && !fresh {
		return s.keepValue(at, kind+": "+column, text)
	}
	return err
}

// typeOf is the vector that a data type goes to. Case, blanks and underscores
// do not count, and "Value" at the end may be missing.
func (s *sheet) typeOf(kind string) (vector int, known bool) {
	if vector, known = s.types[kind]; known {
		return vector, vector >= 0
	}
	column := map[string]string{
		"forecast": "forecast_value", "quota": "quota_value", "adjustment": "adjustment_value",
		"crmtotal": "crm_total", "aggregationtotal": "aggregation_total", "crmclosed": "crm_closed",
		"forecastupdated": "is_updated", "updated": "is_updated", "isupdated": "is_updated",
		"updatedby": "updated_by", "adjustedby": "adjusted_by", "updatedon": "updated_on", "adjustedon": "adjusted_on",
	}[plainType(kind)]
	vector = -1
	for i, c := range s.f.columns {
		if c.Name == column {
			vector = i
		}
	}
	if len(s.types) < maxTally {
		s.types[strings.Clone(kind)] = vector
	}
	return vector, vector >= 0
}

func plainType(kind string) string {
	letters := strings.Map(func(c rune) rune {
		if c == ' ' || c == '_' {
			return -1
		}
		return unicode.ToLower(c)
	}, kind)
	return strings.TrimSuffix(letters, "value")
}

// take puts text into its column, or says that the column cannot hold it.
func (s *sheet) take(at place, vector int, text string) bool {
	v := &at.in.batch.cols[vector]
	switch v.kind {
	case Text:
		v.setTextAt(at.row, []byte(text))
		return true
	case Bool:
		yes, ok := parseYes(text)
		if ok {
			v.tags[at.row], v.vals[at.row] = 1, truth(yes)
		}
		return ok
	case Instant:
		ms, ok := parseInstant([]byte(text))
		if ok {
			v.tags[at.row], v.vals[at.row] = 1, ms
		}
		return ok
	}
	literal, symbol, ok := parseAmount(text)
	if !ok || !s.currency(at, symbol) {
		return false
	}
	v.setNumberAt(at.row, []byte(literal))
	return true
}

// currency keeps the symbol of an entry's amounts, or says that this one
// differs. Three capital letters are a code as well.
func (s *sheet) currency(at place, symbol string) bool {
	if symbol == "" {
		return true
	}
	for i, c := range s.f.columns {
		v := &at.in.batch.cols[i]
		switch {
		case c.Name == "currency_code" && isCode(symbol):
			v.setTextAt(at.row, []byte(symbol))
		case c.Name == "currency_symbol" && v.codes[at.row] != 0:
			return string(v.texts.at(v.codes[at.row])) == symbol
		case c.Name == "currency_symbol":
			v.setTextAt(at.row, []byte(symbol))
		}
	}
	return true
}

func isCode(symbol string) bool {
	return len(symbol) == 3 && strings.Trim(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func parseYes(text string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "true":
		return true, true
	case "no", "false":
		return false, true
	}
	return false, false
}

var amountForm = regexp.MustCompile(`^(0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(\.[0-9]+)?$`)

// maxSymbol bounds the bytes of a currency symbol.
const maxSymbol = 12

// parseAmount reads "$3,000,190.00", "-€5.00", "$-5", "(CHF 1,234.50)" or a
// plain number: the number as JSON writes it, and the symbol. Commas group
// thousands and nothing else, so "1.234,50" is no amount, and neither is "5%".
func parseAmount(text string) (literal, symbol string, ok bool) {
	rest := strings.TrimSpace(text)
	negative := false
	if inner, found := strings.CutPrefix(rest, "("); found && strings.HasSuffix(inner, ")") {
		negative, rest = true, strings.TrimSuffix(inner, ")")
	}
	rest, minus := strings.CutPrefix(rest, "-")
	digits := strings.IndexAny(rest, "0123456789")
	if digits < 0 || minus && negative {
		return "", "", false
	}
	symbol, rest = rest[:digits], rest[digits:]
	if before, found := strings.CutSuffix(symbol, "-"); found {
		if minus || negative {
			return "", "", false
		}
		symbol, minus = before, true
	}
	symbol = strings.TrimSpace(symbol)
	if !isSymbol(symbol) || !amountForm.MatchString(rest) {
		return "", "", false
	}
	literal = strings.ReplaceAll(rest, ",", "")
	if negative || minus {
		literal = "-" + literal
	}
	return literal, symbol, true
}

// isSymbol takes letters and currency signs, or nothing.
func isSymbol(symbol string) bool {
	if len(symbol) > maxSymbol || !utf8.ValidString(symbol) {
		return false
	}
	for _, c := range symbol {
		if !unicode.IsLetter(c) && !unicode.Is(unicode.Sc, c) {
			return false
		}
	}
	return true
}

var (
	quarterForm = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])[cf]?q *([1-4])(?:[^0-9]|$)`)
	yearForm    = regexp.MustCompile(`(?i)(?:^|[^0-9])((?:19|20|21)[0-9]{2})(?:[^0-9]|$)|(?:fy[ ']*|')([0-9]{2})(?:[^0-9]|$)`)
	between     = regexp.MustCompile(`[^A-Za-z0-9]`)
)

// quarterOf reads the one quarter and the one year that a timeframe's label
// names ("Q1 FY 2026", "2026_Q1", "FY26 Q1") as a period's id; else it is empty.
func quarterOf(label string) (id, year string) {
	label = between.ReplaceAllString(label, "$0$0") // matches share no character
	quarters := quarterForm.FindAllStringSubmatch(label, 2)
	years := yearForm.FindAllStringSubmatch(label, 2)
	if len(quarters) != 1 || len(years) != 1 {
		return "", ""
	}
	year = years[0][1]
	if year == "" {
		year = "20" + years[0][2]
	}
	return year + "_Q" + quarters[0][1], year
}
