package rule

import (
	"strconv"

	"github.com/weirhq/weir"
)

// OwnOrganisation is the id of the organisation that an account is as long as
// the server has not named one.
func OwnOrganisation(account string) string { return "account " + account }

// OrganisationOf is the id of one that the server named: servers at different
// addresses count limits of their own.
func OrganisationOf(baseURL, orgID string) string {
	return "organisation " + strconv.Quote(orgID) + " at " + baseURL
}

// TakesSlot reports whether a move makes an export hold a slot.
func TakesSlot(t weir.Transition) bool { return t.To.HoldsSlot() && !t.From.HoldsSlot() }

// JoinOrganisation is an organisation's budget and count of readings once an
// account that was one of its own belongs to it. Both counted their readings
// apart: from now on every number is above all of either, and what was read
// before is not trusted, because it was read without knowing of the other's
// jobs. The first account brings what it has.
func JoinOrganisation(of weir.Budget, readings int64, own weir.Budget, ownReadings int64) (weir.Budget, int64) {
	if readings == 0 {
		return own, ownReadings
	}
	readings = max(readings, ownReadings) + 1
	joined := weir.Budget{Reading: readings, Refusals: of.Refusals, HoldUntil: of.HoldUntil, HoldWhy: of.HoldWhy}
	if !of.Known() {
		joined = of
		joined.Reading = readings
	}
	return joined, readings
}
