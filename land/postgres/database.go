package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/land"
)

// Database is a schema of a PostgreSQL database. It holds no connection open.
// Safe for concurrent use.
type Database struct {
	place    place
	password func(context.Context) (string, error)
}

var _ land.Database = (*Database)(nil)

// Options are for [Open].
type Options struct {
	// Password gives the password when a connection is made. Nil: as libpq finds
	// it, in PGPASSWORD or the file that PGPASSFILE names.
	Password func(context.Context) (string, error)
}

// Open opens the database that a URL names, as [Parse] describes it. It makes
// no connection.
func Open(name string, o Options) (*Database, error) {
	p, err := parse(name)
	if err != nil {
		return nil, err
	}
	if _, err := pgx.ParseConfig(p.url.String()); err != nil {
		return nil, unusable("%s", printable(err.Error()))
	}
	return &Database{place: p, password: o.Password}, nil
}

// Name is the canonical URL.
func (d *Database) Name() string { return d.place.String() }

// connectTime bounds the making of a connection where the URL does not.
const connectTime = 30 * time.Second

func (d *Database) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(d.place.url.String())
	if err != nil {
		return nil, unusable("%s", printable(err.Error()))
	}
	if d.password != nil {
		if config.Password, err = d.password(ctx); err != nil {
			return nil, fmt.Errorf("read password of %s: %w", d.Name(), err)
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	// No statement is prepared under a name, so that a pooler between does no harm.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["application_name"] = "weir"
	config.RuntimeParams["client_encoding"] = "UTF8"
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, fault("connect to", d.Name(), err)
}

// with runs what needs a connection.
func (d *Database) with(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	return do(conn)
}

// hangUp ends a connection also when the context has ended.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx) // what was not committed is gone either way
}

func (d *Database) name(table string) string {
	return pgx.Identifier{d.place.schema, table}.Sanitize()
}

// Fault is what the database, or the way to it, did not do. Its text is one
// line without control characters.
type Fault struct {
	Op, What string
	Err      error
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s %s: %s", f.Op, f.What, printable(f.Err.Error()))
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Hint says what the operator should do, if that is known.
func (f *Fault) Hint() string {
	var inner interface{ Hint() string }
	if errors.As(f.Err, &inner) {
		return inner.Hint()
	}
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.As(f.Err, &refused):
	case errors.As(f.Err, &unreachable):
		return "see that the database runs and can be reached from here"
	default:
		return ""
	}
	switch refused.Code {
	case "28P01", "28000":
		return "set PGPASSWORD, or write a line into the file that PGPASSFILE names"
	case "42501":
		return "let a user who may create the schema's tables land once, or grant CREATE on the schema"
	}
	return ""
}

func fault(op, what string, err error) error {
	if err == nil {
		return nil
	}
	return &Fault{Op: op, What: what, Err: err}
}

func printable(text string) string {
	const most = 300
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
