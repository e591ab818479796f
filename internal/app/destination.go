package app

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir/land"
)

// CheckDestination makes a destination absolute, so that a resumed landing
// finds the same place whatever the working directory is.
func CheckDestination(name string) (string, error) {
	switch {
	case name == "":
		return "", Usage("give a directory", "read --to: it is empty")
	case strings.Contains(name, "://"):
		return "", Usage("destinations are directories so far", "read --to: %s is not a directory", scheme(name))
	case strings.ContainsRune(name, 0):
		return "", Usage("", "read --to: it holds a NUL")
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("read --to: %w", err)
	}
	return path, nil
}

// scheme shows a URL without what may be secret in it.
func scheme(url string) string {
	name, _, _ := strings.Cut(url, "://")
	return name + "://.."
}

// OpenDestination opens what CheckDestination returned.
func OpenDestination(path string) (land.Destination, error) {
	return land.OpenDestination(path, string(filepath.Separator))
}
