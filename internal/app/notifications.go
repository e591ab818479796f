package app

import (
	"cmp"
	"context"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/notify"
)

// notifyOf makes the desk tell whom the configuration names, about its accounts.
func (s *Service) notifyOf(c config.Config) {
	if s.Desk == nil {
		return
	}
	var addressees []notify.Addressee
	for _, name := range slices.Sorted(maps.Keys(c.Notifications)) {
		n := c.Notifications[name]
		addressees = append(addressees, notify.Addressee{Name: name, Kinds: n.Events, To: receiverOf(n, s.Getenv)})
	}
	s.Desk.Use(slices.Collect(maps.Keys(c.Accounts)), addressees)
}

// receiverOf is one receiver. Secrets are read when a message goes, so that a
// changed one is picked up.
func receiverOf(n config.Notification, getenv func(string) string) notify.Receiver {
	secret := func(from config.Source) notify.Secret {
		return func(ctx context.Context) (string, error) { return from.Read(ctx, getenv) }
	}
	switch {
	case n.Webhook != nil:
		return notify.NewWebhook(n.Webhook.URL, secret(n.Webhook.Secret))
	case n.Slack != nil:
		return notify.NewSlack(secret(n.Slack.URL))
	}
	m := n.SMTP
	ports := map[string]int{"starttls": 587, "tls": 465, "none": 25}
	return &notify.Mail{
		Address:  net.JoinHostPort(m.Host, strconv.Itoa(cmp.Or(m.Port, ports[m.Security]))),
		Security: m.Security, Username: m.Username, Password: secret(m.Password), From: m.From, To: m.To,
	}
}

// startDesk finds and sends news until stop; stop waits for what is being sent.
func (s *Service) startDesk(ctx context.Context) (stop func()) {
	if s.Desk == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); s.Desk.Run(ctx) }()
	return func() { cancel(); <-done }
}

// refused are the accounts at work here, with whether the server refuses their
// key.
func (s *Service) refused() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]bool{}
	for name, w := range s.workers {
		if _, condition := w.session.Conductor.Latest(); condition.Conducting {
			all[name] = condition.KeyRefused != nil
		}
	}
	return all
}
