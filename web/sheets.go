package web

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/web/chart"
	"github.com/weirhq/weir/web/view"
)

// How often pages are made again while somebody looks.
const (
	often  = time.Second
	seldom = 5 * time.Second
	rarely = 30 * time.Second
)

// nowSheet shows accounts as they stand: the one asked for, or all where they
// are few, or a list.
func (s *Server) nowSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "now", Title: "Now", every: often, Account: s.chosen(q)}
	names := q.accounts
	if sh.Account != "" {
		names = []string{sh.Account}
	}
	switch {
	case len(q.accounts) == 0:
		return s.only(sh, "first", "first", nil)
	case len(names) > inDetail:
		return s.overview(ctx, sh)
	}
	for i, name := range names {
		a, err := s.reader.account(ctx, name)
		if err != nil {
			return sh, err
		}
		r, err := s.accountRegion(fmt.Sprintf("account-%d", i+1), a)
		if err != nil {
			return sh, err
		}
		sh.Regions = append(sh.Regions, r)
		if len(names) == 1 {
			sh.Say = a.Name + ": " + a.Sentence
		}
	}
	return sh, nil
}

// chosen is the account of a page that can show all; "" for all.
func (s *Server) chosen(q query) string {
	if q.get("account") == q.account {
		return q.account
	}
	return ""
}

// nowRow is an export on the page of now. Like rows have like HTML.
type nowRow struct {
	ID       int64
	Title    string
	State    weir.State
	Since    time.Time
	Expected float64
	// Busy says that a job of it runs, so that its age says something.
	Busy     bool
	Job      string
	Sentence string
	ActsAt   time.Time
}

func nowRowOf(e view.Export) nowRow {
	r := nowRow{ID: e.ID, Title: e.Title, State: e.State, Since: e.Since, Expected: e.Expected, Busy: e.State == weir.Running}
	switch {
	case r.Busy && e.Job != nil:
		r.Job = e.Job.ID
	case !r.Busy:
		r.Sentence, r.ActsAt = e.Sentence, e.ActsAt
	}
	return r
}

// rowCache keeps the HTML of rows: most of them are the same as a second ago.
type rowCache struct {
	mu   sync.Mutex
	made map[nowRow]string
}

// maxRows bounds how many are kept; beyond it they are made anew.
const maxRows = 5000

func (s *Server) nowRow(r nowRow) (row, error) {
	id := fmt.Sprintf("export-%d", r.ID)
	s.rows.mu.Lock()
	html, known := s.rows.made[r]
	s.rows.mu.Unlock()
	if known {
		return row{id, html}, nil
	}
	made, err := s.row(id, "now-row", r)
	if err != nil {
		return made, err
	}
	s.rows.mu.Lock()
	defer s.rows.mu.Unlock()
	if len(s.rows.made) >= maxRows {
		clear(s.rows.made)
	}
	s.rows.made[r] = made.html
	return made, nil
}

func (s *Server) accountRegion(id string, a view.Account) (region, error) {
	var rows []row
	for _, e := range append(append([]view.Export{}, a.Running...), a.Waiting...) {
		made, err := s.nowRow(nowRowOf(e))
		if err != nil {
			return region{}, err
		}
		rows = append(rows, made)
	}
	a.Running, a.Waiting = nil, nil // the rows show them
	return s.region(id, "account", struct {
		view.Account
		Pills any
		Rows  int
	}{a, chart.Slots(a.Slots), len(rows)}, rows...)
}

// overview lists accounts with what is open of each.
func (s *Server) overview(ctx context.Context, sh sheet) (sheet, error) {
	all, err := s.reader.ledger.CountAccounts(ctx)
	if err != nil {
		return sh, err
	}
	sh.every = seldom
	var rows []row
	for i, c := range all {
		made, err := s.row(fmt.Sprintf("account-row-%d", i+1), "overview-row", view.CountedOf(c))
		if err != nil {
			return sh, err
		}
		rows = append(rows, made)
	}
	return s.only(sh, "overview", "overview", len(all), rows...)
}

// spans are the stretches that a timeline can show.
func spans() []time.Duration {
	return []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
}

// spanOf reads a stretch; an hour is what it is otherwise.
func spanOf(text string) time.Duration {
	for _, s := range spans() {
		if text == strconv.Itoa(int(s.Minutes())) {
			return s
		}
	}
	return time.Hour
}

func (s *Server) timelineSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "timeline", Title: "Timeline", Account: q.account, every: seldom}
	if q.account == "" {
		return s.only(sh, "first", "first", nil)
	}
	span := spanOf(q.get("minutes"))
	t, err := s.reader.timeline(ctx, q.account, span)
	if err != nil {
		return sh, err
	}
	return s.only(sh, "timeline", "timeline", struct {
		view.Timeline
		Drawing any
		Span    time.Duration
		Spans   []time.Duration
	}{t, chart.Timeline(t), span, spans()})
}

func (s *Server) quotaSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "quota", Title: "Quota", Account: q.account, every: rarely}
	if q.account == "" {
		return s.only(sh, "first", "first", nil)
	}
	v, err := s.reader.quota(ctx, q.account)
	if err != nil {
		return sh, err
	}
	return s.only(sh, "quota", "quota", struct {
		view.Quota
		Drawing any
	}{v, chart.Quota(v)})
}

func (s *Server) exportsSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "exports", Title: "Exports", Account: s.chosen(q), every: seldom}
	before, _ := strconv.ParseInt(q.get("before"), 10, 64)
	state := weir.State(q.get("state"))
	if !known(state) {
		state = ""
	}
	exports, err := s.reader.page(ctx, ledger.Page{Account: sh.Account, Before: max(before, 0), State: state, Limit: shownExports})
	if err != nil {
		return sh, err
	}
	data := struct {
		State   weir.State
		States  []weir.State
		Account string
		Rows    int
		Older   int64
		Paged   bool
	}{State: state, States: states(), Account: sh.Account, Rows: len(exports), Paged: before > 0}
	if len(exports) == shownExports {
		data.Older = exports[len(exports)-1].ID
	}
	var rows []row
	for _, e := range exports {
		made, err := s.row(fmt.Sprintf("export-%d", e.ID), "export-row", e)
		if err != nil {
			return sh, err
		}
		rows = append(rows, made)
	}
	return s.only(sh, "exports", "exports", data, rows...)
}

// states are those of an export, in the order of its life.
func states() []weir.State {
	return []weir.State{
		weir.Planned, weir.Submitting, weir.Unknown, weir.Running, weir.Ready, weir.Landed, weir.Rejected, weir.Failed, weir.Cancelled,
	}
}

func known(state weir.State) bool {
	for _, s := range states() {
		if s == state {
			return true
		}
	}
	return false
}

func (s *Server) exportSheet(ctx context.Context, q query) (sheet, error) {
	id, err := idOf(q.path("id"))
	if err != nil {
		return sheet{}, err
	}
	d, err := s.reader.detail(ctx, id)
	if err != nil {
		return sheet{}, err
	}
	sh := sheet{
		Nav: "exports", Title: d.Export.Title, Account: d.Export.Account, every: often,
		Say: fmt.Sprintf("export %d is %s: %s", id, d.Export.State, d.Export.Sentence),
	}
	if !d.Export.State.Open() {
		sh.every = seldom
	}
	return s.only(sh, "export", "export", d)
}

func (s *Server) schedulesSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "schedules", Title: "Schedules", Account: s.chosen(q), every: seldom}
	accounts := q.accounts
	if sh.Account != "" {
		accounts = []string{sh.Account}
	}
	all, err := s.reader.schedules(ctx, accounts[:min(len(accounts), maxScheduleAccounts)])
	if err != nil {
		return sh, err
	}
	return s.only(sh, "schedules", "schedules", struct {
		Schedules []view.Schedule
		Cut       bool
	}{all, len(accounts) > maxScheduleAccounts})
}

// maxScheduleAccounts bounds for how many accounts one page lists schedules.
const maxScheduleAccounts = 100
