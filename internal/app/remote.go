package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/web/door"
	"github.com/weirhq/weir/web/view"
)

// Remote is the API of a weir serve elsewhere.
type Remote struct {
	base   *url.URL
	token  string
	client *http.Client
}

// remotePatience bounds one call; maxRemote what it may answer.
const (
	remotePatience = 30 * time.Second
	maxRemote      = 64 << 20
)

// NewRemote reads the address of a server. The token is never sent in the clear:
// http is for loopback.
func NewRemote(server, token string) (*Remote, error) {
	base, err := door.ParsePublic(server)
	if err != nil {
		return nil, Usage("give --server https://host, or http://127.0.0.1:8120", "%w", err)
	}
	if base.Scheme == "http" && !loopback(base.Hostname()) {
		return nil, Usage("use https beyond loopback", "read --server: %s would send the token in the clear", base)
	}
	if err := door.CheckToken(token); err != nil {
		return nil, badToken(err, "set "+TokenVariable+" to the server's token: that of its own "+TokenVariable+", or of the file beside its state")
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Remote{base: base, token: token, client: &http.Client{Timeout: remotePatience, CheckRedirect: refuse}}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// get reads the answer of a call.
func (r *Remote) get(ctx context.Context, path string, query url.Values, into any) error {
	at := r.base.JoinPath("/api/v1" + path)
	at.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", r.base, err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := r.client.Do(request)
	if err != nil {
		return &Fault{Exit: ExitLater, Code: "unreachable", Hint: "is weir serve running there?", Err: fmt.Errorf("ask %s: %w", r.base, err)}
	}
	defer answer.Body.Close()
	body := io.LimitReader(answer.Body, maxRemote)
	if answer.StatusCode != http.StatusOK {
		return r.refused(answer.StatusCode, body)
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", r.base, err)
	}
	return nil
}

func (r *Remote) refused(status int, body io.Reader) error {
	var told struct {
		Error struct{ Code, Message, Hint string }
	}
	err := json.NewDecoder(body).Decode(&told)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusTooManyRequests:
		return &Fault{Exit: ExitKey, Code: "token", Hint: "check " + TokenVariable, Err: fmt.Errorf("ask %s: it refuses the token (%d)", r.base, status)}
	case status == http.StatusNotFound && err == nil:
		return &Fault{Exit: ExitUsage, Code: "not_found", Hint: told.Error.Hint, Err: fmt.Errorf("ask %s: %s", r.base, told.Error.Message)}
	case err == nil && told.Error.Message != "":
		return &Fault{Exit: ExitFailed, Code: "failed", Hint: told.Error.Hint, Err: fmt.Errorf("ask %s: %s", r.base, told.Error.Message)}
	}
	return &Fault{Exit: ExitFailed, Code: "failed", Err: fmt.Errorf("ask %s: it answers %d", r.base, status)}
}

// remotePage is how many exports one call asks for.
const remotePage = 500

// Status is how the newest exports of an account stand there, oldest first;
// account "" is all, limit 0 too.
func (r *Remote) Status(ctx context.Context, account string, limit int) ([]engine.Standing, error) {
	var all []engine.Standing
	before := int64(0)
	for {
		page := remotePage
		if limit > 0 {
			page = min(page, limit-len(all))
		}
		query := url.Values{"limit": {strconv.Itoa(page)}}
		if account != "" {
			query.Set("account", account)
		}
		if before > 0 {
			query.Set("before", strconv.FormatInt(before, 10))
		}
		var answer struct {
			Exports []view.Export
			Before  int64
		}
		if err := r.get(ctx, "/exports", query, &answer); err != nil {
			return nil, err
		}
		for _, e := range answer.Exports {
			all = append(all, standingOf(e))
		}
		if answer.Before == 0 || answer.Before == before || limit > 0 && len(all) >= limit {
			slices.Reverse(all)
			return all, nil
		}
		before = answer.Before
	}
}

// StatusOf is one export there with everything that happened to it.
func (r *Remote) StatusOf(ctx context.Context, id int64) (engine.Standing, []weir.Event, error) {
	var d view.Detail
	if err := r.get(ctx, "/exports/"+strconv.FormatInt(id, 10), nil, &d); err != nil {
		return engine.Standing{}, nil, err
	}
	if d.Export.ID != id {
		return engine.Standing{}, nil, errors.New("read the answer: it is of another export")
	}
	var events []weir.Event
	for _, e := range d.History {
		events = append(events, weir.Event{ExportID: id, At: e.At, From: e.From, To: e.To, Why: e.Why, Request: e.Request, JobID: e.JobID})
	}
	return standingOf(d.Export), events, nil
}

// standingOf is an export of the API as commands show it.
func standingOf(v view.Export) engine.Standing {
	s := engine.Standing{Export: weir.Export{
		ID: v.ID, Account: v.Account, Request: v.Request, State: v.State, AsOf: v.AsOf, CreatedAt: v.CreatedAt, SubmittedAt: v.SubmittedAt,
		Jobs: v.Jobs, Adopted: v.Adopted, Twin: v.Twin, Failure: failureIn(v.Failure),
	}}
	if v.Job != nil {
		s.Export.JobID = v.Job.ID
		s.Job = weir.Job{ID: v.Job.ID, Status: v.Job.Status, RawStatus: v.Job.RawStatus, FileName: v.Job.FileName, StartedAt: v.Job.StartedAt, EndedAt: v.Job.EndedAt, ExpiresAt: v.Job.ExpiresAt}
	}
	s.Stand.Wait, s.Stand.ActsAt = weir.Wait{Code: v.Wait, Text: v.Sentence}, v.ActsAt
	for _, d := range v.Deliveries {
		s.Deliveries = append(s.Deliveries, weir.Delivery{
			ID: d.ID, ExportID: v.ID, Destination: d.Destination, Format: d.Format, Primary: d.Primary, State: d.State, Attempts: d.Attempts,
			NotBefore: d.NotBefore, Manifest: d.Manifest, Rows: d.Rows, SnapshotAt: d.SnapshotAt, LandedAt: d.LandedAt, Failure: failureIn(d.Failure),
		})
	}
	return s
}

func failureIn(f *view.Failure) *weir.Failure {
	if f == nil {
		return nil
	}
	return &weir.Failure{Code: f.Code, Message: f.Message, Hint: f.Hint}
}
