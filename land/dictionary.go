package land

import "strings"

// Words describe a column to a person.
type Words struct {
	// About says what the value is, with its unit where it has one.
	About string
	// Null says what it means where there is none.
	Null string
}

// String is both as one paragraph.
func (w Words) String() string { return w.About + ". Null: " + w.Null + "." }

// Words are those of one of the table's columns, by its name; empty where the
// table has no such column.
//
// They stand beside [Column] rather than in it: a column is copied for each
// value that is read.
func (t Table) Words(column string) Words {
	at := t.column(column)
	if at < 0 {
		return Words{}
	}
	c := t.Columns[at]
	if table, name, ok := strings.Cut(c.Lookup, "."); ok {
		return lookedWords(table, dictionary[table+"."+name])
	}
	for _, key := range []string{t.Name + "." + column, column} {
		if w, ok := dictionary[key]; ok {
			return w
		}
	}
	return Words{}
}

// lookedWords are those of a lookup table's column where an entry has it.
func lookedWords(table string, w Words) Words {
	if w.About == "" {
		return w
	}
	whose, missing := "user", "no user has the entry's `user_id`"
	switch table {
	case "forecast_fields":
		whose, missing = "field", "no field has the entry's `field_id`"
	case "forecast_time_frames":
		whose, missing = "time frame", "no frame, or no single one, fits the entry's `time_frame_id` and period"
	case "forecast_time_periods":
		whose, missing = "time period", "no period has the entry's `time_period_id`"
	}
	return Words{About: "Of the entry's " + whose + ": " + strings.ToLower(w.About[:1]) + w.About[1:], Null: w.Null + ", or " + missing}
}

// notShown is what null means where the API says no more than that any value may
// be absent.
const (
	notShown = "the result does not show it"
	never    = "it never is"
)

// dictionary has the words of every column that is not looked up, by
// "table.column", or by the column alone where it means the same everywhere.
var dictionary = map[string]Words{
	"_weir_request":     {"What was asked for, as 8 hex digits that hash kind, types, scope, currency and historical, and whether the current week was read without a job; rows with different ones answer different questions", never},
	"_weir_job_id":      {"The export job at the server that made the result, 24 hex digits as a rule", "the result came without a job (`--now`, `--since-last`)"},
	"_weir_snapshot_at": {"The instant that the snapshot shows, UTC in milliseconds: the job's end, else when it was first seen done", never},
	"_extra":            {"Every member of the row's JSON that no column takes, values of a type that their column does not have, and in Parquet and PostgreSQL the literals of numbers that no double names exactly: an object with the API's own names", "there was nothing of the kind"},

	"forecast_entries.user_id":           {"The person whose figure this is: the id of a row of `forecast_users`", notShown},
	"forecast_entries.field_id":          {"What the figure is of, such as a forecast category: the id of a row of `forecast_fields`", notShown},
	"forecast_entries.time_frame_id":     {"The week of the figure, as `TF:` and its first day; one id can occur in two periods", notShown},
	"forecast_entries.time_period_id":    {"The fiscal quarter of the figure, such as `2026_Q1`", notShown},
	"forecast_entries.forecast_value":    {"The call: the figure that the person entered for the field and the week, in units of the entry's currency where the field is one of money", "nobody entered one, or `forecast` was not asked for"},
	"forecast_entries.quota_value":       {"The person's quota, in the same unit", "there is none, or `quota` was not asked for"},
	"forecast_entries.adjustment_value":  {"A manager's override of the call, in the same unit", "nobody made one, or `adjustment` was not asked for"},
	"forecast_entries.crm_total":         {"What the opportunities in the CRM add up to, in the same unit", "the tab has `aggregation_total` instead, or `crm_total` was not asked for"},
	"forecast_entries.aggregation_total": {"What some tabs have in place of `crm_total`: the total that Clari itself adds up, in the same unit", "the tab has `crm_total` instead, or `crm_total` was not asked for"},
	"forecast_entries.crm_closed":        {"What the closed opportunities in the CRM add up to, in the same unit", "there is none, or `crm_closed` was not asked for"},
	"forecast_entries.is_updated":        {"Whether the person has updated the call", "`forecast_updated` was not asked for, or the entry says nothing of it"},
	"forecast_entries.updated_by":        {"Who updated the call: the id of a user", "nobody did, or `forecast_updated` was not asked for"},
	"forecast_entries.updated_on":        {"When the call was last updated, UTC in milliseconds", "it was not, or `forecast_updated` was not asked for"},
	"forecast_entries.adjusted_by":       {"Who made the override: the id of a user", "nobody did, or `adjustment` was not asked for"},
	"forecast_entries.adjusted_on":       {"When the override was made, UTC in milliseconds", "none was, or `adjustment` was not asked for"},
	"forecast_entries.currency_code":     {"The currency of the entry's figures, as an ISO 4217 code such as `USD`", "the entry names no currency: its field is none of money, or the API left it out"},
	"forecast_entries.currency_symbol":   {"The sign of that currency, such as `$`", "the entry names none"},

	"forecast_users.user_id":               {"Clari's id of the person, unique within a result", notShown},
	"forecast_users.name":                  {"The person's full name", notShown},
	"forecast_users.email":                 {"The person's e-mail address", notShown},
	"forecast_users.crm_id":                {"The id of the same person in the CRM", "the person is not linked to one there, or the result does not show it"},
	"forecast_users.scope_id":              {"What `--scope` takes to export this person's part of the forecast: a text that itself holds JSON", notShown},
	"forecast_users.hierarchy_id":          {"The id of the person's place in the forecast's hierarchy", notShown},
	"forecast_users.hierarchy_name":        {"The name of that place: the person's role", notShown},
	"forecast_users.parent_hierarchy_id":   {"The id of the place above it in the hierarchy", "it is the top, or the result does not show it"},
	"forecast_users.parent_hierarchy_name": {"The name of the place above it", "it is the top, or the result does not show it"},

	"forecast_fields.field_id": {"Clari's id of the field, unique within a result", notShown},
	"forecast_fields.name":     {"The field's name as the forecast tab heads its column", notShown},
	"forecast_fields.type":     {"The kind of value that the field holds, in Clari's words", notShown},

	"forecast_time_frames.time_frame_id": {"The week's id: `TF:` and its first day. One id can stand in two periods, and then in two rows", notShown},
	"forecast_time_frames.start_date":    {"The first day of the week; the first week of a quarter may start before the quarter does", notShown},
	"forecast_time_frames.end_date":      {"The last day of the week, included; its figures can still change until about 08:00 UTC of the day after", notShown},

	"forecast_time_periods.time_period_id": {"The fiscal quarter: its year and number, such as `2026_Q1`. Fiscal years begin where the organisation has them begin", notShown},
	"forecast_time_periods.type":           {"The kind of period, in Clari's words", notShown},
	"forecast_time_periods.label":          {"The period as people in the organisation write it", notShown},
	"forecast_time_periods.crm_id":         {"The id of the same period in the CRM", "there is none, or the result does not show it"},
	"forecast_time_periods.year":           {"The fiscal year, with four digits", notShown},
	"forecast_time_periods.start_date":     {"The first day of the period", notShown},
	"forecast_time_periods.end_date":       {"The last day of the period, included", notShown},

	"activity_id":       {"The id of the activity that the row belongs to", notShown},
	"activity_position": {"The place of that activity in the result, from 0: tells activities apart also where ids are missing", never},
	"activity_date":     {"When the activity took place, UTC in milliseconds", notShown},

	"activities.activity_id":           {"Clari's id of the activity, unique within a result", notShown},
	"activities.activity_position":     {"The activity's place in the result, from 0", never},
	"activities.activity_type":         {"`MEETING`, `EMAIL_SENT`, `EMAIL_RECEIVED`, `ATTACHMENT_SENT` or `ATTACHMENT_RECEIVED`", notShown},
	"activities.subject":               {"The subject line of the e-mail or the title of the meeting; it may be confidential", notShown},
	"activities.activity_date":         {"When the meeting or message took place, UTC in milliseconds", notShown},
	"activities.activity_owner_id":     {"Whose activity it is: an id as the CRM has it", notShown},
	"activities.activity_organiser_id": {"Who organised the meeting: an id as the CRM has it", "there was no organiser, or the result does not show it"},

	"activity_accounts.position":         {"The account's place in the activity's array, from 0", never},
	"activity_accounts.account_id":       {"An account that the activity is linked to: its id in the CRM", notShown},
	"activity_accounts.account_name":     {"The name of the company behind the account", notShown},
	"activity_accounts.account_owner_id": {"Who owns the account: an id as the CRM has it", notShown},

	"activity_opportunities.position":             {"The opportunity's place in the activity's array, from 0", never},
	"activity_opportunities.opportunity_id":       {"An opportunity that the activity is linked to: its id in the CRM", notShown},
	"activity_opportunities.opportunity_name":     {"The title of the deal", notShown},
	"activity_opportunities.opportunity_owner_id": {"Who owns the opportunity: an id as the CRM has it", notShown},

	"activity_participants.position":    {"The participant's place in the activity's array, from 0", never},
	"activity_participants.name":        {"The full name of somebody who took part", notShown},
	"activity_participants.email":       {"The e-mail address of somebody who took part", notShown},
	"activity_participants.crm_user_id": {"The id of the same person as a user of the CRM", "the person is none, or the result does not show it"},
	"activity_participants.is_internal": {"Whether the person belongs to the organisation itself rather than to a customer", notShown},

	"audit_events.position":         {"The event's place in the result, from 0; events have no id of their own, and this is none across results", never},
	"audit_events.event_timestamp":  {"When it happened, UTC in milliseconds", notShown},
	"audit_events.event":            {"What was done, in Clari's words", notShown},
	"audit_events.actor_id":         {"Who did it: the id of a row of `audit_actors`", notShown},
	"audit_events.actor_type":       {"What kind of actor did it, in Clari's words", notShown},
	"audit_events.session_id":       {"The session in which it was done", "there was no session, or the result does not show it"},
	"audit_events.session_type":     {"From where: `WEB`, `IOS` or `ANDROID`", "there was no session, or the result does not show it"},
	"audit_events.ip_address":       {"The network address that the request came from, IPv4 or IPv6", notShown},
	"audit_events.event_parameters": {"What the event was about: an object whose members differ from event to event", notShown},

	"audit_actors.actor_id":   {"Clari's id of the actor", notShown},
	"audit_actors.actor_type": {"What kind of actor it is, in Clari's words", notShown},
	"audit_actors.name":       {"The actor's full name", notShown},
	"audit_actors.email":      {"The actor's e-mail address", notShown},
}
