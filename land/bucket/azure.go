package bucket

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// azureBucket is a container of Azure Blob Storage.
type azureBucket struct{ container *container.Client }

// openAzure takes the account's key or a shared access signature from the
// environment, else what Azure's own tools use: a service principal or workload
// identity of the environment, the machine's identity, the login of az.
func openAzure(p place) (objects, error) {
	account := p.params.Get("account")
	if account == "" {
		account = os.Getenv("AZURE_STORAGE_ACCOUNT")
	}
	endpoint := p.params.Get("endpoint")
	switch {
	case account == "":
		return nil, unusable("it names no account: add ?account=NAME or set AZURE_STORAGE_ACCOUNT")
	case strings.ContainsFunc(account, notAccount):
		return nil, unusable("its account has other characters than letters and digits")
	case endpoint == "":
		endpoint = "https://" + account + ".blob.core.windows.net"
	}
	address := strings.TrimSuffix(endpoint, "/") + "/" + url.PathEscape(p.bucket)
	opened, err := azureContainer(address, account)
	if err != nil {
		return nil, unusable("%s", printable(err.Error()))
	}
	return &azureBucket{opened}, nil
}

func notAccount(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }

func azureContainer(address, account string) (*container.Client, error) {
	if key := os.Getenv("AZURE_STORAGE_KEY"); key != "" {
		shared, err := container.NewSharedKeyCredential(account, key)
		if err != nil {
			return nil, errors.New("AZURE_STORAGE_KEY is no key")
		}
		return container.NewClientWithSharedKeyCredential(address, shared, azureOnce())
	}
	if token := os.Getenv("AZURE_STORAGE_SAS_TOKEN"); token != "" {
		opened, err := container.NewClientWithNoCredential(address+"?"+strings.TrimPrefix(token, "?"), azureOnce())
		if err != nil {
			return nil, errors.New("AZURE_STORAGE_SAS_TOKEN is no token")
		}
		return opened, nil
	}
	identity, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, err
	}
	return container.NewClient(address, identity, azureOnce())
}

func (b *azureBucket) get(ctx context.Context, key string) (io.ReadCloser, error) {
	var body io.ReadCloser
	err := azureRepeat(ctx, func() error {
		answer, err := b.container.NewBlobClient(key).DownloadStream(ctx, nil)
		body = answer.Body
		return err
	})
	return body, err
}

// condition is that no blob is there, unless it may be replaced.
func condition(replace bool) *blob.AccessConditions {
	if replace {
		return nil
	}
	none := azcore.ETagAny
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &none}}
}

func (b *azureBucket) put(ctx context.Context, key string, body []byte, replace bool) error {
	return azureRepeat(ctx, func() error {
		sent := newOutgoing(body)
		defer sent.Close()
		_, err := b.container.NewBlockBlobClient(key).Upload(ctx, sent, &blockblob.UploadOptions{
			AccessConditions: condition(replace), TransactionalValidation: blob.TransferValidationTypeComputeCRC64(),
		})
		return err
	})
}

func (b *azureBucket) list(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	pages := b.container.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix})
	for pages.More() {
		var page container.ListBlobsFlatResponse
		err := azureRepeat(ctx, func() (err error) {
			page, err = pages.NextPage(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
		if page.Segment == nil {
			continue
		}
		for _, item := range page.Segment.BlobItems {
			keys = append(keys, *item.Name)
		}
	}
	return keys, nil
}

func (b *azureBucket) remove(ctx context.Context, key string) error {
	err := azureRepeat(ctx, func() error {
		_, err := b.container.NewBlobClient(key).Delete(ctx, nil)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// begin makes no request: blocks are sent under names of this upload's own.
// Azure keeps those of all writers of a key together, and drops what a commit
// did not name.
func (b *azureBucket) begin(_ context.Context, key string) (upload, error) {
	return &azureUpload{blob: b.container.NewBlockBlobClient(key), name: rand.Text()}, nil
}

type azureUpload struct {
	blob   *blockblob.Client
	name   string
	blocks []string
}

func (u *azureUpload) part(ctx context.Context, number int, body []byte, _ bool) error {
	id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", u.name, number))
	err := azureRepeat(ctx, func() error {
		sent := newOutgoing(body)
		defer sent.Close()
		_, err := u.blob.StageBlock(ctx, id, sent, &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
		return err
	})
	if err != nil {
		return err
	}
	u.blocks = append(u.blocks, id)
	return nil
}

func (u *azureUpload) finish(ctx context.Context, replace bool) error {
	return azureRepeat(ctx, func() error {
		_, err := u.blob.CommitBlockList(ctx, u.blocks, &blockblob.CommitBlockListOptions{AccessConditions: condition(replace)})
		return err
	})
}

// abort leaves the blocks to Azure, which drops them after a week.
func (u *azureUpload) abort(context.Context) error { return nil }

// azureRepeat makes a request and gives what it ends with its meaning.
func azureRepeat(ctx context.Context, request func() error) error {
	return azureError(repeat(ctx, func(err error) bool {
		var answer *azcore.ResponseError
		if errors.As(err, &answer) {
			return passingStatus(answer.StatusCode)
		}
		return passingFault(err)
	}, request))
}

// azureOnce leaves repetitions to azureRepeat.
func azureOnce() *container.ClientOptions {
	var o container.ClientOptions
	o.Retry.MaxRetries = -1
	return &o
}

// azureError gives an answer its meaning and leaves out its request, whose URL
// may be signed.
func azureError(err error) error {
	var answer *azcore.ResponseError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &answer):
		return err
	case bloberror.HasCode(err, bloberror.BlobNotFound):
		return fs.ErrNotExist
	case bloberror.HasCode(err, bloberror.BlobAlreadyExists, bloberror.ConditionNotMet):
		return fs.ErrExist
	}
	return &azureAnswer{answer.StatusCode, answer.ErrorCode}
}

// azureAnswer is a refusal.
type azureAnswer struct {
	status int
	code   string
}

func (a *azureAnswer) Error() string {
	return fmt.Sprintf("the server answered %d %s", a.status, a.code)
}
