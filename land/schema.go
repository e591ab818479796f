package land

import "strings"

// Kind is the type of a column, the same in every format.
type Kind uint8

// The types that a table can hold. Every column may be null.
const (
	// Text is UTF-8.
	Text Kind = iota
	// Number is a JSON number: its literal in CSV and JSONL, DOUBLE in Parquet.
	Number
	// Bool is true or false.
	Bool
	// Instant is a point in time, UTC, in milliseconds.
	Instant
	// Date is a calendar day without a zone.
	Date
	// Integer is a whole number of 32 bits.
	Integer
	// JSON is the text of a JSON object; in JSONL the object itself.
	JSON
)

// String is the type's name as `weir schema` shows it.
func (k Kind) String() string {
	names := [...]string{"text", "double", "bool", "timestamp", "date", "int", "json"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Column is one column of a table and where its value comes from. Exactly one
// of Member, Lookup, Constant, Made and Rest is set.
type Column struct {
	Name string
	Kind Kind
	// Member is the member of the JSON element that holds the value, or
	// "outer.inner" for a member one level down.
	Member string
	// ID marks a member that identifies something. A value of a wrong type is
	// refused there, whereas elsewhere it is kept in _extra.
	ID bool
	// Bare takes a number too, as the text of its literal: some ids come so.
	Bare bool
	// Made says, in words, what the reader makes the value of.
	Made string
	// Lookup is "table.column" of the lookup table that the value is looked up in.
	Lookup string
	// Constant is what every row of a snapshot shares: "request", "job" or
	// "instant".
	Constant string
	// Rest marks _extra: every member that no column takes.
	Rest bool
}

// Table is one table of a snapshot. Parquet, CSV and JSONL are all written from
// this description; none of them knows more.
type Table struct {
	Name string
	// Array is the member of the result's top level that holds the rows, or
	// "outer[].inner" where each element of the outer one has an array of them.
	Array   string
	Columns []Column
}

// column is the index of the named column, or -1.
func (t Table) column(name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

func text(name, member string) Column   { return Column{Name: name, Kind: Text, Member: member} }
func id(name, member string) Column     { return Column{Name: name, Kind: Text, Member: member, ID: true} }
func number(name, member string) Column { return Column{Name: name, Kind: Number, Member: member} }
func date(name, member string) Column   { return Column{Name: name, Kind: Date, Member: member} }
func of(kind Kind, name, member string) Column {
	return Column{Name: name, Kind: kind, Member: member}
}

// looked gives the columns of a lookup table, its id apart, their place in the
// entries: the same names under a prefix.
func looked(prefix string, table Table) []Column {
	var columns []Column
	for _, c := range table.Columns {
		if c.Member == "" || c.ID {
			continue
		}
		columns = append(columns, Column{Name: prefix + c.Name, Kind: c.Kind, Lookup: table.Name + "." + c.Name})
	}
	return columns
}

// common ends every table.
func common() []Column {
	return []Column{
		{Name: "_weir_request", Kind: Text, Constant: "request"},
		{Name: "_weir_job_id", Kind: Text, Constant: "job"},
		{Name: "_weir_snapshot_at", Kind: Instant, Constant: "instant"},
		{Name: "_extra", Kind: JSON, Rest: true},
	}
}

func usersTable() Table {
	return Table{Name: "forecast_users", Array: "users", Columns: append([]Column{
		id("user_id", "userId"),
		text("name", "name"),
		text("email", "email"),
		text("crm_id", "crmId"),
		text("scope_id", "scopeId"),
		text("hierarchy_id", "hierarchyId"),
		text("hierarchy_name", "hierarchyName"),
		text("parent_hierarchy_id", "parentHierarchyId"),
		text("parent_hierarchy_name", "parentHierarchyName"),
	}, common()...)}
}

func fieldsTable() Table {
	return Table{Name: "forecast_fields", Array: "fields", Columns: append([]Column{
		id("field_id", "fieldId"),
		text("name", "fieldName"),
		text("type", "fieldType"),
	}, common()...)}
}

func framesTable() Table {
	return Table{Name: "forecast_time_frames", Array: "timeFrames", Columns: append([]Column{
		id("time_frame_id", "timeFrameId"),
		date("start_date", "startDate"),
		date("end_date", "endDate"),
	}, common()...)}
}

func periodsTable() Table {
	return Table{Name: "forecast_time_periods", Array: "timePeriods", Columns: append([]Column{
		id("time_period_id", "timePeriodId"),
		text("type", "type"),
		text("label", "label"),
		text("crm_id", "crmId"),
		of(Integer, "year", "year"),
		date("start_date", "startDate"),
		date("end_date", "endDate"),
	}, common()...)}
}

func entriesTable() Table {
	columns := []Column{
		id("user_id", "userId"),
		id("field_id", "fieldId"),
		id("time_frame_id", "timeFrameId"),
		id("time_period_id", "timePeriodId"),
		number("forecast_value", "forecastValue"),
		number("quota_value", "quotaValue"),
		number("adjustment_value", "adjustmentValue"),
		number("crm_total", "crmTotal"),
		number("aggregation_total", "aggregationTotal"),
		number("crm_closed", "crmClosed"),
		of(Bool, "is_updated", "isUpdated"),
		text("updated_by", "updatedBy"),
		text("adjusted_by", "adjustedBy"),
		of(Instant, "updated_on", "updatedOn"),
		of(Instant, "adjusted_on", "adjustedOn"),
		text("currency_code", "currency.code"),
		text("currency_symbol", "currency.symbol"),
	}
	columns = append(columns, looked("user_", usersTable())...)
	columns = append(columns, looked("field_", fieldsTable())...)
	columns = append(columns, looked("time_frame_", framesTable())...)
	columns = append(columns, looked("time_period_", periodsTable())...)
	return Table{Name: "forecast_entries", Array: "entries", Columns: append(columns, common()...)}
}

// ForecastTables are the tables of a forecast snapshot, the entries first.
func ForecastTables() []Table {
	return []Table{entriesTable(), usersTable(), fieldsTable(), periodsTable(), framesTable()}
}

// outer splits a nested member into its two names; inner is empty for a plain one.
func (c Column) outer() (outer, inner string) {
	outer, inner, _ = strings.Cut(c.Member, ".")
	return outer, inner
}
