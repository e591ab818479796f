package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to show what is waited for.
const patience = 30 * time.Second

// Browser is one that several tests look through, each in tabs of its own.
type Browser struct{ ctx context.Context }

// Tab is one tab of a browser. Whatever a page says on its
// console and wherever it sends a request is noted.
type Tab struct {
	t    testing.TB
	ctx  context.Context
	host string

	mu       sync.Mutex
	problems []string
	foreign  []string
}

// Start starts a browser that ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("find a browser: %v; run internal/browsertest/install.sh, or install Debian's package chromium", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	allocated, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocated)
	t.Cleanup(func() { stop(); stopBrowser() })
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("true")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &Browser{ctx}
}

// Open opens a tab that may speak to one host. It is closed with the test.
func (b *Browser) Open(t testing.TB, base string) *Tab {
	t.Helper()
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewContext(b.ctx)
	t.Cleanup(stop)
	tab := &Tab{t: t, ctx: ctx, host: at.Host}
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	tab.View(1280, 900, "light")
	return tab
}

// hear notes what a page should not have done.
func (b *Tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.problems = append(b.problems, fmt.Sprintf("console %s", e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		at, err := url.Parse(e.Request.URL)
		if err == nil && (at.Scheme == "http" || at.Scheme == "https") && at.Host != b.host {
			b.foreign = append(b.foreign, e.Request.URL)
		}
	}
}

// Quiet fails the test if a page complained or asked another host.
func (b *Tab) Quiet(what string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("%s: the browser complains: %s", what, p)
	}
	for _, f := range b.foreign {
		b.t.Errorf("%s: a request leaves the host: %s", what, f)
	}
	b.problems, b.foreign = nil, nil
}

// within bounds one step.
func (b *Tab) within(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v; the page says:\n%.1500s", err, b.text("body"))
	}
}

// View sets the window's size and the colour scheme, "light" or "dark".
func (b *Tab) View(width, height int64, scheme string) {
	b.t.Helper()
	b.within(chromedp.EmulateViewport(width, height))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// Go loads a page.
func (b *Tab) Go(at string) {
	b.t.Helper()
	b.within(chromedp.Navigate(at), chromedp.WaitReady(chromedp.CSS("body")))
}

// Click clicks the first element of a selector.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.within(chromedp.Click(chromedp.CSS(selector)))
}

// Type writes into an input.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	b.within(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Until waits for a JavaScript condition. A page that is just being left holds
// nothing: its answer, an error, is asked for again of the one that follows.
func (b *Tab) Until(what, condition string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !b.holds(condition) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain until %s (%s); the page says:\n%.2000s", what, condition, b.text("body"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (b *Tab) holds(condition string) bool {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
	if err != nil && ctx.Err() != nil {
		b.t.Fatalf("evaluate %.200s: %v", condition, err)
	}
	return err == nil && holds
}

// Shows waits for a text within an element.
func (b *Tab) Shows(selector, text string) {
	b.t.Helper()
	b.Until(selector+" shows "+text, fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '').includes(%q)", selector, text))
}

func (b *Tab) text(selector string) string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text)
}

// Eval evaluates an expression in the page.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %.200s: %v", expression, err)
	}
	return value
}

// Picture is a screenshot of what the window shows, as a small PNG.
func (b *Tab) Picture() []byte {
	b.t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, picture); err != nil {
		b.t.Fatal(err)
	}
	return small.Bytes()
}
