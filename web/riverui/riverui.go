package riverui

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"riverqueue.com/riverui"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/web/door"
)

// Path is where the pages stand.
const Path = "/river/"

// Policy is their Content-Security-Policy: what this origin serves, pictures that
// stand in the style sheet, and the style elements that their scripts write.
// Everything else is closed, inline scripts first of all, as on weir's own pages.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-elem 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

const (
	// connections of the pages, and how long a statement may stay unanswered.
	connections = 2
	silence     = 20 * time.Second
	// maxAnswer bounds how long a request may take.
	maxAnswer = 30 * time.Second
)

// Pages are River's pages on a database. Its tables are made by whoever runs the
// queue; until then the pages say that they cannot read them.
type Pages struct {
	handler *riverui.Handler
	db      *sql.DB
	stop    context.CancelFunc
}

// Open makes the pages, which count the queue's jobs in the background until
// Close.
func Open(database *ledger.Postgres, log *slog.Logger) (*Pages, error) {
	p := &Pages{db: database.Pool(connections, silence)}
	log = log.With("by", "river's pages")
	client, err := river.NewClient(riverdatabasesql.New(p.db), &river.Config{Logger: log})
	if err == nil {
		p.handler, err = riverui.NewHandler(&riverui.HandlerOpts{Endpoints: riverui.NewEndpoints(client, nil), Logger: log, Prefix: Path})
	}
	if err != nil {
		_ = p.db.Close() // nothing was asked yet
		return nil, fmt.Errorf("open River's pages: %w", err)
	}
	counting, stop := context.WithCancel(context.Background())
	p.stop = stop
	if err := p.handler.Start(counting); err != nil {
		p.Close()
		return nil, fmt.Errorf("open River's pages: %w", err)
	}
	return p, nil
}

// Mount puts the pages and their API behind a login.
func (p *Pages) Mount(mount func(pattern string, h http.Handler, terms door.Terms)) {
	answers := http.TimeoutHandler(p.handler, maxAnswer, "the database does not answer")
	mount(Path, answers, door.Terms{Foreign: true, Policy: Policy})
	mount(Path+"api/", answers, door.Terms{Foreign: true, Policy: Policy, Programs: true})
}

// Close ends the counting and gives the connections back.
func (p *Pages) Close() {
	p.stop()
	_ = p.db.Close() // what is still asked is told so
}
