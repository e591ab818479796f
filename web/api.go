package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/web/door"
	"github.com/weirhq/weir/web/view"
)

// call is one call of the API: it reads what a request asks for and returns the
// body of the answer.
type call func(r *http.Request) (any, error)

// calls are the whole API, by the pattern they are served under. The document in
// openapi.json describes each; a test holds the two together.
func (s *Server) calls() map[string]call {
	return map[string]call{
		"GET /api/v1/accounts":                                          s.apiAccounts,
		"GET /api/v1/accounts/{account}":                                s.apiAccount,
		"GET /api/v1/accounts/{account}/timeline":                       s.apiTimeline,
		"GET /api/v1/accounts/{account}/quota":                          s.apiQuota,
		"GET /api/v1/accounts/{account}/snapshots":                      s.apiSnapshots,
		"GET /api/v1/accounts/{account}/schedules":                      s.apiSchedules,
		"POST /api/v1/accounts/{account}/schedules/{schedule}/{action}": s.apiSchedule,
		"GET /api/v1/exports":                                           s.apiExports,
		"GET /api/v1/exports/{id}":                                      s.apiExport,
		"POST /api/v1/exports/{id}/{action}":                            s.apiAct,
		"GET /api/v1/snapshots/{id}":                                    s.apiSnapshot,
		"GET /api/v1/snapshots/{id}/diff/{from}":                        s.apiDiff,
	}
}

// serveAPI mounts the calls and their description.
func (s *Server) serveAPI() {
	terms := door.Terms{Programs: true}
	for pattern, call := range s.calls() {
		s.Mount(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := call(r)
			if err != nil {
				s.apiError(w, r, err)
				return
			}
			s.json(w, http.StatusOK, body)
		}), terms)
	}
	s.Mount("GET /api/v1/openapi.json", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI)
	}), terms)
	s.Mount("/api/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.apiError(w, r, &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: errors.New("there is no such call"), Hint: "see /api/v1/openapi.json"})
	}), terms)
}

func (s *Server) json(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		s.config.Log.Error("encode answer", "error", err)
		http.Error(w, "this answer cannot be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// problem is the body of every answer that is an error.
type problem struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"error"`
}

func (s *Server) apiError(w http.ResponseWriter, r *http.Request, err error) {
	told := refusalOf(err)
	if told.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.config.Log.Error("answer call", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	var p problem
	p.Error.Code, p.Error.Message, p.Error.Hint = told.Code, told.Error(), told.Hint
	s.json(w, told.Status, p)
}

// accountOf is the account of a call's path, if there is one of that name.
func (s *Server) accountOf(r *http.Request) (string, error) {
	a, err := s.reader.ledger.Account(r.Context(), r.PathValue("account"))
	return a.Name, err
}

func (s *Server) apiAccounts(r *http.Request) (any, error) {
	counted, err := s.reader.ledger.CountAccounts(r.Context())
	all := []view.Counted{}
	for _, c := range counted {
		all = append(all, view.CountedOf(c))
	}
	return struct {
		Accounts []view.Counted `json:"accounts"`
	}{all}, err
}

func (s *Server) apiAccount(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	return s.reader.account(r.Context(), name)
}

func (s *Server) apiTimeline(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	minutes, err := number(r, "minutes", 60, 1, 7*24*60)
	if err != nil {
		return nil, err
	}
	return s.reader.timeline(r.Context(), name, time.Duration(minutes)*time.Minute)
}

func (s *Server) apiQuota(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	return s.reader.quota(r.Context(), name)
}

func (s *Server) apiSnapshots(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	all, err := s.latest(r.Context(), name)
	return struct {
		Snapshots []view.Snapshot `json:"snapshots"`
	}{all}, err
}

func (s *Server) apiSnapshot(r *http.Request) (any, error) {
	id, err := idOf(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.open(r.Context(), id)
}

func (s *Server) apiSchedules(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	all, err := s.reader.schedules(r.Context(), []string{name})
	return struct {
		Schedules []view.Schedule `json:"schedules"`
	}{all}, err
}

func (s *Server) apiSchedule(r *http.Request) (any, error) {
	name, err := s.accountOf(r)
	if err != nil {
		return nil, err
	}
	ids, err := s.grantSchedule(r.Context(), name, r.PathValue("schedule"), r.PathValue("action"))
	if ids == nil {
		ids = []int64{}
	}
	return struct {
		Exports []int64 `json:"exports"`
	}{ids}, err
}

// apiExports leafs through exports, the newest first.
func (s *Server) apiExports(r *http.Request) (any, error) {
	limit, err := number(r, "limit", 50, 1, 500)
	if err != nil {
		return nil, err
	}
	before, err := number(r, "before", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	state := weir.State(r.URL.Query().Get("state"))
	if state != "" && !known(state) {
		return nil, &Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: fmt.Errorf("there is no state %q", state)}
	}
	p := ledger.Page{Account: r.URL.Query().Get("account"), State: state, Before: before, Limit: int(limit)}
	exports, err := s.reader.page(r.Context(), p)
	answer := struct {
		Exports []view.Export `json:"exports"`
		// Before asks for the next page; 0 on the last one.
		Before int64 `json:"before"`
	}{Exports: exports}
	if len(exports) == p.Limit {
		answer.Before = exports[len(exports)-1].ID
	}
	return answer, err
}

func (s *Server) apiExport(r *http.Request) (any, error) {
	id, err := idOf(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.reader.detail(r.Context(), id)
}

// apiAct does what a person asks of an export and tells how it stands then.
func (s *Server) apiAct(r *http.Request) (any, error) {
	id, err := idOf(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	w, err := readWish(r)
	if err != nil {
		return nil, err
	}
	if err := s.grant(r.Context(), id, view.Action(r.PathValue("action")), w); err != nil {
		return nil, err
	}
	return s.reader.detail(r.Context(), id)
}

// number reads a whole number of the query within bounds.
func number(r *http.Request, name string, otherwise, least, most int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, &Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: fmt.Errorf("%s is not a number from %d to %d", name, least, most)}
	}
	return n, nil
}
