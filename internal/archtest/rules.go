package archtest

// Rules are what a module is held to.
type Rules struct {
	Rooms   []Room // in import order: each may import those before it
	Modules []Module
	Apart   []Apart
	Pure    []Pure
	// Constructors name the functions, as "path.Name", whose result may stand
	// in a package-level variable because nothing can change it.
	Constructors []string
	// Drawers are names that say nothing of what is inside.
	Drawers []string
}

// Room is one row of the import order: a package with everything below it, as
// far as no other row names it. Path is relative to the module, "." the root.
type Room struct {
	Path  string
	Holds string // what lives there
	// NotBuilt marks a room that is still to come: it must not exist.
	NotBuilt bool
	// Tests are the test-only packages of the room.
	Tests []string
	// TestsUse are rooms further down that its tests may import all the same.
	TestsUse []string
}

// Module is one third party and the packages, with all below them, that may
// import it.
type Module struct {
	Path     string // of the module, or of one package of it
	In       []string
	TestOnly bool // only by tests and test-only packages; an empty In is anywhere
	Why      string
}

// Apart forbids a room another one that stands before it in the order.
type Apart struct {
	Room, From string
	Why        string
}

// Pure forbids a room imports and names of packages outside the module. Its
// tests are free.
type Pure struct {
	Room    string
	Imports []string // package paths with all below them
	Names   []string // "path.Name", used in any way
	Why     string
}
