//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestExportedTree boots a switch on an exported tree. No server runs, and none is asked.
func TestExportedTree(t *testing.T) {
	w := newRows(t)
	w.makeNasty(t)
	conf := filepath.Join(t.TempDir(), "conf")
	export := exec.CommandContext(t.Context(), w.first.program, "export", conf, "--node", node, "--secrets")
	export.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+w.first.database)
	if out, err := export.CombinedOutput(); err != nil {
		t.Fatalf("export: %v: %s", err, out)
	}
	w.fs = spawnFreeSWITCH(t, nil, conf, w.eventSocket, "", "")
	eventually(t, "FreeSWITCH is up", w.fs.isUp)
	for _, proof := range []struct {
		name  string
		prove func(*testing.T, *world)
	}{
		{"modules are loaded", modulesAreLoaded},
		{"profiles are as in the rows", profilesAreAsInTheRows},
		{"global variables are there in time", globalVariablesAreThereInTime},
		{"the gateway is as in the rows", gatewayIsAsInTheRows},
		{"access lists are as in the rows", accessListsAreAsInTheRows},
		{"limits are as in the rows", limitsAreAsInTheRows},
		{"the log leaves nothing to explain", bootLeavesNothingToExplain},
		{"a global variable arrives exactly", globalVariableArrivesExactly},
		{"a gateway variable arrives exactly", gatewayVariableArrivesExactly},
		{"no directive ran", noDirectiveRan},
		{"an allowed call is answered and spoken to", allowedCallIsSpokenTo},
		{"a number may be written in three ways", numberMayBeWrittenInThreeWays},
		{"an address outside the list is refused", addressOutsideTheListIsRefused},
		{"an unknown number gets 404", unknownNumberGets404},
		{"the other tenant's number offers its menu", otherTenantOffersItsMenu},
		{"a tenant's number is another's unknown one", tenantsAreApart},
		{"who registers and who does not", whoRegisters},
		{"a user calls another", userCallsAnother},
	} {
		t.Run(proof.name, func(t *testing.T) {
			t.Cleanup(func() { w.fs.clearUp(t) })
			proof.prove(t, w)
		})
	}
}
