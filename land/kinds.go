package land

import (
	"strings"

	"github.com/weirhq/weir"
)

// Every child row of an activity says whose it is and where it stood, so that
// rows are told apart and ordered also where an id is missing or stands twice.
func ofActivity() []Column {
	return []Column{
		{Name: "activity_id", Kind: Text, Made: "the activity's `activityId`"},
		{Name: "activity_position", Kind: Integer, Made: "the activity's place among `activities[]`, from 0"},
		{Name: "activity_date", Kind: Instant, Made: "the activity's `date`"},
		{Name: "position", Kind: Integer, Made: "its place in the activity's array, from 0"},
	}
}

// Place names what stands in the path above the snapshot of a table: the columns
// that a database has instead.
func (t Table) Place() []string {
	if strings.HasPrefix(t.Name, "forecast_") {
		return []string{"forecast_id", "time_period"}
	}
	return []string{"since", "until"}
}

// PlaceOf are the values of [Table.Place] of a request's snapshots.
func PlaceOf(r weir.Request) []string {
	if r.Kind == weir.Forecast {
		return []string{r.ForecastID, string(r.Period)}
	}
	return []string{r.Since, r.Until}
}

// bare is a text that may also come as a number.
func bare(name, member string) Column {
	return Column{Name: name, Kind: Text, Member: member, Bare: true}
}

func activitiesTable() Table {
	key := bare("activity_id", "activityId")
	key.ID = true
	return Table{Name: "activities", Array: "activities", Columns: append([]Column{
		key,
		{Name: "activity_position", Kind: Integer, Made: "its place among `activities[]`, from 0"},
		text("activity_type", "activityType"),
		text("subject", "subject"),
		of(Instant, "activity_date", "date"),
		bare("activity_owner_id", "activityOwnerId"),
		bare("activity_organiser_id", "activityOrganiserId"),
	}, common()...)}
}

// childTable is a table of what the activities hold in an array.
func childTable(name, array string, columns ...Column) Table {
	all := append(ofActivity(), columns...)
	return Table{Name: name, Array: "activities[]." + array, Columns: append(all, common()...)}
}

// ActivityTables are the tables of an activity snapshot, the activities first.
func ActivityTables() []Table {
	return []Table{
		activitiesTable(),
		childTable("activity_accounts", "accounts",
			bare("account_id", "accountId"), text("account_name", "accountName"), bare("account_owner_id", "accountOwnerId")),
		childTable("activity_opportunities", "opportunities",
			bare("opportunity_id", "opportunityId"), text("opportunity_name", "opportunityName"), bare("opportunity_owner_id", "opportunityOwnerId")),
		childTable("activity_participants", "participants",
			text("name", "name"), text("email", "email"), bare("crm_user_id", "sfdcUserId"), of(Bool, "is_internal", "isInternal")),
	}
}

func eventsTable() Table {
	return Table{Name: "audit_events", Array: "items", Columns: append([]Column{
		{Name: "position", Kind: Integer, Made: "its place among `items[]`, from 0"},
		of(Instant, "event_timestamp", "eventTimestamp"),
		text("event", "event"),
		bare("actor_id", "actorId"),
		text("actor_type", "actorType"),
		bare("session_id", "sessionId"),
		text("session_type", "sessionType"),
		text("ip_address", "ipAddress"),
		of(JSON, "event_parameters", "eventParameters"),
	}, common()...)}
}

const actorsName = "audit_actors"

func actorsTable() Table {
	key := bare("actor_id", "actorId")
	key.ID = true
	return Table{Name: actorsName, Array: "actors", Columns: append([]Column{
		key,
		text("actor_type", "actorType"),
		text("name", "name"),
		text("email", "email"),
	}, common()...)}
}

// AuditTables are the tables of a snapshot of audit events, the events first.
func AuditTables() []Table { return []Table{eventsTable(), actorsTable()} }
