package postgres_test

import (
	"errors"
	"net/url"
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

// A URL that is taken has one spelling, and no password.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"postgres://h/db", "postgresql://u@h:5433/db?schema=a%22b", "postgres:///db?host=/tmp", "postgres://u:p@h/db", "postgres://h/db?schema=clari"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := postgres.Parse(text)
		if err != nil {
			if !errors.Is(err, postgres.ErrPlace) {
				t.Fatalf("%v", err)
			}
			return
		}
		u, err := url.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, has := u.User.Password(); has {
			t.Fatalf("%q is %q", text, name)
		}
		if again, err := postgres.Parse(name); err != nil || again != name {
			t.Fatalf("%q is %q, and that is %q, %v", text, name, again, err)
		}
	})
}
