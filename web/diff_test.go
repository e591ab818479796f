package web

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// diffed is a scene with a snapshot, and where its comparison stands.
func diffed(t *testing.T) (*scene, string) {
	s := newScene(t)
	s.account("acme")
	id := s.land(s.wish("acme", "net_arr", "2025_Q3"))
	return s, fmt.Sprintf("/snapshots/%d", id)
}

func TestDiffPage(t *testing.T) {
	s, at := diffed(t)
	if page := s.read(at); !strings.Contains(page, `href="`+at+`/diff/older"`) {
		t.Errorf("the snapshot's page does not lead to what changed since the earlier one:\n%s", page)
	}
	page := s.read(at + "/diff/older")
	for _, want := range []string{
		`<div id="diff-vanished"><dt>Left the forecast</dt><dd><strong>1</strong>: bob</dd>`,
		`<div id="diff-zeroed"><dt>Went to zero</dt><dd><strong>1</strong>: zoe</dd>`,
		`<div id="diff-appeared"><dt>Appeared</dt><dd><strong>1</strong>: new</dd>`,
		`<td class="num">100.10</td><td class="num">1,100.20</td><td class="num">+1,000.10</td>`,
		`<td class="num">121.10</td><td class="num">1,109.20</td><td class="num">+988.10</td>`,
		`<td class="num">7.00</td><td class="num"><span class="quiet">no row</span></td><td class="num">-7.00</td>`,
		html.EscapeString(hostile),
	} {
		// html/template writes a plus sign as a reference
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), want) {
			t.Errorf("the page lacks %s\n%s", want, page)
		}
	}
	if strings.Contains(page, hostile) {
		t.Error("a name became a script")
	}
	if strings.Index(page, "1,100.20") > strings.LastIndex(page, "no row") {
		t.Error("the largest change is not first")
	}
	if strings.Contains(page, "The largest") {
		t.Error("a page with all changes says that there are more")
	}
}

func TestDiffIsBounded(t *testing.T) {
	s, at := diffed(t)
	s.office.many = 3 * shownChanges
	page := s.read(at + "/diff/older")
	// each person appears once among the changes, at most a hundred are named above
	if n := strings.Count(page, `<th scope="row">one of many`); n != shownChanges {
		t.Errorf("%d changes are shown, want %d", n, shownChanges)
	}
	if !strings.Contains(page, fmt.Sprintf("The largest %d of %d changes", shownChanges, 3*shownChanges+5)) || !strings.Contains(page, "weir diff older newer --limit 0") {
		t.Error("the page does not say how to get all")
	}
	left, err := os.ReadDir(s.office.spool)
	s.ok(err)
	if len(left) != 0 {
		t.Errorf("the comparison left %v", left)
	}
}

func TestOneDiffForAVisitor(t *testing.T) {
	s, at := diffed(t)
	var meanwhile int
	s.office.comparing = func(context.Context) {
		s.office.comparing = nil
		meanwhile = s.ask("GET", at+"/diff/older", "").StatusCode
	}
	s.read(at + "/diff/older")
	if meanwhile != http.StatusTooManyRequests {
		t.Errorf("a second one at the same time is answered with %d", meanwhile)
	}
	s.read(at + "/diff/older") // and its place is free again
	for i := range mostComparing {
		if !s.comparing.begin(fmt.Sprint(i)) {
			t.Fatalf("there is no place for visitor %d", i)
		}
	}
	if s.comparing.begin("one more") {
		t.Error("there is a place for one more than there may be")
	}
}

func TestDiffTakesNoLongerThanAPageMayWait(t *testing.T) {
	s, at := diffed(t)
	var allowed time.Duration
	s.office.comparing = func(ctx context.Context) {
		until, bounded := ctx.Deadline()
		if !bounded {
			t.Error("a comparison may take for ever")
		}
		allowed = time.Until(until)
	}
	s.read(at + "/diff/older")
	if allowed <= 0 || allowed > diffPatience {
		t.Errorf("a comparison may take %s", allowed)
	}
}
