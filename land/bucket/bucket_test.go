package bucket_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/bucket"
	"github.com/weirhq/weir/land/landtest"
)

// s3Room opens places in one S3-compatible server, each below a prefix of its
// own.
type s3Room struct {
	server *servertest.S3
	places atomic.Int64
}

func newS3Room(t *testing.T) *s3Room {
	t.Helper()
	server := servertest.StartS3(t)
	server.Login(t)
	server.Bucket(t, "data")
	return &s3Room{server: server}
}

// name is the URL of a new place behind an address.
func (r *s3Room) name() string { return fmt.Sprintf("data/p%d/snapshots", r.places.Add(1)) }

func open(t *testing.T, address, name string) *bucket.Store {
	t.Helper()
	store, err := bucket.Open("s3://" + name + "?endpoint=" + url.QueryEscape("http://"+address))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// s3Place is landtest's place in a bucket. It fails on the wire.
type s3Place struct {
	landtest.Files
	room *s3Room
	name string
}

func (r *s3Room) place(t *testing.T) landtest.Place {
	name := r.name()
	return s3Place{
		Files: landtest.Files{Store: func(t *testing.T) land.Store { return open(t, r.server.Address, name) }},
		room:  r, name: name,
	}
}

// OpenFailing answers every request from the nth on with an error that is not
// worth a repetition.
func (p s3Place) OpenFailing(t *testing.T, n int) (land.Destination, func() bool) {
	var seen atomic.Int64
	address := p.room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		if seen.Add(1) >= int64(n) {
			http.Error(w, "injected", http.StatusForbidden)
			return
		}
		on.ServeHTTP(w, r)
	})
	return land.Files(open(t, address, p.name)), func() bool { return seen.Load() >= int64(n) }
}

// behind puts a proxy before the server. The Host is signed and stays.
func (r *s3Room) behind(t *testing.T, serve func(http.ResponseWriter, *http.Request, http.Handler)) (address string) {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
		pr.Out.URL.Scheme, pr.Out.URL.Host = "http", r.server.Address
		pr.Out.Host = pr.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, proxy) }))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestS3(t *testing.T) {
	room := newS3Room(t)
	t.Run("store", func(t *testing.T) {
		landtest.Store(t, func(t *testing.T) land.Store { return open(t, room.server.Address, room.name()) })
	})
	t.Run("archive", func(t *testing.T) {
		landtest.Archive(t, func(t *testing.T) landtest.ArchivePlace { return room.place(t).(s3Place) })
	})
	t.Run("destination", func(t *testing.T) {
		landtest.Run(t, room.place, func(t *testing.T) land.Destination {
			closed := httptest.NewServer(nil)
			closed.Close()
			return land.Files(open(t, strings.TrimPrefix(closed.URL, "http://"), room.name()))
		})
	})
}
