package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
)

// Exit codes of every command (the contract).
const (
	ExitLanded      = 0   // everything asked for has landed
	ExitFailed      = 1   // some exports failed, or a query found something wanting
	ExitUsage       = 2   // usage, configuration, or a state that cannot be used
	ExitKey         = 3   // not authorised
	ExitQuota       = 4   // the export quota is used up; the rest is saved
	ExitLater       = 5   // deadline reached, or nothing can act for now
	ExitRefused     = 6   // verification refused a result
	ExitUnwritable  = 7   // state or destination could not be written
	ExitInterrupted = 130 // SIGINT or SIGTERM; everything is saved
)

// Fault is a problem with the exit code it deserves, a code for programs, and
// a hint that says what to do about it.
type Fault struct {
	Exit int
	Code string
	Hint string
	Err  error
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Usage is a problem with what the caller asked for.
func Usage(hint, format string, args ...any) *Fault {
	return &Fault{Exit: ExitUsage, Code: "usage", Hint: hint, Err: fmt.Errorf(format, args...)}
}

// FaultOf finds the fault in an error, or says which code the error deserves.
func FaultOf(err error) *Fault {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	f := &Fault{Exit: ExitFailed, Code: "failed", Err: err, Hint: hintOf(err)}
	for _, rule := range faultRules() {
		if errors.Is(err, rule.is) {
			f.Exit, f.Code = rule.exit, rule.code
			if f.Hint == "" {
				f.Hint = rule.hint
			}
			return f
		}
	}
	return f
}

type faultRule struct {
	is   error
	exit int
	code string
	hint string
}

func faultRules() []faultRule {
	return []faultRule{
		{engine.ErrInterrupted, ExitInterrupted, "interrupted", "everything is saved; go on with: weir resume"},
		{context.Canceled, ExitInterrupted, "interrupted", "everything is saved; go on with: weir resume"},
		{ledger.ErrNotALedger, ExitUsage, "state_unusable", "point --state at another file, or move this one away: weir makes a new one"},
		{ledger.ErrNewerSchema, ExitUsage, "state_newer", "install the newer weir that wrote it, or use another --state"},
		{ledger.ErrOtherKey, ExitUsage, "other_key", "use --account NAME to keep this key's state apart"},
		{ledger.ErrPassword, ExitUsage, "password", ""},
		{ledger.ErrPlace, ExitUsage, "state_unusable", "keep the state on a local disk, under its own name"},
		{ledger.ErrBusy, ExitUnwritable, "state_busy", "another process writes the state without end; find and stop it, then: weir resume"},
		{ledger.ErrUnwritable, ExitUnwritable, "state_unwritable", "make room or mend the permission of the state file's folder"},
		{ledger.ErrNotFound, ExitUsage, "not_found", "see: weir status"},
		{land.ErrDestination, ExitUnwritable, weir.CodeDestination, "make room or mend the permission; the result is still on the server and lands with: weir resume"},
		{land.ErrRefused, ExitRefused, weir.CodeRefused, ""},
		{clari.ErrKey, ExitUsage, "key", "set CLARI_API_KEY, or give --api-key-file FILE"},
		{clari.ErrBaseURL, ExitUsage, "base_url", "give an https URL such as https://api.clari.com/v4"},
		{clari.ErrNotAuthorised, ExitKey, weir.CodeNotAuthorised, ""},
		{history.ErrUnlike, ExitUsage, "unlike", "compare snapshots of one forecast, period and kind of request: weir diff --forecast ID --period 2026_Q1"},
		{history.ErrNoSnapshot, ExitFailed, "no_snapshot", "name a snapshot, its manifest or its export, and where it stands with --to DEST; see what is there: weir verify DEST"},
		{history.ErrWhen, ExitUsage, "since", "give 2026-11-20T18:00:00Z, 2026-11-20, 36h, 7d, yesterday, friday or last week"},
		{weir.ErrPeriod, ExitUsage, "period", "periods are fiscal quarters such as 2026_Q1, ranges 2025_Q1..2026_Q4, lists a,b"},
		{weir.ErrRequest, ExitUsage, "request", ""},
		{clari.ErrNotSent, ExitLater, "unreachable", "check the network and --base-url"},
		{clari.ErrTransient, ExitLater, "unreachable", "check the network and --base-url, and try again later"},
	}
}

func hintOf(err error) string {
	var said *clari.Error
	if errors.As(err, &said) {
		return said.Hint
	}
	var opened *ledger.OpenError
	if errors.As(err, &opened) {
		return opened.Hint
	}
	return ""
}

func isNotFound(err error) bool { return errors.Is(err, ledger.ErrNotFound) }
