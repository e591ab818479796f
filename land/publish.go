package land

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/weirhq/weir"
)

// Files makes a destination of a place for files.
func Files(store Store) Destination { return files{store} }

type files struct{ store Store }

func (f files) Name() string { return f.store.Name() }

func (f files) Find(ctx context.Context, r weir.Request, format Format) ([]Manifest, error) {
	found, err := Find(ctx, f.store, r, format)
	return found, explain(ctx, f.store.Name(), err)
}

func (f files) Stands(ctx context.Context, manifest string) (bool, error) {
	stands, err := Stands(ctx, f.store, manifest)
	return stands, explain(ctx, f.store.Name(), err)
}

// errTaken says that a manifest of the snapshot appeared in the meantime.
var errTaken = errors.New("the snapshot's place was taken meanwhile")

// Land publishes the snapshot: every file is staged, then all appear, the
// manifest last. Whoever writes the manifest has published; another one finds
// it and returns it.
func (f files) Land(ctx context.Context, r *Receipt, t Target) (Manifest, error) {
	if !slices.Contains(Formats(), t.Format) {
		return Manifest{}, fmt.Errorf("publish snapshot: unknown format %q", string(t.Format))
	}
	p := &publication{store: f.store, r: r, target: t, paths: pathsOf(r.src.Request, r.Snapshot())}
	const places = 2
	for range places + 1 {
		m, err := p.attempt(ctx)
		if !errors.Is(err, errTaken) {
			return m, explain(ctx, f.store.Name(), err)
		}
	}
	return Manifest{}, explain(ctx, f.store.Name(), errTaken)
}

// publication is one snapshot on its way to a place for files.
type publication struct {
	store  Store
	r      *Receipt
	target Target
	paths  layoutPaths
	// replaced says that a file was overwritten that no manifest named then.
	replaced bool
	// mend overwrites a snapshot whose files this publication took away: see
	// contend.
	mend bool
}

func (p *publication) attempt(ctx context.Context) (Manifest, error) {
	place, there, err := p.find(ctx)
	if err != nil {
		return Manifest{}, err
	}
	if there, err = p.contend(ctx, there); err != nil {
		return Manifest{}, err
	}
	if there == nil {
		m, err := p.publish(ctx, place)
		if err != nil {
			return Manifest{}, err
		}
		there = &m
	}
	return *there, writeViews(ctx, p.store, place)
}

// find looks for the snapshot in the plain place and in the format's own, and
// says where it shall go when it is in neither.
func (p *publication) find(ctx context.Context) (place string, there *Manifest, err error) {
	own := string(p.target.Format) + "/"
	plain, err := p.read(ctx, "")
	if err != nil {
		return "", nil, err
	}
	if plain != nil && plain.Format == p.target.Format {
		return "", plain, p.compare(plain)
	}
	apart, err := p.read(ctx, own)
	if err != nil {
		return "", nil, err
	}
	switch {
	case apart != nil:
		return own, apart, p.compare(apart)
	case plain == nil && p.target.Primary:
		return "", nil, nil
	}
	return own, nil, nil
}

func (p *publication) read(ctx context.Context, place string) (*Manifest, error) {
	file, err := p.store.Open(ctx, p.paths.manifest(place))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := ReadManifest(file)
	return &m, writeError("read", p.paths.manifest(place), err)
}

// compare refuses a snapshot that is there with other content: snapshots are
// never overwritten.
func (p *publication) compare(there *Manifest) error {
	what := ""
	switch {
	case there.Result.SHA256 != p.r.result.SHA256:
		what = "other bytes from the server"
	case there.Likeness != p.r.src.Request.Likeness():
		what = "another request"
	case p.target.Format.Plain() == CSV && there.CSVSafe != p.target.CSVSafe:
		what = "another csv-safe setting"
	default:
		return nil
	}
	refusal := refuse(CheckSnapshot, "%s has landed already, of %s", there.Path, what)
	keepRejected(refusal, p.r.src, p.r.job, p.r.result.SHA256, p.r.work)
	return refusal
}

// publish stages everything, then makes it appear.
func (p *publication) publish(ctx context.Context, place string) (Manifest, error) {
	s := &stage{store: p.store}
	defer s.discard()
	m := p.manifest(place)
	raw, err := p.stageAll(ctx, s, place, &m)
	if err != nil {
		return Manifest{}, err
	}
	if m.Raw, err = p.publishRaw(ctx, raw); err != nil {
		return Manifest{}, err
	}
	for _, file := range s.parts {
		if err := p.publishPart(ctx, file, place); err != nil {
			return Manifest{}, err
		}
	}
	return m, p.publishManifest(ctx, s, m)
}

// stageAll writes the tables and, beside them, the result as it came.
func (p *publication) stageAll(ctx context.Context, s *stage, place string, m *Manifest) (raw *stagedFile, err error) {
	var beside sync.WaitGroup
	var failed error
	beside.Go(func() { raw, failed = p.stageRaw(ctx, s) })
	err = p.stageTables(ctx, s, place, m)
	beside.Wait()
	return raw, cmp.Or(err, failed)
}

func (p *publication) manifest(place string) Manifest {
	m := Manifest{
		Version: manifestVersion, Weir: p.r.src.Version, Path: p.paths.manifest(place),
		Request: p.r.src.Request.Normal(), Fingerprint: p.r.asked.Fingerprint(), Likeness: p.r.src.Request.Likeness(),
		Job: factsOf(p.r.src.Job), Snapshot: p.r.Snapshot(), SnapshotAt: p.r.at,
		Format: p.target.Format, CSVSafe: p.target.Format.Plain() == CSV && p.target.CSVSafe,
		Result: p.r.result, Checks: p.r.Checks(), Totals: []Total{},
		Unknown: map[string]map[string]int64{}, Misfits: map[string]map[string]int64{},
	}
	p.r.content.tell(&m)
	return m
}

func note(in map[string]map[string]int64, array string, t *tally) {
	if names := t.names(); names != nil {
		in[array] = names
	}
}

// stageTables writes every table to a staged file and tells the manifest.
func (p *publication) stageTables(ctx context.Context, s *stage, place string, m *Manifest) error {
	for _, t := range p.r.content.tables() {
		file, err := s.create(ctx, p.paths.part(place, t.Name, p.target.Format))
		if err != nil {
			return err
		}
		missing, err := p.encode(ctx, file, t)
		if err != nil {
			return err
		}
		if missing.total() > 0 {
			m.Dangling = missing
		}
		if want := p.r.content.rows(t); file.rows != want {
			return writeError("read back", t.Name, fmt.Errorf("%d rows of %d: %w", file.rows, want, errSpool))
		}
		s.parts = append(s.parts, file)
		m.Tables = append(m.Tables, ManifestTable{Name: t.Name, Rows: file.rows, Files: []File{file.facts()}})
	}
	m.Checks = append(append(m.Checks, p.r.content.written(m.Dangling)...), check(CheckRows, Passed, ""))
	return nil
}

func checkLookups(d Dangling) Check {
	if n := d.total(); n > 0 {
		return check(CheckLookups, Noted, "%s not found in the lookup arrays", count(n, "id"))
	}
	return check(CheckLookups, Passed, "")
}

func (p *publication) encode(ctx context.Context, file *stagedFile, t Table) (Dangling, error) {
	if c, ok := p.r.content.(spooled); ok && p.target.Format == Parquet {
		if path, joined := c.spool(t); path != "" {
			return p.encodeGroups(ctx, file, t, path, joined)
		}
	}
	e, err := newEncoder(file, t, p.target)
	if err != nil {
		return Dangling{}, err
	}
	missing, err := p.r.visit(ctx, t, func(b *batch) error {
		file.rows += int64(b.rows)
		return e.write(b)
	})
	if err != nil {
		return Dangling{}, err
	}
	return missing, e.close()
}

func (p *publication) stageRaw(ctx context.Context, s *stage) (*stagedFile, error) {
	file, err := s.create(ctx, p.paths.raw())
	if err != nil {
		return nil, err
	}
	raw, err := p.r.openRaw()
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	_, err = io.Copy(file, raw)
	return file, err
}

// publishRaw puts the result as it came beside the tables, once for all
// formats.
func (p *publication) publishRaw(ctx context.Context, file *stagedFile) (File, error) {
	err := file.to.Publish(ctx, false)
	if !errors.Is(err, fs.ErrExist) {
		return file.facts(), err
	}
	there, content, err := p.rawThere(ctx)
	if err != nil || content == p.r.result.SHA256 {
		return there, takenIfGone(err)
	}
	// A raw file without a manifest is left from a run that died.
	return file.facts(), p.replace(ctx, file, "", string(p.target.Format)+"/")
}

// publishPart makes a table's file appear. One that is there already without a
// manifest is of a run that died, or of one that does the same right now.
func (p *publication) publishPart(ctx context.Context, file *stagedFile, place string) error {
	err := file.to.Publish(ctx, p.mend)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	sum, err := hashAt(ctx, p.store, file.path)
	switch {
	case err != nil:
		return takenIfGone(err)
	case sum == file.facts().SHA256:
		return nil
	}
	return p.replace(ctx, file, place)
}

// takenIfGone is for a file that stood there a moment ago: another one that
// lands the same snapshot has taken it away.
func takenIfGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(errTaken, err)
	}
	return err
}

// replace overwrites a file that belongs to no finished snapshot.
func (p *publication) replace(ctx context.Context, file *stagedFile, places ...string) error {
	for _, place := range places {
		if m, err := p.read(ctx, place); err != nil || m != nil {
			return errors.Join(err, errTaken)
		}
	}
	p.replaced = true // whatever becomes of it
	return file.to.Publish(ctx, true)
}

// publishManifest publishes the snapshot. If another manifest took the place,
// files of this format that nobody will name are taken away.
func (p *publication) publishManifest(ctx context.Context, s *stage, m Manifest) error {
	text, err := m.encode()
	if err != nil {
		return err
	}
	file, err := s.create(ctx, m.Path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, bytes.NewReader(text)); err != nil {
		return err
	}
	err = file.to.Publish(ctx, p.mend)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if winner, err := p.read(ctx, ""); err == nil && winner != nil && winner.Format != m.Format && winner.Path == m.Path {
		for _, part := range s.parts {
			_ = p.store.Remove(ctx, part.path) // what stays is in no manifest
		}
	}
	return errTaken
}

// explain gives every error of a destination its type.
func explain(ctx context.Context, name string, err error) error {
	switch {
	case err == nil || isRefusal(err):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("publish to %s: %w", name, context.Cause(ctx))
	}
	return &WriteError{Op: "land in", Path: name, Err: err}
}

// stage holds the files of one publication that nobody sees yet.
type stage struct {
	store Store
	mu    sync.Mutex // guards all
	all   []*stagedFile
	parts []*stagedFile
}

type stagedFile struct {
	path  string
	to    Staged
	sum   hash.Hash
	bytes int64
	rows  int64
}

func (s *stage) create(ctx context.Context, path string) (*stagedFile, error) {
	to, err := s.store.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	file := &stagedFile{path: path, to: to, sum: sha256.New()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, file)
	return file, nil
}

func (s *stage) discard() {
	for _, file := range s.all {
		_ = file.to.Discard() // the next sweep removes what this leaves
	}
}

// Write hashes and counts on the way.
func (f *stagedFile) Write(p []byte) (int, error) {
	n, err := f.to.Write(p)
	f.sum.Write(p[:n])
	f.bytes += int64(n)
	return n, err
}

func (f *stagedFile) facts() File {
	return File{Path: f.path, Bytes: f.bytes, SHA256: hex.EncodeToString(f.sum.Sum(nil)), Rows: f.rows}
}
