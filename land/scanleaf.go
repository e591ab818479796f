package land

import "github.com/go-json-experiment/json/jsontext"

// leaf reads any value and, if a column wants it, puts it there; taken says
// that the column could hold it.
func (s *scanner) leaf(e *expected, wanted bool) (taken, ok bool) {
	start := s.at
	switch c := s.text[s.at]; {
	case c == '"':
		return s.words(e, wanted)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(e, wanted)
	case c == 't' || c == 'f':
		if !s.literal("true") && !s.literal("false") {
			return false, false
		}
		v := &s.rows.batch.cols[e.to.vector]
		if wanted && v.kind == Bool {
			v.setValue(1, truth(c == 't'))
			return true, true
		}
		return false, true
	case c == 'n':
		return false, s.literal("null")
	}
	s.at = valueEnd(s.text, s.at)
	return false, s.at > 0 && jsontext.Value(s.text[start:s.at]).IsValid()
}

// words reads a string, whose text often can be told before.
func (s *scanner) words(e *expected, wanted bool) (taken, ok bool) {
	var v *vector
	if wanted {
		v = &s.rows.batch.cols[e.to.vector]
		if v.kind == Text {
			if n := s.guess.begins(e.to.vector, v, s.text[s.at+1:]); n >= 0 {
				s.at += n + 2
				return true, true
			}
		}
	}
	text, plain, ok := s.string()
	if !ok || !wanted {
		return false, ok
	}
	if v.kind == Text {
		s.guess.put(e.to.vector, v, text, plain)
		return true, true
	}
	return takeText(v, text), true
}

func (s *scanner) number(e *expected, wanted bool) (taken, ok bool) {
	start := s.at
	if wanted && s.rows.batch.cols[e.to.vector].kind == Number {
		if end, whole, tag := shortNumber(s.text, start); end > 0 {
			s.at = end
			s.rows.batch.cols[e.to.vector].setValue(tag, whole)
			return true, true
		}
	}
	if s.at = numberEnd(s.text, start); s.at < 0 {
		return false, false
	}
	return wanted && takeNumber(&s.rows.batch.cols[e.to.vector], s.text[start:s.at]), true
}

func (s *scanner) literal(word string) bool {
	end := s.at + len(word)
	if end > len(s.text) || string(s.text[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// string reads a string and gives its text, valid until the next one. plain says
// that it stands there as it is.
func (s *scanner) string() (text []byte, plain, ok bool) {
	start := s.at
	end, plain := stringEnd(s.text, start)
	if end < 0 {
		return nil, false, false
	}
	s.at = end + 1
	if plain {
		return s.text[start+1 : end], true, true
	}
	text, err := jsontext.AppendUnquote(s.plain[:0], s.text[start:end+1])
	s.plain = text
	return text, false, err == nil
}
