package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/notify"
)

// Whatever a configuration may name as an event is a kind of news, and all are.
func TestEventsAreKinds(t *testing.T) {
	if diff := cmp.Diff(config.Events(), notify.Kinds()); diff != "" {
		t.Errorf("events and kinds differ:\n%s", diff)
	}
}

// A mail server's port follows from how the connection is protected, unless the
// configuration names one.
func TestMailPorts(t *testing.T) {
	for _, test := range []struct {
		smtp config.SMTP
		want string
	}{
		{config.SMTP{Host: "m.test", Security: "starttls"}, "m.test:587"},
		{config.SMTP{Host: "m.test", Security: "tls"}, "m.test:465"},
		{config.SMTP{Host: "::1", Security: "none"}, "[::1]:25"},
		{config.SMTP{Host: "m.test", Security: "tls", Port: 1025}, "m.test:1025"},
	} {
		to := receiverOf(config.Notification{SMTP: &test.smtp}, nil).(*notify.Mail)
		if to.Address != test.want || to.Security != test.smtp.Security {
			t.Errorf("%+v goes to %s by %s, want %s", test.smtp, to.Address, to.Security, test.want)
		}
	}
}
