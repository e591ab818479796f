package riverlander

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/weirhq/weir/ledger"
)

const (
	// fetchCooldown and fetchPoll are how soon a job is fetched: at once when its
	// notification arrives, and within a second when that is lost.
	fetchCooldown = 20 * time.Millisecond
	fetchPoll     = time.Second
	// jobTimeout ends a landing that gets nowhere. A job that a dead worker left
	// is rescued no earlier: until then the next generation has a job of its own.
	jobTimeout  = 6 * time.Hour
	rescueAfter = jobTimeout + time.Minute
	// What has ended is kept as long as somebody may look at it.
	keepEnded  = time.Hour
	keepFailed = 24 * time.Hour
	// connections of one process, and how long a statement may stay unanswered.
	connections = 6
	silence     = 20 * time.Second
	stopTime    = 5 * time.Second
)

// Config makes a [River].
type Config struct {
	Database *ledger.Postgres
	Ledger   Deliveries
	// ID names this client in River's tables: short, unique.
	ID string
	// Width is how many landings and chores run at once in this process.
	Width int
	// Hand returns what this process can do for an account; false where it has
	// not the account's key.
	Hand   func(account string) (Hand, bool)
	Chores []Chore
	// Send claims a message, sends it and writes down how that ended; its error
	// is ledger.ErrStale where somebody else has it. Nil sends none here.
	Send func(ctx context.Context, id int64) error
	Log  *slog.Logger
}

// River is one process's part of the queue.
type River struct {
	config Config
	client *river.Client[*sql.Tx]
	db     *sql.DB
	listen *pgxpool.Pool
}

// Migrate brings River's tables up to this version's.
func Migrate(ctx context.Context, database *ledger.Postgres) error {
	db := database.Pool(1, rescueAfter)
	defer db.Close()
	migrator, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("make River's migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River's tables: %w", err)
	}
	return nil
}

// Open connects. [Migrate] must have run. Close it.
func Open(ctx context.Context, c Config) (*River, error) {
	pool, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, fmt.Errorf("open River: %w", err)
	}
	pool.ConnConfig, pool.MinConns, pool.MaxConns = c.Database.Config(), 0, 1
	listen, err := pgxpool.NewWithConfig(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("open River: %w", err)
	}
	r := &River{config: c, db: c.Database.Pool(connections, silence), listen: listen}
	workers := river.NewWorkers()
	river.AddWorker(workers, &lander{config: c})
	river.AddWorker(workers, newChoreWorker(c.Chores))
	if c.Send != nil {
		river.AddWorker(workers, &messageWorker{send: c.Send})
	}
	r.client, err = river.NewClient(riverdatabasesql.NewWithPgxListener(r.db, listen), clientConfig(c, workers))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open River: %w", err), r.Close())
	}
	return r, nil
}

func clientConfig(c Config, workers *river.Workers) *river.Config {
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(c.Width, 1)}}
	if c.Send != nil {
		queues[messageQueue] = river.QueueConfig{MaxWorkers: messageWidth, FetchPollInterval: messagePoll}
	}
	return &river.Config{
		ID: c.ID, Logger: quiet(c.Log), Workers: workers,
		Queues:               queues,
		FetchCooldown:        fetchCooldown,
		FetchPollInterval:    fetchPoll,
		FetchOnlyKnownKinds:  true,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
		MaxAttempts:          1, // what failed is offered again, as a new job
		ReindexerSchedule:    river.NeverSchedule(),

		CompletedJobRetentionPeriod: keepEnded,
		CancelledJobRetentionPeriod: keepEnded,
		DiscardedJobRetentionPeriod: keepFailed,
	}
}

// quiet lets River's warnings through and keeps its chatter.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(atLeast{log.With("by", "river").Handler()})
}

type atLeast struct{ slog.Handler }

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs)}
}

func (h atLeast) WithGroup(name string) slog.Handler { return atLeast{h.Handler.WithGroup(name)} }

// Run works until ctx ends, then cancels what runs and waits for it for 5 s: a
// landing that is cut off gives its claim back.
func (r *River) Run(ctx context.Context) error {
	if err := r.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start River: %w", err)
	}
	r.turns(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := r.client.StopAndCancel(stopping); err != nil {
		r.config.Log.Warn("stop River", "error", err)
	}
	return context.Cause(ctx)
}

// Close gives the connections back. Run has ended before, or never began.
func (r *River) Close() error {
	go r.listen.Close() // waits for a connection that may be dead
	return r.db.Close()
}
