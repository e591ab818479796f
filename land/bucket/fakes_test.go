package bucket_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/bucket"
	"github.com/weirhq/weir/land/landtest"
)

// cloud is what the fakes of Google's and Azure's stores have in common: one
// bucket "data" in memory. They know the requests that package bucket makes, as
// the providers document them, and no others.
type cloud struct {
	mu      sync.Mutex
	objects map[string][]byte
	pending map[string][]byte // unfinished uploads, or blocks
	names   map[string]string // keys of unfinished uploads
	// short makes a session of Google's keep only half of each piece.
	short bool
}

func newCloud() *cloud {
	return &cloud{objects: map[string][]byte{}, pending: map[string][]byte{}, names: map[string]string{}}
}

func (c *cloud) under(prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.objects)), func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

// google speaks https://cloud.google.com/storage/docs/json_api/v1.
func (c *cloud) google(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	query := r.URL.Query()
	path := r.URL.EscapedPath()
	from, to, rewrites := strings.Cut(strings.TrimPrefix(path, "/storage/v1/b/data/o/"), "/rewriteTo/b/data/o/")
	key, _ := url.PathUnescape(from)
	switch {
	case strings.HasPrefix(path, "/session/"):
		c.session(w, r, body)
	case path == "/upload/storage/v1/b/data/o" && query.Get("uploadType") == "resumable":
		id := strconv.Itoa(len(c.names))
		c.names[id], c.pending[id] = query.Get("name"), nil
		w.Header().Set("Location", "http://"+r.Host+"/session/"+id)
	case path == "/upload/storage/v1/b/data/o":
		c.store(w, query, query.Get("name"), body, `{}`)
	case rewrites:
		target, _ := url.PathUnescape(to)
		if query.Get("rewriteToken") == "" { // it takes two steps
			fmt.Fprint(w, `{"done":false,"rewriteToken":"t"}`)
			return
		}
		c.store(w, query, target, c.objects[key], `{"done":true}`)
	case path == "/storage/v1/b/data/o":
		c.googleList(w, query)
	case !strings.HasPrefix(path, "/storage/v1/b/data/o/") || c.objects[key] == nil:
		http.Error(w, `{"error":{"message":"none here"}}`, http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(c.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Write(c.objects[key])
	}
}

func (c *cloud) store(w http.ResponseWriter, query url.Values, key string, body []byte, answer string) {
	if query.Get("ifGenerationMatch") == "0" && c.objects[key] != nil {
		http.Error(w, `{"error":{"message":"conditionNotMet"}}`, http.StatusPreconditionFailed)
		return
	}
	c.objects[key] = append([]byte{}, body...)
	fmt.Fprint(w, answer)
}

// googleList gives two names a page.
func (c *cloud) googleList(w http.ResponseWriter, query url.Values) {
	type item struct {
		Name string `json:"name"`
	}
	keys := c.under(query.Get("prefix"))
	from, _ := strconv.Atoi(query.Get("pageToken"))
	page := map[string]any{}
	var items []item
	for _, key := range keys[from:min(from+2, len(keys))] {
		items = append(items, item{key})
	}
	page["items"] = items
	if from+2 < len(keys) {
		page["nextPageToken"] = strconv.Itoa(from + 2)
	}
	_ = json.NewEncoder(w).Encode(page)
}

func (c *cloud) session(w http.ResponseWriter, r *http.Request, body []byte) {
	id := strings.TrimPrefix(r.URL.Path, "/session/")
	if r.Method == http.MethodDelete {
		delete(c.pending, id)
		w.WriteHeader(499)
		return
	}
	span, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	if at, err := strconv.Atoi(first); span != "*" && (err != nil || at != len(c.pending[id])) {
		http.Error(w, "a gap", http.StatusBadRequest)
		return
	}
	if total == "*" && c.short && len(body) > cloudPart/2 {
		body = body[:len(body)/2]
	}
	c.pending[id] = append(c.pending[id], body...)
	if total == "*" {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(c.pending[id])-1))
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	if total != strconv.Itoa(len(c.pending[id])) {
		http.Error(w, "another total", http.StatusBadRequest)
		return
	}
	c.objects[c.names[id]] = append([]byte{}, c.pending[id]...)
	delete(c.pending, id)
}

// azure speaks https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api.
func (c *cloud) azure(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	query := r.URL.Query()
	key, isBlob := strings.CutPrefix(r.URL.Path, "/data/")
	refuse := func(status int, code string) {
		w.Header().Set("x-ms-error-code", code)
		w.WriteHeader(status)
	}
	taken := r.Header.Get("If-None-Match") == "*" && c.objects[key] != nil
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "SharedKey weir:"):
		refuse(http.StatusForbidden, "AuthenticationFailed")
	case query.Get("comp") == "list":
		c.azureList(w, query)
	case !isBlob:
		refuse(http.StatusNotFound, "ContainerNotFound")
	case r.Method == http.MethodPut && query.Get("comp") == "block":
		c.pending[key+"|"+query.Get("blockid")] = body
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut && taken:
		refuse(http.StatusConflict, "BlobAlreadyExists")
	case r.Method == http.MethodPut && query.Get("comp") == "blocklist":
		if !c.commit(key, body) {
			refuse(http.StatusBadRequest, "InvalidBlockList")
			return
		}
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		c.objects[key] = append([]byte{}, body...)
		w.WriteHeader(http.StatusCreated)
	case c.objects[key] == nil:
		refuse(http.StatusNotFound, "BlobNotFound")
	case r.Method == http.MethodDelete:
		delete(c.objects, key)
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Write(c.objects[key])
	}
}

func (c *cloud) commit(key string, body []byte) bool {
	var list struct {
		Latest []string `xml:"Latest"`
	}
	if xml.Unmarshal(body, &list) != nil {
		return false
	}
	whole := []byte{}
	for _, id := range list.Latest {
		block, ok := c.pending[key+"|"+id]
		if !ok {
			return false
		}
		whole = append(whole, block...)
	}
	maps.DeleteFunc(c.pending, func(name string, _ []byte) bool { return strings.HasPrefix(name, key+"|") })
	c.objects[key] = whole
	return true
}

// azureList gives two names a page.
func (c *cloud) azureList(w http.ResponseWriter, query url.Values) {
	keys := c.under(query.Get("prefix"))
	from, _ := strconv.Atoi(query.Get("marker"))
	fmt.Fprint(w, `<?xml version="1.0"?><EnumerationResults><Blobs>`)
	for _, key := range keys[from:min(from+2, len(keys))] {
		fmt.Fprint(w, "<Blob><Name>")
		_ = xml.EscapeText(w, []byte(key))
		fmt.Fprint(w, "</Name></Blob>")
	}
	next := ""
	if from+2 < len(keys) {
		next = strconv.Itoa(from + 2)
	}
	fmt.Fprintf(w, "</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", next)
}

// cloudStores gives stores of a fake, each in one of its own.
func cloudStores(t *testing.T, serve func(*cloud) http.HandlerFunc, scheme, params string) func(*testing.T) land.Store {
	return func(t *testing.T) land.Store {
		server := httptest.NewServer(serve(newCloud()))
		t.Cleanup(server.Close)
		store, err := bucket.Open(scheme + "://data/a%20b/c?" + params + "endpoint=" + url.QueryEscape(server.URL))
		if err != nil {
			t.Fatal(err)
		}
		return store.WithParts(cloudPart)
	}
}

// cloudPart is the smallest part that Google takes.
const cloudPart = 256 << 10

func TestGoogle(t *testing.T) {
	stores := cloudStores(t, func(c *cloud) http.HandlerFunc { c.short = true; return c.google }, "gs", "")
	runCloud(t, stores)
}

func TestAzure(t *testing.T) {
	t.Setenv("AZURE_STORAGE_KEY", base64.StdEncoding.EncodeToString([]byte("key")))
	runCloud(t, cloudStores(t, func(c *cloud) http.HandlerFunc { return c.azure }, "azblob", "account=weir&"))
}

func runCloud(t *testing.T, stores func(*testing.T) land.Store) {
	t.Run("store", func(t *testing.T) { landtest.Store(t, stores) })
	t.Run("large", func(t *testing.T) { large(t, stores(t), cloudPart) })
	t.Run("destination", func(t *testing.T) {
		landtest.Run(t, func(t *testing.T) landtest.Place {
			store := stores(t)
			return landtest.Files{Store: func(*testing.T) land.Store { return store }}
		}, func(t *testing.T) land.Destination {
			inner := landtest.Files{Store: stores}
			d, _ := inner.OpenFailing(t, 1)
			return d
		})
	})
}
