package bucket

// WithParts makes the parts of files so large, in bytes.
func (s *Store) WithParts(size int) *Store {
	s.part = size
	return s
}

// PartBytes and Tries are what the page about destinations says.
const (
	PartBytes = partBytes
	Tries     = tries
)

// Params are the parameters of a scheme's URLs.
func Params(scheme string) []string { return knownParams(scheme) }
