package bucket

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

const (
	googleEndpoint = "https://storage.googleapis.com"
	googleScope    = "https://www.googleapis.com/auth/devstorage.read_write"
)

// googleBucket is a bucket of Google Cloud Storage behind its JSON API:
// https://cloud.google.com/storage/docs/json_api.
//
// A file of several parts is uploaded as one of its own below _tmp, in one
// resumable session, and copied to its key by the server when it is published:
// the condition is judged at the copy, which moves no bytes.
type googleBucket struct {
	endpoint string
	name     string
	staging  string // the prefix of unpublished files
	client   func(context.Context) (*http.Client, error)
}

// openGoogle uses the application default credentials: the file that
// GOOGLE_APPLICATION_CREDENTIALS names, gcloud's login, or the machine's service
// account. An endpoint of one's own, or STORAGE_EMULATOR_HOST, gets none.
func openGoogle(p place) (objects, error) {
	b := &googleBucket{endpoint: googleEndpoint, name: p.bucket, staging: p.prefix + "_tmp/", client: googleLogin}
	endpoint := p.params.Get("endpoint")
	if host := os.Getenv("STORAGE_EMULATOR_HOST"); endpoint == "" && host != "" {
		endpoint = "http://" + strings.TrimPrefix(host, "http://")
	}
	if endpoint == "" {
		return b, nil
	}
	if err := checkEndpoint(endpoint, p.params.Has("allow_http")); err != nil {
		return nil, err
	}
	b.endpoint = strings.TrimSuffix(endpoint, "/")
	b.client = func(context.Context) (*http.Client, error) { return http.DefaultClient, nil }
	return b, nil
}

var errNoGoogleLogin = errors.New("no credentials: set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login")

func googleLogin(ctx context.Context) (*http.Client, error) {
	// The credentials refresh themselves beyond the one request.
	found, err := google.FindDefaultCredentials(context.WithoutCancel(ctx), googleScope)
	if err != nil {
		return nil, errNoGoogleLogin
	}
	return oauth2.NewClient(context.WithoutCancel(ctx), found.TokenSource), nil
}

// object is the address of an object.
func (b *googleBucket) object(key string) string {
	return b.endpoint + "/storage/v1/b/" + url.PathEscape(b.name) + "/o/" + url.PathEscape(key)
}

// ask sends a request, again when it met a passing failure, and gives the
// answer if its status is one of those wanted. The body is sent anew each time.
func (b *googleBucket) ask(ctx context.Context, method, address string, header http.Header, body []byte, want ...int) (*http.Response, error) {
	client, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	var answer *http.Response
	err = repeat(ctx, passingGoogle, func() error {
		sent := newOutgoing(body)
		defer sent.Close()
		var err error
		if answer, err = send(ctx, client, method, address, header, sent, len(body)); err != nil {
			return err
		}
		return googleError(answer, want)
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func send(ctx context.Context, client *http.Client, method, address string, header http.Header, body io.Reader, length int) (*http.Response, error) {
	if length == 0 {
		body = http.NoBody
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = int64(length)
	for name, values := range header {
		request.Header[name] = values
	}
	return client.Do(request)
}

// googleAnswer is a refusal.
type googleAnswer struct {
	status int
	reason string
}

func (a *googleAnswer) Error() string {
	return fmt.Sprintf("the server answered %d %s", a.status, a.reason)
}

// Is gives the refusals that files know their meaning.
func (a *googleAnswer) Is(target error) bool {
	return target == fs.ErrExist && a.status == http.StatusPreconditionFailed ||
		target == fs.ErrNotExist && a.status == http.StatusNotFound
}

func passingGoogle(err error) bool {
	var answer *googleAnswer
	if errors.As(err, &answer) {
		return passingStatus(answer.status)
	}
	return passingFault(err)
}

// googleError takes an answer that was not wanted for an error, and reads its
// reason.
func googleError(answer *http.Response, want []int) error {
	for _, status := range want {
		if answer.StatusCode == status {
			return nil
		}
	}
	defer answer.Body.Close()
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	const most = 1 << 16
	_ = json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&said) // without it the status has to do
	return &googleAnswer{answer.StatusCode, said.Error.Message}
}

// missing tells an object that is not there from a bucket that is not: both
// answer 404.
func (b *googleBucket) missing(ctx context.Context, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, bucket := b.list(ctx, b.staging+"none/"); bucket != nil {
		return fmt.Errorf("bucket %s: %w", b.name, bucket)
	}
	return err
}

func (b *googleBucket) get(ctx context.Context, key string) (io.ReadCloser, error) {
	answer, err := b.ask(ctx, http.MethodGet, b.object(key)+"?alt=media", nil, nil, http.StatusOK)
	if err != nil {
		return nil, b.missing(ctx, err)
	}
	return answer.Body, nil
}

// generation0 is the condition that there is no object.
func generation0(query url.Values, replace bool) url.Values {
	if !replace {
		query.Set("ifGenerationMatch", "0")
	}
	return query
}

func (b *googleBucket) uploadTo(query url.Values) string {
	return b.endpoint + "/upload/storage/v1/b/" + url.PathEscape(b.name) + "/o?" + query.Encode()
}

func (b *googleBucket) put(ctx context.Context, key string, body []byte, replace bool) error {
	query := generation0(url.Values{"uploadType": {"media"}, "name": {key}}, replace)
	return b.do(ctx, http.MethodPost, b.uploadTo(query), nil, body, nil, http.StatusOK)
}

// do asks and reads the answer as JSON, if that is wanted.
func (b *googleBucket) do(ctx context.Context, method, address string, header http.Header, body []byte, into any, want ...int) error {
	answer, err := b.ask(ctx, method, address, header, body, want...)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func (b *googleBucket) list(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	query := url.Values{"prefix": {prefix}, "fields": {"items(name),nextPageToken"}}
	for {
		var page struct {
			Items []struct {
				Name string `json:"name"`
			} `json:"items"`
			Next string `json:"nextPageToken"`
		}
		address := b.endpoint + "/storage/v1/b/" + url.PathEscape(b.name) + "/o?" + query.Encode()
		if err := b.do(ctx, http.MethodGet, address, nil, nil, &page, http.StatusOK); err != nil {
			return nil, flat(err)
		}
		for _, item := range page.Items {
			keys = append(keys, item.Name)
		}
		if page.Next == "" {
			return keys, nil
		}
		query.Set("pageToken", page.Next)
	}
}

// flat keeps a bucket that is gone from passing for a file that is not there.
func flat(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(err.Error())
	}
	return err
}

func (b *googleBucket) remove(ctx context.Context, key string) error {
	err := b.do(ctx, http.MethodDelete, b.object(key), nil, nil, nil, http.StatusNoContent, http.StatusOK)
	if err = b.missing(ctx, err); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (b *googleBucket) begin(ctx context.Context, key string) (upload, error) {
	u := &googleUpload{bucket: b, key: key, staged: b.staging + rand.Text()}
	query := url.Values{"uploadType": {"resumable"}, "name": {u.staged}}
	answer, err := b.ask(ctx, http.MethodPost, b.uploadTo(query), nil, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if u.session = answer.Header.Get("Location"); u.session == "" {
		return nil, errors.New("the server gave no upload session")
	}
	return u, nil
}

// googleUpload is a resumable session. The size of all parts but the last is a
// multiple of the 256 KiB that the server asks for. Where no part was called the
// last, finish tells the server that none follows.
type googleUpload struct {
	bucket  *googleBucket
	key     string
	staged  string
	session string
	sent    int64 // and kept by the server
	closed  bool
}

// part sends bytes. The server may keep fewer of them; the rest is sent again.
func (u *googleUpload) part(ctx context.Context, _ int, body []byte, last bool) error {
	if last {
		u.closed = true
		return u.chunk(ctx, body, strconv.FormatInt(u.sent+int64(len(body)), 10))
	}
	until := u.sent + int64(len(body))
	for u.sent < until {
		before := u.sent
		if err := u.chunk(ctx, body[int64(len(body))-(until-u.sent):], "*"); err != nil {
			return err
		}
		if u.sent <= before {
			return errors.New("the server keeps nothing of what is sent")
		}
	}
	return nil
}

// chunk sends bytes; total is "*" while more follow, which the server answers
// with 308 and how much it has.
func (u *googleUpload) chunk(ctx context.Context, body []byte, total string) error {
	span := "*" // no bytes, the total only
	if len(body) > 0 {
		span = fmt.Sprintf("%d-%d", u.sent, u.sent+int64(len(body))-1)
	}
	header := http.Header{"Content-Range": {"bytes " + span + "/" + total}}
	want := []int{http.StatusOK, http.StatusCreated}
	if total == "*" {
		want = []int{http.StatusPermanentRedirect}
	}
	answer, err := u.bucket.ask(ctx, http.MethodPut, u.session, header, body, want...)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if total != "*" {
		return nil
	}
	last, err := strconv.ParseInt(strings.TrimPrefix(answer.Header.Get("Range"), "bytes=0-"), 10, 64)
	if err != nil {
		return errors.New("the server does not say what it has")
	}
	u.sent = min(last+1, u.sent+int64(len(body)))
	return nil
}

// finish ends the session where the last part was a full one, and copies.
func (u *googleUpload) finish(ctx context.Context, replace bool) error {
	if !u.closed {
		if err := u.chunk(ctx, nil, strconv.FormatInt(u.sent, 10)); err != nil {
			return err
		}
		u.closed = true
	}
	if err := u.rewrite(ctx, replace); err != nil {
		return err
	}
	_ = u.bucket.remove(ctx, u.staged) // the object stands; this one is nobody's
	return nil
}

// rewrite copies on the server, in as many steps as it wants.
func (u *googleUpload) rewrite(ctx context.Context, replace bool) error {
	query := generation0(url.Values{}, replace)
	for {
		var step struct {
			Done  bool   `json:"done"`
			Token string `json:"rewriteToken"`
		}
		address := u.bucket.object(u.staged) + "/rewriteTo/b/" + url.PathEscape(u.bucket.name) + "/o/" + url.PathEscape(u.key) + "?" + query.Encode()
		err := u.bucket.do(ctx, http.MethodPost, address, nil, nil, &step, http.StatusOK)
		if err != nil || step.Done {
			return flat(err)
		}
		query.Set("rewriteToken", step.Token)
	}
}

// abort ends the session, or takes the file away that it has become.
func (u *googleUpload) abort(ctx context.Context) error {
	const closedByClient = 499
	err := u.bucket.do(ctx, http.MethodDelete, u.session, nil, nil, nil, closedByClient, http.StatusNoContent, http.StatusOK, http.StatusNotFound, http.StatusGone)
	if err != nil || !u.closed {
		return err
	}
	return u.bucket.remove(ctx, u.staged)
}
