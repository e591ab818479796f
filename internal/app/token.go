package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir/web/door"
)

// TokenVariable is the environment variable that holds the token of the web
// page and its API.
const TokenVariable = "WEIR_TOKEN"

// ServeToken is the token that opens the web page and its API: the value of
// WEIR_TOKEN, else what a file beside the state holds, which is made with a new
// random token when it is missing. file is "" where the variable decides.
// Processes that share a state on several machines share WEIR_TOKEN.
func ServeToken(s Settings, getenv func(string) string) (token, file string, err error) {
	if token = getenv(TokenVariable); token != "" {
		return token, "", badToken(door.CheckToken(token), "give "+TokenVariable+" a long random value")
	}
	file = tokenFile(s)
	token, err = readToken(file)
	if errors.Is(err, fs.ErrNotExist) {
		token, err = makeToken(file)
	}
	return token, file, badToken(err, "remove "+file+" for a new token, or set "+TokenVariable)
}

func badToken(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &Fault{Exit: ExitUsage, Code: "token", Hint: hint, Err: err}
}

// tokenFile stands beside the state file, or beside the spool where the state is
// no file.
func tokenFile(s Settings) string {
	if s.SpoolDir != "" {
		return filepath.Join(filepath.Dir(s.SpoolDir), "serve.token")
	}
	return s.State + ".token"
}

func readToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read token: %s may be read by others (mode %o)", file, info.Mode().Perm())
	}
	if info.Size() > maxKeyFile {
		return "", fmt.Errorf("read token: %s is too large to be one", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	return token, door.CheckToken(token)
}

// makeToken writes a new token; one that another process wrote first is taken.
func makeToken(file string) (string, error) {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(secret[:])
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	whole := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(whole, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	defer os.Remove(whole)
	if err := os.Link(whole, file); errors.Is(err, fs.ErrExist) {
		return readToken(file)
	} else if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return token, nil
}
