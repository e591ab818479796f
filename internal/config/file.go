package config

import (
	"crypto/sha256"
	"fmt"
)

// File is a configuration file that is read again and again. It is parsed only
// when its text is another than before: that of ten thousand accounts takes a
// second. Not safe for concurrent use.
type File struct {
	Path string

	sum    [sha256.Size]byte
	parsed *Config // of the text with that sum
}

// Load is [Load] of the file. What it returns is shared with later calls: do not
// change it.
func (f *File) Load() (Config, error) {
	text, err := readText(f.Path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	sum := sha256.Sum256(text)
	if f.parsed != nil && f.sum == sum {
		return *f.parsed, nil
	}
	c, err := parseAt(f.Path, text)
	if err != nil {
		return Config{}, err
	}
	f.sum, f.parsed = sum, &c
	return c, nil
}
