package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/signals"
)

var _ signals.Watcher = (*Metrics)(nil)

// Called counts a call of the API.
func (m *Metrics) Called(c signals.Call) {
	m.requests.WithLabelValues(label(c.Account), string(c.Name), c.Outcome()).Inc()
	if c.Outcome() != "not_sent" {
		m.requestTime.WithLabelValues(string(c.Name)).Observe(c.Took.Seconds())
	}
	if reason := c.Refusal(); reason != "" {
		m.throttled.WithLabelValues(label(c.Account), reason).Inc()
	}
}

// Planned keeps what waits and why.
func (m *Metrics) Planned(p signals.Planned) { m.plans.take(p) }

// Moved counts what ended.
func (m *Metrics) Moved(move signals.Move) {
	if !move.Export.State.Open() {
		m.ended.WithLabelValues(label(move.Export.Account), string(move.Export.State)).Inc()
	}
}

// Ran keeps how long a job ran and how soon that was seen.
func (m *Metrics) Ran(r signals.Run) {
	m.jobTime.WithLabelValues(label(r.Account)).Observe(r.Took.Seconds())
	m.unseen.WithLabelValues(label(r.Account)).Observe(r.Unseen.Seconds())
}

// Received counts a download and its verification.
func (m *Metrics) Received(t signals.Transfer) {
	m.downloaded.WithLabelValues(label(t.Export.Account)).Add(float64(t.Bytes))
	if !t.Downloaded.IsZero() {
		m.landing.WithLabelValues("download").Observe(t.Downloaded.Sub(t.At).Seconds())
		m.landing.WithLabelValues("verify").Observe(t.End.Sub(t.Downloaded).Seconds())
	}
}

// Published counts what was written.
func (m *Metrics) Published(p signals.Publication) {
	m.landing.WithLabelValues("publish").Observe(p.End.Sub(p.At).Seconds())
	if p.Err == nil {
		m.rows.WithLabelValues(label(p.Export.Account), place(p.Delivery)).Add(float64(p.Rows))
	}
}

// Delivered counts how landings ended.
func (m *Metrics) Delivered(d signals.Delivered) {
	m.deliveries.WithLabelValues(label(d.Account), string(d.State)).Inc()
}

// Notified counts an attempt to send a message: its kind, and sent, waiting or
// given_up.
func (m *Metrics) Notified(kind, outcome string) {
	m.notifications.WithLabelValues(label(kind), label(outcome)).Inc()
}

// place is the kind of a destination: its scheme, or directory.
func place(d weir.Delivery) string {
	scheme, _, isURL := strings.Cut(d.Destination, "://")
	switch {
	case !isURL:
		return "directory"
	case scheme == "s3", scheme == "gs", scheme == "azblob", scheme == "postgres":
		return scheme
	}
	return "other"
}

// label makes text from outside fit for a label.
func label(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// desc describes a metric whose values are made at the scrape.
func desc(name string) *prometheus.Desc {
	s := spec(name)
	return prometheus.NewDesc(s.Name, s.Help, s.Labels, nil)
}
