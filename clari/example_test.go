package clari_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
)

// stand is a server that knows one finished job and refuses any other.
func stand() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v4/export/forecast/net_arr", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"jobId":"6073683781a6da229df71e00"}`)
	})
	mux.HandleFunc("POST /v4/export/forecast/new_logo", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":"export_monthly_quota_reached","message":"The monthly quota limit of 30 or concurrent limit of 1 has been reached."}`)
	})
	mux.HandleFunc("GET /v4/export/jobs", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"jobId":"6073683781a6da229df71e00","status":"COMPLETED"}]`)
	})
	mux.HandleFunc("GET /v4/export/jobs/{id}/results", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"entries":[]}`)
	})
	mux.HandleFunc("GET /v4/admin/limits", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"jobs":{"concurrentLimit":1,"availableConcurrentLimit":0,"availableMonthlyQuota":12}}`)
	})
	return httptest.NewServer(mux)
}

func connect(baseURL string) *clari.Client {
	key, err := clari.NewKey("the-key-from-the-environment")
	if err != nil {
		log.Fatal(err)
	}
	client, err := clari.New(baseURL, key)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// Start an export, look once whether it is done, and read its file. When to
// look again is the caller's business.
func Example() {
	server := stand()
	defer server.Close()
	ctx, client := context.Background(), connect(server.URL+"/v4")

	started, err := client.StartForecastExport(ctx, clari.ForecastExport{ForecastID: "net_arr", Period: "2026_Q1"})
	if err != nil {
		log.Fatal(err)
	}
	list, err := client.Jobs(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range list.Jobs {
		if job.ID != started.JobID || job.Status != weir.JobDone {
			continue
		}
		result, err := client.Results(ctx, job.ID)
		if err != nil {
			log.Fatal(err)
		}
		document, err := io.ReadAll(result.Body)
		if err = errors.Join(err, result.Body.Close()); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d bytes: %s\n", job.ID, result.Length, document)
	}
	// Output: 6073683781a6da229df71e00: 14 bytes: {"entries":[]}
}

// The error says whether a job can exist, and whether asking again helps.
func ExampleError() {
	server := stand()
	defer server.Close()
	ctx, client := context.Background(), connect(server.URL+"/v4")

	_, err := client.Start(ctx, weir.Request{Kind: weir.Forecast, ForecastID: "new_logo", Period: "2026_Q1"})
	switch {
	case errors.Is(err, clari.ErrAmbiguous):
		fmt.Println("a job may exist: look before asking again")
	case errors.Is(err, clari.ErrRefused):
		limits, err := client.Limits(ctx)
		if err == nil && limits.Said.AvailableConcurrent && limits.AvailableConcurrent == 0 {
			fmt.Println("no free slot; uses left:", limits.AvailableMonthly)
		}
	}
	fmt.Println(err)
	// Output:
	// no free slot; uses left: 12
	// start export new_logo 2026_Q1: 400 export_monthly_quota_reached: The monthly quota limit of 30 or concurrent limit of 1 has been reached.
}

// counted is a transport that sees every request before it leaves.
type counted struct {
	next http.RoundTripper
	n    int
	max  int
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.n++; c.n > c.max {
		return nil, fmt.Errorf("request %d: %w", c.n, clari.ErrNotSent)
	}
	return c.next.RoundTrip(req)
}

// Wrap the default transport to pace or bound requests. A request that the
// wrapper refuses is known not to have been sent.
func ExampleWithTransport() {
	server := stand()
	defer server.Close()
	key, _ := clari.NewKey("the-key-from-the-environment")
	client, err := clari.New(server.URL+"/v4", key, clari.WithTransport(&counted{next: clari.NewTransport(), max: 1}))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		_, err := client.Limits(context.Background())
		fmt.Println(err, errors.Is(err, clari.ErrNotSent))
	}
	// Output:
	// <nil> false
	// read limits: not sent: request 2: request was not sent true
}
