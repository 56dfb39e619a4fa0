//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/fakeswitch"
)

// edit changes the rows and waits until the switch is shown to run them. Nothing else is done.
func (w *world) edit(t testing.TB, statement string, args ...any) {
	t.Helper()
	w.sql(t, statement, args...)
	start := time.Now()
	w.wait(t)
	t.Logf("%4d ms to in sync: %s", time.Since(start).Milliseconds(), statement)
}

func (w *world) wait(t testing.TB) {
	t.Helper()
	if output, err := w.program("wait", "--timeout", patience.String()); err != nil {
		t.Fatalf("wait: %v\n%s", err, output)
	}
}

// program runs a verb of the program on the world's rows.
func (w *world) program(args ...string) (string, error) {
	command := exec.Command(w.first.program, args...)
	command.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+w.first.database)
	output, err := command.CombinedOutput()
	return string(output), err
}

func numberWorksOnTheNextCall(t *testing.T, w *world) {
	const number = "+27120000001"
	w.checkGets(t, twilio, number, "404")
	w.sql(t, `INSERT INTO number (number, tenant, extension) VALUES ($1, 'vumi', 'twilio.inbound')`, number)
	w.checkReaches(t, number)
	w.sql(t, `UPDATE number SET enabled = false WHERE number = $1`, number)
	w.checkGets(t, twilio, number, "404")
}

// entryLetsIn: somebody who is let in and dials nobody's number gets 404.
func entryLetsIn(t *testing.T, w *world) {
	w.checkGets(t, twilio.from(newcomer), nobodysNumber, "403")
	w.edit(t, `INSERT INTO acl_entry (list, cidr) VALUES ('domains', $1::cidr)`, newcomer+"/32")
	w.checkGets(t, twilio.from(newcomer), nobodysNumber, "404")
}

// newGatewayCalls: this one does not take the caller's number for its From.
func newGatewayCalls(t *testing.T, w *world) {
	backup := party{ip: outsider, port: freePort(t, outsider)}
	w.edit(t, `INSERT INTO gateway (name, profile, tenant, username, password, proxy, realm)
		VALUES ('backup', 'external', 'vumi', 'account-7', 'secret "7"', $1, 'backup.example')`, backup.address())
	carrier := backup.asking("backup.example", "account-7", `secret "7"`).await(t, "carrier")
	w.fs.originate(t, "{origination_caller_id_number="+vumiNumber+"}sofia/gateway/backup/+27831234567")
	w.fs.hangUpAll(t)
	checkLeft(t, carrier.end(t), backup, "+27831234567", "<sip:account-7@")
}

// editsReachTheSwitch: each kind of edit by plain SQL, and what the switch says when it is asked then.
func editsReachTheSwitch(t *testing.T, w *world) {
	for _, edit := range []struct{ statement, ask, says string }{
		{`INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`, "acl 198.51.100.9 domains", "true"},
		{`DELETE FROM acl_entry WHERE cidr = '198.51.100.0/24'`, "acl 198.51.100.9 domains", "false"},
		{`INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('198.51.100.' || n || '/32')::cidr FROM generate_series(1, 100) n`, "acl 198.51.100.1 domains", "true"},
		{`INSERT INTO acl_entry (list, cidr) VALUES ('domains', '2001:db8::/32')`, "acl 2001:db8::1 domains", "true"},
		{`INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '2001:db8:1::/48')`, "acl 2001:db8:1::1 domains", "false"},
		{`DELETE FROM acl_entry WHERE cidr = '198.51.100.50/32'`, "acl 198.51.100.50 domains", "false"},
		{`DELETE FROM acl_entry WHERE cidr = '198.51.100.49/32'`, "acl 198.51.100.100 domains", "true"},
		{`DELETE FROM acl_entry WHERE cidr << '198.51.100.0/24'`, "acl 198.51.100.100 domains", "false"},
		{`UPDATE domain_user SET cidr = '{192.0.2.128/29}' WHERE id = '1002'`, "acl 192.0.2.129 phones", "true"},
		{`INSERT INTO gateway (name, profile, proxy) VALUES ('spare', 'external', 'a.example')`, "sofia xmlstatus gateway spare", "sip:a.example<"},
		{`UPDATE gateway SET proxy = 'b.example' WHERE name = 'spare'`, "sofia xmlstatus gateway spare", "sip:b.example<"},
		{`INSERT INTO gateway_param (gateway, name, value) VALUES ('spare', 'context', 'acme')`, "sofia xmlstatus gateway spare", "<context>acme<"},
		{`UPDATE gateway SET profile = 'internal' WHERE name = 'spare'`, "sofia xmlstatus gateway spare", "<profile>internal<"},
		{`UPDATE gateway SET profile = 'external' WHERE name = 'spare'`, "sofia xmlstatus gateway spare", "<profile>external<"},
		{`DELETE FROM gateway WHERE name = 'spare'`, "sofia xmlstatus gateway spare", "Invalid Gateway!"},
		{`INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', 'a.example' FROM generate_series(1, 200) n`, "sofia xmlstatus gateway many200", "sip:a.example<"},
		{`UPDATE gateway SET proxy = 'b.example' WHERE name LIKE 'many%'`, "sofia xmlstatus gateway many200", "sip:b.example<"},
		{`DELETE FROM gateway WHERE name LIKE 'many%'`, "sofia xmlstatus gateway many200", "Invalid Gateway!"},
		{`UPDATE node SET max_sessions = 66 WHERE name = 'e2e'`, "status", "66 session(s) max"},
		{`UPDATE node SET sessions_per_second = 28 WHERE name = 'e2e'`, "status", "out of max 28,"},
		{`UPDATE node SET max_sessions = NULL`, "status", "1000 session(s) max"},
		{`UPDATE node SET max_sessions = 77 WHERE name = '*'`, "status", "77 session(s) max"},
		{`INSERT INTO module (name) VALUES ('mod_opus')`, "module_exists mod_opus", "true"},
		{`DELETE FROM module WHERE name = 'mod_opus'`, "module_exists mod_opus", "false"},
		{`INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'hold-music', 'silence')`, "sofia xmlstatus profile external", "<hold-music>silence<"},
		{`UPDATE tenant SET enabled = false WHERE name = 'vumi'`, "sofia xmlstatus gateway twilio", "Invalid Gateway!"},
		{`UPDATE tenant SET enabled = true WHERE name = 'vumi'`, "sofia xmlstatus gateway twilio", "<state>NOREG<"},
	} {
		w.edit(t, edit.statement)
		if reply := w.fs.api(t, edit.ask); !strings.Contains(reply, edit.says) {
			t.Errorf("%s: %s: %s", edit.statement, edit.ask, reply)
		}
	}
}

// undoRestores: what the switch says is what it said before the edit, once that is undone.
func undoRestores(t *testing.T, w *world) {
	for _, edit := range []struct{ statement, ask, before, after string }{
		{`UPDATE gateway SET proxy = 'undo.example' WHERE name = 'twilio'`, "sofia xmlstatus gateway twilio", "<state>NOREG<", "sip:undo.example<"},
		{`DELETE FROM gateway WHERE name = 'twilio'`, "sofia xmlstatus gateway twilio", "<state>NOREG<", "Invalid Gateway!"},
		{`INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`, "acl 198.51.100.9 domains", "false", "true"},
		{`INSERT INTO module (name) VALUES ('mod_opus')`, "module_exists mod_opus", "false", "true"},
		{`UPDATE node SET sessions_per_second = 27 WHERE name = 'e2e'`, "status", " per Sec out of max ", "out of max 27,"},
		{`UPDATE tenant SET enabled = false WHERE name = 'vumi'`, "sofia xmlstatus gateway twilio", "<state>NOREG<", "Invalid Gateway!"},
	} {
		said := w.fs.api(t, edit.ask)
		w.edit(t, edit.statement)
		if reply := w.fs.api(t, edit.ask); !strings.Contains(reply, edit.after) {
			t.Errorf("%s: %s: %s", edit.statement, edit.ask, reply)
		}
		number := dbtest.One[string](t, w.first.database, `SELECT max(edit)::text FROM history`)
		if output, err := w.program("undo", number, "--yes", "--timeout", patience.String()); err != nil {
			t.Fatalf("undo of %s: %v\n%s", edit.statement, err, output)
		}
		if reply := w.fs.api(t, edit.ask); !strings.Contains(reply, edit.before) || strings.Contains(reply, edit.after) {
			t.Errorf("undo of %s: %s: %s\nbefore the edit: %s", edit.statement, edit.ask, reply, said)
		}
	}
}

// phonesLoseTheirRegistration: a phone whose user has a new password, or whose tenant is off, is registered no more,
// whatever another phone calls itself.
func phonesLoseTheirRegistration(t *testing.T, w *world) {
	isRegistered := func(user string) bool {
		return strings.Contains(w.fs.api(t, "sofia xmlstatus profile internal reg"), "<user>"+user+"@acme.example<")
	}
	odd := reception
	odd.agent, odd.callID = "T\xe9l\xe9phone", "a<b"
	odd.registered(t, w)
	sales.registered(t, w)
	w.edit(t, `UPDATE domain_user SET caller_id_name = 'Sales' WHERE id = '1001'`)
	if !isRegistered("1001") {
		t.Error("a new name to show ended a registration")
	}
	w.edit(t, `UPDATE domain_user SET password = 'another' WHERE id = '1001'`)
	if isRegistered("1001") {
		t.Error("registered with the former password")
	}
	w.edit(t, `UPDATE domain_user SET password = 'demo-1001' WHERE id = '1001'`)
	sales.registered(t, w)
	w.edit(t, `UPDATE tenant SET enabled = false WHERE name = 'acme'`)
	if isRegistered("1001") {
		t.Error("registered while the tenant is off")
	}
	w.edit(t, `UPDATE tenant SET enabled = true WHERE name = 'acme'`)
}

// registeringGatewayIsReplaced while a call is up through it: the call lives, and the carrier ends with one binding, that
// of the new password.
func registeringGatewayIsReplaced(t *testing.T, w *world) {
	carrier := newRegistrar(t, "first")
	w.edit(t, `INSERT INTO gateway (name, profile, proxy, realm, username, password, register)
		VALUES ('account', 'external', $1, $2, 'account', 'first', true)`, carrier.Address(), fakeswitch.RegistrarRealm)
	if binding, log, _ := carrier.Get(); binding == "" {
		t.Fatalf("no binding: %q", log)
	}
	uuid := w.fs.originate(t, "sofia/gateway/account/+27831234567")
	for n := range 3 {
		password := fmt.Sprintf("password-%d", n)
		carrier.SetPassword(password)
		w.edit(t, `UPDATE gateway SET password = $1 WHERE name = 'account'`, password)
		eventually(t, "the former gateway is gone, and with it what it may still have sent", func() error {
			if list := w.fs.api(t, "sofia status gateway"); strings.Count(list, "external::account\t") != 1 {
				return errors.New(list)
			}
			return nil
		})
		binding, log, calls := carrier.Get()
		if binding == "" || !strings.HasPrefix(log[len(log)-1], password+" ") || strings.HasSuffix(log[len(log)-1], " 0") {
			t.Errorf("binding %q after %q", binding, log)
		}
		if reply := w.fs.api(t, "uuid_exists "+uuid); reply != "true" || calls != 1 {
			t.Errorf("the call is up: %s, at the carrier: %d", reply, calls)
		}
		if reply := w.fs.api(t, "sofia xmlstatus gateway account"); !strings.Contains(reply, "<state>REGED<") {
			t.Error(reply)
		}
	}
	w.fs.hangUpAll(t)
	w.edit(t, `DELETE FROM gateway WHERE name = 'account'`)
	if binding, log, _ := carrier.Get(); binding != "" {
		t.Errorf("a removed gateway left a binding: %q", log)
	}
}

// restartIsShown: what only a restart takes is not done, and told.
func restartIsShown(t *testing.T, w *world) {
	before := w.fs.api(t, "sofia xmlstatus profile internal")
	w.edit(t, `UPDATE node SET rtp_port = '[12000,12100]' WHERE name = 'e2e'`)
	w.edit(t, `UPDATE sip_profile_param SET value = '5999' WHERE profile = 'internal' AND name = 'sip-port'`)
	w.edit(t, `UPDATE node SET event_socket_password = 'another' WHERE name = 'e2e'`)
	output, err := w.program("nodes")
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	for _, what := range []string{"post_load_switch.conf RTP ports", "profile internal: ", "event_socket.conf"} {
		if !strings.Contains(output, what) {
			t.Errorf("%s is not among\n%s", what, output)
		}
	}
	if after := w.fs.api(t, "sofia xmlstatus profile internal"); after != before {
		t.Errorf("it was done:\n%s", after)
	}
	w.edit(t, `UPDATE sip_profile_param SET value = $1 WHERE profile = 'internal' AND name = 'sip-port'`, fmt.Sprint(w.internal))
	w.edit(t, `UPDATE node SET rtp_port = NULL, event_socket_password = NULL WHERE name = 'e2e'`)
	if output, _ := w.program("nodes"); strings.Contains(output, "RTP ports") || strings.Contains(output, "profile internal") {
		t.Errorf("taken back, and still shown:\n%s", output)
	}
}

// otherServerAppliesEdits when the first is gone, also those that were made while neither ran.
func otherServerAppliesEdits(t *testing.T, w *world) {
	w.first.start(t)
	w.second.start(t)
	w.wait(t)
	w.first.stop(t)
	w.edit(t, `INSERT INTO gateway (name, profile, proxy) VALUES ('late', 'external', 'a.example')`)
	w.second.stop(t)
	w.sql(t, `UPDATE gateway SET proxy = 'b.example' WHERE name = 'late'`)
	w.first.start(t)
	w.second.start(t)
	w.wait(t)
	if reply := w.fs.api(t, "sofia xmlstatus gateway late"); !strings.Contains(reply, "sip:b.example<") {
		t.Error(reply)
	}
	w.edit(t, `DELETE FROM gateway WHERE name = 'late'`)
}

// killedServersSwitchIsTakenOver: of two servers the one that takes care of the switch is killed, and an edit arrives all the
// same, by the other.
func killedServersSwitchIsTakenOver(t *testing.T, w *world) {
	w.first.start(t)
	w.second.start(t)
	servers := map[string]*server{w.first.address(): w.first, w.second.address(): w.second}
	for range 2 {
		w.wait(t)
		former := w.inCharge(t)
		servers[former].kill()
		start := time.Now()
		w.edit(t, `INSERT INTO gateway (name, profile, proxy) VALUES ('orphan', 'external', 'a.example')`)
		t.Logf("%4d ms from the kill", time.Since(start).Milliseconds())
		if reply := w.fs.api(t, "sofia xmlstatus gateway orphan"); !strings.Contains(reply, "sip:a.example<") {
			t.Error(reply)
		}
		if now := w.inCharge(t); now == former || servers[now] == nil {
			t.Errorf("%s was killed, and %q takes care of the switch", former, now)
		}
		w.edit(t, `DELETE FROM gateway WHERE name = 'orphan'`)
		servers[former].start(t)
	}
}

// inCharge is the address of the server that takes care of the switch.
func (w *world) inCharge(t testing.TB) string {
	t.Helper()
	var server string
	if err := w.rows.QueryRow(t.Context(), `SELECT server FROM node_state WHERE node = $1`, node).Scan(&server); err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(server, " ")
	return address
}

func newRegistrar(t *testing.T, password string) *fakeswitch.Registrar {
	r, err := fakeswitch.NewRegistrar(outsider, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
