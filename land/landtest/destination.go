package landtest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// Place is one empty place that the suite lands in and looks into.
type Place interface {
	// Open opens the place, as often as it is called.
	Open(t *testing.T) land.Destination
	// OpenFailing opens it so that from the step numbered n (from 1) everything
	// fails that is asked of it, for good; fired reports whether it came to that.
	OpenFailing(t *testing.T, n int) (d land.Destination, fired func() bool)
	// Look gives the manifests of all snapshots, and fails the test when one of
	// them is not whole.
	Look(t *testing.T) []land.Manifest
}

// Run runs the contract. open gives each test a place of its own, gone one
// whose server or directory cannot be reached.
func Run(t *testing.T, open func(t *testing.T) Place, gone func(t *testing.T) land.Destination) {
	for name, test := range map[string]func(*testing.T, Place){
		"lands once":                landsOnce,
		"keeps every snapshot":      kept,
		"never overwrites":          overwrite,
		"formats":                   formats,
		"two at once":               together,
		"hostile ids":               hostile,
		"cancelled":                 cancelled,
		"found by request":          found,
		"every kind":                everyKind,
		"finds nothing where empty": empty,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("never half", func(t *testing.T) { half(t, open) })
	t.Run("unreachable", func(t *testing.T) { unreachable(t, gone(t)) })
}

func plain() land.Target { return land.Target{Format: land.JSONL, Primary: true} }

// same compares manifests as they are written.
func same(a, b land.Manifest) bool {
	one, err := json.Marshal(a)
	other, also := json.Marshal(b)
	return err == nil && also == nil && string(one) == string(other)
}

func mustLand(t *testing.T, d land.Destination, r *land.Receipt, target land.Target) land.Manifest {
	t.Helper()
	m, err := r.Publish(t.Context(), d, target)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func landsOnce(t *testing.T, p Place) {
	r := Receive(t, Result(), nil)
	first := mustLand(t, p.Open(t), r, plain())
	if first.Rows() != Rows || len(first.Tables) != len(land.ForecastTables()) {
		t.Errorf("manifest of %d rows in %d tables", first.Rows(), len(first.Tables))
	}
	again := mustLand(t, p.Open(t), Receive(t, Result(), nil), plain())
	all := p.Look(t)
	if len(all) != 1 || !same(all[0], first) || !same(again, first) {
		t.Errorf("first\n%+v\nagain\n%+v\nthere\n%+v", first, again, all)
	}
}

func kept(t *testing.T, p Place) {
	d := p.Open(t)
	mustLand(t, d, Receive(t, Result(), nil), plain())
	mustLand(t, d, Receive(t, Result(), later), plain())
	if all := p.Look(t); len(all) != 2 {
		t.Errorf("%d snapshots", len(all))
	}
}

func later(s *land.Source) {
	s.Job.ID = "6073683781a6da229df71e01"
	s.SnapshotAt = s.SnapshotAt.AddDate(0, 0, 1)
}

func overwrite(t *testing.T, p Place) {
	d := p.Open(t)
	first := mustLand(t, d, Receive(t, Result(), nil), plain())
	_, err := Receive(t, Result()+" ", nil).Publish(t.Context(), d, plain())
	var refused *land.Refusal
	if !errors.As(err, &refused) || refused.Check != land.CheckSnapshot || refused.Kept == "" {
		t.Errorf("another content landed in its place: %v", err)
	}
	if all := p.Look(t); len(all) != 1 || !same(all[0], first) {
		t.Errorf("there is %+v", all)
	}
}

// formats land beside each other; a database has one form for all.
func formats(t *testing.T, p Place) {
	d, r := p.Open(t), Receive(t, Result(), nil)
	paths := map[string]bool{}
	for i, f := range land.Formats() {
		m := mustLand(t, d, r, land.Target{Format: f, Primary: i == 0})
		paths[m.Path] = true
		found, err := d.Find(t.Context(), r.Request(), f)
		if err != nil || len(found) != 1 || found[0].Path != m.Path {
			t.Errorf("%s: found %+v, %v", f, found, err)
		}
	}
	if all := p.Look(t); len(all) != len(paths) {
		t.Errorf("%d snapshots under %v", len(all), paths)
	}
}

func together(t *testing.T, p Place) {
	const landings = 3
	var wait sync.WaitGroup
	manifests := make([]land.Manifest, landings)
	for i := range landings {
		d, r := p.Open(t), Receive(t, Result(), nil)
		wait.Go(func() {
			var err error
			if manifests[i], err = r.Publish(context.Background(), d, plain()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all := p.Look(t)
	if len(all) != 1 {
		t.Fatalf("%d snapshots", len(all))
	}
	for _, m := range manifests {
		if !same(m, all[0]) {
			t.Errorf("one was told\n%+v\nthere is\n%+v", m, all[0])
		}
	}
}

// half breaks a landing at each of its steps in turn. What is there after it is
// a whole snapshot or none, and landing again completes it.
func half(t *testing.T, open func(t *testing.T) Place) {
	const most = 500
	r := Receive(t, Result(), nil)
	steps, none := 0, 0
	for n := 1; n <= most; n++ {
		p := open(t)
		d, fired := p.OpenFailing(t, n)
		_, err := r.Publish(t.Context(), d, plain())
		if !fired() {
			break
		}
		steps = n
		if err != nil && !errors.Is(err, land.ErrDestination) {
			t.Errorf("step %d: %v is no ErrDestination", n, err)
		}
		before := len(p.Look(t))
		if before == 0 {
			none++
		}
		mustLand(t, p.Open(t), r, plain())
		if all := p.Look(t); len(all) != 1 {
			t.Errorf("step %d: %d snapshots before landing again, %d after", n, before, len(all))
		}
	}
	if steps < 5 || steps == most || none < steps/2 {
		t.Errorf("%d steps failed, after %d of them nothing was there", steps, none)
	}
}

func hostile(t *testing.T, p Place) {
	d := p.Open(t)
	change := func(s *land.Source) { s.Request.ForecastID = HostileID }
	m := mustLand(t, d, Receive(t, Result(), change), plain())
	other := mustLand(t, d, Receive(t, Result(), nil), plain())
	if all := p.Look(t); len(all) != 2 || m.Path == other.Path {
		t.Errorf("%d snapshots, %s and %s", len(all), m.Path, other.Path)
	}
	if stands, err := d.Stands(t.Context(), m.Path); err != nil || !stands {
		t.Errorf("it stands: %t, %v", stands, err)
	}
}

func cancelled(t *testing.T, p Place) {
	why := errors.New("the deadline of the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := Receive(t, Result(), nil).Publish(ctx, p.Open(t), plain())
	if !errors.Is(err, why) || errors.Is(err, land.ErrDestination) {
		t.Errorf("cancelled: %v", err)
	}
	if all := p.Look(t); len(all) != 0 {
		t.Errorf("%d snapshots", len(all))
	}
}

func found(t *testing.T, p Place) {
	d := p.Open(t)
	mustLand(t, d, Receive(t, Result(), nil), plain())
	newest := mustLand(t, d, Receive(t, Result(), later), plain())
	mustLand(t, d, Receive(t, Result(), func(s *land.Source) { s.Request.ForecastID = "other" }), plain())
	r := Receive(t, Result(), nil)
	all, err := d.Find(t.Context(), r.Request(), land.JSONL)
	if err != nil || len(all) != 2 || all[0].Path != newest.Path {
		t.Errorf("found %+v, %v", all, err)
	}
	none, err := d.Find(t.Context(), weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2025_Q1"}, land.JSONL)
	if err != nil || len(none) != 0 {
		t.Errorf("of another period: %+v, %v", none, err)
	}
}

// everyKind lands what is no forecast, beside a forecast.
func everyKind(t *testing.T, p Place) {
	d := p.Open(t)
	mustLand(t, d, Receive(t, Result(), nil), plain())
	for kind, text := range map[weir.Kind]string{weir.Activity: Activities(), weir.Audit: AuditEvents()} {
		r := Receive(t, text, func(s *land.Source) {
			s.Request = weir.Request{Kind: kind, Since: "2026-11-01", Until: "2026-11-07"}
		})
		m := mustLand(t, d, r, plain())
		again := mustLand(t, p.Open(t), r, plain())
		found, err := d.Find(t.Context(), r.Request(), land.JSONL)
		if err != nil || len(found) != 1 || !same(found[0], m) || !same(again, m) || m.Rows() != 2 {
			t.Errorf("%s: landed %+v, found %+v, %v", kind, m, found, err)
		}
	}
	if all := p.Look(t); len(all) != 3 {
		t.Errorf("%d snapshots", len(all))
	}
}

func empty(t *testing.T, p Place) {
	d := p.Open(t)
	all, err := d.Find(t.Context(), Receive(t, Result(), nil).Request(), land.JSONL)
	if err != nil || len(all) != 0 {
		t.Errorf("found %+v, %v", all, err)
	}
	stands, err := d.Stands(t.Context(), "_manifests/forecast/none.json")
	if err != nil || stands {
		t.Errorf("none stands: %t, %v", stands, err)
	}
}

func unreachable(t *testing.T, d land.Destination) {
	_, err := Receive(t, Result(), nil).Publish(t.Context(), d, plain())
	if !errors.Is(err, land.ErrDestination) {
		t.Errorf("landing: %v is no ErrDestination", err)
	}
}
