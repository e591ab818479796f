package emulator

import (
	"io"
	"log"
	"net/http"
	"path"
	"time"
)

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// visit is one request on its way through: arrive, the gateway, the scenario,
// the call itself, leave.
type visit struct {
	e      *Emulator
	r      *http.Request
	target target
	at     moment // of arrival
	serial int64
	draw   draw
	key    string
	user   int64
	body   []byte

	fault  Fault // what strikes it; the zero value does nothing
	status int   // what was answered; 0 for nothing
}

// arrive counts a request in and decides whether its connection is refused.
func (e *Emulator) arrive(r *http.Request) *visit {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	e.inside++
	v := &visit{
		e: e, r: r, target: targetOf(r.Method, r.URL), at: e.clock.read(),
		serial: e.serial, draw: e.draw.text("request").with(e.serial), key: r.Header.Get("apikey"),
	}
	e.office.advance(v.at.org)
	e.counts.MostRequests = max(e.counts.MostRequests, e.inside)
	v.fault = v.pick(func(f Fault) bool { return f.Cut == CutRefused })
	return v
}

func (v *visit) refused() bool { return v.fault.Cut == CutRefused }

// leave counts a request out, once its answer is given or lost.
func (v *visit) leave(cut Cut) {
	e := v.e
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inside--
	e.counts.add(v.target.route, v.status, cut)
	e.log.add(Logged{
		At: v.at.client, Emulated: v.at.org, Method: v.r.Method, Route: v.target.route,
		ID: v.target.id, Status: v.status, Cut: cut,
	})
}

// pick finds the rule that strikes this request among those of one kind. The
// caller holds the lock.
func (v *visit) pick(kind func(Fault) bool) Fault {
	e := v.e
	var struckBy Fault
	found := false
	for i, rule := range e.config.Scenario.Rules {
		if !kind(rule.Fault) || !v.fits(rule.Match) {
			continue
		}
		count := &e.rules[i]
		count.seen++
		d := e.draw.text("rule").with(int64(i)).with(int64(count.seen))
		if found || !rule.Match.strikes(count.seen, count.used, v.at.org.Sub(e.clock.start), d) {
			continue
		}
		count.used++
		struckBy, found = rule.Fault, true
	}
	return struckBy
}

func (v *visit) fits(m Match) bool {
	if m.Method != "" && m.Method != v.r.Method {
		return false
	}
	if m.Route != "" {
		if ok, err := path.Match(m.Route, string(v.target.route)); err != nil || !ok {
			return false
		}
	}
	if m.Job != 0 {
		j, ok := v.e.office.byID[v.target.id]
		if !ok || j.number != m.Job {
			return false
		}
	}
	onForecast := v.target.route == RouteExportForecast || v.target.route == RouteForecast
	return m.Forecast == "" || onForecast && m.Forecast == v.target.id
}

// serve answers and says where the connection is cut, if it is.
func (v *visit) serve(w http.ResponseWriter) Cut {
	if refusal, refused := v.gate(w.Header()); refused {
		return v.send(w, refusal)
	}
	if err := v.holdBefore(); err != nil {
		return CutBefore // the client went away
	}
	if v.fault.Cut == CutBefore {
		v.actLate()
		return CutBefore
	}
	reply, scripted := v.fault.scripted(v)
	if !scripted || v.fault.Act {
		acted := v.act()
		if !scripted {
			reply = acted
		}
	}
	if err := wait(v.r.Context(), v.fault.DelayAnswer); err != nil || v.fault.Cut == CutAfter {
		return CutAfter
	}
	return v.send(w, reply)
}

func (v *visit) holdBefore() error {
	emulated := time.Duration(float64(v.fault.DelayEmulated) / v.e.config.Speed)
	return wait(v.r.Context(), v.fault.Delay+emulated)
}

// act does what was asked.
func (v *visit) act() reply {
	if err := v.readBody(); err != nil {
		return v.refuse(badRequest("exports", "The request body was malformed: it ended early."))
	}
	v.e.mu.Lock()
	defer v.e.mu.Unlock()
	v.e.office.advance(v.e.clock.read().org)
	return v.call()
}

// readBody takes in the request's body; what is beyond a mebibyte is not read.
func (v *visit) readBody() error {
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(v.r.Body, most))
	v.body = body
	return err
}

// actLate lets a POST whose connection was cut take effect later.
func (v *visit) actLate() {
	if v.fault.ActLate == 0 || v.readBody() != nil {
		return
	}
	v.e.mu.Lock()
	defer v.e.mu.Unlock()
	v.e.office.expect(v.e.clock.read().org.Add(v.fault.ActLate), func(*office) { v.call() })
}

// call runs the call itself. The caller holds the lock and has advanced the
// office.
func (v *visit) call() reply {
	switch v.target.route {
	case RouteExportForecast:
		return v.exportForecast()
	case RouteExportActivity:
		return v.exportActivity()
	case RouteExportAudit:
		return v.exportAudit()
	case RouteJobs:
		return v.listJobs()
	case RouteJob:
		return v.getJob()
	case RouteCancel:
		return v.cancelJob()
	case RouteResults:
		return v.results()
	case RouteLimits:
		return v.limits()
	case RouteForecast:
		return v.forecast()
	case RouteAudit:
		return v.auditEvents()
	}
	return v.opportunities()
}
