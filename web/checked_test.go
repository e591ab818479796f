package web

import (
	"strings"
	"testing"
)

// TestSnapshotListSaysWhatManifestsSay of their checks, having read each once.
func TestSnapshotListSaysWhatManifestsSay(t *testing.T) {
	s := everything(t)
	for range 3 {
		if page := s.read("/snapshots?account=acme"); !strings.Contains(page, "1 of 2 checks passed, 1 noted") {
			t.Fatalf("the list does not say what the manifest says: %s", page)
		}
	}
	if n := s.office.read.Load(); n != 1 {
		t.Errorf("a manifest is read %d times", n)
	}
	if api := s.read("/api/v1/accounts/acme/snapshots"); !strings.Contains(api, `"checks":2,"checks_passed":1`) {
		t.Errorf("the API says %s", api)
	}
}

// TestSnapshotListSaysWhatIsGone, and looks again.
func TestSnapshotListSaysWhatIsGone(t *testing.T) {
	s := everything(t)
	s.office.gone = true
	if page := s.read("/snapshots?account=acme"); !strings.Contains(page, "files missing") {
		t.Errorf("the list does not say that a manifest is gone: %s", page)
	}
	s.office.gone = false
	if page := s.read("/snapshots?account=acme"); !strings.Contains(page, "1 noted") {
		t.Errorf("the list does not see that it is back: %s", page)
	}
}
