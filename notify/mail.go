package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger"
)

// ErrNoTLS marks a mail server that offers no encryption although it is wanted.
var ErrNoTLS = errors.New("the mail server offers no STARTTLS")

// Mail sends e-mail through a mail server.
type Mail struct {
	// Address is host:port.
	Address string
	// Security is starttls, tls or none.
	Security string
	Username string // "" for no login
	Password Secret
	From     string
	To       []string
	// TLS is used instead of the machine's own trust; nil outside tests.
	TLS *tls.Config
}

// Send hands the message to the mail server, one copy for all receivers.
func (s *Mail) Send(ctx context.Context, m ledger.Message) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return fmt.Errorf("reach mail server: %w", err)
	}
	defer conn.Close()
	if deadline, bounded := ctx.Deadline(); bounded {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("reach mail server: %w", err)
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	client, err := smtp.NewClient(conn, s.host())
	if err != nil {
		return fmt.Errorf("greet mail server: %w", err)
	}
	defer client.Close()
	if err := s.enter(ctx, client); err != nil {
		return err
	}
	if err := s.hand(client, m); err != nil {
		return err
	}
	_ = client.Quit() // the message is taken, whatever becomes of the goodbye
	return nil
}

func (s *Mail) host() string {
	host, _, _ := strings.Cut(s.Address, ":")
	if h, _, err := net.SplitHostPort(s.Address); err == nil {
		host = h
	}
	return host
}

func (s *Mail) tls() *tls.Config {
	if s.TLS != nil {
		return s.TLS
	}
	return &tls.Config{ServerName: s.host(), MinVersion: tls.VersionTLS12}
}

func (s *Mail) dial(ctx context.Context) (net.Conn, error) {
	if s.Security == "tls" {
		return (&tls.Dialer{Config: s.tls()}).DialContext(ctx, "tcp", s.Address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", s.Address)
}

// enter encrypts the conversation and logs in. Neither is left out because the
// server does not offer it: that would send the password in the clear.
func (s *Mail) enter(ctx context.Context, client *smtp.Client) error {
	if s.Security == "starttls" {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return ErrNoTLS
		}
		if err := client.StartTLS(s.tls()); err != nil {
			return fmt.Errorf("encrypt mail connection: %w", err)
		}
	}
	if s.Username == "" {
		return nil
	}
	password, err := s.Password(ctx)
	if err != nil {
		return errors.Join(ErrSecret, err)
	}
	if err := client.Auth(smtp.PlainAuth("", s.Username, password, s.host())); err != nil {
		return errors.New("log in to mail server: it does not take the user name and password") // its words may repeat them
	}
	return nil
}

func (s *Mail) hand(client *smtp.Client, m ledger.Message) error {
	if err := client.Mail(s.From); err != nil {
		return fmt.Errorf("name sender: %w", err)
	}
	for _, to := range s.To {
		if err := client.Rcpt(to); err != nil {
			return errors.New("name receivers: the mail server refuses one") // its words repeat the address
		}
	}
	w, err := client.Data()
	if err == nil {
		_, err = w.Write(s.letter(m))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("hand over message: %w", err)
	}
	return nil
}

// letter is the message with its headers. Nothing in a header can begin a new
// one: addresses come from the checked configuration, the subject is encoded.
func (s *Mail) letter(m ledger.Message) []byte {
	_, domain, _ := strings.Cut(s.From, "@")
	var out bytes.Buffer
	for _, header := range [][2]string{
		{"From", s.From}, {"To", strings.Join(s.To, ", ")}, {"Subject", mime.QEncoding.Encode("utf-8", Subject(m))},
		{"Date", m.OpenedAt.UTC().Format(time.RFC1123Z)}, {"Message-ID", "<" + m.Token + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&out, "%s: %s\r\n", header[0], strings.Map(oneLine, header[1]))
	}
	out.WriteString("\r\n")
	body := quotedprintable.NewWriter(&out)
	_, _ = body.Write([]byte(strings.ReplaceAll(Text(m), "\n", "\r\n"))) // a buffer takes all
	_ = body.Close()
	return out.Bytes()
}

// oneLine drops what would end a header.
func oneLine(r rune) rune {
	if r == '\r' || r == '\n' {
		return -1
	}
	return r
}
