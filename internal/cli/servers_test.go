package cli

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/internal/servertest"
)

// scriptTest is the test that a script's servers belong to.
type scriptTest struct {
	*testscript.TestScript
}

var _ servertest.T = scriptTest{}

func (t scriptTest) Helper() {}

func (t scriptTest) Cleanup(f func()) { t.Defer(f) }

func (t scriptTest) Errorf(format string, args ...any) { t.Fatalf(format, args...) }

func (t scriptTest) Fatal(args ...any) { t.Fatalf("%v", args) }

// cmdPostgres starts a PostgreSQL of the script's own: PG becomes its URL
// without the password, which stands in PGPASSWORD, LANDER that of another user.
func cmdPostgres(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "postgres start|stop|restart or postgres query SQL"
	need(ts, !neg && len(args) > 0, usage)
	s := stageOf(ts)
	if args[0] == "start" {
		need(ts, len(args) == 1 && s.postgres == nil, usage)
		s.postgres = servertest.StartPostgres(scriptTest{ts})
		ts.Setenv("PG", s.postgres.URL("postgres")+"?sslmode=disable")
		ts.Setenv("PGPASSWORD", s.postgres.Password)
		ts.Setenv("LANDER", strings.Replace(ts.Getenv("PG"), s.postgres.User+"@", "lander@", 1))
		return
	}
	need(ts, s.postgres != nil, "postgres start first")
	switch {
	case args[0] == "stop" && len(args) == 1:
		s.postgres.Stop()
	case args[0] == "restart" && len(args) == 1:
		s.postgres.Restart()
	case args[0] == "query" && len(args) == 2:
		ask(ts, s.postgres, args[1])
	default:
		ts.Fatalf("usage: %s", usage)
	}
}

// ask writes the rows of a statement as the script's standard output, columns
// joined by "|". Tables are found in the schema clari.
func ask(ts *testscript.TestScript, server *servertest.Postgres, sql string) {
	_, err := ts.Stdout().Write([]byte(server.Query(scriptTest{ts}, "SET search_path = clari", sql)))
	ts.Check(err)
}

// cmdS3 starts an S3-compatible server of the script's own with a bucket "data":
// the environment gets its address and the credentials.
func cmdS3(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "s3 start, s3 bucket NAME or s3 drop NAME"
	need(ts, !neg && len(args) > 0, usage)
	s := stageOf(ts)
	t := scriptTest{ts}
	switch {
	case args[0] == "start" && len(args) == 1:
		s.s3 = servertest.StartS3(t)
		s.s3.Bucket(t, "data")
		s.s3.Login(t)
		ts.Setenv("AWS_ENDPOINT_URL_S3", "http://"+s.s3.Address)
	case args[0] == "bucket" && len(args) == 2 && s.s3 != nil:
		s.s3.Bucket(t, args[1])
	case args[0] == "drop" && len(args) == 2 && s.s3 != nil:
		s.s3.DropBucket(t, args[1])
	default:
		ts.Fatalf("usage: %s", usage)
	}
}
