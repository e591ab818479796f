package ledger

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	// applicationID marks a SQLite file as weir's: "weir" in ASCII.
	applicationID = 0x77656972
)

// preparePlace makes the directory where it is missing and refuses unsafe ones.
func preparePlace(path string) error {
	if err := isRegular(path); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return unwritable(err)
	}
	return refuseNetwork(dir)
}

// claimFile makes sure that path is a SQLite file marked as weir's and readable
// by nobody else: it makes a new one, and leaves a foreign one as it is.
func claimFile(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return unwritable(err)
	}
	defer file.Close()
	if err := narrow(file); err != nil {
		return err
	}
	id, err := readApplicationID(file)
	switch {
	case errors.Is(err, io.EOF):
		return markFile(ctx, path)
	case err != nil:
		return err
	case id != applicationID:
		return fmt.Errorf("its application id is %#x: %w", id, ErrNotALedger)
	}
	return nil
}

// narrow takes a file from group and others, who may have it through a wide
// umask or a copy.
func narrow(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&^fileMode == 0 {
		return nil
	}
	return unwritable(file.Chmod(fileMode))
}

// readApplicationID reads a SQLite header without SQLite, which would change a
// foreign file by opening it in our journal mode. An empty file is io.EOF.
func readApplicationID(r io.Reader) (uint32, error) {
	const magic, idAt, size = "SQLite format 3\x00", 68, 100
	var header [size]byte
	n, err := io.ReadFull(r, header[:])
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return 0, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF) || err == nil && string(header[:len(magic)]) != magic:
		return 0, fmt.Errorf("it is no SQLite file: %w", ErrNotALedger)
	case err != nil:
		return 0, err
	}
	return binary.BigEndian.Uint32(header[idAt:]), nil
}

// markFile writes the application id into a new file, in SQLite's first journal
// mode: there the header reaches the file itself before anything else does.
func markFile(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", fileURI(path, url.Values{}))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return classifySQLite(errors.Join(err, db.Close()))
}

// isFull reports whether the file system takes no more, by the system's codes.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT)
}
