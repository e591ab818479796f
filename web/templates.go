package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/web/view"
)

func loadTemplates(a assets) (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"asset": a.path, "number": view.Number, "count": view.Count, "span": view.Span, "bytes": view.Bytes, "money": view.Money, "signed": view.Signed,
		"seconds": seconds, "instant": view.Instant, "ago": ago, "clock": clock, "stamp": stamp, "tone": tone, "percent": percent,
		"short": short, "int64": func(n int) int64 { return int64(n) }, "minutes": func(d time.Duration) int { return int(d.Minutes()) },
		"spoken": func(text any) string { return strings.ReplaceAll(fmt.Sprint(text), "_", " ") },
	}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	return t, nil
}

func seconds(n float64) string { return view.Span(time.Duration(n * float64(time.Second))) }

func percent(part float64) string { return fmt.Sprintf("%.0f %%", part*100) }

// short is the beginning of an id.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:12] + "…"
}

// ago is an instant that the page's script turns into its distance from now.
// What the server writes does not change as time goes by, so that the same page
// stays the same.
func ago(t time.Time) template.HTML { return timeElement(t, "ago", view.Instant(t)) }

// clock is how long something lasts already.
func clock(t time.Time) template.HTML { return timeElement(t, "age", "since "+view.Instant(t)) }

// stamp is an instant as it is.
func stamp(t time.Time) template.HTML { return timeElement(t, "at", view.Instant(t)) }

func timeElement(t time.Time, kind, text string) template.HTML {
	if t.IsZero() {
		return `<span class="quiet">–</span>`
	}
	at := t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s UTC" data-when="%s">%s</time>`, at.Format(time.RFC3339Nano), view.Instant(at), kind, text))
}

// tone is how a state is coloured.
func tone(state any) string {
	switch weir.State(fmt.Sprint(state)) {
	case weir.Landed:
		return "good"
	case weir.Failed, weir.Rejected:
		return "bad"
	case weir.Unknown:
		return "warn"
	case weir.Running, weir.Submitting, weir.Ready:
		return "busy"
	}
	return "calm"
}
