package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/clari"
)

// TestBaseURLAsClient: what is accepted here is what the client accepts.
func TestBaseURLAsClient(t *testing.T) {
	key, err := clari.NewKey("a-made-up-key")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"https://api.clari.com/v4", "https://api.clari.com/v4/", "http://127.0.0.1:8099/v4", "http://localhost/v4", "http://[::1]:1/", "http://127.0.0.2",
		"http://example.com", "https://u@h/", "https://u:p@h/", "https://h/?a=b", "https://h/?", "https://h/#a", "ftp://h", "https://", "https:///v4",
		"h", "://", "https:h", "http://localhost.example.com", "http://127.0.0.1.example.com", "https://h:port/", "HTTPS://h",
	} {
		for _, insecure := range []bool{false, true} {
			var options []clari.Option
			if insecure {
				options = append(options, clari.WithInsecureBaseURL())
			}
			_, err := clari.New(text, key, options...)
			if message, _ := judgeBase(text, insecure); (message != "") != errors.Is(err, clari.ErrBaseURL) {
				t.Errorf("%s, insecure %t: here %q, the client %v", text, insecure, message, err)
			}
		}
	}
}

func TestJudgePlace(t *testing.T) {
	schemes := []string{"s3", "gs", "azblob", "postgres", "postgresql"}
	for _, text := range []string{
		"data", "./a b/c", "/abs", "s3://bucket", "s3://bucket/a/b?region=eu-central-1&use_path_style=true", "gs://b", "azblob://container/x",
		"postgres://weir@db/weir?sslmode=verify-full", "postgresql:///weir?host=/run/postgresql", "passwords/x", "a=b",
	} {
		if message, _ := judgePlace(text, schemes...); message != "" {
			t.Errorf("%s: %s", text, message)
		}
	}
	for _, text := range []string{
		"http://x", "S3://bucket", "s3://", "s3:///a", "s3://key@bucket", "s3://key:secret@bucket", "s3://b?sig=x", "azblob://c?sp=r&SIG=x", "s3://b?secret_access_key=x",
		"s3://b?%zz", "s3://b#x", "postgres://u:p@h/d", "postgres://u:@h/d", "postgres://h/d?Password=x", "postgres://h/d?sslpassword=x", "host=h password=x", "dbname=a PASSWORD = x",
	} {
		if message, _ := judgePlace(text, schemes...); message == "" {
			t.Errorf("%s was accepted", text)
		}
	}
}

// TestLoad: relative paths are meant from the file's folder.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "weir.yaml")
	text := `
accounts: {a: {key: {file: keys/a}}, b: {key: {file: /etc/b}}, c: {key: {env: C}}}
state: {url: weir.db}
destinations: {d: {to: data}, p: {to: "postgres://h/x", password: {file: p}}, s: {to: "s3://b"}}
notifications: {w: {webhook: {url: "https://h", secret: {file: w}}}, s: {slack: {url: {file: s}}}, m: {smtp: {host: h, from: a@b, to: [a@b], username: u, password: {file: m}}}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		c.Accounts["a"].Key.File, c.Accounts["b"].Key.File, c.Accounts["c"].Key.File, c.State.URL, c.Destinations["d"].To, c.Destinations["p"].To,
		c.Destinations["p"].Password.File, c.Destinations["s"].To, c.Notifications["w"].Webhook.Secret.File, c.Notifications["s"].Slack.URL.File, c.Notifications["m"].SMTP.Password.File,
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	want := []string{in("keys/a"), "/etc/b", "", in("weir.db"), in("data"), "postgres://h/x", in("p"), "s3://b", in("w"), in("s"), in("m")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLoadRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder was read")
	}
	path := filepath.Join(dir, "weir.yaml")
	if err := os.WriteFile(path, []byte("rate: 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if want := "check configuration: " + path + ":1:7: rate: not a number from 0.001 to 1000"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
