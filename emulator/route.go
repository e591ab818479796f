package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// BasePath is where the API stands on the emulator's host.
const BasePath = "/v4"

// Route names one call of the API, for scenarios, counters and the log.
type Route string

// The routes.
const (
	RouteExportForecast Route = "export.forecast"
	RouteExportActivity Route = "export.activity"
	RouteExportAudit    Route = "export.audit"
	RouteJobs           Route = "jobs.list"
	RouteJob            Route = "jobs.get"
	RouteCancel         Route = "jobs.cancel"
	RouteResults        Route = "jobs.results"
	RouteLimits         Route = "limits"
	RouteForecast       Route = "forecast"
	RouteAudit          Route = "audit"
	RouteOpportunity    Route = "opportunity"
	RouteNone           Route = "none"   // no such path
	RouteMethod         Route = "method" // no such method on this path
)

type routeRow struct {
	method string
	path   string // "*" stands for one id
	route  Route
}

func routeTable() []routeRow {
	return []routeRow{
		{http.MethodPost, "export/forecast", RouteExportForecast},
		{http.MethodPost, "export/forecast/*", RouteExportForecast},
		{http.MethodPost, "export/activity", RouteExportActivity},
		{http.MethodPost, "export/audit/events", RouteExportAudit},
		{http.MethodGet, "export/jobs", RouteJobs},
		{http.MethodGet, "export/jobs/*", RouteJob},
		{http.MethodPatch, "export/jobs/*", RouteCancel},
		{http.MethodGet, "export/jobs/*/results", RouteResults},
		{http.MethodGet, "admin/limits", RouteLimits},
		{http.MethodGet, "forecast", RouteForecast},
		{http.MethodGet, "forecast/*", RouteForecast},
		{http.MethodGet, "audit/events", RouteAudit},
		{http.MethodGet, "opportunity", RouteOpportunity},
	}
}

// target is what a request is aimed at.
type target struct {
	route Route
	id    string   // the forecast or job id in the path
	allow []string // the methods of the path, for a 405
}

func targetOf(method string, u *url.URL) target {
	rest, found := strings.CutPrefix(u.EscapedPath(), BasePath+"/")
	if !found {
		return target{route: RouteNone}
	}
	segments := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	missed := target{route: RouteNone}
	for _, row := range routeTable() {
		id, fits := fit(strings.Split(row.path, "/"), segments)
		switch {
		case fits && row.method == method:
			return target{route: row.route, id: id}
		case fits && !slices.Contains(missed.allow, row.method):
			missed = target{route: RouteMethod, allow: append(missed.allow, row.method)}
		}
	}
	return missed
}

func fit(pattern, segments []string) (id string, fits bool) {
	if len(pattern) != len(segments) {
		return "", false
	}
	for i, want := range pattern {
		got, err := url.PathUnescape(segments[i])
		switch {
		case err != nil:
			return "", false
		case want == "*":
			id = got
		case want != got:
			return "", false
		}
	}
	return id, true
}
