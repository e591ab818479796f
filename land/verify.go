package land

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// The checks that a result goes through, by the names in manifests and in
// [Refusal.Check].
const (
	CheckDocument   = "document"    // one whole JSON document, strictly read
	CheckSize       = "value_size"  // no value and no row beyond 16 MiB
	CheckShape      = "shape"       // an object with the arrays of a result of its kind
	CheckIDs        = "ids"         // ids are strings
	CheckLength     = "length"      // as many bytes as were announced
	CheckHash       = "hash"        // the bytes that the announced SHA-256 is of
	CheckTruncation = "truncation"  // the server does not call the file incomplete
	CheckPeriod     = "period"      // the period asked for, and no other
	CheckEntryKeys  = "entry_keys"  // no two entries of one user, field, frame and period
	CheckLookupKeys = "lookup_keys" // no two unlike rows of one id
	CheckLookups    = "lookups"     // lookup tables that memory can hold; ids found in them
	CheckCurrency   = "currency"    // the currency asked for, and no other
	CheckTypes      = "types"       // the values asked for are there
	CheckTotals     = "totals"      // every value column summed exactly, by field
	CheckRows       = "rows"        // as many rows written as read
	CheckSnapshot   = "snapshot"    // this snapshot has not landed with other content
	CheckText       = "text"        // text that the destination can hold
	CheckRange      = "range"       // activities or audit events of the days asked for
	CheckActivities = "activities"  // no two activities of one id
)

// Outcome is how a check ended.
type Outcome string

// What a check can end with. Only Failed refuses the result.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// Noted found something that is no reason to refuse.
	Noted Outcome = "noted"
	// NotShown could not tell: the result does not show what was asked for.
	NotShown Outcome = "not_shown"
	// NotAsked had nothing to compare with.
	NotAsked Outcome = "not_asked"
)

// Check is one check with its outcome.
type Check struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
}

func check(name string, outcome Outcome, format string, args ...any) Check {
	return Check{Name: name, Outcome: outcome, Detail: fmt.Sprintf(format, args...)}
}

// evidence is what reading a forecast result brought to light.
type evidence struct {
	rows        int64
	periods     []string // of the timePeriods array, in order
	entryPeriod *tally   // of the entries; "" for none
	currencies  *tally
	present     map[string]int64 // entries that had the member, by column
	openEnd     bool             // a CSV whose last row has no line end
}

// checkTruncation refuses what the server itself calls incomplete.
func checkTruncation(job weir.Job) Check {
	switch {
	case job.RowsTruncated && job.CellsTruncated:
		return check(CheckTruncation, Failed, "the server left out rows and cells")
	case job.RowsTruncated:
		return check(CheckTruncation, Failed, "the server left out rows")
	case job.CellsTruncated:
		return check(CheckTruncation, Failed, "the server left out cells")
	}
	return check(CheckTruncation, Passed, "")
}

// checkPeriod refuses a result for another period: the server answers with the
// current quarter when it does not know the one asked for. The period is proved
// by the timePeriods array, or by the entries where that array is empty.
func checkPeriod(asked weir.Period, e evidence) Check {
	own := e.entryPeriod.counts[string(asked)]
	without := e.entryPeriod.counts[""]
	if other := e.entryPeriod.total() - own - without; other > 0 {
		return check(CheckPeriod, Failed, "asked for %s, %s of another period: %s", asked, count(other, "entry"), listed(e.entryPeriod, string(asked)))
	}
	if !slices.Contains(e.periods, string(asked)) {
		if len(e.periods) > 0 {
			return check(CheckPeriod, Failed, "asked for %s, the result shows %s", asked, quotedList(e.periods))
		}
		if own == 0 {
			return check(CheckPeriod, Failed, "asked for %s, the result shows no period at all", asked)
		}
		return check(CheckPeriod, Noted, "shown by the entries alone: timePeriods is empty")
	}
	if without > 0 {
		return check(CheckPeriod, Noted, "%s without a period", count(without, "entry"))
	}
	return check(CheckPeriod, Passed, "")
}

// checkCurrency refuses values in a currency that was not asked for.
func checkCurrency(asked string, e evidence) Check {
	asked = strings.ToUpper(asked)
	shown := e.currencies.total()
	switch {
	case asked == "" && shown == 0:
		return check(CheckCurrency, NotAsked, "")
	case asked == "":
		return check(CheckCurrency, NotAsked, "shows %s", listed(e.currencies, ""))
	case shown == 0:
		return check(CheckCurrency, NotShown, "asked for %s, no entry shows a currency", asked)
	}
	for code := range e.currencies.counts {
		if strings.ToUpper(code) != asked {
			return check(CheckCurrency, Failed, "asked for %s, entries show %s", asked, listed(e.currencies, asked))
		}
	}
	if e.currencies.others > 0 {
		return check(CheckCurrency, Failed, "asked for %s, entries show other text", asked)
	}
	return check(CheckCurrency, Passed, "")
}

// checkTypes compares the values asked for with those that the entries have. It
// never refuses: any value may be absent.
func checkTypes(r weir.Request, e evidence) Check {
	asked := r.Types
	if len(asked) == 0 {
		asked = []string{"forecast", "forecast_updated"}
	}
	var missing, more []string
	for _, name := range weir.ForecastTypes() {
		shown := slices.ContainsFunc(columnsOfType(name), func(c string) bool { return e.present[c] > 0 })
		wanted := slices.Contains(asked, name)
		if wanted && !shown {
			missing = append(missing, name)
		}
		if shown && !wanted {
			more = append(more, name)
		}
	}
	switch {
	case e.rows == 0:
		return check(CheckTypes, NotShown, "no entries")
	case len(missing) > 0:
		return check(CheckTypes, NotShown, "no entry has %s", strings.Join(missing, ", "))
	case len(more) > 0:
		return check(CheckTypes, Noted, "entries also have %s", strings.Join(more, ", "))
	}
	return check(CheckTypes, Passed, "")
}

// columnsOfType are the columns that show that a type was exported.
func columnsOfType(name string) []string {
	switch name {
	case "forecast":
		return []string{"forecast_value"}
	case "quota":
		return []string{"quota_value"}
	case "forecast_updated":
		return []string{"is_updated", "updated_by", "updated_on"}
	case "adjustment":
		return []string{"adjustment_value", "adjusted_by", "adjusted_on"}
	case "crm_total":
		return []string{"crm_total", "aggregation_total"}
	case "crm_closed":
		return []string{"crm_closed"}
	}
	return nil
}

// listed names what a tally holds beside one name, at most five.
func listed(t *tally, but string) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(t.counts)) {
		if name != but && name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "other text"
	}
	return quotedList(names)
}

func quotedList(names []string) string {
	const most = 5
	var quoted []string
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, shown(name))
	}
	if len(names) > most {
		quoted = append(quoted, "...")
	}
	return strings.Join(quoted, ", ")
}

// count writes "1 entry", "3 entries", "2 bytes".
func count(n int64, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ies"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// verify runs every check on a result that was read whole. It returns all of
// them, and the first that failed as a *Refusal.
func (f *forecast) verify(src Source, length int64) ([]Check, error) {
	keys, err := f.keyCheck()
	if err != nil {
		return nil, err
	}
	checks := []Check{
		checkEnd(src.Length, f.evidence),
		check(CheckSize, Passed, ""),
		check(CheckShape, Passed, ""),
		check(CheckIDs, Passed, ""),
		checkLength(src.Length, length),
		checkHash(src.SHA256),
		checkTruncation(src.Job),
		f.checkPeriod(src.Request),
		keys,
		f.lookupKeyCheck(),
		checkCurrency(src.Request.Currency, f.evidence),
		checkTypes(src.Request, f.evidence),
		checkTotals(f.totals.list(), f.totals.beyond),
	}
	return refusalOf(checks)
}

// checkEnd notes a CSV of which nothing shows that its last row is whole.
func checkEnd(announced int64, e evidence) Check {
	if e.openEnd && announced < 0 {
		return check(CheckDocument, Noted, "no length was announced and no line end follows the last row")
	}
	return check(CheckDocument, Passed, "")
}

func checkLength(announced, length int64) Check {
	if announced < 0 {
		return check(CheckLength, NotShown, "%s came, none announced", count(length, "byte"))
	}
	return check(CheckLength, Passed, "")
}

// checkHash follows the comparison, which is a matter of the transfer: other
// bytes are fetched again.
func checkHash(announced []byte) Check {
	if announced == nil {
		return check(CheckHash, NotShown, "none announced; the SHA-256 of what came is recorded")
	}
	return check(CheckHash, Passed, "")
}

// checkTotals notes what the totals leave out.
func checkTotals(all []Total, cut bool) Check {
	fields := map[string]bool{}
	var left int64
	for _, t := range all {
		fields[t.FieldID] = true
		left += t.NotSummed
	}
	sums := fmt.Sprintf("%s of %s", count(int64(len(all)), "sum"), count(int64(len(fields)), "field"))
	switch {
	case cut:
		return check(CheckTotals, Noted, "%s; further fields are not summed", sums)
	case left > 0:
		return check(CheckTotals, Noted, "%s; left out for their size: %s", sums, count(left, "number"))
	}
	return check(CheckTotals, Passed, "%s", sums)
}
