package servertest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Postgres is a PostgreSQL server of a test's own. Its data does not outlive
// the test, and a power cut may take it earlier: nothing is synced.
type Postgres struct {
	// Address is host:port on loopback.
	Address string
	// User is a superuser who logs in with Password.
	User, Password string

	t       T
	bin     string
	dir     string
	process *process
	schemas atomic.Int64 // made so far
}

// StartPostgres starts a server with an empty database "postgres" in UTF-8. It
// ends with the test.
func StartPostgres(t T) *Postgres {
	t.Helper()
	s := &Postgres{Address: freeAddress(t), User: "weir", Password: "not-a-secret", t: t, bin: postgresDir(t), dir: directory(t)}
	s.initialize()
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// URL is the address of a database without the password.
func (s *Postgres) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(s.User), Host: s.Address, Path: "/" + database}
	return u.String()
}

// Stop ends the server at once: connections are cut, as when a machine fails.
func (s *Postgres) Stop() {
	if s.process != nil {
		s.process.stop(syscall.SIGQUIT)
		s.process = nil
	}
}

// Restart stops the server if it runs and starts it on the same data.
func (s *Postgres) Restart() {
	s.t.Helper()
	s.Stop()
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-h", host, "-p", port,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "max_connections=300",
		"-c", "lc_messages=C", "-c", "log_destination=stderr", "-c", "logging_collector=off")
	if s.process, err = s.run(command, "database system is ready to accept connections"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Postgres) initialize() {
	s.t.Helper()
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.Password), 0o644); err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(filepath.Join(s.bin, "initdb"), "-D", filepath.Join(s.dir, "data"), "-U", s.User,
		"--pwfile", secret, "--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync")
	if err := unprivileged(command, s.dir); err != nil {
		s.t.Fatal(err)
	}
	command.Dir = s.dir
	if output, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("initdb: %v\n%s", err, output)
	}
}

func (s *Postgres) run(command *exec.Cmd, ready string) (*process, error) {
	if err := unprivileged(command, s.dir); err != nil {
		return nil, err
	}
	command.Dir = s.dir
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	return start(command, ready, s.Address)
}

// postgresDir finds the newest PostgreSQL of Debian's packages, or the one in
// PATH.
func postgresDir(t T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, byVersion))
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		t.Fatal("this test needs PostgreSQL and finds neither /usr/lib/postgresql/*/bin/postgres nor postgres in PATH: run internal/servertest/install.sh, or install the package postgresql")
	}
	return filepath.Dir(path)
}

// byVersion compares two such paths by their version: 9 before 15.
func byVersion(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// Login gives the password to every client of the test that reads it from the
// environment, and to the programs that the test starts.
func (s *Postgres) Login(t T) { t.Setenv("PGPASSWORD", s.Password) }

// Schema makes an empty schema in the database "postgres" and returns the URL
// under which a client finds nothing else: in milliseconds where a database
// takes a tenth of a second. [Postgres.Login] comes before it.
func (s *Postgres) Schema(t T) string {
	t.Helper()
	name := fmt.Sprintf("of_test_%d", s.schemas.Add(1))
	s.Exec(t, "CREATE SCHEMA "+name)
	return s.URL("postgres") + "?search_path=" + name
}

// Exec runs statements as the superuser in the database "postgres".
func (s *Postgres) Exec(t T, statements string) {
	t.Helper()
	s.Query(t, statements)
}

// Query runs statements likewise, one after another, and gives the rows of the
// last one, a line each, columns joined by "|".
func (s *Postgres) Query(t T, statements ...string) string {
	t.Helper()
	args := []string{"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", s.URL("postgres")}
	for _, statement := range statements {
		args = append(args, "-c", statement)
	}
	command := exec.Command(filepath.Join(s.bin, "psql"), args...)
	command.Env = append(os.Environ(), "PGPASSWORD="+s.Password)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", statements, err, output)
	}
	return string(output)
}

// CPU is the processor time of the server's processes so far, in seconds, those
// that have ended among them.
func (s *Postgres) CPU(t T) float64 {
	t.Helper()
	seconds, err := cpuOf(s.process.command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}
