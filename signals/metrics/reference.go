package metrics

import "slices"

// Metric describes one metric, for documents and their tests.
type Metric struct {
	Name   string
	Type   string // counter, gauge or histogram
	Labels []string
	Help   string
	// From is ledger, process or plan: see the package's comment.
	From string
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"

	fromLedger  = "ledger"
	fromProcess = "process"
	fromPlan    = "plan"
)

// Reference lists every metric of weir's own. The runtime's (go_, process_) come
// beside them.
func Reference() []Metric {
	return []Metric{
		{"weir_build_info", gauge, []string{"version"}, "The version that runs; always 1.", fromProcess},
		{"weir_ledger_up", gauge, nil, "Whether the ledger could be read for this scrape.", fromLedger},

		{"weir_slots", gauge, []string{"account"}, "Jobs that the organisation may have queued and running together, as last observed.", fromLedger},
		{"weir_slots_free", gauge, []string{"account"}, "Slots that were free when last observed.", fromLedger},
		{"weir_quota_limit", gauge, []string{"account"}, "Exports that the organisation may start in 30 days, as last observed.", fromLedger},
		{"weir_quota_available", gauge, []string{"account"}, "Exports that were left of the quota when last observed.", fromLedger},
		{"weir_budget_observed_timestamp_seconds", gauge, []string{"account"}, "When slots and quota were last observed.", fromLedger},
		{"weir_gate_rate_hertz", gauge, []string{"account"}, "Requests a second that the gate lets through, as learned.", fromLedger},
		{"weir_gate_closed_seconds", gauge, []string{"account"}, "How long the gate stays closed after a 429; 0 while it is open.", fromLedger},
		{"weir_exports", gauge, []string{"account", "state"}, "Exports by state. Ended ones are counted once a minute.", fromLedger},
		{"weir_snapshot_age_seconds", gauge, []string{"account", "forecast", "period"}, "Age of the newest landed snapshot of a tab and period.", fromLedger},
		{"weir_snapshot_rows", gauge, []string{"account", "forecast", "period"}, "Rows of that snapshot.", fromLedger},

		{"weir_conducting", gauge, []string{"account"}, "1 where this process conducts the account.", fromPlan},
		{"weir_exports_waiting", gauge, []string{"account", "reason"}, "Open exports that wait, by reason.", fromPlan},
		{"weir_backfill_finish_timestamp_seconds", gauge, []string{"account"}, "When the last open export will have landed, as projected from slots, quota, schedules and past runs.", fromPlan},
		{"weir_quota_short_timestamp_seconds", gauge, []string{"account"}, "When the quota will be used up before something that needs it, as projected.", fromPlan},

		{"weir_requests_total", counter, []string{"account", "call", "outcome"}, "Calls of the server's API.", fromProcess},
		{"weir_request_duration_seconds", histogram, []string{"call"}, "Time of a call of the API, its wait at the gate included.", fromProcess},
		{"weir_throttled_total", counter, []string{"account", "reason"}, "Calls that the server held back: a 429 with or without a usable Retry-After, or no slot or quota.", fromProcess},
		{"weir_wait_seconds_total", counter, []string{"account", "reason"}, "Time that open exports spent waiting, summed over exports.", fromProcess},
		{"weir_job_duration_seconds", histogram, []string{"account"}, "How long finished jobs ran, by the server's own times.", fromProcess},
		{"weir_detection_delay_seconds", histogram, []string{"account"}, "Time from a job's end on the server until weir saw it.", fromProcess},
		{"weir_exports_ended_total", counter, []string{"account", "state"}, "Exports that ended here.", fromProcess},
		{"weir_deliveries_total", counter, []string{"account", "state"}, "Landings that ended here; open is one that will be tried again.", fromProcess},
		{"weir_downloaded_bytes_total", counter, []string{"account"}, "Bytes of results downloaded.", fromProcess},
		{"weir_landed_rows_total", counter, []string{"account", "place"}, "Rows published.", fromProcess},
		{"weir_landing_duration_seconds", histogram, []string{"step"}, "Time of the steps of a landing.", fromProcess},
		{"weir_notifications_total", counter, []string{"kind", "outcome"}, "Messages that were sent, put off or given up.", fromProcess},
	}
}

// spec finds a metric by its name.
func spec(name string) Metric {
	all := Reference()
	i := slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{Name: name, Help: "Not described."} // a test finds it
	}
	return all[i]
}
