package bucket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirhq/weir/land/bucket"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"s3://b":                     "s3://b",
		"s3://b/":                    "s3://b",
		"s3://b/a/b/?region=x":       "s3://b/a/b?region=x",
		"s3://b/p?region=&profile=q": "s3://b/p?profile=q",
		"s3://b/a%20b?endpoint=http%3A%2F%2F127.0.0.1%3A9000":   "s3://b/a%20b?endpoint=http%3A%2F%2F127.0.0.1%3A9000",
		"s3://b?endpoint=http://minio.lan:9000&allow_http=true": "s3://b?allow_http=true&endpoint=http%3A%2F%2Fminio.lan%3A9000",
		"gs://b/p":                   "gs://b/p",
		"azblob://c/p?account=weir1": "azblob://c/p?account=weir1",
	} {
		got, err := bucket.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, got, err, want)
		}
		if again, err := bucket.Parse(got); err != nil || again != got {
			t.Errorf("Parse(%q) = %q, %v", got, again, err)
		}
	}
}

func TestParseRefusesAndTellsNothing(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"s3://key:" + secret + "@b/p",
		"s3://" + secret + "@b/p",
		"s3://b/p?secret_access_key=" + secret,
		"s3://b/p?X-Amz-Signature=" + secret,
		"azblob://c/p?sig=" + secret,
		"gs://b?access_id=" + secret,
		"s3://b?region=a&region=" + secret,
		"s3://b?endpoint=https://u:" + secret + "@h",
		"s3://b?endpoint=https://h/?token=" + secret,
		"s3://b?endpoint=http://" + secret + ".lan",
		"s3://b?endpoint=ftp://" + secret,
		"s3://b?allow_http=" + secret,
		"s3:///" + secret,
		"s3://b/../" + secret,
		"s3://b/a//" + secret,
		"s3://b/%0a" + secret,
		"s3://b#" + secret,
		"s3://b?%zz" + secret,
		"file:///" + secret,
	} {
		_, err := bucket.Parse(text)
		if !errors.Is(err, bucket.ErrPlace) || strings.Contains(err.Error(), secret) {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

// A URL that is taken has one spelling, and none of user info.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"s3://b/a/b/?region=x", "gs://b", "azblob://c/p?account=weir1", "s3://u:p@b", "s3://b?endpoint=http://[::1]:9/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := bucket.Parse(text)
		if err != nil {
			if !errors.Is(err, bucket.ErrPlace) {
				t.Fatalf("%v", err)
			}
			return
		}
		if again, err := bucket.Parse(name); err != nil || again != name {
			t.Fatalf("%q is %q, and that is %q, %v", text, name, again, err)
		}
	})
}
