package land

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/weirhq/weir"
)

// Source is a finished job's result and what is known of it beforehand.
type Source struct {
	Request weir.Request
	// Job is the server's last word on the job. Its id is empty for a result
	// that came without one.
	Job weir.Job
	// SnapshotAt is the instant that the result shows: the job's end, else when
	// DONE was first seen. It is cut to milliseconds.
	SnapshotAt time.Time
	// Length is how many bytes were announced, -1 when none were.
	Length int64
	// SHA256 is that of the bytes as it was announced, nil when it was not.
	SHA256 []byte
	// SpoolDir holds the bytes while they are checked and written: about a
	// third of the result's size. It is made with mode 0700, its files 0600.
	// Refused results are kept in its sibling "rejected".
	SpoolDir string
	// Version is weir's own, recorded in manifests.
	Version string

	// For tests: the parser reads all, or pieces begin with so many bytes.
	parserOnly bool
	pieceBytes int
}

// mostWorkers bounds how many goroutines read ahead or encode row groups, each
// of which holds a few MiB.
const mostWorkers = 4

// reading says how the entries are read.
func (s Source) reading() reading {
	switch {
	case s.parserOnly:
		return reading{}
	case s.pieceBytes > 0:
		return reading{workers: workers(), piece: s.pieceBytes}
	}
	return reading{workers: workers(), piece: aheadPiece, parsed: shortLookup}
}

// workers is how many goroutines share the work of one landing.
func workers() int { return min(runtime.GOMAXPROCS(0), mostWorkers) }

func (s Source) validate() error {
	if tablesOf(s.Request.Kind) == nil {
		return fmt.Errorf("receive result: %s as %s: %w", s.Request.Kind, s.Request.Normal().ExportFormat, errors.ErrUnsupported)
	}
	if s.SpoolDir == "" || s.SnapshotAt.IsZero() {
		return errors.New("receive result: no spool directory or no snapshot instant")
	}
	return s.Request.Validate()
}

// rawName is the result as it came, in the work directory.
const rawName = "raw.zst"

// Receive reads a result to its end in one pass and in bounded memory: every
// byte is hashed and kept, the document is read strictly, rows go to the spool,
// and every check is run. What comes back is verified and can be published;
// the caller closes it.
//
// The error Is [ErrTransfer] when the download was cut or came short (ask
// again), [ErrRefused] as a *[Refusal] when it arrived whole and is not what was
// asked (the bytes are kept), [ErrDestination] when the spool could not be
// written, and the context's cause when the context ended.
func Receive(ctx context.Context, body io.Reader, src Source) (*Receipt, error) {
	if err := src.validate(); err != nil {
		return nil, err
	}
	work, err := newWorkdir(src.SpoolDir)
	if err != nil {
		return nil, err
	}
	receipt, err := receive(ctx, body, src, work)
	if err != nil {
		_ = work.close() // the next sweep removes what this leaves
	}
	return receipt, err
}

func receive(ctx context.Context, body io.Reader, src Source, work *workdir) (*Receipt, error) {
	file, err := work.create(rawName)
	if err != nil {
		return nil, err
	}
	in, err := newIntake(ctx, body, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	var checks []Check
	result, err := readContent(in, work, src)
	if err = settle(in, src, err); err == nil {
		checks, err = result.verify(src, in.bytes)
	}
	if finished := in.finish(); err == nil {
		err = finished
	}
	if err == nil {
		return newReceipt(src, in, result, checks, work), nil
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		keepRejected(refusal, src, jobName(src, in), in.sha256(), work)
	}
	return nil, err
}

func jobName(src Source, in *intake) string {
	if src.Job.ID != "" {
		return src.Job.ID
	}
	return "now-" + in.sha256()[:8]
}

// settle decides what an ended reading means: nil for a whole document of the
// right form, else why not.
func settle(in *intake, src Source, err error) error {
	if errors.Is(err, ErrDestination) {
		return err
	}
	if drained := in.drain(); drained != nil {
		return drained // nothing is refused that did not arrive whole
	}
	if src.Length >= 0 && in.bytes != src.Length {
		return transferError(fmt.Sprintf("%d bytes came, %d were announced", in.bytes, src.Length), nil)
	}
	if src.SHA256 != nil && hex.EncodeToString(src.SHA256) != in.sha256() {
		return transferError("other bytes came than the announced SHA-256 is of", nil)
	}
	if err == nil {
		return nil
	}
	return judge(in, src, err)
}

func isRefusal(err error) bool { return errors.Is(err, ErrRefused) }

// judge names what is wrong with bytes that are no document of the right form.
func judge(in *intake, src Source, err error) error {
	switch {
	case isRefusal(err) || errors.Is(err, ErrDestination):
		return err
	case errors.Is(err, errTooLong):
		return refuse(CheckSize, "one value is longer than %d MiB", maxValue>>20)
	case in.bytes == 0:
		return refuse(CheckDocument, "the result is empty")
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		if src.Length < 0 {
			return transferError("the document ends in the middle, after "+count(in.bytes, "byte"), nil)
		}
		return refuse(CheckDocument, "the document ends in the middle, after %s as announced", count(in.bytes, "byte"))
	}
	return refuse(CheckDocument, "%s", describe(in.head, err, formOf(src.Request)))
}
