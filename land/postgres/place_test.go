package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirhq/weir/land/postgres"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://h/db": "postgres://h/db",
		"postgresql://u@h:5433/db?sslmode=require&schema=": "postgres://u@h:5433/db?sslmode=require",
		"postgres://h/db?schema=clari":                     "postgres://h/db",
		"postgres:///db?schema=a%22b&host=/tmp":            "postgres:///db?host=%2Ftmp&schema=a%22b",
	} {
		got, err := postgres.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, got, err, want)
		}
		if again, err := postgres.Parse(got); err != nil || again != got {
			t.Errorf("Parse(%q) = %q, %v", got, again, err)
		}
	}
}

func TestParseRefusesAndTellsNothing(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"postgres://u:" + secret + "@h/db",
		"postgres://u:@h/db?x=" + secret,
		"postgres://h/db?password=" + secret,
		"postgres://h/db?sslpassword=" + secret,
		"postgres://h/db?options=" + secret,
		"postgres://h/db?schema=a&schema=" + secret,
		"postgres://h/db?schema=pg_" + secret,
		"postgres://h/db?schema=" + strings.Repeat("x", 64) + secret,
		"postgres://h/db?schema=%00" + secret,
		"postgres://h/db#" + secret,
		"postgres:" + secret,
		"mysql://" + secret,
		"postgres://h/db?%zz" + secret,
		"://" + secret,
	} {
		_, err := postgres.Parse(text)
		if !errors.Is(err, postgres.ErrPlace) || strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}
