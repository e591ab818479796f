package bucket

// WithParts makes the parts of files so large, in bytes.
func (s *Store) WithParts(size int) *Store {
	s.part = size
	return s
}
