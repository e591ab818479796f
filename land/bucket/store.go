package bucket

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/weirhq/weir/land"
)

// Store is a place for files in an object store. Safe for concurrent use.
type Store struct {
	place   place
	objects objects
	part    int // bytes
}

var _ land.Store = (*Store)(nil)

// objects is one object store's bucket. Keys are whole, the prefix included. An
// object that is not there Is [fs.ErrNotExist], one that is in the way
// [fs.ErrExist].
type objects interface {
	get(ctx context.Context, key string) (io.ReadCloser, error)
	// put makes an object appear at once; unless replace, only where none is.
	put(ctx context.Context, key string, body []byte, replace bool) error
	list(ctx context.Context, prefix string) ([]string, error)
	// remove succeeds too where there is nothing.
	remove(ctx context.Context, key string) error
	// begin starts an object of several parts.
	begin(ctx context.Context, key string) (upload, error)
}

// upload is an object on its way that nobody sees. Its methods are called one
// after another.
type upload interface {
	// part sends one part, numbered from 1. All but the last have one size.
	part(ctx context.Context, number int, body []byte, last bool) error
	// finish makes the object appear. After fs.ErrExist it may be called again.
	finish(ctx context.Context, replace bool) error
	abort(ctx context.Context) error
}

// Open opens the place that a URL names, as [Parse] describes it. It makes no
// request.
func Open(name string) (*Store, error) {
	p, err := parse(name)
	if err != nil {
		return nil, err
	}
	open := map[string]func(place) (objects, error){
		schemeS3: openS3, schemeGoogle: openGoogle, schemeAzure: openAzure,
	}[p.scheme]
	bucket, err := open(p)
	if err != nil {
		return nil, err
	}
	return &Store{place: p, objects: bucket, part: partBytes}, nil
}

// Name is the canonical URL.
func (s *Store) Name() string { return s.place.String() }

// Open reads an object. Reading ends with an error when nothing comes for a
// minute.
func (s *Store) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	w := watch(ctx)
	body, err := s.objects.get(w.ctx, s.place.prefix+path)
	if err != nil {
		w.stop()
		return nil, fault("read", path, w.explain(err))
	}
	w.body = body
	return w, nil
}

// Create starts an object. The context governs what [land.Staged.Write] sends.
func (s *Store) Create(ctx context.Context, path string) (land.Staged, error) {
	if !fs.ValidPath(path) {
		return nil, fault("create", path, fs.ErrInvalid)
	}
	return &staged{ctx: ctx, objects: s.objects, part: s.part, path: path, key: s.place.prefix + path}, nil
}

// List gives the paths of all objects below a directory.
func (s *Store) List(ctx context.Context, dir string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	keys, err := s.objects.list(ctx, s.place.prefix+dir+"/")
	if err != nil {
		return nil, fault("list", dir, err)
	}
	for i, key := range keys {
		keys[i] = strings.TrimPrefix(key, s.place.prefix)
	}
	slices.Sort(keys)
	return keys, nil
}

// Remove takes an object away.
func (s *Store) Remove(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	return fault("remove", path, s.objects.remove(ctx, s.place.prefix+path))
}
