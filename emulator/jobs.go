package emulator

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// now is the organisation's instant at which a call acts.
func (v *visit) now() time.Time { return v.e.office.cursor }

// listJobs is GET /export/jobs: all that this user ever started, latest first.
func (v *visit) listJobs() reply {
	if status := v.e.config.ListMissing; status != 0 {
		return v.gateway(status, "no Route matched with those values")
	}
	o := v.e.office
	var mine []*job
	for i := len(o.all) - 1; i >= 0; i-- {
		if j := o.all[i]; j.user == v.user && j.listed(v.now()) {
			mine = append(mine, j)
		}
	}
	return v.list(mine)
}

// job finds the job of the path or says why this user gets none.
func (v *visit) job() (*job, *apiError) {
	j, known := v.e.office.byID[v.target.id]
	switch {
	case !known || !j.known(v.now()):
		return nil, &apiError{http.StatusBadRequest, "invalid_jobId", "exports", "There is no job with this jobId."}
	case j.user != v.user:
		return nil, &apiError{http.StatusForbidden, "forbidden", "exports", "This user may not see this job."}
	}
	return j, nil
}

// getJob is GET /export/jobs/{jobId}.
func (v *visit) getJob() reply {
	j, refusal := v.job()
	if refusal != nil {
		return v.refuse(*refusal)
	}
	return v.one(j)
}

// cancelJob is PATCH /export/jobs/{jobId}.
func (v *visit) cancelJob() reply {
	var body struct {
		Type string `json:"type"`
	}
	if refusal := v.decode(&body, "exports"); refusal != nil {
		return v.refuse(*refusal)
	}
	if body.Type != "CANCEL" {
		return v.refuse(badRequest("exports", "The type parameter is invalid: only CANCEL is known."))
	}
	j, refusal := v.job()
	if refusal != nil {
		return v.refuse(*refusal)
	}
	if !v.e.office.cancel(j) {
		words := "This job has finished and cannot be cancelled."
		return v.refuse(apiError{http.StatusBadRequest, "export_failed_to_cancel", "exports", words})
	}
	return jsonReply(http.StatusOK, map[string]any{"status": "CANCELLED", "successful": true})
}

// results is GET /export/jobs/{jobId}/results.
func (v *visit) results() reply {
	j, refusal := v.job()
	if refusal != nil {
		return v.refuse(*refusal)
	}
	if !j.readable(v.now(), v.e.config.ResultTTL) {
		words := "There is no file to read for this job: it has not finished, or the file has expired."
		return v.refuse(apiError{http.StatusBadRequest, "invalid_jobId", "exports", words})
	}
	j.downloads++
	return reply{
		status: http.StatusOK, stream: v.e.file(j), sized: v.e.config.ContentLength,
		header: map[string]string{
			"Content-Type":        contentType(j.format),
			"Content-Disposition": fmt.Sprintf("attachment; filename=%q", asciiOnly(j.fileName())),
		},
	}
}

func contentType(format string) string {
	if format == "CSV" {
		return "text/csv; charset=utf-8"
	}
	return "application/json"
}

func asciiOnly(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '_'
		}
		return c
	}, name)
}

// file writes what a job exported.
func (e *Emulator) file(j *job) func(io.Writer) error {
	switch j.kind {
	case kindActivity:
		return func(w io.Writer) error { return e.writeActivities(w, j.span) }
	case kindAudit:
		return func(w io.Writer) error { return e.writeAudit(w, j.span) }
	}
	contents := e.contents(j.asks())
	if j.format == "CSV" {
		return contents.WriteCSV
	}
	return contents.WriteJSON
}

// asks is the query that a job's file answers, with what its fate made of it.
func (j *job) asks() Query {
	q := j.query
	q.Period = orDefault(j.fate.WrongPeriod, q.Period)
	q.Currency = orDefault(j.fate.WrongCurrency, q.Currency)
	q.TwoPeriods = j.fate.TwoPeriods
	q.RowsTruncated = j.fate.Truncated == "rows" || j.fate.Truncated == "both"
	q.CellsTruncated = j.fate.Truncated == "cells" || j.fate.Truncated == "both"
	return q
}

// limits is GET /admin/limits.
func (v *visit) limits() reply {
	o := v.e.office
	if status := v.e.config.LimitsForbidden; status != 0 {
		return v.gateway(status, "You cannot consume this service")
	}
	used := o.used()
	jobs := map[string]any{
		"concurrentLimit": o.slots, "availableConcurrentLimit": max(0, o.slots-len(o.active)),
		"monthlyQuota": o.quota, "availableMonthlyQuota": max(0, o.quota-used),
		"submittedJobIds": v.ids(o.uses),
	}
	if running := v.ids(o.active); len(running) > 0 {
		jobs["runningJobIds"] = running
	}
	return jsonReply(http.StatusOK, map[string]any{"jobs": jobs})
}

func (v *visit) ids(jobs []*job) []string {
	ids := []string{}
	for _, j := range jobs {
		if j.known(v.now()) {
			ids = append(ids, j.id)
		}
	}
	return ids
}

// forecast is GET /forecast/{forecastId}?timePeriod=: the current week, at
// once and without a job.
func (v *visit) forecast() reply {
	asked := v.r.URL.Query()
	body := forecastBody{}
	for _, list := range asked["typesToExport"] {
		body.TypesToExport = append(body.TypesToExport, strings.Split(list, ",")...)
	}
	for name, field := range map[string]**string{"timePeriod": &body.TimePeriod, "scopeId": &body.ScopeID, "currency": &body.Currency} {
		if value := asked.Get(name); value != "" {
			*field = &value
		}
	}
	query, refusal := v.forecastQuery(body)
	if refusal != nil {
		return v.refuse(*refusal)
	}
	query.AsOf = v.now()
	return reply{
		status: http.StatusOK, stream: v.e.contents(query).WriteJSON, sized: v.e.config.ContentLength,
		header: map[string]string{"Content-Type": "application/json"},
	}
}
