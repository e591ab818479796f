package emulator

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// errCut ends a body that a scenario cuts.
var errCut = errors.New("connection cut by the scenario")

// errEnough ends a body that a scenario truncates.
var errEnough = errors.New("body truncated by the scenario")

// errStall ends a body after which a scenario sends nothing.
var errStall = errors.New("body stalled by the scenario")

// send writes an answer as far as the fault lets it.
func (v *visit) send(w http.ResponseWriter, a reply) Cut {
	f := v.fault
	v.dress(w.Header(), a)
	if f.Zip != "" {
		a = a.zipped()
	}
	if a.status == http.StatusTooManyRequests {
		v.e.noteThrottle(v, w.Header().Get("Retry-After"))
	}
	length, declared := a.declares(f)
	if declared {
		w.Header().Set("Content-Length", strconv.FormatInt(max(0, length+f.LengthOff), 10))
	}
	v.status = a.status
	w.WriteHeader(a.status)
	body := &faultyBody{w: w, r: v.r, left: -1, slow: f.Slow}
	switch {
	case f.Cut == CutBody:
		body.left, body.end = cutAt(f.CutAt, length, declared), errCut
	case f.StallAt > 0:
		body.left, body.end = f.StallAt, errStall
	case f.Truncate > 0:
		body.left, body.end = f.Truncate, errEnough
	case declared && f.LengthOff < 0:
		body.left, body.end = max(0, length+f.LengthOff), errEnough
	}
	return v.sendBody(w, a, body)
}

func (v *visit) sendBody(w http.ResponseWriter, a reply, body *faultyBody) Cut {
	var to io.Writer = body
	if v.fault.GarbleAt > 0 {
		to = &garbler{body, v.fault.GarbleAt}
	}
	err := a.writeTo(to)
	switch {
	case errors.Is(err, errStall):
		_ = http.NewResponseController(w).Flush() // what was sent must arrive
		<-v.r.Context().Done()
		return CutBody
	case v.fault.Cut == CutBody:
		_ = http.NewResponseController(w).Flush() // what was sent must arrive before the cut
		return CutBody
	case err != nil && !errors.Is(err, errEnough):
		return CutBody // the client went away
	}
	if v.fault.Trailing != "" && v.fault.LengthOff >= 0 {
		if _, err := io.WriteString(w, v.fault.Trailing); err != nil {
			return CutBody
		}
	}
	return ""
}

// cutAt is after how many bytes a body is cut: inside it where its length is
// declared, since the client counts.
func cutAt(asked, length int64, declared bool) int64 {
	at := orDefault(asked, 1000)
	if declared {
		at = min(at, max(0, length-1))
	}
	return at
}

// dress sets the headers of an answer and those that the fault adds.
func (v *visit) dress(header http.Header, a reply) {
	header.Set("Date", v.e.clock.read().org.Format(http.TimeFormat))
	for name, value := range a.header {
		header.Set(name, value)
	}
	if v.fault.RetryAfter != "" {
		header.Set("Retry-After", v.fault.RetryAfter)
	}
	if v.fault.Zip == ZipLabelled {
		header.Set("Content-Encoding", "gzip")
	}
	for name, value := range v.fault.Headers {
		header.Set(name, value)
	}
}

// noteThrottle counts a 429 and what it told the client.
func (e *Emulator) noteThrottle(v *visit, retryAfter string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts.Throttled++
	e.sendAway(v, retryAfter)
}

// declares is the length that the answer declares, if it does: a result where
// so configured, and any answer that a scenario lets lie.
func (a reply) declares(f Fault) (length int64, declared bool) {
	if f.Truncate > 0 || f.Zip != "" || !a.sized && f.LengthOff == 0 {
		return 0, false
	}
	length = int64(len(a.body) + len(f.Trailing))
	if a.stream == nil {
		return length, true
	}
	var counter countingWriter
	err := a.stream(&counter)
	return length + int64(counter), err == nil
}

func (a reply) writeTo(w io.Writer) error {
	if a.stream != nil {
		return a.stream(w)
	}
	_, err := w.Write(a.body)
	return err
}

type countingWriter int64

func (c *countingWriter) Write(p []byte) (int, error) {
	*c += countingWriter(len(p))
	return len(p), nil
}

// faultyBody passes a body on until it is cut, and slowly if so scripted.
type faultyBody struct {
	w    io.Writer
	r    *http.Request
	left int64 // bytes until end; negative: no end
	end  error
	slow int // bytes a second; 0: at once
}

func (b *faultyBody) Write(p []byte) (int, error) {
	whole := len(p)
	cut := b.left >= 0 && int64(whole) >= b.left
	if cut {
		p = p[:b.left]
	}
	n, err := b.pass(p)
	if b.left >= 0 {
		b.left -= int64(n)
	}
	if err == nil && cut {
		err = b.end
	}
	return n, err
}

// pass writes in portions of a tenth of a second.
func (b *faultyBody) pass(p []byte) (int, error) {
	if b.slow == 0 {
		return b.w.Write(p)
	}
	portion := max(1, b.slow/10)
	sent := 0
	for sent < len(p) {
		next := p[sent:min(len(p), sent+portion)]
		n, err := b.w.Write(next)
		sent += n
		if err == nil {
			err = b.rest(n)
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (b *faultyBody) rest(n int) error {
	if w, ok := b.w.(http.ResponseWriter); ok {
		_ = http.NewResponseController(w).Flush() // a writer that cannot flush is slow all the same
	}
	return wait(b.r.Context(), time.Duration(n)*time.Second/time.Duration(b.slow))
}
