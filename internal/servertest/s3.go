package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/gofrs/flock"
)

// The S3-compatible server: the Versity gateway over a directory. Its build
// takes a few minutes once.
const (
	gatewayPackage = "github.com/versity/versitygw/cmd/versitygw"
	gatewayVersion = "v1.8.0"
)

// S3 is an S3-compatible server of a test's own.
type S3 struct {
	// Address is host:port on loopback, for plain http.
	Address string
	// AccessKey and SecretKey are those of its only user.
	AccessKey, SecretKey string

	buckets string
}

// StartS3 starts a server without buckets. It ends with the test.
func StartS3(t T) *S3 {
	t.Helper()
	dir := directory(t)
	s := &S3{Address: freeAddress(t), AccessKey: "weir", SecretKey: "not-a-secret", buckets: filepath.Join(dir, "buckets")}
	side := filepath.Join(dir, "side")
	for _, made := range []string{s.buckets, side} {
		if err := os.Mkdir(made, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(gateway(t), "--port", s.Address, "--quiet", "posix", "--sidecar", side, s.buckets)
	command.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	running, err := start(command, "", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { running.stop(syscall.SIGTERM) })
	return s
}

// Bucket makes a bucket.
func (s *S3) Bucket(t T, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(s.buckets, name), 0o755); err != nil {
		t.Fatal(err)
	}
}

// DropBucket takes a bucket and all that is in it away behind the server's back.
func (s *S3) DropBucket(t T, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(s.buckets, name)); err != nil {
		t.Fatal(err)
	}
}

// Login gives the credentials to every client of the test that reads them from
// the environment.
func (s *S3) Login(t T) {
	t.Setenv("AWS_ACCESS_KEY_ID", s.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.SecretKey)
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// gateway is the path of the server's program, which is built if it is not in
// the build cache. Of several test programs one builds and the others wait.
func gateway(t T) string {
	t.Helper()
	dir := filepath.Join(goEnv(t, "GOCACHE"), "weir-servertest", gatewayVersion+"-"+runtime.Version())
	path := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := os.Stat(path); err == nil {
		return path
	}
	t.Logf("building %s@%s, once", gatewayPackage, gatewayVersion)
	if err := install(filepath.Join(dir, "new"), dir); err != nil {
		t.Fatal(err)
	}
	return path
}

// install builds into a directory beside the one where the program is looked
// for, so that half a program is never found.
func install(bin, dir string) error {
	command := exec.Command("go", "install", gatewayPackage+"@"+gatewayVersion)
	command.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	command.Dir = dir // outside any module, whose go.mod would count
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("this test needs an S3-compatible server; go install %s@%s: %w\n%s", gatewayPackage, gatewayVersion, err, output)
	}
	return os.Rename(filepath.Join(bin, "versitygw"), filepath.Join(dir, "versitygw"))
}

func goEnv(t T, name string) string {
	t.Helper()
	output, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}
