package schema_test

import (
	"testing"

	"xmlcurld/db/dbtest"
)

// Rules that ignore case do so by ASCII: with the names of refusals() and with these.
func TestRefusalsInTurkish(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.TurkishURL(t))
	cases := append(refusals(),
		refusal{name: "column of the event socket", statement: `INSERT INTO event_socket_param (name, value) VALUES ('LISTEN-IP', '::')`,
			message: "LISTEN-IP has its own column"},
		refusal{name: "column of a domain", statement: `INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'DIAL-STRING', 'x')`,
			message: "DIAL-STRING cannot be a parameter here"},
		refusal{name: "parameter in upper case", statement: `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'SIP-IP', 'x')`,
			message: "SIP-IP is not in lower case"},
		refusal{name: "context", statement: `INSERT INTO context (name) VALUES ('PUBLIC')`, message: "The context PUBLIC is there already"},
		refusal{name: "gateway", statement: `INSERT INTO gateway (name, profile, proxy) VALUES ('TWILIO', 'external', 'x')`,
			message: "The gateway TWILIO is there already"},
		refusal{name: "profile", statement: `INSERT INTO sip_profile (name) VALUES ('INTERNAL')`, message: "The SIP profile INTERNAL is there already"},
		refusal{name: "group", statement: `INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'IN'), ('acme.example', 'in')`,
			message: "The group (domain, name) = (acme.example, in) is there already"},
		refusal{name: "alias of a profile", statement: `INSERT INTO sip_profile_alias (profile, name) VALUES ('external', 'in'); INSERT INTO gateway (name, profile, proxy) VALUES ('IN', 'external', 'x')`,
			message: "IN is the name of an alias of SIP profile external already"},
		refusal{name: "context of another tenant", statement: `INSERT INTO context (name, tenant) VALUES ('Vumi.In', 'vumi'); INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'VUMI.IN')`,
			message: "Context VUMI.IN is another tenant's, so user 1000@acme.example cannot call in it"},
		refusal{name: "directive in a document", statement: `INSERT INTO document (name, body) VALUES ('menu.conf', '<configuration name="menu.conf"><INCLUDE /></configuration>')`,
			message: "menu.conf holds what FreeSWITCH's pre-processor would act on"},
		refusal{name: "directive in a body", statement: `INSERT INTO extension (name, body) VALUES ('x', '<condition><INCLUDE /></condition>')`,
			message: "The body of extension x holds what FreeSWITCH's pre-processor would act on"},
		refusal{name: "document of the bootstrap", statement: `INSERT INTO document (name, body) VALUES ('SWITCH.conf', '<configuration name="SWITCH.conf"/>')`,
			message: "FreeSWITCH reads SWITCH.conf before it asks this server"},
	)
	for _, tc := range cases {
		fault := said(t, conn, tc.statement)
		if fault == nil || fault.Message != tc.message {
			t.Errorf("%s: %s: got %v, want %s", tc.name, tc.statement, fault, tc.message)
		}
	}
	for _, statement := range []string{
		`UPDATE condition SET wday = 'FRI', field = NULL, expression = NULL`,
		`UPDATE domain_user SET caller_id_name = 'İnönü Işık' WHERE id = '1000'`,
		`UPDATE number SET display_name = 'İnönü Işık'`,
	} {
		if fault := said(t, conn, statement); fault != nil {
			t.Errorf("%s: %v", statement, fault)
		}
	}
}
