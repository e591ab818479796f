package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const codeQuota = "export_monthly_quota_reached"

func defaultTypes() []string { return []string{"forecast", "forecast_updated"} }

func knownTypes() []string {
	return []string{"forecast", "quota", "forecast_updated", "adjustment", "crm_total", "crm_closed"}
}

// forecastBody is what POST /export/forecast may carry; everything is optional.
type forecastBody struct {
	TimePeriod        *string  `json:"timePeriod"`
	TypesToExport     []string `json:"typesToExport"`
	ScopeID           *string  `json:"scopeId"`
	Currency          *string  `json:"currency"`
	Schedule          *string  `json:"schedule"`
	IncludeHistorical *bool    `json:"includeHistorical"`
	ExportFormat      *string  `json:"exportFormat"`
}

// exportForecast is POST /export/forecast/{forecastId}.
func (v *visit) exportForecast() reply {
	var body forecastBody
	if refusal := v.decode(&body, "fcw"); refusal != nil {
		return v.refuse(*refusal)
	}
	query, refusal := v.forecastQuery(body)
	if refusal != nil {
		return v.refuse(*refusal)
	}
	format, refusal := formatOf(body)
	if refusal != nil {
		return v.refuse(*refusal)
	}
	return v.start(order{
		kind: kindForecast, forecast: v.target.id, period: text(body.TimePeriod), query: query,
		format: format, currency: query.Currency,
	}, http.StatusOK)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// decode reads a body, whatever its content type says; an empty one asks for
// the defaults.
func (v *visit) decode(into any, space string) *apiError {
	trimmed := bytes.TrimSpace(v.body)
	if len(trimmed) == 0 {
		return nil
	}
	if err := json.Unmarshal(trimmed, into); err != nil {
		refusal := badRequest(space, "The request body was malformed: "+clip(string(trimmed), 200))
		return &refusal
	}
	return nil
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// forecastQuery checks what is asked of a tab, in the order in which the
// server is known to.
func (v *visit) forecastQuery(body forecastBody) (Query, *apiError) {
	if refusal := v.mayRead(v.target.id); refusal != nil {
		return Query{}, refusal
	}
	types, refusal := v.typesOf(body.TypesToExport)
	if refusal != nil {
		return Query{}, refusal
	}
	currency := orDefault(strings.ToUpper(text(body.Currency)), v.e.config.Currency)
	if !knownCurrency(currency) {
		refusal := badRequest("fcw", "The currency parameter is invalid.")
		return Query{}, &refusal
	}
	if _, ok := parseQuarter(text(body.TimePeriod)); body.TimePeriod != nil && !ok {
		refusal := badRequest("fcw", fmt.Sprintf("The timePeriod parameter is invalid: %q", clip(*body.TimePeriod, 40)))
		return Query{}, &refusal
	}
	schedule := text(body.Schedule)
	if !slices.Contains([]string{"", "NONE", "ONCE", "MAX"}, schedule) {
		refusal := badRequest("fcw", "The schedule parameter is invalid.")
		return Query{}, &refusal
	}
	return Query{
		Forecast: v.target.id, Period: text(body.TimePeriod), Types: types, Currency: currency,
		Scope: text(body.ScopeID), Historical: body.IncludeHistorical != nil && *body.IncludeHistorical,
	}, nil
}

func (v *visit) mayRead(forecast string) *apiError {
	c := v.e.config
	switch {
	case forecast == "":
		return &apiError{http.StatusBadRequest, "missing_forecast_id", "fcw", "The forecastId parameter is required."}
	case slices.Contains(c.NoOptin, forecast):
		words := fmt.Sprintf("No optins for scope %d::MGR for forecast '%s'.", v.user, clip(forecast, 100))
		return &apiError{http.StatusUnauthorized, "no_optin", "fcw", words}
	case slices.Contains(c.Forbidden, forecast):
		return &apiError{http.StatusForbidden, "forbidden", "fcw", "This user may not export that forecast."}
	case !slices.Contains(c.ForecastIDs, forecast):
		words := fmt.Sprintf("Forecast %s does not exist.", clip(forecast, 100))
		return &apiError{http.StatusBadRequest, "no_such_forecast_config", "fcw", words}
	}
	return nil
}

func (v *visit) typesOf(asked []string) ([]string, *apiError) {
	var unknown []string
	for _, name := range asked {
		if !slices.Contains(knownTypes(), name) {
			unknown = append(unknown, name)
		}
		if slices.Contains(v.e.config.UnsupportedTypes, name) {
			return nil, &apiError{http.StatusBadRequest, "type_not_supported", "fcw", name + " is not a supported typeToExport value on this tenant."}
		}
	}
	if len(unknown) > 0 {
		refusal := badRequest("fcw", fmt.Sprintf("These typesToExport values are invalid: %q", unknown))
		return nil, &refusal
	}
	if len(asked) == 0 {
		return defaultTypes(), nil
	}
	return asked, nil
}

func formatOf(body forecastBody) (string, *apiError) {
	format := orDefault(strings.ToUpper(text(body.ExportFormat)), "JSON")
	if format != "JSON" && format != "CSV" {
		refusal := badRequest("fcw", "The exportFormat parameter is invalid.")
		return "", &refusal
	}
	return format, nil
}

// activityBody is what POST /export/activity may carry.
type activityBody struct {
	ActivityTypes []string `json:"activityTypes"`
	StartDate     *string  `json:"startDate"`
	EndDate       *string  `json:"endDate"`
	ExportFormat  *string  `json:"exportFormat"`
}

// exportActivity is POST /export/activity.
func (v *visit) exportActivity() reply {
	var body activityBody
	if refusal := v.decode(&body, "activity"); refusal != nil {
		return v.refuse(*refusal)
	}
	for _, name := range body.ActivityTypes {
		if !slices.Contains(activityTypes(), name) {
			return v.refuse(badRequest("activity", fmt.Sprintf("The activityTypes value %q is invalid.", clip(name, 40))))
		}
	}
	if format := text(body.ExportFormat); format != "" && format != "JSON" {
		return v.refuse(badRequest("activity", "Activities are exported as JSON only."))
	}
	days, err := daysOf(text(body.StartDate), text(body.EndDate), v.now())
	if err != nil {
		return v.refuse(badRequest("activity", err.Error()))
	}
	days.types = body.ActivityTypes
	return v.start(order{kind: kindActivity, span: days, format: "JSON", currency: v.e.config.Currency}, http.StatusAccepted)
}

// exportAudit is POST /export/audit/events.
func (v *visit) exportAudit() reply {
	var body auditFilter
	if refusal := v.decode(&body, "audit"); refusal != nil {
		return v.refuseAudit(*refusal)
	}
	span, err := body.span(v.now())
	if err != nil {
		return v.refuseAudit(badRequest("audit", err.Error()))
	}
	return v.start(order{kind: kindAudit, span: span, format: "JSON", currency: v.e.config.Currency}, http.StatusAccepted)
}

// start opens a job, or refuses in the one wording that serves for slots and
// quota alike.
func (v *visit) start(want order, status int) reply {
	o := v.e.office
	want.user = v.user
	j, ok := o.open(want)
	if !ok {
		words := fmt.Sprintf("The monthly quota limit of %d or concurrent limit of %d has been reached.", o.quota, o.slots)
		v.e.counts.RefusedForRoom++
		return v.refuse(apiError{http.StatusBadRequest, codeQuota, "exports", words})
	}
	v.e.counts.Jobs[JobKey{Kind: j.kind, Forecast: j.forecast, Period: j.period}]++
	return v.posted(j, status)
}
