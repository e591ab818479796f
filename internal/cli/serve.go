package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/plan"
)

// serveFlags are the flags of weir serve.
type serveFlags struct {
	config, listen, publicURL string
	readOnly, riverUI         bool
}

func newServe(g *globals) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "run schedules and exports until told to stop", Args: cobra.NoArgs,
		Long: `Run the accounts and schedules of a configuration file until SIGTERM or SIGINT.
SIGHUP reads the file again without dropping work. A run that was missed while
nothing ran is run once, late.

The web page and its API are served on --listen, always behind a token: that of
WEIR_TOKEN, or of a file beside the state. A link that logs a browser in, once,
is printed on standard output. Prometheus scrapes /metrics with the token as a
bearer. Health is told at /healthz and /readyz.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.configured(cmd); err != nil {
				return err
			}
			return g.serve(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.config, "config", "weir.yaml", "configuration file")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8120", "address of the web page, its API and the health endpoints")
	cmd.Flags().StringVar(&f.publicURL, "public-url", "", "https://host under which others reach the page, where a server with TLS stands in front")
	cmd.Flags().BoolVar(&f.readOnly, "read-only", false, "show everything, let nothing be changed over the web")
	cmd.Flags().BoolVar(&f.riverUI, "river-ui", false, "serve River's own pages at /river/ too; the state must be in PostgreSQL")
	return cmd
}

// configured takes what the configuration file says where no flag does.
func (f *serveFlags) configured(cmd *cobra.Command) error {
	says, err := app.ConfiguredFace(f.config)
	if err != nil {
		return err
	}
	given := cmd.Flags().Changed
	if !given("listen") && says.Listen != "" {
		f.listen = says.Listen
	}
	if !given("public-url") {
		f.publicURL = says.PublicURL
	}
	if !given("read-only") {
		f.readOnly = says.ReadOnly
	}
	if !given("river-ui") { // a file says what some servers show; one that is read-only shows less
		f.riverUI = says.RiverUI && !f.readOnly
	}
	return nil
}

func (g *globals) serve(ctx context.Context, f serveFlags) error {
	password := ""
	if g.state == "" {
		var err error
		if g.state, password, err = app.ConfiguredState(ctx, f.config, g.Getenv); err != nil {
			return err
		}
	}
	settings, err := g.settings()
	if err != nil {
		return err
	}
	settings.StatePassword = password
	settings.Policy = plan.Adaptive()
	store, err := app.OpenLedger(ctx, settings)
	if err != nil {
		return err
	}
	defer store.Close()
	service, err := app.NewService(f.config, settings, g.Getenv, store)
	if err != nil {
		return err
	}
	face, tokenFile, err := g.openFace(service, f)
	if err != nil {
		return err
	}
	defer face.Close()
	reload, stopReload := reloads()
	defer stopReload()
	face.Serve()
	err = service.Run(ctx, reload, func() {
		settings.Log.Info("serving", "config", f.config, "state", settings.State, "listen", face.Address, "token", tokenFile)
		fmt.Fprintf(g.Out, "open %s\n", face.Door.Link())
		notify(g.Getenv, settings, "READY=1")
	})
	notify(g.Getenv, settings, "STOPPING=1")
	if errors.Is(err, engine.ErrInterrupted) {
		return nil // told to stop, and did
	}
	return err
}

// openFace listens for browsers and programs.
func (g *globals) openFace(service *app.Service, f serveFlags) (*app.Face, string, error) {
	token, file, err := app.ServeToken(service.Settings, g.Getenv)
	if err != nil {
		return nil, "", err
	}
	face, err := app.NewFace(service, app.FaceSettings{Listen: f.listen, PublicURL: f.publicURL, ReadOnly: f.readOnly, RiverUI: f.riverUI, Token: token})
	return face, cmp.Or(file, app.TokenVariable), err
}

// reloads turns SIGHUP into values.
func reloads() (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	reload := make(chan struct{})
	go func() {
		defer close(reload)
		for range signals {
			reload <- struct{}{}
		}
	}()
	return reload, func() { signal.Stop(signals) }
}

// notify tells systemd (Type=notify) how the service stands; without it nothing
// happens.
func notify(getenv func(string) string, settings app.Settings, state string) {
	socket := getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", socket)
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		settings.Log.Warn("notify service manager", "error", err)
	}
}
