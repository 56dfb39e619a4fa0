//go:build e2e

// Package e2e proves on a real FreeSWITCH what the other packages' tests prove on documents. It boots one on
// freeswitch-bootstrap/conf, with all else from the demo world in a private database, and calls it with SIPp. make e2e
// runs it.
package e2e

import (
	"testing"
	"time"

	"xmlcurld/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// TestFreeSWITCH boots one switch and then looks at it from all sides, in this order: what comes last takes the servers
// away.
func TestFreeSWITCH(t *testing.T) {
	w := newWorld(t, straight)
	for _, proof := range []struct {
		name  string
		prove func(*testing.T, *world)
	}{
		{"boot/modules are loaded", modulesAreLoaded},
		{"boot/profiles are as in the rows", profilesAreAsInTheRows},
		{"boot/global variables are there in time", globalVariablesAreThereInTime},
		{"boot/the gateway is as in the rows", gatewayIsAsInTheRows},
		{"boot/access lists are as in the rows", accessListsAreAsInTheRows},
		{"boot/limits are as in the rows", limitsAreAsInTheRows},
		{"boot/the log leaves nothing to explain", bootLeavesNothingToExplain},

		{"values/a global variable arrives exactly", globalVariableArrivesExactly},
		{"values/a gateway variable arrives exactly", gatewayVariableArrivesExactly},
		{"values/a channel variable arrives exactly", channelVariableArrivesExactly},
		{"values/a user's values arrive exactly", usersValuesArriveExactly},
		{"values/no directive ran", noDirectiveRan},

		{"calls/an allowed call is answered and spoken to", allowedCallIsSpokenTo},
		{"calls/a number may be written in three ways", numberMayBeWrittenInThreeWays},
		{"calls/an address outside the list is refused", addressOutsideTheListIsRefused},
		{"calls/an unknown number gets 404", unknownNumberGets404},
		{"calls/the other tenant's number offers its menu", otherTenantOffersItsMenu},
		{"calls/a tenant's number is another's unknown one", tenantsAreApart},
		{"calls/not-found follows nothing that was done", notFoundRunsAfterNothing},
		{"calls/every call gets the context's extensions", everyCallGetsItsExtensions},
		{"calls/a body takes a number's values", bodyTakesANumbersValues},
		{"calls/what check finds is so", whatCheckFindsIsSo},

		{"phones/who registers and who does not", whoRegisters},
		{"phones/a user calls another", userCallsAnother},
		{"phones/a user calls a group", userCallsAGroup},

		{"trunk/a call leaves with the right From", callLeavesWithTheRightFrom},
		{"trunk/a number forwards through the gateway", numberForwardsThroughTheGateway},

		{"edits/a number works on the next call", numberWorksOnTheNextCall},
		{"edits/an access list entry lets in", entryLetsIn},
		{"edits/a new gateway calls", newGatewayCalls},
		{"edits/each kind reaches the switch", editsReachTheSwitch},
		{"edits/an undo restores what the switch runs", undoRestores},
		{"edits/phones lose their registration", phonesLoseTheirRegistration},
		{"edits/a registering gateway is replaced under a call", registeringGatewayIsReplaced},
		{"edits/what a restart takes is shown", restartIsShown},
		{"edits/the log leaves nothing to explain", callsLeaveNothingToExplain},

		{"in sync/time zones are in force after a start", timeZonesAreInForce},
		{"in sync/a binding that waits holds nothing back", aBindingThatWaitsHoldsNothingBack},
		{"in sync/a fetch is not a take", aFetchIsNotATake},
		{"in sync/a refused gateway is pending with the reason", refusedGatewayIsPendingWithTheReason},

		{"in sync/what is foreseen is sent", whatIsForeseenIsSent},

		{"outage/the second server takes over", secondServerTakesOver},
		{"outage/without a server callers get 503", withoutServerCallersGet503},
		{"outage/a server that is back is asked again", serverThatIsBackIsAsked},
		{"outage/the other server applies edits", otherServerAppliesEdits},
		{"outage/a killed server's switch is taken over", killedServersSwitchIsTakenOver},

		{"two servers/one that is killed loses no call", killedServerLosesNoCall},
		{"two servers/one that freezes loses no call", frozenServerLosesNoCall},
		{"two servers/one that stays frozen loses no call", frozenServerStaysFrozen},
		{"two servers/one that is told to end loses no call", endedServerLosesNoCall},
	} {
		t.Run(proof.name, func(t *testing.T) {
			t.Cleanup(func() { w.fs.clearUp(t) })
			proof.prove(t, w)
		})
	}
}

// TestLostAnswers boots a switch some of whose questions get no good answer.
func TestLostAnswers(t *testing.T) {
	g := &gate{}
	w := newWorld(t, func(url string) string { return g.before(t, url) })
	for _, fault := range []string{notFound, hangUp, serverError} {
		t.Run(fault, func(t *testing.T) { noGatewayStaysKilled(t, w, g, fault) })
	}
}

// patience is how long anything that happens at once on an idle machine may take on a busy one.
const patience = 20 * time.Second

// eventually looks until what is true: look says why it is not, or nil.
func eventually(t testing.TB, what string, look func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v: %v", what, patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
