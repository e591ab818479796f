package archtest

// Standing is the table that this module is held to. A new package, room or
// dependency starts with a row here.
func Standing() Rules {
	return Rules{
		Rooms:   rooms(),
		Modules: modules(),
		Apart: []Apart{
			{Room: "emulator", From: "clari", Why: "client and emulator share no wire types, so that both cannot be wrong in the same way"},
			{Room: "plan", From: "clari", Why: "plan decides on facts, not on answers of a server"},
			{Room: "plan", From: "pace", Why: "plan decides what to ask, pace when a request may leave"},
			{Room: "ledger", From: "clari", Why: "the ledger records facts in the root package's words, whoever brought them"},
			{Room: "ledger", From: "pace", Why: "the ledger keeps what pace has learned as values it does not interpret"},
		},
		Pure: []Pure{
			{Room: ".", Imports: outside(), Names: clock(), Why: "the root package is the words: no I/O and no clock"},
			{Room: "plan", Imports: outside(), Names: clock(), Why: "plan is pure: the instant is a parameter"},
		},
		Constructors: []string{
			"errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer",
			"net/netip.MustParsePrefix", "hash/crc32.MakeTable", "time.Date",
		},
		Drawers: []string{"util", "utils", "common", "shared", "helper", "helpers", "misc"},
	}
}

func rooms() []Room {
	return []Room{
		{Path: ".", Holds: "the words, and the state machine as data"},
		{Path: "internal/servertest", Holds: "throw-away servers for tests"},
		{Path: "clari", Holds: "the typed client of the API", TestsUse: []string{"emulator"}},
		{Path: "pace", Holds: "the gate that every request passes", TestsUse: []string{"emulator"}},
		{Path: "plan", Holds: "what to do next, and why"},
		{Path: "ledger", Holds: "the durable record", Tests: []string{"ledger/ledgertest"}, TestsUse: []string{"internal/servertest"}},
		{Path: "land/parquet", Holds: "tables as Parquet files", TestsUse: []string{"land"}},
		{Path: "land", Holds: "results made into verified tables", Tests: []string{"land/landtest"}},
		{Path: "land/bucket", Holds: "destinations in object stores"},
		{Path: "land/postgres", Holds: "a destination in PostgreSQL"},
		{Path: "history", Holds: "what changed between snapshots, and which of them stay"},
		{Path: "engine", Holds: "the thin shells that do what plan says", TestsUse: []string{"emulator", "internal/servertest"}},
		{Path: "engine/riverlander", Holds: "deliveries, messages and retention over many machines", TestsUse: []string{"internal/servertest"}},
		{Path: "signals", Holds: "what happens, told to those who watch", TestsUse: []string{"emulator"}},
		{Path: "signals/metrics", Holds: "counters and gauges for Prometheus"},
		{Path: "signals/tracing", Holds: "a trace of each export for OpenTelemetry"},
		{Path: "notify", Holds: "people told what they should know"},
		{Path: "emulator", Holds: "a Clari on loopback"},
		{Path: "sim", Holds: "plan and pace in virtual time"},
		{Path: "web", Holds: "the dashboard: pages, API, and who may come in"},
		{Path: "web/riverui", Holds: "River's own pages, under the login"},
		{Path: "singer", Holds: "the Singer tap", NotBuilt: true},
		{Path: "internal/config", Holds: "the configuration file"},
		{Path: "internal/app", Holds: "the knot that ties the rooms"},
		{Path: "internal/cli", Holds: "the commands, one file each"},
		{Path: "cmd/weir", Holds: "the program"},
		{Path: "internal/browsertest", Holds: "the pages in a real browser"},
		{Path: "internal/gosource", Holds: "this module as syntax trees, for the two checks below"},
		{Path: "bench/land", Holds: "how fast a result lands, and in how much memory"},
		{Path: "internal/shape", Holds: "the size table and its budget"},
		{Path: "internal/archtest", Holds: "these rules"},
	}
}

func modules() []Module {
	return []Module{
		{Path: "github.com/go-json-experiment/json", In: []string{"clari", "land"}, Why: "documents of gigabytes are read token by token, strictly"},
		{Path: "github.com/klauspost/compress", In: []string{"land", "land/parquet", "internal/cli"}, Why: "spools are s2, raw results and Parquet pages zstd"},
		{Path: "github.com/parquet-go/parquet-go", In: []string{"land/parquet"}, Why: "heavy: reads Parquet, and in the tests everything that weir wrote"},
		{Path: "github.com/minio/minio-go/v7", In: []string{"land/bucket"}, Why: "the client of S3 and what speaks like it"},
		{Path: "github.com/Azure/azure-sdk-for-go", In: []string{"land/bucket"}, Why: "the client of Azure Blob Storage, and its credentials; azblob from 1.8.1 on brings Apache Arrow along"},
		{Path: "golang.org/x/oauth2", In: []string{"land/bucket"}, Why: "Google's credentials"},
		{Path: "github.com/riverqueue/river", In: []string{"engine/riverlander", "web/riverui"}, Why: "heavy: the queue that spreads deliveries over machines"},
		{Path: "riverqueue.com/riverui", In: []string{"web/riverui"}, Why: "heavy: the pages of that queue, with their scripts"},
		{Path: "github.com/jackc/pgx/v5", In: []string{"ledger", "land/postgres", "engine/riverlander"}, Why: "heavy: the driver of PostgreSQL"},
		{Path: "modernc.org/sqlite", In: []string{"ledger"}, Why: "heavy: SQLite without cgo"},
		{Path: "go.opentelemetry.io/otel", In: []string{"signals/tracing"}, Why: "the SDK of OpenTelemetry: batches, retries, its environment variables"},
		{Path: "go.opentelemetry.io/proto/otlp", In: []string{"signals/tracing", "internal/cli"}, TestOnly: true, Why: "what a collector is sent, read back"},
		{Path: "google.golang.org/protobuf", In: []string{"signals/tracing", "internal/cli"}, TestOnly: true, Why: "what a collector is sent, read back"},
		{Path: "github.com/prometheus/client_golang", In: []string{"signals/metrics"}, Why: "the client of Prometheus: its text formats, its linter"},
		{Path: "github.com/pressly/goose/v3", In: []string{"ledger"}, Why: "migrations, the same on both databases"},
		{Path: "github.com/gofrs/flock", In: []string{"ledger", "land", "internal/servertest"}, Why: "file locks that prove an earlier owner dead"},
		{Path: "golang.org/x/sys", In: []string{"ledger"}, Why: "which file system a state file stands on"},
		{Path: "github.com/spf13/cobra", In: []string{"internal/cli"}, Why: "the command line, and nothing behind it"},
		{Path: "github.com/spf13/pflag", In: []string{"internal/cli"}, Why: "cobra's flags"},
		{Path: "github.com/vbauerster/mpb/v8", In: []string{"internal/app", "internal/cli"}, Why: "progress bars are for a terminal"},
		{Path: "github.com/mattn/go-runewidth", In: []string{"internal/cli"}, Why: "how wide a name is on a terminal"},
		{Path: "golang.org/x/term", In: []string{"internal/app", "internal/cli"}, Why: "whether there is a terminal, and how wide"},
		{Path: "github.com/goccy/go-yaml", In: []string{"emulator", "internal/config", "internal/cli"}, Why: "files that people write: scenarios and configuration"},
		{Path: "github.com/robfig/cron/v3", In: []string{"internal/config"}, Why: "reads cron expressions; when runs are due is decided here"},
		{Path: "golang.org/x/mod", In: []string{"internal/gosource"}, Why: "reads go.mod"},
		{Path: "golang.org/x/tools/txtar", In: []string{"internal/archtest"}, TestOnly: true, Why: "synthetic trees"},
		{Path: "github.com/rogpeppe/go-internal/testscript", In: []string{"internal/cli"}, TestOnly: true, Why: "scripts run against the built program"},
		{Path: "github.com/chromedp/chromedp", In: []string{"internal/browsertest"}, TestOnly: true, Why: "drives a real browser"},
		{Path: "github.com/chromedp/cdproto", In: []string{"internal/browsertest"}, TestOnly: true, Why: "the words of that browser's protocol"},
		{Path: "github.com/santhosh-tekuri/jsonschema/v6", In: []string{"web"}, TestOnly: true, Why: "answers of the API are held against its description"},
		{Path: "github.com/apache/arrow-go/v18", In: []string{"land/parquet"}, TestOnly: true, Why: "a second reader of Parquet, with no code of the writer's"},
		{Path: "github.com/google/go-cmp", TestOnly: true, Why: "differences a person can read"},
	}
}

// outside are the packages through which a pure function would touch the world.
func outside() []string {
	return []string{
		"net", "os", "io/fs", "io/ioutil", "path/filepath", "database/sql", "embed", "syscall", "plugin",
		"log", "testing", "runtime", "math/rand", "crypto/rand", "sync", "context",
	}
}

// clock are the names through which time would come in other than as a
// parameter.
func clock() []string {
	return []string{
		"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc",
		"time.Tick", "time.NewTimer", "time.NewTicker", "time.Local", "time.LoadLocation",
	}
}
