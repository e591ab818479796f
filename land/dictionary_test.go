package land

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestEveryColumnHasWords: a person who reads the dictionary learns of each
// column more than its name, and what null means there.
func TestEveryColumnHasWords(t *testing.T) {
	for _, table := range AllTables() {
		for _, c := range table.Columns {
			words := table.Words(c.Name)
			switch {
			case words.About == "" || words.Null == "":
				t.Errorf("%s.%s has no words: %+v", table.Name, c.Name, words)
			case len(newWords(words.About, c.Name)) < 3:
				t.Errorf("%s.%s is described by its name alone: %q", table.Name, c.Name, words.About)
			case !unicode.IsUpper([]rune(words.About)[0]) && words.About[0] != '`' || strings.HasSuffix(words.About, ".") || strings.HasSuffix(words.Null, "."):
				t.Errorf("%s.%s: begins small or ends in a full stop: %+v", table.Name, c.Name, words)
			case strings.ContainsAny(words.About+words.Null, "|\n"):
				t.Errorf("%s.%s: breaks a table of Markdown: %+v", table.Name, c.Name, words)
			case c.Kind == Instant && !strings.Contains(words.About, "UTC"):
				t.Errorf("%s.%s is an instant without a unit and zone: %q", table.Name, c.Name, words.About)
			case c.Kind == Number && !strings.Contains(words.About, "unit"):
				t.Errorf("%s.%s is a number without a unit: %q", table.Name, c.Name, words.About)
			}
		}
	}
	if words := ForecastTables()[0].Words("no_such_column"); words != (Words{}) {
		t.Errorf("a column that there is not has words: %+v", words)
	}
}

// newWords are those of a text that a name does not hold.
func newWords(text, name string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) > 1 && !strings.Contains(name, word) {
			all[word] = true
		}
	}
	return all
}

// TestLookedUpColumnsSayWhose: of two columns that are looked up in unlike tables
// neither is described as the other.
func TestLookedUpColumnsSayWhose(t *testing.T) {
	entries := ForecastTables()[0]
	for column, whose := range map[string]string{
		"user_name": "user", "field_name": "field", "time_frame_start_date": "time frame", "time_period_start_date": "time period",
	} {
		words := entries.Words(column)
		if !strings.HasPrefix(words.About, "Of the entry's "+whose+": ") || !strings.Contains(words.Null, "entry's") {
			t.Errorf("%s: %+v", column, words)
		}
	}
}

// TestNoWordsWithoutColumn: what the dictionary describes is there.
func TestNoWordsWithoutColumn(t *testing.T) {
	columns := map[string]bool{}
	for _, table := range AllTables() {
		for _, c := range table.Columns {
			columns[table.Name+"."+c.Name], columns[c.Name] = true, true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(dictionary)) {
		if !columns[key] {
			t.Errorf("%s is described and not there", key)
		}
	}
}
