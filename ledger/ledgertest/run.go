package ledgertest

import (
	"testing"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Harness is one empty ledger and its clock.
type Harness struct {
	Ledger ledger.Ledger
	// Advance passes time on the store's clock.
	Advance func(time.Duration)
}

// Run runs the suite; open returns an empty ledger for each case and closes it
// with the case's end.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) { c.run(start(t, open(t))) })
	}
}

type testCase struct {
	name string
	run  func(*fixture)
}

// cases is the whole suite, by interface.
func cases() []testCase {
	var all []testCase
	for _, part := range [][]testCase{
		accountCases(), organisationCases(), leaseCases(), fenceCases(), moveCases(), amendCases(), wishCases(),
		deliveryCases(), landingCases(), jobCases(), listingCases(), recordCases(), raceCases(), scheduleCases(), cursorCases(), newsCases(), pastCases(),
		fleetCases(), pruneCases(),
	} {
		all = append(all, part...)
	}
	return all
}
