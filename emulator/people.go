package emulator

import (
	"fmt"
	"strconv"
	"strings"
)

func firstNames() []string {
	return []string{
		"Ada", "Björn", "Chiara", "Dwayne", "Élodie", "Farid", "Grace", "Hiroshi", "Inês", "Jörg",
		"Kateřina", "Liam", "Mónica", "Ngozi", "Ōe", "Priya", "Quentin", "Renée", "Søren", "Tadeáš",
	}
}

func lastNames() []string {
	return []string{
		"O'Brien", "Kovač", "van der Berg", "Müller-Lüdenscheidt", "Nakamura", "Okonkwo", "Smith", "Ñandú",
		"D'Angelo", "Łukasiewicz", "Fernández", "Ivanova", "St. Clair", "Þórsson", "Jain", "Al-Rashid", "Brown",
	}
}

// oddNames are names that break careless writers.
func oddNames() []string {
	return []string{
		`Robert "Bob" Tables`, "Smith, John Jr.", "Two\nLines", "李小龍", "Tab\tbed", "=SUM(A1)", `back\slash`,
		"Zoë 🚀", "", "  spaced  ", "null", "Ωmega\u2028Line", "محمد",
	}
}

func regions() []string {
	return []string{"EMEA", "Americas", "APAC", "DACH", "Nordics", "LATAM"}
}

// person draws one member of the organisation; the same in every tab and
// period.
func (c Contents) person(i int) User {
	d := c.org.with(int64(i))
	u := User{
		ID: userID(i), Name: c.nameOf(i), Email: mailOf(i, d), CRMID: "005" + strings.ToUpper(d.text("crm").hex(15)),
		HierarchyID: hierarchyID(i), HierarchyName: c.roleOf(i),
	}
	u.ScopeID = fmt.Sprintf(`{"type":"USER","id":"%s::MGR"}`, u.ID)
	if i > 0 {
		u.ParentHierarchyID = Word{Given, hierarchyID(managerOf(i))}
		u.ParentHierarchyNm = Word{Given, c.roleOf(managerOf(i))}
	} else {
		u.ParentHierarchyID, u.ParentHierarchyNm = Word{Null, ""}, Word{Null, ""}
	}
	if !c.config.Plain && d.text("region").chance(0.1) {
		u.Region = Word{Given, regions()[d.below(len(regions()))]}
	}
	return u
}

func (c Contents) nameOf(i int) string {
	d := c.org.with(int64(i)).text("name")
	odd := oddNames()
	if !c.config.Plain && i%5 == 3 {
		return odd[(i/5)%len(odd)]
	}
	first, last := firstNames(), lastNames()
	return first[d.with(1).below(len(first))] + " " + last[d.with(2).below(len(last))]
}

func mailOf(i int, d draw) string {
	return "u" + strconv.Itoa(i) + "." + d.text("mail").hex(4) + "@example.com"
}

func hierarchyID(i int) string { return "00E" + strconv.Itoa(100000+i) }

// roleOf names a place in the hierarchy by its depth.
func (c Contents) roleOf(i int) string {
	region := regions()[c.org.with(int64(i)).text("role").below(len(regions()))]
	switch depth(i) {
	case 0:
		return "CEO"
	case 1:
		return "VP Sales, " + region
	case 2:
		return "Director - " + region
	}
	return "Sales Rep - " + region
}

func depth(i int) int {
	levels := 0
	for i > 0 {
		i = managerOf(i)
		levels++
	}
	return levels
}

// fieldKind is what a column holds.
type fieldKind int

const (
	callField  fieldKind = iota // what people enter
	quotaField                  // what they are asked for
	crmField                    // what the CRM sums up
)

type fieldSpec struct {
	Field
	kind fieldKind
}

func fieldCatalogue() []fieldSpec {
	return []fieldSpec{
		{Field{"commit", "Commit", "FORECAST"}, callField},
		{Field{"quota", "Quota", "QUOTA"}, quotaField},
		{Field{"best_case", `Best "Case"`, "FORECAST"}, callField},
		{Field{"closed", "Closed, won", "CRM"}, crmField},
		{Field{"most_likely", "Most\nlikely", "FORECAST"}, callField},
		{Field{"pipeline", "Pipeline (€)", "CRM"}, crmField},
		{Field{"renewals", "Renewals & expansions", "FORECAST"}, callField},
		{Field{"carry_over", "Übertrag", "FORECAST"}, callField},
	}
}

// fieldsOf lists a tab's columns: so many, or 5 to 8 as the tab has it.
func fieldsOf(count int, tab draw) []fieldSpec {
	fields := fieldCatalogue()
	if count == 0 {
		count = 5 + tab.text("fields").below(4)
	}
	for i := len(fields); i < count; i++ {
		id := "field_" + strconv.Itoa(i+1)
		fields = append(fields, fieldSpec{Field{id, "Field " + strconv.Itoa(i+1), "FORECAST"}, callField})
	}
	return fields[:count]
}

// currencies lists what is known: symbol, and how many of it make 1000 USD.
func currencies() map[string]currencySpec {
	return map[string]currencySpec{
		"USD": {"$", 1000}, "EUR": {"€", 920}, "GBP": {"£", 790}, "JPY": {"¥", 149000}, "CHF": {"CHF", 880},
		"CAD": {"CA$", 1370}, "AUD": {"A$", 1520}, "INR": {"₹", 83000}, "SEK": {"kr", 10500}, "BRL": {"R$", 5100},
	}
}

type currencySpec struct {
	symbol string
	per    int64
}

func knownCurrency(code string) bool {
	_, known := currencies()[code]
	return known
}
