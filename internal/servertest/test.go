package servertest

// T is what a server needs of the test that it belongs to. A *testing.T is one.
type T interface {
	Helper()
	Cleanup(func())
	Setenv(name, value string)
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}
