//go:build e2e

package e2e

import "testing"

// The phones of acme.example. The switch knows door's password by its a1_hash only.
var (
	reception = party{ip: phones, user: "1000", domain: "acme.example", password: "demo-1000"}
	sales     = party{ip: phones, user: "1001", domain: "acme.example", password: "demo-1001"}
	door      = party{ip: phones, user: "1002", domain: "acme.example", password: "demo-1002"}
)

// at is the phone with a port of its own.
func (p party) at(port int) party {
	p.port = port
	return p
}

func (p party) as(user, domain, password string) party {
	p.user, p.domain, p.password = user, domain, password
	return p
}

func whoRegisters(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO domain_user (domain, id, password, enabled) VALUES ('acme.example', '1009', 'demo-1009', false)`)
	for _, test := range []struct {
		name  string
		phone party
		want  string
	}{
		{"a password", reception, "200"},
		{"an a1_hash", door, "200"},
		{"another case", reception.as("1000", "ACME.example", "demo-1000"), "200"},
		{"a wrong password", reception.as("1000", "acme.example", "demo-1001"), "403"},
		{"an empty password", reception.as("1000", "acme.example", ""), "403"},
		{"a wrong password for an a1_hash", door.as("1002", "acme.example", "wrong"), "403"},
		{"an empty password for an a1_hash", door.as("1002", "acme.example", ""), "403"},
		{"an unknown user", reception.as("1008", "acme.example", "demo-1000"), "403"},
		{"an unknown domain", reception.as("1000", "vumi.example", "demo-1000"), "403"},
		{"a user who is off", reception.as("1009", "acme.example", "demo-1009"), "403"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.phone.register(t, w.internal); got != test.want {
				t.Errorf("REGISTER got %s, want %s", got, test.want)
			}
		})
	}
}

// registered is the phone on a port of its own, which the switch knows.
func (p party) registered(t testing.TB, w *world) party {
	t.Helper()
	p = p.at(freePort(t, p.ip))
	if got := p.register(t, w.internal); got != "200" {
		t.Fatalf("%s does not register: %s", p.user, got)
	}
	return p
}

func userCallsAnother(t *testing.T, w *world) {
	callee := sales.registered(t, w).await(t, "answer")
	caller := door.userCall(t, w.internal, "1001")
	w.fs.awaitBridge(t)
	w.fs.hangUpAll(t)
	callee.end(t)
	if got := caller.end(t)["status"]; got != "200" {
		t.Errorf("the caller got %s", got)
	}
}

// userCallsAGroup lets FreeSWITCH expand API calls meanwhile: group/… is one of its own.
func userCallsAGroup(t *testing.T, w *world) {
	w.edit(t, `UPDATE node SET api_expansion = true WHERE name = '*'`)
	defer w.edit(t, `UPDATE node SET api_expansion = false WHERE name = '*'`)
	w.sql(t, `INSERT INTO extension (name, tenant) VALUES ('ring.sales', 'acme')`)
	w.sql(t, `INSERT INTO action (extension, position, application, data) VALUES ('ring.sales', 1, 'bridge', 'group/sales@acme.example')`)
	w.sql(t, `INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '7100', 'acme', 'ring.sales')`)
	answers, rings := sales.registered(t, w).await(t, "answer"), reception.registered(t, w).await(t, "ring")
	caller := door.userCall(t, w.internal, "7100")
	w.fs.awaitBridge(t)
	rings.end(t)
	w.fs.hangUpAll(t)
	answers.end(t)
	if got := caller.end(t)["status"]; got != "200" {
		t.Errorf("the caller got %s", got)
	}
}
