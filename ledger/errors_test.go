package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestSystemErrorsThatForbidWriting(t *testing.T) {
	for _, err := range []error{
		&os.PathError{Op: "open", Path: "weir.db", Err: syscall.EACCES},
		&os.PathError{Op: "mkdir", Path: "/", Err: syscall.EPERM},
		&os.PathError{Op: "open", Path: "weir.db", Err: syscall.EROFS},
		fmt.Errorf("write: %w", syscall.ENOSPC),
		syscall.EDQUOT,
	} {
		if got := classifySQLite(err); !errors.Is(got, ErrUnwritable) || !errors.Is(got, err) {
			t.Errorf("%v is classified %v", err, got)
		}
	}
	if got := classifySQLite(io.ErrUnexpectedEOF); got != io.ErrUnexpectedEOF {
		t.Errorf("another error is classified %v", got)
	}
	if got := classifySQLite(nil); got != nil {
		t.Errorf("no error is classified %v", got)
	}
}
