// Package browsertest shows weir's pages to a real browser: Chromium, headless,
// against the built program and the emulator. It holds the tests of the pages as
// people use them, and makes the screenshots of the documentation.
//
// A browser or axe-core that is missing fails the tests with what to do:
// install.sh brings both.
package browsertest
