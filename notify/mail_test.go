package notify_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/notify"
)

// mailServer is a small real mail server on loopback.
type mailServer struct {
	net.Listener
	cert     tls.Certificate
	starttls bool
	implicit bool
	refuse   string // answered to DATA's end

	mu       sync.Mutex
	letters  []string
	login    string
	secured  bool
	envelope []string
}

func serveMail(t *testing.T, s *mailServer) (*mailServer, *tls.Config) {
	t.Helper()
	web := httptest.NewUnstartedServer(nil) // for its certificate of 127.0.0.1
	web.StartTLS()
	t.Cleanup(web.Close)
	s.cert = web.TLS.Certificates[0]
	trust := web.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "127.0.0.1"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.Listener = l
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return s, trust
}

// talk holds one conversation.
func (s *mailServer) talk(conn net.Conn) {
	defer func() { conn.Close() }()
	secured := s.implicit
	if secured {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}})
	}
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 mail.test")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			s.hello(say, secured)
		case "STARTTLS":
			say("220 go on")
			conn, secured = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}}), true
			in = bufio.NewReader(conn)
		case "AUTH":
			s.note(func() { s.login, s.secured = rest, secured })
			say("235 welcome")
		case "MAIL", "RCPT":
			s.note(func() { s.envelope = append(s.envelope, rest) })
			say("250 ok")
		case "DATA":
			say("354 go on")
			s.take(in, say)
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 no")
		}
	}
}

func (s *mailServer) hello(say func(string), secured bool) {
	say("250-mail.test")
	if s.starttls && !secured {
		say("250-STARTTLS")
	}
	say("250 AUTH PLAIN")
}

func (s *mailServer) take(in *bufio.Reader, say func(string)) {
	var letter strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line == ".\r\n" {
			break
		}
		letter.WriteString(strings.TrimPrefix(line, "."))
	}
	if s.refuse != "" {
		say(s.refuse)
		return
	}
	s.note(func() { s.letters = append(s.letters, letter.String()) })
	say("250 taken")
}

func (s *mailServer) note(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}

func TestMail(t *testing.T) {
	for _, security := range []string{"starttls", "tls"} {
		s, trust := serveMail(t, &mailServer{starttls: security == "starttls", implicit: security == "tls"})
		m := message(notify.Failed)
		m.Account = "acmé\r\nBcc: evil@example.com"
		to := &notify.Mail{
			Address: s.Addr().String(), Security: security, Username: "weir", Password: secret("pass"), TLS: trust,
			From: "weir@example.com", To: []string{"ops@example.com", "data@example.com"},
		}
		if err := to.Send(t.Context(), m); err != nil {
			t.Fatalf("%s: %v", security, err)
		}
		if !s.secured || s.login != "PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00weir\x00pass")) {
			t.Errorf("%s: login %q, encrypted %v", security, s.login, s.secured)
		}
		if want := "FROM:<weir@example.com> TO:<ops@example.com> TO:<data@example.com>"; strings.Join(s.envelope, " ") != want {
			t.Errorf("%s: the envelope is %v", security, s.envelope)
		}
		letter, err := mail.ReadMessage(strings.NewReader(s.letters[0]))
		if err != nil {
			t.Fatal(err)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
		if letter.Header.Get("Bcc") != "" || !strings.Contains(subject, "acmé") || letter.Header.Get("Message-Id") != "<TOKEN1@example.com>" {
			t.Errorf("the headers are %v", letter.Header)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
		if err != nil || !strings.Contains(string(body), "net_arr 2026_Q1 (export 7): job_failed") {
			t.Errorf("the body is %s (%v)", body, err)
		}
	}
}

// A server that offers no encryption is sent no password, one that is not who it
// should be nothing at all, and a refusal is an error.
func TestMailRefuses(t *testing.T) {
	s, trust := serveMail(t, &mailServer{})
	to := &notify.Mail{
		Address: s.Addr().String(), Security: "starttls", Username: "weir", Password: secret("pass"), TLS: trust,
		From: "weir@example.com", To: []string{"ops@example.com"},
	}
	if err := to.Send(t.Context(), message(notify.Failed)); !errors.Is(err, notify.ErrNoTLS) || s.login != "" {
		t.Errorf("no STARTTLS: %v, login %q", err, s.login)
	}
	s, _ = serveMail(t, &mailServer{starttls: true})
	to.Address, to.TLS = s.Addr().String(), nil
	if err := to.Send(t.Context(), message(notify.Failed)); err == nil || s.login != "" {
		t.Errorf("an unknown certificate: %v, login %q", err, s.login)
	}
	s, _ = serveMail(t, &mailServer{refuse: "552 too much"})
	to.Address, to.Security, to.Username = s.Addr().String(), "none", ""
	if err := to.Send(t.Context(), message(notify.Failed)); err == nil || !strings.Contains(err.Error(), "552") {
		t.Errorf("a refused letter: %v", err)
	}
	s.Close()
	if err := to.Send(t.Context(), message(notify.Failed)); err == nil {
		t.Error("nobody listens, and no error")
	}
}
