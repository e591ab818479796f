package bucket

import (
	"context"
	"errors"
	"time"
)

const (
	// partBytes is the size of every part but the last; S3 takes none below
	// 5 MiB, and some servers want all of one size.
	partBytes = 8 << 20
	// maxParts is S3's bound.
	maxParts = 10_000
	// requestTime bounds everything but reading, repetitions included: a link that
	// carries less than 14 kB/s of a part counts as broken.
	requestTime = 10 * time.Minute
	// abortTime bounds the clearing away of an upload.
	abortTime = 30 * time.Second
)

var errTooLarge = errors.New("more than 80 GiB in one file")

// staged is an object being written. Parts leave in the order of their numbers,
// one at a time, while the next one is filled.
type staged struct {
	ctx     context.Context // of Create: Write is given none
	objects objects
	part    int // bytes
	path    string
	key     string

	filling []byte
	sent    []byte // the part before, whose memory is used again
	parts   int
	upload  upload     // nil until a part is full
	sending chan error // of the part on its way; nil when none is
	flushed bool       // the last part has been sent
	done    bool
	err     error // why nothing more can be written
}

// Write takes bytes, and waits for the network when two parts are full.
func (s *staged) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && s.err == nil {
		n := min(len(p), s.part-len(s.filling))
		s.filling = append(s.filling, p[:n]...)
		written, p = written+n, p[n:]
		if len(s.filling) == s.part {
			s.err = s.send(s.ctx, false)
		}
	}
	return written, fault("write", s.path, s.err)
}

// send gives the part that was filled to the network.
func (s *staged) send(ctx context.Context, last bool) error {
	if err := s.settle(); err != nil {
		return err
	}
	if s.upload == nil {
		begun, err := s.objects.begin(ctx, s.key)
		if err != nil {
			return err
		}
		s.upload = begun
	}
	if s.parts++; s.parts > maxParts {
		return errTooLarge
	}
	number, body, sending := s.parts, s.filling, make(chan error, 1)
	s.filling, s.sent, s.sending = s.sent[:0], body, sending
	go func() {
		ctx, cancel := context.WithTimeout(ctx, requestTime)
		defer cancel()
		sending <- s.upload.part(ctx, number, body, last)
	}()
	return nil
}

// settle waits for the part on its way.
func (s *staged) settle() error {
	if s.sending == nil {
		return nil
	}
	err := <-s.sending
	s.sending = nil
	return err
}

// Publish makes the object appear.
func (s *staged) Publish(ctx context.Context, replace bool) error {
	if s.err == nil && s.upload != nil && !s.flushed {
		s.err = s.flush(ctx)
	}
	if s.err != nil {
		return fault("publish", s.path, s.err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var err error
	if s.upload == nil {
		err = s.objects.put(ctx, s.key, s.filling, replace)
	} else {
		err = s.upload.finish(ctx, replace)
	}
	if err != nil {
		return fault("publish", s.path, err)
	}
	s.done, s.filling, s.sent = true, nil, nil
	return nil
}

func (s *staged) flush(ctx context.Context) error {
	if len(s.filling) > 0 {
		if err := s.send(ctx, true); err != nil {
			return err
		}
	}
	if err := s.settle(); err != nil {
		return err
	}
	s.flushed, s.filling, s.sent = true, nil, nil
	return nil
}

// Discard aborts what was begun, also when the context has ended.
func (s *staged) Discard() error {
	_ = s.settle() // its error, if any, has ended the writing already or does now
	if s.done || s.upload == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), abortTime)
	defer cancel()
	err := s.upload.abort(ctx)
	s.done = err == nil
	return fault("abort", s.path, err)
}
