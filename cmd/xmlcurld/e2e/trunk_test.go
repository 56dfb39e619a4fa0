//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

func callLeavesWithTheRightFrom(t *testing.T, w *world) {
	carrier := w.trunk.asking("sip.twilio.com", "change-me", "change-me").await(t, "carrier")
	w.fs.originate(t, "{origination_caller_id_number="+vumiNumber+"}sofia/gateway/twilio/+27831234567")
	w.fs.hangUpAll(t)
	checkLeft(t, carrier.end(t), w.trunk, "+27831234567", "<sip:"+vumiNumber+"@")
}

// asking is the carrier that wants to see an account.
func (p party) asking(realm, account, password string) party {
	p.realm, p.user, p.password = realm, account, password
	return p
}

// checkLeft compares a call as it reached a carrier with what it should be.
func checkLeft(t testing.TB, logged map[string]string, to party, number, from string) {
	t.Helper()
	if want := fmt.Sprintf("sip:%s@%s", number, to.address()); logged["invite"] != want {
		t.Errorf("the call went to %s, want %s", logged["invite"], want)
	}
	if !strings.Contains(logged["from"], from) {
		t.Errorf("the call came from %s, want %s", logged["from"], from)
	}
	if logged["digest"] != "true" {
		t.Errorf("the account and password are wrong: %s", logged["digest"])
	}
}

// numberForwardsThroughTheGateway: the tenant's own values fill in the operator's extension.
func numberForwardsThroughTheGateway(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO number (number, tenant, extension, forward_number, display_name)
		VALUES ('+27110000000', 'vumi', 'forward', '+27830000000', 'Vumi Desk')`)
	carrier := w.trunk.asking("sip.twilio.com", "change-me", "change-me").await(t, "carrier")
	caller := twilio.call(t, w.external, "+27110000000")
	w.fs.awaitBridge(t)
	w.fs.hangUpAll(t)
	checkLeft(t, carrier.end(t), w.trunk, "+27830000000", `"Vumi Desk" <sip:`+twilio.user+"@")
	if got := caller.end(t)["status"]; got != "200" {
		t.Errorf("the caller got %s", got)
	}
}
