//go:build e2e

package e2e

import "testing"

func numberWorksOnTheNextCall(t *testing.T, w *world) {
	const number = "+27120000001"
	w.checkGets(t, twilio, number, "404")
	w.sql(t, `INSERT INTO number (number, tenant, extension) VALUES ($1, 'vumi', 'twilio.inbound')`, number)
	w.checkReaches(t, number)
	w.sql(t, `UPDATE number SET enabled = false WHERE number = $1`, number)
	w.checkGets(t, twilio, number, "404")
}

// entryAfterReloadacl: somebody who is let in and dials nobody's number gets 404.
func entryAfterReloadacl(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO acl_entry (list, cidr) VALUES ('domains', $1::cidr)`, newcomer+"/32")
	w.checkGets(t, twilio.from(newcomer), nobodysNumber, "403")
	w.fs.api(t, "reloadacl")
	w.fs.awaitReply(t, "acl "+newcomer+" domains", "true")
	w.checkGets(t, twilio.from(newcomer), nobodysNumber, "404")
}

// gatewayAfterRescan: this one does not take the caller's number for its From.
func gatewayAfterRescan(t *testing.T, w *world) {
	backup := party{ip: outsider, port: freePort(t, outsider)}
	w.sql(t, `INSERT INTO gateway (name, profile, tenant, username, password, proxy, realm)
		VALUES ('backup', 'external', 'vumi', 'account-7', 'secret "7"', $1, 'backup.example')`, backup.address())
	w.fs.api(t, "sofia profile external rescan")
	w.fs.awaitReply(t, "sofia xmlstatus gateway backup", "<name>backup</name>")
	carrier := backup.asking("backup.example", "account-7", `secret "7"`).await(t, "carrier")
	w.fs.originate(t, "{origination_caller_id_number="+vumiNumber+"}sofia/gateway/backup/+27831234567")
	w.fs.hangUpAll(t)
	checkLeft(t, carrier.end(t), backup, "+27831234567", "<sip:account-7@")
}
