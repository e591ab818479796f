package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/pace"
)

// Finding is one check of the doctor.
type Finding struct {
	Check  string
	OK     bool
	Detail string
	Hint   string
}

// clockTolerance is how far clocks may disagree before it is worth a word.
const clockTolerance = 2 * time.Minute

// Examine checks everything that an export needs and starts nothing. keyErr is
// what reading the key gave. The exit code is that of the first check that
// failed.
func Examine(ctx context.Context, s Settings, keyErr error) ([]Finding, int) {
	var findings []Finding
	exit := ExitLanded
	add := func(check, detail string, err error) {
		f := Finding{Check: check, OK: err == nil, Detail: detail}
		if err != nil {
			fault := FaultOf(err)
			f.Detail, f.Hint = err.Error(), fault.Hint
			if exit == ExitLanded {
				exit = fault.Exit
			}
		}
		findings = append(findings, f)
	}
	add("state", s.State+" can be read and written", examineState(ctx, s))
	add("key", "a key is given", keyErr)
	if keyErr != nil {
		return findings, exit
	}
	limits, err := askLimits(ctx, s)
	add("reach", s.BaseURL+" answers", reachable(err))
	if reachable(err) != nil {
		return findings, exit
	}
	add("access", "the key is accepted", accepted(err))
	if err == nil {
		add("clock", "agrees with the server's", examineClock(limits.Date, time.Now()))
		add("limits", limitsDetail(limits), nil)
	} else if accepted(err) == nil {
		findings = append(findings, Finding{Check: "limits", OK: true, Detail: "this key may not read them",
			Hint: "weir will learn slots and quota from refusals; a key with the right to read /admin/limits avoids those"})
	}
	return findings, exit
}

func examineState(ctx context.Context, s Settings) error {
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Salt(ctx)
	return err
}

// askLimits asks without the account's gate: the doctor must also work on a
// state that cannot be used.
func askLimits(ctx context.Context, s Settings) (clari.Limits, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client, err := clari.New(s.BaseURL, s.Key, clientOptions(s, nil)...)
	if err != nil {
		return clari.Limits{}, err
	}
	defer client.CloseIdleConnections()
	return client.Limits(ctx)
}

// reachable keeps only what shows that no Clari answered.
func reachable(err error) error {
	var said *clari.Error
	switch {
	case err == nil, errors.As(err, &said) && said.Status != 0 && said.Kind != clari.KindUndecodable:
		return nil
	case said != nil && said.Kind != clari.KindUndecodable:
		return &Fault{Exit: ExitLater, Code: "unreachable", Hint: "check the network, proxies and --base-url", Err: err}
	}
	return err
}

// accepted keeps only a refused key: other answers, a 403 of the limits or a
// 429 among them, came after the key was accepted.
func accepted(err error) error {
	if errors.Is(err, clari.ErrNotAuthorised) && !errors.Is(err, clari.ErrForbidden) {
		return err
	}
	return nil
}

func examineClock(server, now time.Time) error {
	if server.IsZero() {
		return nil
	}
	off := now.Sub(server)
	if off < -clockTolerance || off > clockTolerance {
		return &Fault{Exit: ExitFailed, Code: "clock", Hint: "set this machine's clock; weir works with a wrong one, but its times mislead people",
			Err: fmt.Errorf("compare clocks: this one is %s off the server's", off.Round(time.Second))}
	}
	return nil
}

func limitsDetail(l clari.Limits) string {
	return fmt.Sprintf("%d of %d slots and %d of %d exports per 30 days are free",
		l.AvailableConcurrent, l.ConcurrentLimit, l.AvailableMonthly, l.MonthlyQuota)
}

// asking is a client that is paced by the account's gate and needs no lease:
// reading spends nothing but requests.
func (s *Session) asking() (*clari.Client, error) {
	var paced http.RoundTripper = &pace.Transport{Base: clari.NewTransport(), Gate: s.Gate}
	return clari.New(s.Settings.BaseURL, s.Settings.Key, clientOptions(s.Settings, paced)...)
}
