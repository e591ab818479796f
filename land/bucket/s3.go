package bucket

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Bucket is a bucket behind the S3 protocol.
type s3Bucket struct {
	core minio.Core
	name string
	// unconditional is set once the server said that it knows no conditions.
	unconditional atomic.Bool
}

func openS3(p place) (objects, error) {
	host, secure, region := "s3.amazonaws.com", true, p.params.Get("region")
	if region == "" {
		region = firstOf("AWS_REGION", "AWS_DEFAULT_REGION")
	}
	endpoint := p.params.Get("endpoint")
	if endpoint == "" {
		endpoint = firstOf("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	}
	if endpoint != "" {
		if err := checkEndpoint(endpoint, p.params.Has("allow_http")); err != nil {
			return nil, err
		}
		u, err := url.Parse(endpoint)
		if err != nil || strings.Trim(u.Path, "/") != "" {
			return nil, unusable("its endpoint has a path")
		}
		host, secure = u.Host, u.Scheme == "https"
		if region == "" {
			region = "us-east-1" // what servers outside AWS call themselves
		}
	}
	style, err := styleOf(p.params.Get("path_style"))
	if err != nil {
		return nil, err
	}
	client, err := minio.New(host, &minio.Options{
		Creds: s3Credentials(p.params.Get("profile")), Secure: secure, Region: region, BucketLookup: style,
		MaxRetries: 1, // see repeat
	})
	if err != nil {
		return nil, unusable("%v", err)
	}
	return &s3Bucket{core: minio.Core{Client: client}, name: p.bucket}, nil
}

// styleOf says where the name of the bucket stands: in the path, in the host's
// name, or, when nothing is said, in the path of a host that is not one of the
// clouds that are known to want the other.
func styleOf(param string) (minio.BucketLookupType, error) {
	switch strings.ToLower(cmp.Or(param, os.Getenv("AWS_S3_ADDRESSING_STYLE"))) {
	case "true", "path":
		return minio.BucketLookupPath, nil
	case "false", "virtual":
		return minio.BucketLookupDNS, nil
	case "", "auto":
		return minio.BucketLookupAuto, nil
	}
	return 0, unusable("path_style is true or false, AWS_S3_ADDRESSING_STYLE path, virtual or auto")
}

func firstOf(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// s3Credentials looks where AWS's own tools look: the environment, the files of
// ~/.aws, and the role of the machine, the container or the pod.
func s3Credentials(profile string) *credentials.Credentials {
	chain := []credentials.Provider{&credentials.FileAWSCredentials{Profile: profile}}
	if profile == "" {
		chain = append([]credentials.Provider{&credentials.EnvAWS{}}, chain...)
	}
	if !strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		chain = append(chain, &credentials.IAM{})
	}
	return credentials.New(&needed{credentials.Chain{Providers: chain}})
}

// needed is a chain of credentials that says so when it finds none, instead of
// going on without.
type needed struct{ credentials.Chain }

var errNoCredentials = errors.New("no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor ~/.aws/credentials, nor a role of this machine")

// RetrieveWithCredContext is what the client calls.
func (n *needed) RetrieveWithCredContext(c *credentials.CredContext) (credentials.Value, error) {
	return n.must(n.Chain.RetrieveWithCredContext(c))
}

// Retrieve is the older form of it.
func (n *needed) Retrieve() (credentials.Value, error) {
	return n.RetrieveWithCredContext(nil)
}

func (n *needed) must(value credentials.Value, err error) (credentials.Value, error) {
	if err == nil && value.AccessKeyID == "" {
		err = errNoCredentials
	}
	return value, err
}

func (b *s3Bucket) get(ctx context.Context, key string) (body io.ReadCloser, err error) {
	err = repeat(ctx, passingS3, func() error {
		body, _, _, err = b.core.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
		return s3Error(err)
	})
	return body, err
}

func (b *s3Bucket) put(ctx context.Context, key string, body []byte, replace bool) error {
	sum := sha256.Sum256(body)
	return b.appear(ctx, key, replace, func(opts minio.PutObjectOptions) error {
		sent := newOutgoing(body)
		defer sent.Close()
		_, err := b.core.PutObject(ctx, b.name, key, sent, int64(len(body)), "", hex.EncodeToString(sum[:]), opts)
		return err
	})
}

// appear makes the request that makes an object appear, on the condition that
// there is none unless it may be replaced. A look before each try spares the
// sending, and finds what an earlier try has done whose answer was lost.
func (b *s3Bucket) appear(ctx context.Context, key string, replace bool, request func(minio.PutObjectOptions) error) error {
	return repeat(ctx, passingS3, func() error {
		if replace {
			return s3Error(request(minio.PutObjectOptions{}))
		}
		if there, err := b.exists(ctx, key); err != nil || there {
			return errors.Join(err, existsIf(there))
		}
		var opts minio.PutObjectOptions
		conditional := !b.unconditional.Load()
		if conditional {
			opts.SetMatchETagExcept("*")
		}
		err := request(opts)
		if conditional && minio.ToErrorResponse(err).StatusCode == http.StatusNotImplemented {
			b.unconditional.Store(true)
			err = request(minio.PutObjectOptions{})
		}
		return s3Error(err)
	})
}

func existsIf(there bool) error {
	if there {
		return fs.ErrExist
	}
	return nil
}

func (b *s3Bucket) exists(ctx context.Context, key string) (bool, error) {
	_, err := b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err = s3Error(err); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (b *s3Bucket) list(ctx context.Context, prefix string) (keys []string, err error) {
	err = repeat(ctx, passingS3, func() error {
		keys, err = b.listOnce(ctx, prefix)
		return err
	})
	return keys, err
}

func (b *s3Bucket) listOnce(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for object := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, s3Error(object.Err)
		}
		keys = append(keys, object.Key)
	}
	if ctx.Err() != nil { // the iterator ends without a word then
		return nil, context.Cause(ctx)
	}
	return keys, nil
}

func (b *s3Bucket) remove(ctx context.Context, key string) error {
	err := repeat(ctx, passingS3, func() error {
		return s3Error(b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (b *s3Bucket) begin(ctx context.Context, key string) (upload, error) {
	u := &s3Upload{bucket: b, key: key}
	err := repeat(ctx, passingS3, func() (err error) {
		u.id, err = b.core.NewMultipartUpload(ctx, b.name, key, minio.PutObjectOptions{})
		return s3Error(err)
	})
	return u, err
}

type s3Upload struct {
	bucket *s3Bucket
	key    string
	id     string
	parts  []minio.CompletePart
}

// part is sent with its hash, which the server compares.
func (u *s3Upload) part(ctx context.Context, number int, body []byte, _ bool) error {
	sum := sha256.Sum256(body)
	return repeat(ctx, passingS3, func() error {
		sent := newOutgoing(body)
		defer sent.Close()
		part, err := u.bucket.core.PutObjectPart(ctx, u.bucket.name, u.key, u.id, number,
			sent, int64(len(body)), minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:])})
		if err == nil {
			u.parts = append(u.parts, minio.CompletePart{PartNumber: number, ETag: part.ETag})
		}
		return s3Error(err)
	})
}

func (u *s3Upload) finish(ctx context.Context, replace bool) error {
	return u.bucket.appear(ctx, u.key, replace, func(opts minio.PutObjectOptions) error {
		_, err := u.bucket.core.CompleteMultipartUpload(ctx, u.bucket.name, u.key, u.id, u.parts, opts)
		return err
	})
}

// abort takes an upload that is gone for aborted.
func (u *s3Upload) abort(ctx context.Context) error {
	return repeat(ctx, passingS3, func() error {
		err := u.bucket.core.AbortMultipartUpload(ctx, u.bucket.name, u.key, u.id)
		if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
			return nil
		}
		return s3Error(err)
	})
}

// passingS3 also takes the conflict of two conditional writes for a passing
// one, as the protocol's documentation asks.
func passingS3(err error) bool {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return !errors.Is(err, errNoCredentials) && !errors.Is(err, fs.ErrExist) && passingFault(err)
	}
	switch answer.Code {
	case "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalError":
		return true
	}
	return passingStatus(answer.StatusCode) || answer.StatusCode == http.StatusConflict
}

// s3Error gives an answer of the server its meaning. A bucket that is gone is
// no object that is not there.
func s3Error(err error) error {
	answer := minio.ToErrorResponse(err)
	switch {
	case err == nil:
		return nil
	case answer.Code == minio.NoSuchKey:
		return errors.Join(fs.ErrNotExist, err)
	case answer.StatusCode == http.StatusPreconditionFailed || answer.Code == minio.PreconditionFailed:
		return errors.Join(fs.ErrExist, err)
	case answer.Code != "" && !strings.Contains(err.Error(), answer.Code):
		return &s3Answer{answer}
	}
	return err
}

// s3Answer shows the code of an answer beside its message.
type s3Answer struct{ minio.ErrorResponse }

func (a *s3Answer) Error() string { return a.Code + ": " + a.ErrorResponse.Error() }

// Unwrap gives the answer.
func (a *s3Answer) Unwrap() error { return a.ErrorResponse }
