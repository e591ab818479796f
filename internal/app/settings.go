package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
)

// DefaultBaseURL is the API's published address.
const DefaultBaseURL = "https://api.clari.com/v4"

// Settings are what every command shares. Zero fields take their defaults.
type Settings struct {
	Account  string // "default"
	BaseURL  string // DefaultBaseURL
	Insecure bool   // allow http:// beyond loopback
	// Key is the API key; the zero Key is none, which only offline commands
	// accept.
	Key   clari.Key
	State string // a file, or a postgres:// URL; DefaultState
	// StatePassword is that of a postgres:// State; "" leaves it to PGPASSWORD and
	// password files.
	StatePassword string
	// SpoolDir is where results wait while they land; beside the state file when
	// empty.
	SpoolDir string
	// IdleTimeout ends a read request on which nothing comes; a minute when zero.
	IdleTimeout time.Duration
	// passwords of destinations that are not found as libpq finds them.
	passwords passwords
	Rate      float64
	// Policy is how jobs are started and polled.
	Policy plan.Policy
	Log    *slog.Logger
	// Watchers are told what the account's work comes to; none for nobody.
	Watchers []signals.Watcher
	// Getenv is where OpenTelemetry is configured; nil leaves traces off.
	Getenv func(string) string
}

// DefaultState is $XDG_STATE_HOME/weir/weir.db, or ~/.local/state/weir/weir.db.
func DefaultState(getenv func(string) string) (string, error) {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "weir", "weir.db"), nil
	}
	home := getenv("HOME")
	if home == "" {
		return "", Usage("give --state FILE", "find state directory: neither XDG_STATE_HOME nor HOME is set")
	}
	return filepath.Join(home, ".local", "state", "weir", "weir.db"), nil
}

// maxKeyFile bounds a key file: keys are short, and a wrong path may be a disk.
const maxKeyFile = 64 << 10

// ReadKey reads the key from a file when one is named, else from the value of
// CLARI_API_KEY.
func ReadKey(file, fromEnv string) (clari.Key, error) {
	if file == "" {
		if fromEnv == "" {
			return clari.Key{}, Usage("set CLARI_API_KEY, or give --api-key-file FILE", "read API key: none was given")
		}
		return clari.NewKey(fromEnv)
	}
	f, err := os.Open(file)
	if err != nil {
		return clari.Key{}, &Fault{Exit: ExitUsage, Code: "key", Hint: "check the path given with --api-key-file", Err: fmt.Errorf("read API key: %w", err)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = errors.New("the file is too large to be a key")
	}
	if err != nil {
		return clari.Key{}, &Fault{Exit: ExitUsage, Code: "key", Err: fmt.Errorf("read API key from %s: %w", file, err)}
	}
	return clari.NewKey(string(text))
}

// ParseDeadline reads a duration from now ("90m") or an RFC 3339 instant; empty
// is no deadline.
func ParseDeadline(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d < 0 {
			return time.Time{}, Usage("give a duration such as 90m", "read deadline %q: it is negative", text)
		}
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, Usage("give a duration such as 90m or an instant such as 2026-11-23T18:00:00Z", "read deadline %q: neither a duration nor an instant", text)
	}
	return at, nil
}
