package app

import (
	"context"

	"github.com/weirhq/weir/internal/config"
)

// passwords are where the passwords of destinations come from, by the
// destination's one spelling. They are read whenever a connection is made, so
// that a rotated one is picked up, and kept nowhere.
type passwords map[string]func(context.Context) (string, error)

func configuredPasswords(c config.Config, getenv func(string) string) passwords {
	found := passwords{}
	for _, d := range c.Destinations {
		to, err := CheckDestination(d.To)
		if err != nil || d.Password.IsZero() {
			continue // whoever lands there is told what is wrong with its name
		}
		found[to] = func(ctx context.Context) (string, error) { return d.Password.Read(ctx, getenv) }
	}
	return found
}
