package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
)

// Config is what metrics are made of.
type Config struct {
	// Ledger is read at a scrape; nil leaves its gauges out.
	Ledger ledger.Census
	// Pace reads a gate's kept state: its rate and, when it is closed, until when.
	Policy  pace.Policy
	Version string
	Log     *slog.Logger
}

// Metrics counts what it is told as a [signals.Watcher] and answers scrapes. It
// is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	plans    *plans

	requests, throttled, ended, deliveries *prometheus.CounterVec
	downloaded, rows, notifications        *prometheus.CounterVec
	requestTime, jobTime, unseen, landing  *prometheus.HistogramVec
}

// New makes metrics on a registry of their own.
func New(c Config) *Metrics {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{registry: prometheus.NewRegistry(), log: c.Log, plans: newPlans()}
	m.requests = m.counter("weir_requests_total")
	m.throttled = m.counter("weir_throttled_total")
	m.ended = m.counter("weir_exports_ended_total")
	m.deliveries = m.counter("weir_deliveries_total")
	m.downloaded = m.counter("weir_downloaded_bytes_total")
	m.rows = m.counter("weir_landed_rows_total")
	m.notifications = m.counter("weir_notifications_total")
	m.requestTime = m.histogram("weir_request_duration_seconds", .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
	m.jobTime = m.histogram("weir_job_duration_seconds", 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
	m.unseen = m.histogram("weir_detection_delay_seconds", .25, .5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
	m.landing = m.histogram("weir_landing_duration_seconds", .05, .1, .5, 1, 5, 10, 30, 60, 300, 1800)
	info := spec("weir_build_info")
	built := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: info.Name, Help: info.Help}, info.Labels)
	built.WithLabelValues(c.Version).Set(1)
	m.registry.MustRegister(built, m.plans, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if c.Ledger != nil {
		m.registry.MustRegister(&census{from: c.Ledger, policy: c.Policy, log: c.Log})
	}
	return m
}

func (m *Metrics) counter(name string) *prometheus.CounterVec {
	s := spec(name)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: s.Name, Help: s.Help}, s.Labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) histogram(name string, buckets ...float64) *prometheus.HistogramVec {
	s := spec(name)
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: s.Name, Help: s.Help, Buckets: buckets}, s.Labels)
	m.registry.MustRegister(vec)
	return vec
}

// scrapeTime bounds a scrape.
const scrapeTime = 10 * time.Second

// Handler answers scrapes. Who may ask is the caller's to decide.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: logger{m.log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 3, Timeout: scrapeTime,
	})
}

// Gatherer is what the handler shows, for tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// logger writes the handler's errors to the log.
type logger struct{ log *slog.Logger }

func (l logger) Println(v ...any) { l.log.Warn("answer scrape", "error", v) }
