package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/plan"
)

func newServe(g *globals) *cobra.Command {
	var path, listen string
	cmd := &cobra.Command{
		Use: "serve", Short: "run schedules and exports until told to stop", Args: cobra.NoArgs,
		Long: `Run the accounts and schedules of a configuration file until SIGTERM or SIGINT.
SIGHUP reads the file again without dropping work. A run that was missed while
nothing ran is run once, late. Health is told at /healthz and /readyz.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.serve(cmd.Context(), path, listen) },
	}
	cmd.Flags().StringVar(&path, "config", "weir.yaml", "configuration file")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8120", "address of the health endpoints")
	return cmd
}

func (g *globals) serve(ctx context.Context, path, listen string) error {
	settings, err := g.settings()
	if err != nil {
		return err
	}
	settings.Policy = plan.Adaptive()
	store, err := app.OpenLedger(ctx, settings)
	if err != nil {
		return err
	}
	defer store.Close()
	service := &app.Service{Path: path, Settings: settings, Getenv: g.Getenv, Store: store}
	stopHealth, err := serveHealth(listen, service)
	if err != nil {
		return err
	}
	defer stopHealth()
	reload, stopReload := reloads()
	defer stopReload()
	err = service.Run(ctx, reload, func() {
		settings.Log.Info("serving", "config", path, "state", settings.State, "health", listen)
		notify(g.Getenv, settings, "READY=1")
	})
	notify(g.Getenv, settings, "STOPPING=1")
	if errors.Is(err, engine.ErrInterrupted) {
		return nil // told to stop, and did
	}
	return err
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

// serveHealth answers /healthz while the process lives and /readyz while every
// account is at work. It listens on loopback unless told otherwise.
func serveHealth(listen string, service *app.Service) (stop func(), err error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, &app.Fault{Exit: app.ExitUsage, Code: "listen", Hint: "choose another --listen address", Err: fmt.Errorf("serve health: %w", err)}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := service.Health(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, plain(err.Error()))
			return
		}
		fmt.Fprintln(w, "ok")
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
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
