package land

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// PruneMemory is for how long after a snapshot's instant it is remembered that
// it was pruned rather than lost. No server keeps a result so long, so that
// nothing could be downloaded again after it.
const PruneMemory = 400 * 24 * time.Hour

const (
	prunedDir = "_pruned"
	// goingEnd ends the name of the note that a snapshot is being taken away,
	// which lists its files; goneEnd that of the note that it was.
	goingEnd = ".going.json"
	goneEnd  = ".json"
)

// going says what a killed run has yet to take away.
type going struct {
	Version  int       `json:"version"`
	Manifest string    `json:"manifest"`
	PrunedAt time.Time `json:"pruned_at"`
	Files    []string  `json:"files,omitempty"`
}

// noteAt is where the note about a snapshot stands.
func noteAt(manifest, end string) string {
	place, rest, _ := cutManifest(manifest)
	return place + prunedDir + "/" + strings.TrimSuffix(rest, ".json") + end
}

// cutManifest takes a manifest's path apart: its place, "" or "<format>/", and
// what follows the directory of manifests.
func cutManifest(name string) (place, rest string, ok bool) {
	for _, place := range places() {
		if rest, ok := strings.CutPrefix(name, place+manifestsDir+"/"); ok {
			return place, rest, true
		}
	}
	return "", name, false
}

// Prune takes snapshots away for good.
//
// For each a note that lists its files appears first, then its manifest goes,
// and with it the snapshot; then its files, the raw one if no other format's
// manifest shares it; then a note that it was pruned takes the place of the
// first. Whoever prunes next goes on where a killed run left off.
func (a archive) Prune(ctx context.Context, now time.Time, doomed []Manifest, each func(Manifest) error) error {
	err := a.finish(ctx, now)
	touched := map[string]bool{}
	for _, m := range doomed {
		if err != nil {
			break
		}
		place, _, _ := cutManifest(m.Path)
		touched[place] = true
		if err = a.prune(ctx, now, m); err == nil {
			err = each(m)
		}
	}
	for place := range touched {
		if views := writeViews(ctx, a.store, place); err == nil {
			err = views
		}
	}
	return explain(ctx, a.Name(), err)
}

func (a archive) prune(ctx context.Context, now time.Time, m Manifest) error {
	g := going{Version: manifestVersion, Manifest: m.Path, PrunedAt: now.UTC(), Files: filesOf(m)}
	if err := a.write(ctx, noteAt(m.Path, goingEnd), g); err != nil {
		return err
	}
	if err := a.remove(ctx, m.Path); err != nil {
		return err
	}
	return a.sweep(ctx, g)
}

func filesOf(m Manifest) []string {
	var all []string
	for _, t := range m.Tables {
		for _, file := range t.Files {
			all = append(all, file.Path)
		}
	}
	return append(all, m.Raw.Path)
}

// owns reports whether a file is of the snapshot with this manifest. What a
// manifest names beyond that is not followed.
func owns(manifest, file string) bool {
	_, rest, ok := cutManifest(manifest)
	_, partition, _ := strings.Cut(strings.TrimSuffix(rest, ".json"), "/")
	return ok && partition != "" && (strings.Contains(file, "/"+partition+"/") || strings.Contains(file, "/"+partition+"."))
}

// sweep takes the files of a snapshot away whose manifest is gone, and notes
// that they are.
func (a archive) sweep(ctx context.Context, g going) error {
	_, rest, _ := cutManifest(g.Manifest)
	shared, err := a.stands(ctx, rest)
	if err != nil {
		return err
	}
	for _, path := range g.Files {
		if !owns(g.Manifest, path) || shared && strings.HasPrefix(path, rawDir+"/") {
			continue
		}
		if err := a.remove(ctx, path); err != nil {
			return err
		}
	}
	switch again, err := a.has(ctx, g.Manifest); {
	case err != nil:
		return err
	case again:
		return fmt.Errorf("prune %s: it landed again meanwhile: see weir verify", g.Manifest)
	}
	done := going{Version: g.Version, Manifest: g.Manifest, PrunedAt: g.PrunedAt}
	if err := a.write(ctx, noteAt(g.Manifest, goneEnd), done); err != nil {
		return err
	}
	return a.remove(ctx, noteAt(g.Manifest, goingEnd))
}

// stands reports whether the snapshot stands in any format. A manifest that
// cannot be read stands.
func (a archive) stands(ctx context.Context, rest string) (bool, error) {
	for _, place := range places() {
		there, err := a.has(ctx, place+manifestsDir+"/"+rest)
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}

func (a archive) has(ctx context.Context, path string) (bool, error) {
	file, err := a.store.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, file.Close()
}

// finish goes on with what killed runs left, and forgets what is long past.
func (a archive) finish(ctx context.Context, now time.Time) error {
	for _, place := range places() {
		names, err := a.store.List(ctx, place+prunedDir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := a.finishOne(ctx, now, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a archive) finishOne(ctx context.Context, now time.Time, name string) error {
	if !strings.HasSuffix(name, goingEnd) {
		at, known := instantIn(name)
		if known && at.Before(now.Add(-PruneMemory)) {
			return a.remove(ctx, name)
		}
		return nil
	}
	text, err := readAll(ctx, a.store, name)
	if err != nil {
		return err
	}
	var g going
	if json.Unmarshal(text, &g) != nil || noteAt(g.Manifest, goingEnd) != name {
		return nil // not ours
	}
	there, err := a.has(ctx, g.Manifest)
	if err != nil {
		return err
	}
	if there { // it came to nothing, or it landed again
		return a.remove(ctx, name)
	}
	return a.sweep(ctx, g)
}

// instantIn reads the instant in a snapshot's name.
func instantIn(name string) (time.Time, bool) {
	_, snapshot, _ := strings.Cut(name, "/snapshot=")
	text, _, _ := strings.Cut(snapshot, "-")
	at, err := time.Parse("20060102T150405Z", text)
	return at, err == nil
}

func (a archive) write(ctx context.Context, path string, g going) error {
	text, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("encode note of pruning: %w", err)
	}
	file, err := a.store.Create(ctx, path)
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, bytes.NewReader(append(text, '\n'))); err == nil {
		err = file.Publish(ctx, true)
	}
	return errors.Join(err, file.Discard())
}

// remove takes away what may be gone already.
func (a archive) remove(ctx context.Context, path string) error {
	err := a.store.Remove(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Pruned reports whether a snapshot was taken away by Prune.
func (a archive) Pruned(ctx context.Context, manifest string) (bool, error) {
	if _, _, ok := cutManifest(manifest); !ok {
		return false, nil
	}
	for _, end := range []string{goneEnd, goingEnd} {
		there, err := a.has(ctx, noteAt(manifest, end))
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}
