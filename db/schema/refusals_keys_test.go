package schema_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

// keysRefusals are what PostgreSQL would refuse by the name of a constraint.
var keysRefusals = []refusal{
	{"a number twice in a context", `INSERT INTO number (number, tenant, extension) VALUES ('+27123456789', 'acme', 'reception')`,
		"The number (context, number) = (public, +27123456789) is there already",
		"Change it with UPDATE number, or add ON CONFLICT to the INSERT."},
	{"a tenant twice, below a comment", "-- ours\n/* and yours */ INSERT INTO public.tenant(name) VALUES ('acme')",
		"The tenant acme is there already",
		"Change it with UPDATE tenant, or add ON CONFLICT to the INSERT."},
	{"a tenant takes another's name", `UPDATE tenant SET name = 'acme' WHERE name = 'vumi'`,
		"The tenant acme is there already",
		"Change it with UPDATE tenant, or add ON CONFLICT to the INSERT."},
	{"a context that differs in case", `INSERT INTO context (name) VALUES ('Public')`,
		"The context Public is there already",
		"FreeSWITCH does not tell upper from lower case. Choose another name."},
	{"a profile that differs in case", `INSERT INTO sip_profile (name) VALUES ('External')`,
		"The SIP profile External is there already",
		"FreeSWITCH does not tell upper from lower case. Choose another name."},
	{"a gateway that differs in case", `INSERT INTO gateway (name, profile, proxy) VALUES ('Twilio', 'internal', 'x')`,
		"The gateway Twilio is there already",
		"FreeSWITCH does not tell upper from lower case. Choose another name."},
	{"a group that differs in case", `INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'Sales')`,
		"The group (domain, name) = (acme.example, Sales) is there already",
		"FreeSWITCH does not tell upper from lower case. Choose another name."},
	{"an alias twice", `UPDATE domain_user SET number_alias = '71001' WHERE id = '1000'`,
		"The user (domain, number_alias) = (acme.example, 71001) is there already",
		"Choose another."},
	{"an entry twice", `INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '127.0.0.1/32')`,
		"The entry of the access list (list, node, cidr, domain, port) = (domains, *, 127.0.0.1/32, NULL, NULL) is there already",
		"Change it with UPDATE acl_entry, or add ON CONFLICT to the INSERT."},
	{"an entry of a domain twice", `INSERT INTO acl_entry (list, domain) VALUES ('phones', 'acme.example')`,
		"The entry of the access list (list, node, cidr, domain, port) = (phones, *, NULL, acme.example, NULL) is there already",
		"Change it with UPDATE acl_entry, or add ON CONFLICT to the INSERT."},
	{"two actions in one place", `INSERT INTO action (extension, position, application) VALUES ('reception', 1, 'answer')`,
		"The action (extension, condition, position) = (reception, NULL, 1) is there already",
		"Change it with UPDATE action, or add ON CONFLICT to the INSERT."},
	{"a document twice", `INSERT INTO document (name, body) VALUES ('ivr.conf', '<configuration name="ivr.conf"/>')`,
		"The document (section, name, node) = (configuration, ivr.conf, *) is there already",
		"Change it with UPDATE document, or add ON CONFLICT to the INSERT."},
	{"a parameter twice", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'sip-port', '5090')`,
		"The parameter of the SIP profile (profile, node, name, position) = (external, *, sip-port, 1) is there already",
		"Change it with UPDATE sip_profile_param, or add ON CONFLICT to the INSERT."},
	{"a number of nobody", `INSERT INTO number (number, tenant, extension) VALUES ('1', 'nobody', 'transfer')`,
		"There is no tenant nobody",
		"Insert it into table tenant first, or write one that is there."},
	{"a number in no context", `INSERT INTO number (context, number, tenant, extension) VALUES ('nowhere', '1', 'acme', 'reception')`,
		"There is no context nowhere",
		"Insert it into table context first, or write one that is there."},
	{"a number moved to no extension", `UPDATE number SET extension = 'nothing' WHERE number = '7000'`,
		"There is no extension nothing",
		"Insert it into table extension first, or write one that is there."},
	{"a module of no node", `INSERT INTO module (node, name) VALUES ('fs9', 'mod_lua')`,
		"There is no node fs9",
		"Insert it into table node first, or write one that is there. * means all nodes."},
	{"an entry of no list", `INSERT INTO acl_entry (list, cidr) VALUES ('nothing', '192.0.2.0/24')`,
		"There is no access list nothing",
		"Insert it into table acl_list first, or write one that is there."},
	{"an action of no condition", `INSERT INTO action (extension, condition, position, application) VALUES ('reception', 4, 1, 'answer')`,
		"There is no condition (extension, condition) = (reception, 4)",
		"Insert it into table condition first, or write one that is there."},
	{"a gateway of no user", `UPDATE gateway SET domain = 'acme.example', user_id = '1009'`,
		"There is no user (domain, user_id) = (acme.example, 1009)",
		"Insert it into table domain_user first, or write one that is there."},
	{"an extension that a number picks", `DELETE FROM extension WHERE name = 'transfer'`,
		"The extension transfer cannot be deleted: the number (context, number) = (acme, 7000) needs it",
		"Write another extension into column extension of table number first."},
	{"an extension that numbers pick", `DELETE FROM extension WHERE name = 'reception'`,
		"The extension reception cannot be deleted: the number (context, number) = (public, +27210000000) and 1 more needs it",
		"Write another extension into column extension of table number first."},
	{"a profile with gateways", `DELETE FROM sip_profile WHERE name = 'external'`,
		"The SIP profile external cannot be deleted: the gateway twilio needs it",
		"Write another SIP profile into column profile of table gateway first."},
	{"a context with users", `DELETE FROM number WHERE context = 'acme'; DELETE FROM context WHERE name = 'acme'`,
		"The context acme cannot be deleted: the domain acme.example needs it",
		"Write another context into column context of table domain first."},
	{"a parameter of no gateway", `INSERT INTO gateway_param (gateway, name, value) VALUES ('nothing', 'ping', '30')`,
		"There is no gateway nothing",
		"Insert it into table gateway first, or write one that is there."},
	{"a gateway of no profile", `UPDATE gateway SET profile = 'nothing'`,
		"There is no SIP profile nothing",
		"Insert it into table sip_profile first, or write one that is there."},
	{"a user of no domain", `INSERT INTO domain_user (domain, id, password) VALUES ('nobody.example', '1', 'x')`,
		"There is no domain nobody.example",
		"Insert it into table domain first, or write one that is there."},
	{"a user in no group", `INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('acme.example', 'nothing', '1000')`,
		"There is no group (domain, group_name) = (acme.example, nothing)",
		"Insert it into table domain_group first, or write one that is there."},
	{"a node with a gateway", `INSERT INTO node (name) VALUES ('fs1'); UPDATE gateway SET node = 'fs1'; DELETE FROM node WHERE name = 'fs1'`,
		"The node fs1 cannot be deleted: the gateway twilio needs it",
		"Write another node into column node of table gateway first."},
	{"a node with a profile", `INSERT INTO node (name) VALUES ('fs1'); UPDATE sip_profile SET node = 'fs1' WHERE name = 'internal'; DELETE FROM node WHERE name = 'fs1'`,
		"The node fs1 cannot be deleted: the SIP profile internal needs it",
		"Write another node into column node of table sip_profile first."},
	{"a context with numbers", `UPDATE domain SET context = NULL; DELETE FROM context WHERE name = 'public'`,
		"The context public cannot be deleted: the number (context, number) = (public, +27123456789) and 1 more needs it",
		"Write another context into column context of table number first."},
	{"an access list that a node names", `UPDATE node SET event_socket_acl = 'phones'; DELETE FROM acl_list WHERE name = 'phones'`,
		"The access list phones cannot be deleted: the node * needs it",
		"Write another access list into column event_socket_acl of table node first."},
	{"an extension for numbers that nobody has", `INSERT INTO extension (name) VALUES ('nobody'); UPDATE context SET not_found_extension = 'nobody' WHERE name = 'public'; DELETE FROM extension WHERE name = 'nobody'`,
		"The extension nobody cannot be deleted: the context public needs it",
		"Write another extension into column not_found_extension of table context first."},
	{"a number without an extension", `INSERT INTO number (number, tenant) VALUES ('1', 'acme')`,
		"A row of number needs a value for extension",
		"extension: the operator's extension that answers it."},
	{"a gateway loses its profile", `UPDATE gateway SET profile = NULL`,
		"A row of gateway needs a value for profile",
		"profile: The SIP profile that it belongs to."},
}

// Every key, reference and NOT NULL of a table that people write has a trigger that refuses in words, and that comes
// before PostgreSQL's own.
func TestConstraintsAreExplained(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT w.relation::regclass::text || ': ' || w.name
		FROM (
			SELECT conrelid, '0_explain_reference' FROM pg_constraint WHERE contype = 'f'
			UNION
			SELECT confrelid, '0_explain_needed' FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'a'
			UNION
			SELECT i.indrelid, 'explain_key'
			FROM pg_index i
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
			WHERE i.indisunique AND a.attidentity = ''
			UNION
			SELECT attrelid, 'explain_null' FROM pg_attribute WHERE attnum > 0 AND attnotnull
		) w (relation, name)
		JOIN pg_class c ON c.oid = w.relation
		WHERE c.relnamespace = 'public'::regnamespace
			AND c.relkind = 'r' AND NOT c.relispartition
			AND c.relname <> 'goose_db_version'
			AND coalesce(obj_description(c.oid, 'pg_class'), '') NOT LIKE 'Written by %'
			AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = w.relation AND t.tgname = w.name AND (t.tgname LIKE '0%') = (t.tgname < 'RI_' COLLATE "C"))
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range bare {
		t.Errorf("no trigger explains %s", name)
	}
}

// An INSERT that says what to do with a row that is there does it, whoever sends it.
func TestUpsertsAreNotRefused(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	for _, statement := range []string{
		`INSERT INTO tenant (name) VALUES ('acme') ON CONFLICT DO NOTHING`,
		`INSERT INTO number (number, tenant, extension) VALUES ('+27123456789', 'vumi', 'twilio.inbound')
			ON CONFLICT (context, number) DO UPDATE SET extension = excluded.extension`,
		`CREATE FUNCTION upsert() RETURNS void LANGUAGE sql AS $$ INSERT INTO tenant (name) VALUES ('acme') ON CONFLICT DO NOTHING $$; SELECT upsert()`,
		`WITH t AS (INSERT INTO tenant (name) VALUES ('beta') RETURNING name), x AS (INSERT INTO extension (name) VALUES ('betas') RETURNING name)
			INSERT INTO number (number, tenant, extension) SELECT '+27990000001', t.name, x.name FROM t, x`,
		`DELETE FROM tenant WHERE name = 'acme'`,
		`UPDATE extension SET name = 'greeting' WHERE name = 'reception'`,
		`UPDATE number SET display_name = 'Front' WHERE number = '7000'`,
		`UPDATE gateway SET name = 'Twilio'`,
		`UPDATE domain_group SET name = 'SALES'`,
	} {
		if fault := said(t, conn, statement); fault != nil {
			t.Errorf("%s: %v", statement, fault)
		}
	}
}
