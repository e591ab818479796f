package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/weirhq/weir/web/view"
)

// wish is what a person asks of an export.
type wish struct {
	// Force also cancels a job that weir recognised rather than started.
	Force bool `json:"force"`
	// JobID is the job that serves an export of unknown fate; with None there is
	// none.
	JobID string `json:"job_id"`
	None  bool   `json:"none"`
}

// grant does what a person asks of an export.
func (s *Server) grant(ctx context.Context, id int64, what view.Action, w wish) error {
	switch what {
	case view.Cancel:
		return s.config.Keeper.Cancel(ctx, id, w.Force)
	case view.Retry:
		return s.config.Keeper.Retry(ctx, id)
	case view.LandNow:
		return s.config.Keeper.LandAgain(ctx, id)
	case view.Resolve:
		if w.None == (w.JobID != "") {
			return &Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: errors.New("name the job that serves it, or say that there is none"), Hint: `"job_id", or "none": true`}
		}
		return s.config.Keeper.Resolve(ctx, id, w.JobID)
	}
	return &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: fmt.Errorf("there is no action %q", what)}
}

func idOf(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: errors.New("there is no such thing here"), Hint: "exports and snapshots are named by their number"}
	}
	return id, nil
}

// exportForm takes a form of an export's page.
func (s *Server) exportForm(w http.ResponseWriter, r *http.Request) {
	id, err := idOf(r.PathValue("id"))
	what := view.Action(r.PathValue("action"))
	if err == nil {
		job := r.PostFormValue("job")
		if job == "other" {
			job = r.PostFormValue("other")
		}
		none := job == "none"
		if none {
			job = ""
		}
		err = s.grant(r.Context(), id, what, wish{Force: r.PostFormValue("force") != "", JobID: job, None: none})
	}
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	done(w, r, fmt.Sprintf("/exports/%d", id), string(what))
}

// scheduleForm takes a form of the schedules' page.
func (s *Server) scheduleForm(w http.ResponseWriter, r *http.Request) {
	what := r.PathValue("action")
	if _, err := s.grantSchedule(r.Context(), r.PostFormValue("account"), r.PostFormValue("schedule"), what); err != nil {
		s.sorry(w, r, err)
		return
	}
	done(w, r, "/schedules", what)
}

// grantSchedule does what a person asks of a schedule, and names the exports of
// a run.
func (s *Server) grantSchedule(ctx context.Context, account, schedule, what string) ([]int64, error) {
	switch what {
	case "run":
		return s.config.Keeper.RunNow(ctx, account, schedule)
	case "pause", "resume":
		return nil, s.config.Keeper.Pause(ctx, account, schedule, what == "pause")
	}
	return nil, &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: fmt.Errorf("there is no action %q", what)}
}

// maxBody bounds the body of a call.
const maxBody = 64 << 10

// readWish reads the body of a call; none is the zero wish.
func readWish(r *http.Request) (wish, error) {
	var w wish
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &w)
	}
	if err != nil {
		return w, &Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: errors.New("the body is not the JSON that is wanted"), Hint: "see /api/v1/openapi.json"}
	}
	return w, nil
}
