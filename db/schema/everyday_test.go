package schema_test

import (
	"fmt"
	"testing"

	"xmlcurld/db/dbtest"
)

// What operators do every day is one statement, and holds: each query then returns true.
func TestEverydayEdits(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	for _, tc := range []struct{ name, statement, holds string }{
		{"give a tenant a number", `INSERT INTO number (number, tenant, extension) VALUES ('+27123450000', 'vumi', 'twilio.inbound')`,
			`SELECT context = 'public' AND enabled FROM number WHERE number = '+27123450000'`},
		{"give it one that is filled in", `INSERT INTO number (number, tenant, extension, forward_number, display_name) VALUES ('+27123450000', 'acme', 'forward', '+27821234567', 'Acme')`, `SELECT true`},
		{"move a number to another tenant", `UPDATE number SET tenant = 'acme', extension = 'reception' WHERE number = '+27123456789'`, `SELECT tenant = 'acme' FROM number WHERE number = '+27123456789'`},
		{"move a number to another context", `UPDATE number SET context = 'acme' WHERE number = '+27210000000'`, `SELECT context = 'acme' FROM number WHERE number = '+27210000000'`},
		{"take a number off", `UPDATE number SET enabled = false WHERE number = '+27123456789'`, `SELECT NOT enabled FROM number WHERE number = '+27123456789'`},
		{"add a carrier's network", `INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`, `SELECT action = 'allow' FROM acl_entry WHERE cidr = '198.51.100.0/24'`},
		{"change a gateway's password", `UPDATE gateway SET password = 'new' WHERE name = 'twilio'`, `SELECT password = 'new' FROM gateway`},
		{"add a gateway", `INSERT INTO gateway (name, profile, proxy) VALUES ('carrier', 'external', 'sip.carrier.example:5080')`, `SELECT NOT register FROM gateway WHERE name = 'carrier'`},
		{"widen the RTP range of one node", `INSERT INTO node (name, rtp_port) VALUES ('fs1', '[16384,32768]') ON CONFLICT (name) DO UPDATE SET rtp_port = excluded.rtp_port`,
			`SELECT upper(rtp_port) = 32769 FROM node WHERE name = 'fs1'`},
		{"widen the RTP range of all", `UPDATE node SET rtp_port = '[10000,20000]' WHERE name = '*'`, `SELECT lower(rtp_port) = 10000 FROM node`},
		{"add a user", `INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1003', 'secret')`, `SELECT enabled FROM domain_user WHERE id = '1003'`},
		{"change a user's password", `UPDATE domain_user SET password = 'new' WHERE domain = 'acme.example' AND id = '1000'`, `SELECT password = 'new' FROM domain_user WHERE id = '1000'`},
		{"password to a1_hash", `UPDATE domain_user SET password = NULL, a1_hash = md5('1000:acme.example:new') WHERE id = '1000'`, `SELECT password IS NULL FROM domain_user WHERE id = '1000'`},
		{"swap two aliases", `UPDATE domain_user SET number_alias = CASE id WHEN '1000' THEN '81001' ELSE '81000' END WHERE id IN ('1000', '1001')`, `SELECT number_alias = '81001' FROM domain_user WHERE id = '1000'`},
		{"leave a domain without a dial string", `UPDATE domain SET dial_string = NULL`, `SELECT dial_string IS NULL FROM domain`},
		{"switch a tenant off", `UPDATE tenant SET enabled = false WHERE name = 'acme'`, `SELECT NOT enabled FROM tenant WHERE name = 'acme'`},
		{"leave a module out on one node", `INSERT INTO node (name) VALUES ('fs1'); INSERT INTO module (node, name, enabled) VALUES ('fs1', 'mod_flite', false)`, `SELECT true`},

		{"rename a tenant", `UPDATE tenant SET name = 'apex' WHERE name = 'acme'`,
			`SELECT (SELECT count(*) FROM number WHERE tenant = 'apex') = 3 AND (SELECT tenant = 'apex' FROM context WHERE name = 'acme') AND (SELECT tenant = 'apex' FROM domain)
				AND (SELECT tenant = 'apex' FROM extension WHERE name = 'reception') AND (SELECT tenant = 'apex' FROM acl_entry WHERE list = 'phones')`},
		{"rename an extension", `UPDATE extension SET name = 'desk' WHERE name = 'reception'`,
			`SELECT (SELECT count(*) FROM number WHERE extension = 'desk') = 2 AND (SELECT count(*) FROM action WHERE extension = 'desk') = 3`},
		{"rename an extension of a context", `UPDATE extension SET name = 'phones' WHERE name = 'local.user'`,
			`SELECT EXISTS (SELECT FROM context_extension WHERE extension = 'phones') AND EXISTS (SELECT FROM condition WHERE extension = 'phones') AND EXISTS (SELECT FROM action WHERE extension = 'phones' AND condition = 1)`},
		{"rename a context", `UPDATE context SET name = 'apex' WHERE name = 'acme'`,
			`SELECT (SELECT count(*) FROM number WHERE context = 'apex') = 2 AND (SELECT context = 'apex' FROM domain) AND EXISTS (SELECT FROM context_extension WHERE context = 'apex')`},
		{"rename a shared context", `UPDATE context SET name = 'carriers' WHERE name = 'public'`, `SELECT count(*) = 2 FROM number WHERE context = 'carriers'`},
		{"rename a profile", `UPDATE sip_profile SET name = 'trunks' WHERE name = 'external'`,
			`SELECT (SELECT profile = 'trunks' FROM gateway) AND EXISTS (SELECT FROM sip_profile_param WHERE profile = 'trunks')`},
		{"rename a node", `INSERT INTO node (name) VALUES ('fs1'); INSERT INTO switch_param (node, name, value) VALUES ('fs1', 'min-idle-cpu', '1'); UPDATE node SET name = 'fs2' WHERE name = 'fs1'`,
			`SELECT node = 'fs2' FROM switch_param`},
		{"let the local network into the event socket", `UPDATE node SET event_socket_acl = 'localnet.auto' WHERE name = '*'`, `SELECT true`},
		{"let in who is on all of several lists", `UPDATE node SET event_socket_acl = 'domains rfc1918.auto 10.0.0.0/8,192.168.0.0/16'; UPDATE acl_list SET name = 'carriers' WHERE name = 'domains'`,
			`SELECT event_socket_acl = 'carriers rfc1918.auto 10.0.0.0/8,192.168.0.0/16' FROM node`},
		{"rename a list", `UPDATE node SET event_socket_acl = 'domains'; UPDATE acl_list SET name = 'carriers' WHERE name = 'domains'`,
			`SELECT (SELECT event_socket_acl = 'carriers' FROM node) AND (SELECT count(*) FROM acl_entry WHERE list = 'carriers') = 9`},
		{"rename a gateway", `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'ping', '30'); UPDATE gateway SET name = 'carrier'`, `SELECT gateway = 'carrier' FROM gateway_param`},
		{"rename a domain", `UPDATE domain SET name = 'apex.example'`,
			`SELECT (SELECT count(*) FROM domain_user WHERE domain = 'apex.example') = 3 AND (SELECT count(*) FROM domain_group_user WHERE domain = 'apex.example') = 2
				AND EXISTS (SELECT FROM acl_entry WHERE domain = 'apex.example')`},
		{"rename a user", `UPDATE domain_user SET id = '1099' WHERE id = '1000'`, `SELECT EXISTS (SELECT FROM domain_group_user WHERE user_id = '1099')`},
		{"move a condition", `UPDATE condition SET position = 5 WHERE extension = 'local.user'`, `SELECT condition = 5 FROM action WHERE extension = 'local.user'`},
		{"delete a tenant", `DELETE FROM tenant WHERE name = 'acme'`,
			`SELECT NOT EXISTS (SELECT FROM number WHERE tenant = 'acme') AND NOT EXISTS (SELECT FROM domain_user) AND NOT EXISTS (SELECT FROM context WHERE name = 'acme') AND EXISTS (SELECT FROM number)`},
		{"delete a node", `INSERT INTO node (name) VALUES ('fs1'); INSERT INTO module (node, name) VALUES ('fs1', 'mod_lua'); DELETE FROM node WHERE name = 'fs1'`, `SELECT NOT EXISTS (SELECT FROM module WHERE name = 'mod_lua')`},

		{"a tenant's value behind an expansion", `INSERT INTO action (extension, position, application, data) VALUES ('transfer', 9, 'log', '${uuid} ${md5(${uuid})} %{forward_number}')`, `SELECT true`},
		{"a tenant's value in a dial string", `INSERT INTO action (extension, position, application, data) VALUES ('transfer', 9, 'bridge',
			'{ignore_early_media=true,origination_caller_id_number=%{forward_number}}[leg_timeout=${t}]sofia/internal/%{forward_number}@${domain};fs_path=sip:%{forward_number}')`, `SELECT true`},
		{"a transfer with a context", `INSERT INTO action (extension, position, application, data) VALUES ('transfer', 9, 'transfer', '-bleg 9%{forward_number} XML %{tenant}')`, `SELECT true`},
		{"the operator's own hook", `INSERT INTO action (extension, position, application, data) VALUES ('transfer', 9, 'set', 'execute_on_answer=log %{number} of %{tenant}')`, `SELECT true`},
		{"anything of the operator's", `INSERT INTO action (extension, position, application, data) VALUES ('reception', 9, 'socket', '127.0.0.1:8051 async full'), ('reception', 10, 'set', 'api_hangup_hook=system id')`, `SELECT true`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(t.Context()) }()
			if _, err := tx.Exec(t.Context(), tc.statement); err != nil {
				t.Fatalf("%s: %v", tc.statement, err)
			}
			var holds *bool
			if err := tx.QueryRow(t.Context(), tc.holds).Scan(&holds); err != nil || holds == nil || !*holds {
				t.Errorf("%s: not %s (%v)", tc.statement, tc.holds, err)
			}
		})
	}
}

// Rows that come in one statement are not each compared with all the others, whatever the session plans from: no statistics,
// or those of a few rows.
func TestRowsInBulk(t *testing.T) {
	t.Parallel()
	const rows = 2000
	for table, insert := range map[string]string{
		"domain_user": `INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'u' || n, 'secret' FROM generate_series(1, $1::integer) n`,
		"number":      `INSERT INTO number (number, tenant, extension) SELECT '+2730' || to_char(n, 'FM0000000'), 'acme', 'reception' FROM generate_series(1, $1::integer) n`,
		"acl_entry":   `INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('10.' || n / 256 || '.' || n % 256 || '.0/24')::cidr FROM generate_series(1, $1::integer) n`,
	} {
		for _, analyzed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, analyzed: %t", table, analyzed), func(t *testing.T) {
				t.Parallel()
				url := dbtest.DemoURL(t)
				if analyzed {
					dbtest.Execute(t, url, `ANALYZE`)
				}
				tx, err := dbtest.Connect(t, url).Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback(t.Context()) }()
				if _, err := tx.Exec(t.Context(), insert, rows); err != nil {
					t.Fatal(err)
				}
				var read int
				if err := tx.QueryRow(t.Context(), `SELECT seq_tup_read + coalesce(idx_tup_fetch, 0)
						+ (SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index WHERE indrelid = relid)
					FROM pg_stat_xact_user_tables WHERE relname = $1`, table).Scan(&read); err != nil {
					t.Fatal(err)
				}
				if read > 10*rows {
					t.Errorf("%d rows were read for %d", read, rows)
				}
			})
		}
	}
}
