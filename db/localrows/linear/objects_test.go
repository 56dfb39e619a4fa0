package linear_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
)

// kind is a kind of objects. Its texts are filled in: {i} is which object of the kind, {v} the version, {side} and
// {other} are a and b for even versions, and b and a for odd ones, {even} is true or false, and {cidr}, {port} and {hash}
// are other ways to write the version.
type kind struct {
	name      string
	count     int
	share     int      // of the questions, for each object; 0 stands for 1
	seldom    bool     // it is written seldom, since so many answers depend on it that hardly one would be from local rows
	bulk      bool     // only steps write it
	setup     string   // SQL before the first version
	writes    []string // SQL, each of which makes the version, whichever was there before
	copies    string   // a line for each {n}, for a COPY after a write
	truncates string   // tables with rows of it, which a step empties and fills again beside a write
	replays   bool     // the first of writes needs no trigger that a session which replays edits of another server would not fire
	questions []question
}

// question is one whose answer shows a version.
type question struct {
	ask  func(i string) ask
	want []string // the answer, in words: to all versions, or to even and to odd ones
	rare bool     // it costs much
	bare bool     // its answers do not say how fresh they are
}

// world is what all objects need.
const world = `
INSERT INTO node (name) VALUES ('fs1'), ('fs2');
INSERT INTO tenant (name) VALUES ('lin');
INSERT INTO extension (name) VALUES ('say'), ('always.a'), ('always.b');
INSERT INTO action (extension, position, application, data) VALUES ('say', 1, 'log', 'said'), ('always.a', 1, 'log', 'a'), ('always.b', 1, 'log', 'b');
INSERT INTO domain (name, tenant, dial_string) VALUES ('lin.example', 'lin', NULL);
INSERT INTO sip_profile (name) VALUES ('trunks')`

// kinds are all there are: of what is written together, so that no answer may show a part of it, and of tables by
// themselves, so that nothing else tells of the change.
var kinds = []kind{
	{
		name: "number", count: 12, share: 10, replays: true, truncates: "number",
		setup: `INSERT INTO number (number, tenant, extension) VALUES ('+278100{i}', 'lin', 'say')`,
		writes: []string{
			`UPDATE number SET display_name = 'v{v}', forward_number = '{v}' WHERE number = '+278100{i}'`,
			`INSERT INTO number (number, tenant, extension, display_name, forward_number) VALUES ('+278100{i}', 'lin', 'say', 'v{v}', '{v}')
			ON CONFLICT (context, number) DO UPDATE SET display_name = excluded.display_name, forward_number = excluded.forward_number`,
			`MERGE INTO number n USING (VALUES ('+278100{i}', 'v{v}', '{v}')) m (number, name, forward) ON n.context = 'public' AND n.number = m.number
			WHEN MATCHED THEN UPDATE SET display_name = m.name, forward_number = m.forward`,
			`DELETE FROM number WHERE number = '+278100{i}';
			INSERT INTO number (number, tenant, extension, display_name, forward_number) VALUES ('+278100{i}', 'lin', 'say', 'v{v}', '{v}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "+278100"+i) }, want: []string{`known: in public +278100{i} of lin, name v{v}, forward {v}: (say, log said)`}},
			{ask: func(i string) ask { return route("unknown", "PUBLIC", "00278100"+i) }, want: []string{`in public +278100{i} of lin, name v{v}, forward {v}: (say, log said)`}},
		},
	},
	{
		name: "number that moves between extensions", count: 4, share: 10, truncates: "action",
		setup: `INSERT INTO extension (name) VALUES ('move{i}.a'), ('move{i}.b');
			INSERT INTO action (extension, position, application, data) VALUES ('move{i}.a', 1, 'log', 'none'), ('move{i}.b', 1, 'log', 'none');
			INSERT INTO number (number, tenant, extension) VALUES ('+278200{i}', 'lin', 'move{i}.a')`,
		writes: []string{
			`UPDATE action SET data = '{v}' WHERE extension = 'move{i}.{side}';
			UPDATE number SET extension = 'move{i}.{side}', display_name = 'v{v}' WHERE number = '+278200{i}';
			UPDATE action SET data = 'left' WHERE extension = 'move{i}.{other}'`,
			`UPDATE action SET data = 'left' WHERE extension = 'move{i}.{other}';
			UPDATE number SET extension = 'move{i}.{side}', display_name = 'v{v}' WHERE number = '+278200{i}';
			DELETE FROM action WHERE extension = 'move{i}.{side}';
			INSERT INTO action (extension, position, application, data) VALUES ('move{i}.{side}', 1, 'log', '{v}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "+278200"+i) }, want: []string{`known: in public +278200{i} of lin, name v{v}, forward : (move{i}.{side}, log {v})`}},
		},
	},
	{
		name: "extension that is renamed", count: 3, share: 10,
		setup: `INSERT INTO extension (name) VALUES ('was{i}.0');
			INSERT INTO action (extension, position, application, data) VALUES ('was{i}.0', 1, 'log', 'it');
			INSERT INTO number (number, tenant, extension) VALUES ('+278300{i}', 'lin', 'was{i}.0')`,
		writes: []string{
			`UPDATE extension SET name = 'was{i}.{v}' WHERE name LIKE 'was{i}.%'`,
			`UPDATE extension SET name = 'old{i}' WHERE name LIKE 'was{i}.%';
			INSERT INTO extension (name) VALUES ('was{i}.{v}');
			INSERT INTO action (extension, position, application, data) VALUES ('was{i}.{v}', 1, 'log', 'it');
			UPDATE number SET extension = 'was{i}.{v}' WHERE number = '+278300{i}';
			DELETE FROM extension WHERE name = 'old{i}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "+278300"+i) }, want: []string{`known: in public +278300{i} of lin, name , forward : (was{i}.{v}, log it)`}},
		},
	},
	{
		name: "context", count: 2, seldom: true, truncates: "context_extension",
		setup: `INSERT INTO context (name) VALUES ('lin{i}');
			INSERT INTO context_extension (context, extension) VALUES ('lin{i}', 'always.a'), ('lin{i}', 'always.b')`,
		writes: []string{
			`UPDATE context SET not_found_extension = 'always.{side}' WHERE name = 'lin{i}';
			UPDATE context_extension SET enabled = (extension = 'always.{side}') WHERE context = 'lin{i}'`,
			`DELETE FROM context_extension WHERE context = 'lin{i}';
			INSERT INTO context_extension (context, extension) VALUES ('lin{i}', 'always.{side}');
			INSERT INTO context_extension (context, extension, enabled) VALUES ('lin{i}', 'always.{other}', false);
			UPDATE context SET not_found_extension = 'always.{side}' WHERE name = 'lin{i}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs2", "lin"+i, "1") }, want: []string{`known: in lin{i} (always.{side}, log {side}) not found: (always.{side}, log {side})`}},
		},
	},
	{
		name: "context that is renamed", count: 1, seldom: true,
		setup: `INSERT INTO context (name) VALUES ('ctx{i}.b'); INSERT INTO number (context, number, tenant, extension) VALUES ('ctx{i}.b', '1', 'lin', 'say')`,
		writes: []string{
			`UPDATE context SET name = 'ctx{i}.{side}' WHERE name LIKE 'ctx{i}.%'; UPDATE number SET display_name = 'v{v}' WHERE context = 'ctx{i}.{side}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "ctx"+i+".a", "1") }, want: []string{`known: in ctx{i}.a 1 of lin, name v{v}, forward : (say, log said)`, `known: in `}},
			{ask: func(i string) ask { return route("fs1", "ctx"+i+".b", "1") }, want: []string{`known: in `, `known: in ctx{i}.b 1 of lin, name v{v}, forward : (say, log said)`}},
		},
	},
	{
		name: "tenant that is switched on and off", count: 2, seldom: true,
		setup: `INSERT INTO tenant (name) VALUES ('off{i}');
			INSERT INTO number (number, tenant, extension) VALUES ('+278400{i}', 'off{i}', 'say');
			INSERT INTO domain (name, tenant, dial_string) VALUES ('off{i}.example', 'off{i}', NULL);
			INSERT INTO domain_user (domain, id, password, cidr) VALUES ('off{i}.example', '1', 'none', '{12.0.0.1}');
			INSERT INTO gateway (name, profile, tenant, proxy) VALUES ('off{i}', 'trunks', 'off{i}', 'none');
			INSERT INTO acl_list (name) VALUES ('off{i}');
			INSERT INTO acl_entry (list, tenant, cidr) VALUES ('off{i}', 'off{i}', '10.0.0.0/8')`,
		writes: []string{
			`UPDATE tenant SET enabled = {even} WHERE name = 'off{i}';
			UPDATE number SET display_name = 'v{v}' WHERE number = '+278400{i}';
			UPDATE domain_user SET password = 'p{v}' WHERE domain = 'off{i}.example';
			UPDATE gateway SET proxy = '{v}' WHERE name = 'off{i}'`,
			`UPDATE gateway SET proxy = '{v}' WHERE name = 'off{i}';
			UPDATE domain_user SET password = 'p{v}' WHERE domain = 'off{i}.example';
			UPDATE number SET display_name = 'v{v}' WHERE number = '+278400{i}';
			UPDATE tenant SET enabled = {even} WHERE name = 'off{i}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "278400"+i) }, want: []string{`known: in public +278400{i} of off{i}, name v{v}, forward : (say, log said)`, `known: in public`}},
			{ask: func(i string) ask { return user("fs1", "off"+i+".example", "1") }, want: []string{`known: off{i}.example (1 p{v} 12.0.0.1/32)`, `known: `}},
			{ask: func(i string) ask { return networks("fs1", "off"+i+".example") }, want: []string{`known: off{i}.example (1 12.0.0.1/32)`, `known: `}},
			{ask: func(i string) ask { return domain("fs1", "off"+i+".example") }, want: []string{`known: off{i}.example`, `known: `}},
			{ask: func(i string) ask { return sofia("fs1", "trunks", "off"+i, "off"+i) }, want: []string{`known: trunks/off{i} proxy={v}`, `known: `}},
			{ask: func(i string) ask { return acl("fs1", "off"+i) }, want: []string{`known: off{i}:allow 10.0.0.0/8`, `known: off{i}:`}},
		},
	},
	{
		name: "tenant that is renamed", count: 1, seldom: true,
		setup: `INSERT INTO tenant (name) VALUES ('ten{i}.0');
			INSERT INTO number (number, tenant, extension) VALUES ('+278500{i}', 'ten{i}.0', 'say');
			INSERT INTO domain (name, tenant, dial_string) VALUES ('ten{i}.example', 'ten{i}.0', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('ten{i}.example', '1', 'none')`,
		writes: []string{
			`UPDATE tenant SET name = 'ten{i}.{v}' WHERE name LIKE 'ten{i}.%'; UPDATE domain_user SET password = 'p{v}' WHERE domain = 'ten{i}.example'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "+278500"+i) }, want: []string{`known: in public +278500{i} of ten{i}.{v}, name , forward : (say, log said)`}},
			{ask: func(i string) ask { return user("fs1", "ten"+i+".example", "1") }, want: []string{`known: ten{i}.example (1 p{v})`}},
		},
	},
	{
		name: "tenant that comes and goes", count: 2, seldom: true,
		setup: `INSERT INTO acl_list (name) VALUES ('gone{i}')`,
		writes: []string{
			`DELETE FROM tenant WHERE name = 'gone{i}';
			INSERT INTO tenant (name) SELECT 'gone{i}' WHERE {even};
			INSERT INTO number (number, tenant, extension, display_name) SELECT '+278600{i}', 'gone{i}', 'say', 'v{v}' WHERE {even};
			INSERT INTO domain (name, tenant, dial_string) SELECT 'gone{i}.example', 'gone{i}', NULL WHERE {even};
			INSERT INTO domain_user (domain, id, password, number_alias) SELECT 'gone{i}.example', '1', 'p{v}', '71' WHERE {even};
			INSERT INTO gateway (name, profile, tenant, proxy) SELECT 'gone{i}', 'trunks', 'gone{i}', '{v}' WHERE {even};
			INSERT INTO acl_entry (list, tenant, cidr) SELECT 'gone{i}', 'gone{i}', '{cidr}' WHERE {even}`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "public", "+278600"+i) }, want: []string{`known: in public +278600{i} of gone{i}, name v{v}, forward : (say, log said)`, `known: in public`}},
			{ask: func(i string) ask { return user("fs1", "gone"+i+".example", "71") }, want: []string{`known: gone{i}.example (1 71 p{v})`, `known: `}},
			{ask: func(i string) ask { return users("fs1", "gone"+i+".example") }, want: []string{`known: gone{i}.example (1 71)`, `known: `}},
			{ask: func(i string) ask { return sofia("fs1", "trunks", "_all_", "gone"+i) }, want: []string{`known: trunks/gone{i} proxy={v}`, `known: `}},
			{ask: func(i string) ask { return acl("fs2", "gone"+i) }, want: []string{`known: gone{i}:allow {cidr}`, `known: gone{i}:`}},
		},
	},
	{
		name: "user", count: 12, share: 10, truncates: "domain_user_param domain_user_variable",
		setup: `INSERT INTO domain_user (domain, id, password) VALUES ('lin.example', 'u{i}', 'none');
			INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'param', 'none');
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'variable', 'none')`,
		writes: []string{
			`UPDATE domain_user SET password = 'p{v}', caller_id_name = 'v{v}', number_alias = '9{i}.{side}' WHERE domain = 'lin.example' AND id = 'u{i}';
			UPDATE domain_user_param SET value = '{v}' WHERE domain = 'lin.example' AND user_id = 'u{i}';
			UPDATE domain_user_variable SET value = '{v}' WHERE domain = 'lin.example' AND user_id = 'u{i}'`,
			`DELETE FROM domain_user WHERE domain = 'lin.example' AND id = 'u{i}';
			INSERT INTO domain_user (domain, id, password, caller_id_name, number_alias) VALUES ('lin.example', 'u{i}', 'p{v}', 'v{v}', '9{i}.{side}');
			INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'param', '{v}');
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'variable', '{v}')`,
			`INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'param', '{v}')
			ON CONFLICT (domain, user_id, name) DO UPDATE SET value = excluded.value;
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('lin.example', 'u{i}', 'variable', '{v}')
			ON CONFLICT (domain, user_id, name) DO UPDATE SET value = excluded.value;
			INSERT INTO domain_user (domain, id, password) VALUES ('lin.example', 'u{i}', 'p{v}')
			ON CONFLICT (domain, id) DO UPDATE SET password = excluded.password, caller_id_name = 'v{v}', number_alias = '9{i}.{side}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "lin.example", "u"+i) }, want: []string{`known: lin.example (u{i} 9{i}.{side} p{v} v{v} [param={v}][variable={v}])`}},
			{ask: func(i string) ask { return user("unknown", "LIN.example", "U"+i) }, want: []string{`lin.example (u{i} 9{i}.{side} p{v} v{v} [param={v}][variable={v}])`}},
			{
				ask:  func(i string) ask { return user("fs1", "lin.example", "9"+i+".a") },
				want: []string{`known: lin.example (u{i} 9{i}.{side} p{v} v{v} [param={v}][variable={v}])`, `known: `},
			},
			{
				ask:  func(i string) ask { return user("fs2", "lin.example", "9"+i+".b") },
				want: []string{`known: `, `known: lin.example (u{i} 9{i}.{side} p{v} v{v} [param={v}][variable={v}])`},
			},
		},
	},
	{
		name: "domain", count: 3, truncates: "domain_param domain_variable",
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('dom{i}.example', 'lin', NULL);
			INSERT INTO domain_param (domain, name, value) VALUES ('dom{i}.example', 'param', 'none');
			INSERT INTO domain_variable (domain, name, value) VALUES ('dom{i}.example', 'variable', 'none');
			INSERT INTO domain_user (domain, id, password) VALUES ('dom{i}.example', '1', 'none')`,
		writes: []string{
			`UPDATE domain SET dial_string = '{v}' WHERE name = 'dom{i}.example';
			UPDATE domain_param SET value = '{v}' WHERE domain = 'dom{i}.example';
			UPDATE domain_variable SET value = '{v}' WHERE domain = 'dom{i}.example';
			UPDATE domain_user SET password = 'secret', caller_id_name = 'v{v}' WHERE domain = 'dom{i}.example'`,
			`DELETE FROM domain WHERE name = 'dom{i}.example';
			INSERT INTO domain (name, tenant, dial_string) VALUES ('dom{i}.example', 'lin', '{v}');
			INSERT INTO domain_param (domain, name, value) VALUES ('dom{i}.example', 'param', '{v}');
			INSERT INTO domain_variable (domain, name, value) VALUES ('dom{i}.example', 'variable', '{v}');
			INSERT INTO domain_user (domain, id, password, caller_id_name) VALUES ('dom{i}.example', '1', 'secret', 'v{v}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "dom"+i+".example", "1") }, want: []string{`known: dom{i}.example dial {v} [param={v}][variable={v}] (1 secret v{v})`}},
			{ask: func(i string) ask { return domain("fs1", "dom"+i+".example") }, want: []string{`known: dom{i}.example dial {v} [param={v}][variable={v}]`}},
			{ask: func(i string) ask { return users("fs1", "dom"+i+".example") }, want: []string{`known: dom{i}.example dial {v} [param={v}][variable={v}] (1 v{v})`}},
			{ask: func(i string) ask { return group("fs1", "dom"+i+".example", "default") }, want: []string{`known: dom{i}.example dial {v} [param={v}][variable={v}] (1 v{v})`}},
			{ask: func(i string) ask { return allUsers("fs1", "dom"+i+".example") }, want: []string{`known: dom{i}.example dial {v} [param={v}][variable={v}] (1 v{v})`}, rare: true},
		},
	},
	{
		name: "domain that is renamed", count: 2,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('ren{i}.b.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('ren{i}.b.example', '1', 'none');
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('ren{i}.b.example', '1', 'variable', 'none')`,
		writes: []string{
			`UPDATE domain SET name = 'ren{i}.{side}.example' WHERE name LIKE 'ren{i}.%';
			UPDATE domain_user_variable SET value = '{v}' WHERE domain = 'ren{i}.{side}.example';
			UPDATE domain_user SET password = 'p{v}' WHERE domain = 'ren{i}.{side}.example'`,
		},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "ren"+i+".a.example", "1") }, want: []string{`known: ren{i}.a.example (1 p{v} [variable={v}])`, `known: `}},
			{ask: func(i string) ask { return user("fs1", "ren"+i+".b.example", "1") }, want: []string{`known: `, `known: ren{i}.b.example (1 p{v} [variable={v}])`}},
			{ask: func(i string) ask { return users("fs1", "ren"+i+".a.example") }, want: []string{`known: ren{i}.a.example (1 [variable={v}])`, `known: `}},
			{ask: func(i string) ask { return domain("unknown", "ren"+i+".b.example") }, want: []string{``, `ren{i}.b.example`}},
		},
	},
	{
		name: "user that is renamed", count: 2,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('ids{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('ids{i}.example', 'r0', 'none');
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('ids{i}.example', 'r0', 'variable', 'none');
			INSERT INTO domain_group (domain, name) VALUES ('ids{i}.example', 'team');
			INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('ids{i}.example', 'team', 'r0')`,
		writes: []string{
			`UPDATE domain_user SET id = 'r{v}' WHERE domain = 'ids{i}.example'; UPDATE domain_user_variable SET value = '{v}' WHERE domain = 'ids{i}.example'`,
		},
		questions: []question{
			{ask: func(i string) ask { return users("fs1", "ids"+i+".example") }, want: []string{`known: ids{i}.example (r{v} [variable={v}]) group team: r{v}`}},
			{ask: func(i string) ask { return group("fs1", "ids"+i+".example", "TEAM") }, want: []string{`known: ids{i}.example (r{v} [variable={v}])`}},
		},
	},
	{
		name: "group", count: 2, truncates: "domain_group_user",
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('grp{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('grp{i}.example', 'a', 'none'), ('grp{i}.example', 'b', 'none');
			INSERT INTO domain_group (domain, name) VALUES ('grp{i}.example', 'team');
			INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('grp{i}.example', 'team', 'a')`,
		writes: []string{
			`UPDATE domain_group_user SET user_id = '{side}' WHERE domain = 'grp{i}.example';
			UPDATE domain_user SET caller_id_name = CASE id WHEN '{side}' THEN 'v{v}' ELSE 'left' END WHERE domain = 'grp{i}.example'`,
			`DELETE FROM domain_group WHERE domain = 'grp{i}.example';
			UPDATE domain_user SET caller_id_name = CASE id WHEN '{side}' THEN 'v{v}' ELSE 'left' END WHERE domain = 'grp{i}.example';
			INSERT INTO domain_group (domain, name) VALUES ('grp{i}.example', 'team');
			INSERT INTO domain_group_user (domain, group_name, user_id) VALUES ('grp{i}.example', 'team', '{side}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return group("fs1", "grp"+i+".example", "team") }, want: []string{`known: grp{i}.example ({side} v{v})`}},
			{
				ask:  func(i string) ask { return users("fs1", "grp"+i+".example") },
				want: []string{`known: grp{i}.example (a v{v}) (b left) group team: a`, `known: grp{i}.example (a left) (b v{v}) group team: b`},
			},
		},
	},
	{
		name: "network of a user", count: 2, truncates: "acl_entry",
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('net{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password, cidr) VALUES ('net{i}.example', '1', 'none', '{11.0.0.0}');
			INSERT INTO acl_list (name) VALUES ('net{i}');
			INSERT INTO acl_entry (list, domain) VALUES ('net{i}', 'net{i}.example');
			INSERT INTO acl_entry (list, cidr) VALUES ('net{i}', '11.0.0.0')`,
		writes: []string{
			`UPDATE domain_user SET cidr = ARRAY['{cidr}'::cidr] WHERE domain = 'net{i}.example'; UPDATE acl_entry SET cidr = '{cidr}' WHERE list = 'net{i}' AND domain IS NULL`,
			`DELETE FROM acl_entry WHERE list = 'net{i}' AND domain IS NULL; INSERT INTO acl_entry (list, cidr) VALUES ('net{i}', '{cidr}');
			UPDATE domain_user SET cidr = ARRAY['{cidr}'::cidr] WHERE domain = 'net{i}.example'`,
		},
		questions: []question{
			{ask: func(i string) ask { return networks("fs1", "net"+i+".example") }, want: []string{`known: net{i}.example (1 {cidr})`}},
			{ask: func(i string) ask { return acl("fs1", "net"+i) }, want: []string{`known: net{i}:allow net{i}.example 1 {{cidr}}, net{i}:allow {cidr}`}},
		},
	},
	{
		name: "access list", count: 3, truncates: "acl_entry",
		setup: `INSERT INTO acl_list (name) VALUES ('acl{i}');
			INSERT INTO acl_entry (list, cidr, port) VALUES ('acl{i}', '11.0.0.0', '[1,2]');
			INSERT INTO acl_entry (list, node, cidr, action) VALUES ('acl{i}', 'fs1', '11.0.0.0', 'deny')`,
		writes: []string{
			`UPDATE acl_entry SET cidr = '{cidr}' WHERE list = 'acl{i}'`,
			`DELETE FROM acl_entry WHERE list = 'acl{i}';
			INSERT INTO acl_entry (list, node, cidr, action) VALUES ('acl{i}', 'fs1', '{cidr}', 'deny');
			INSERT INTO acl_entry (list, cidr, port) VALUES ('acl{i}', '{cidr}', '[1,2]')`,
			`DELETE FROM acl_list WHERE name = 'acl{i}'; INSERT INTO acl_list (name) VALUES ('acl{i}');
			INSERT INTO acl_entry (list, cidr, port) VALUES ('acl{i}', '{cidr}', '[1,2]');
			INSERT INTO acl_entry (list, node, cidr, action) VALUES ('acl{i}', 'fs1', '{cidr}', 'deny')`,
		},
		questions: []question{
			{ask: func(i string) ask { return acl("fs1", "acl"+i) }, want: []string{`known: acl{i}: {cidr}, acl{i}:allow {cidr} ports 1-2`}},
			{ask: func(i string) ask { return acl("fs2", "acl"+i) }, want: []string{`known: acl{i}:allow {cidr} ports 1-2`}},
			{ask: func(i string) ask { return acl("unknown", "acl"+i) }, want: []string{`acl{i}:allow {cidr} ports 1-2`}},
		},
	},
	{
		name: "access list that is renamed", count: 1,
		setup:  `INSERT INTO acl_list (name) VALUES ('lst{i}.0'); INSERT INTO acl_entry (list, cidr) VALUES ('lst{i}.0', '11.0.0.0')`,
		writes: []string{`UPDATE acl_list SET name = 'lst{i}.{v}' WHERE name LIKE 'lst{i}.%'`},
		questions: []question{
			{ask: func(i string) ask { return acl("fs1", "lst"+i) }, want: []string{`known: lst{i}.{v}:allow 11.0.0.0/32`}},
		},
	},
	{
		name: "gateway", count: 6, truncates: "gateway_param gateway_variable",
		setup: `INSERT INTO gateway (name, profile, proxy) VALUES ('gw{i}', 'trunks', 'none');
			INSERT INTO gateway_param (gateway, name, value) VALUES ('gw{i}', 'extension', 'none');
			INSERT INTO gateway_variable (gateway, name, value) VALUES ('gw{i}', 'version', 'none')`,
		writes: []string{
			`UPDATE gateway SET proxy = '{v}' WHERE name = 'gw{i}'; UPDATE gateway_param SET value = '{v}' WHERE gateway = 'gw{i}'; UPDATE gateway_variable SET value = '{v}' WHERE gateway = 'gw{i}'`,
			`DELETE FROM gateway WHERE name = 'gw{i}';
			INSERT INTO gateway (name, profile, proxy) VALUES ('gw{i}', 'trunks', '{v}');
			INSERT INTO gateway_variable (gateway, name, value) VALUES ('gw{i}', 'version', '{v}');
			INSERT INTO gateway_param (gateway, name, value) VALUES ('gw{i}', 'extension', '{v}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "trunks", "gw"+i, "gw"+i) }, want: []string{`known: trunks/gw{i} extension={v} proxy={v} version={v}`}},
			{ask: func(i string) ask { return sofia("fs2", "trunks", "_all_", "gw"+i) }, want: []string{`known: trunks/gw{i} extension={v} proxy={v} version={v}`}},
			{ask: func(i string) ask { return sofia("unknown", "trunks", "", "gw"+i) }, want: []string{`trunks/gw{i} extension={v} proxy={v} version={v}`}},
		},
	},
	{
		name: "gateway that is renamed", count: 1,
		setup: `INSERT INTO gateway (name, profile, proxy) VALUES ('rgw{i}.0', 'trunks', 'none'); INSERT INTO gateway_param (gateway, name, value) VALUES ('rgw{i}.0', 'extension', 'none')`,
		writes: []string{
			`UPDATE gateway SET name = 'rgw{i}.{v}', proxy = '{v}' WHERE name LIKE 'rgw{i}.%'; UPDATE gateway_param SET value = '{v}' WHERE gateway = 'rgw{i}.{v}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "trunks", "_all_", "rgw"+i) }, want: []string{`known: trunks/rgw{i}.{v} extension={v} proxy={v}`}},
		},
	},
	{
		name: "gateway of a user", count: 2,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('ugw{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('ugw{i}.example', '1', 'none');
			INSERT INTO gateway (name, profile, proxy, domain, user_id) VALUES ('ugw{i}', 'trunks', 'none', 'ugw{i}.example', '1');
			INSERT INTO gateway_param (gateway, name, value) VALUES ('ugw{i}', 'extension', 'none')`,
		writes: []string{
			`UPDATE gateway SET proxy = '{v}' WHERE name = 'ugw{i}'; UPDATE gateway_param SET value = '{v}' WHERE gateway = 'ugw{i}'; UPDATE domain_user SET caller_id_name = 'v{v}' WHERE domain = 'ugw{i}.example'`,
			`DELETE FROM domain_user WHERE domain = 'ugw{i}.example';
			INSERT INTO domain_user (domain, id, password, caller_id_name) VALUES ('ugw{i}.example', '1', 'none', 'v{v}');
			INSERT INTO gateway (name, profile, proxy, domain, user_id) VALUES ('ugw{i}', 'trunks', '{v}', 'ugw{i}.example', '1');
			INSERT INTO gateway_param (gateway, name, value) VALUES ('ugw{i}', 'extension', '{v}')`,
		},
		questions: []question{
			{ask: func(i string) ask { return userGateways("fs1", "ugw"+i+".example", "trunks") }, want: []string{`known: ugw{i}.example (1 v{v} ugw{i} extension={v} proxy={v})`}},
		},
	},
	{
		name: "profile", count: 2, truncates: "sofia_param sip_profile_param sip_profile_alias sip_profile_domain",
		setup: `INSERT INTO sip_profile (name) VALUES ('pro{i}');
			INSERT INTO sofia_param (name, value) VALUES ('pro{i}', 'none');
			INSERT INTO sip_profile_param (profile, name, value) VALUES ('pro{i}', 'param', 'none');
			INSERT INTO sip_profile_alias (profile, name) VALUES ('pro{i}', 'a{i}.0');
			INSERT INTO sip_profile_domain (profile, name, alias) VALUES ('pro{i}', 'd{i}.0', false)`,
		writes: []string{
			`UPDATE sofia_param SET value = '{v}' WHERE name = 'pro{i}';
			DELETE FROM sip_profile_param WHERE profile = 'pro{i}' AND node = 'fs1';
			UPDATE sip_profile_param SET value = '{v}' WHERE profile = 'pro{i}';
			INSERT INTO sip_profile_param (profile, node, name, value) SELECT 'pro{i}', 'fs1', 'param', 'own {v}' WHERE NOT {even};
			UPDATE sip_profile_alias SET name = 'a{i}.{v}' WHERE profile = 'pro{i}';
			UPDATE sip_profile_domain SET name = 'd{i}.{v}' WHERE profile = 'pro{i}'`,
			`DELETE FROM sip_profile WHERE name = 'pro{i}';
			INSERT INTO sip_profile (name) VALUES ('pro{i}');
			INSERT INTO sip_profile_domain (profile, name, alias) VALUES ('pro{i}', 'd{i}.{v}', false);
			INSERT INTO sip_profile_alias (profile, name) VALUES ('pro{i}', 'a{i}.{v}');
			INSERT INTO sip_profile_param (profile, name, value) VALUES ('pro{i}', 'param', '{v}');
			INSERT INTO sip_profile_param (profile, node, name, value) SELECT 'pro{i}', 'fs1', 'param', 'own {v}' WHERE NOT {even};
			UPDATE sofia_param SET value = '{v}' WHERE name = 'pro{i}'`,
		},
		questions: []question{
			{
				ask:  func(i string) ask { return sofia("fs1", "pro"+i, "", "pro"+i) },
				want: []string{`known: pro{i}={v} profile pro{i} [param={v}] a{i}.{v} d{i}.{v}`, `known: pro{i}={v} profile pro{i} [param=own {v}] a{i}.{v} d{i}.{v}`},
			},
			{ask: func(i string) ask { return sofia("fs2", "", "", "pro"+i) }, want: []string{`known: pro{i}={v} profile pro{i} [param={v}] a{i}.{v} d{i}.{v}`}},
			{ask: func(i string) ask { return sofia("unknown", "", "", "pro"+i) }, want: []string{`pro{i}={v} profile pro{i} [param={v}] a{i}.{v} d{i}.{v}`}},
		},
	},
	{
		name: "profile that is renamed", count: 1,
		setup: `INSERT INTO sip_profile (name) VALUES ('prn{i}.0'); INSERT INTO sip_profile_param (profile, name, value) VALUES ('prn{i}.0', 'param', 'none');
			INSERT INTO gateway (name, profile, proxy) VALUES ('prn{i}', 'prn{i}.0', 'none')`,
		writes: []string{`UPDATE sip_profile SET name = 'prn{i}.{v}' WHERE name LIKE 'prn{i}.%'; UPDATE sip_profile_param SET value = '{v}' WHERE profile = 'prn{i}.{v}'`},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "", "", "prn"+i) }, want: []string{`known: profile prn{i}.{v} [param={v}]`}},
		},
	},
	{
		name: "module", count: 2, truncates: "module",
		setup: `INSERT INTO module (name, position) VALUES ('mod_lin{i}_a0', 1), ('mod_lin{i}_b0', 2)`,
		writes: []string{
			`UPDATE module SET name = left(name, 11) || '{v}' WHERE name LIKE 'mod_lin{i}_%'`,
			`DELETE FROM module WHERE name LIKE 'mod_lin{i}_%'; INSERT INTO module (name, position) VALUES ('mod_lin{i}_a{v}', 1), ('mod_lin{i}_b{v}', 2)`,
		},
		questions: []question{
			{ask: func(i string) ask { return modules("fs1", "lin"+i) }, want: []string{`known: mod_lin{i}_a{v} mod_lin{i}_b{v}`}},
			{ask: func(i string) ask { return modules("unknown", "lin"+i) }, want: []string{`mod_lin{i}_a{v} mod_lin{i}_b{v}`}},
		},
	},
	{
		name: "settings of the switch", count: 2, truncates: "switch_param switch_variable",
		setup: `INSERT INTO switch_param (name, value) VALUES ('lin{i}', 'none'); INSERT INTO switch_variable (name, value) VALUES ('lin{i}', 'none')`,
		writes: []string{
			`UPDATE switch_param SET value = '{v}' WHERE name = 'lin{i}'; UPDATE switch_variable SET value = '{v}' WHERE name = 'lin{i}'`,
			`DELETE FROM switch_variable WHERE name = 'lin{i}'; INSERT INTO switch_variable (name, value) VALUES ('lin{i}', '{v}');
			INSERT INTO switch_param (name, value) VALUES ('lin{i}', '{v}') ON CONFLICT (node, name) DO UPDATE SET value = excluded.value`,
		},
		questions: []question{
			{ask: func(i string) ask { return nodeSettings("fs1", "lin"+i) }, want: []string{`known: [lin{i}={v}][lin{i}={v}]`}},
			{ask: func(i string) ask { return nodeSettings("unknown", "lin"+i) }, want: []string{`[lin{i}={v}][lin{i}={v}]`}},
		},
	},
	{
		name: "node", count: 1, seldom: true, truncates: "event_socket_param",
		setup: `INSERT INTO node (name) VALUES ('own{i}'); INSERT INTO event_socket_param (node, name, value) VALUES ('own{i}', 'nat-port', 'none')`,
		writes: []string{
			`UPDATE node SET event_socket_port = {port}, max_sessions = {v} WHERE name = 'own{i}'; UPDATE event_socket_param SET value = '{v}' WHERE node = 'own{i}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return eventSocket("own"+i, "port") }, want: []string{`known: [listen-port={port}][nat-port={v}]`}},
			{ask: func(i string) ask { return nodeSettings("own"+i, "max-sessions") }, want: []string{`known: [max-sessions={v}]`}},
		},
	},
	{
		name: "setting of the event socket", count: 2, truncates: "event_socket_param",
		setup:  `INSERT INTO event_socket_param (name, value) VALUES ('lin{i}', 'none')`,
		writes: []string{`UPDATE event_socket_param SET value = '{v}' WHERE name = 'lin{i}'`},
		questions: []question{
			{ask: func(i string) ask { return eventSocket("fs1", "lin"+i) }, want: []string{`known: [lin{i}={v}]`}},
		},
	},
	{
		name: "node that comes and goes", count: 1, seldom: true,
		writes: []string{
			`DELETE FROM node WHERE name = 'node{i}';
			INSERT INTO node (name) SELECT 'node{i}' WHERE {even};
			INSERT INTO module (node, name, position) SELECT 'node{i}', 'mod_own{i}_{v}', 3 WHERE {even};
			INSERT INTO node_credential (node, username, password_hash) SELECT 'node{i}', 'node{i}', '{hash}' WHERE {even}`,
		},
		questions: []question{
			{ask: func(i string) ask { return modules("node"+i, "own"+i) }, want: []string{`known: mod_own{i}_{v}`, ``}},
			{ask: func(i string) ask { return route("node"+i, "nowhere", "1") }, want: []string{`known: in `, `in `}},
			{ask: func(i string) ask { return user("node"+i, "nowhere", "1") }, want: []string{`known: `, ``}},
			{ask: func(i string) ask { return domain("node"+i, "nowhere") }, want: []string{`known: `, ``}},
			{ask: func(i string) ask { return acl("node"+i, "none") }, want: []string{`known: `, ``}},
			{ask: func(i string) ask { return sofia("node"+i, "trunks", "none", "none") }, want: []string{`known: `, ``}},
			{ask: func(int string) ask { return credential("node" + int) }, want: []string{`node{i} {hash} true`, ``}, bare: true},
		},
	},
	{
		name: "document", count: 4, truncates: "document",
		setup: `INSERT INTO document (name, body) VALUES ('lin{i}.conf', '<configuration name="lin{i}.conf">none</configuration>')`,
		writes: []string{
			`DELETE FROM document WHERE name = 'lin{i}.conf' AND node = 'fs1';
			UPDATE document SET body = '<configuration name="lin{i}.conf">{v}</configuration>' WHERE name = 'lin{i}.conf';
			INSERT INTO document (node, name, body) SELECT 'fs1', 'lin{i}.conf', '<configuration name="lin{i}.conf">own {v}</configuration>' WHERE NOT {even}`,
			`INSERT INTO document (name, body) VALUES ('lin{i}.conf', '<configuration name="lin{i}.conf">{v}</configuration>')
			ON CONFLICT (section, name, node) DO UPDATE SET body = excluded.body;
			DELETE FROM document WHERE name = 'lin{i}.conf' AND node = 'fs1';
			INSERT INTO document (node, name, body) SELECT 'fs1', 'lin{i}.conf', '<configuration name="lin{i}.conf">own {v}</configuration>' WHERE NOT {even}`,
		},
		questions: []question{
			{
				ask:  func(i string) ask { return document("fs1", "lin"+i+".conf") },
				want: []string{`known: <configuration name="lin{i}.conf">{v}</configuration>`, `known: <configuration name="lin{i}.conf">own {v}</configuration>`},
			},
			{ask: func(i string) ask { return document("unknown", "lin"+i+".conf") }, want: []string{`<configuration name="lin{i}.conf">{v}</configuration>`}},
		},
	},
	{
		name: "credential", count: 2, truncates: "node_credential",
		setup:  `INSERT INTO node_credential (node, username, password_hash) VALUES ('fs1', 'cred{i}', '$2a$10$' || repeat('0', 53))`,
		writes: []string{`UPDATE node_credential SET password_hash = '{hash}', enabled = {even} WHERE username = 'cred{i}'`},
		questions: []question{
			{ask: func(i string) ask { return credential("cred" + i) }, want: []string{`fs1 {hash} {even}`}, bare: true},
		},
	},
	{
		name: "body of an extension", count: 2, share: 5,
		setup:  `INSERT INTO extension (name, body) VALUES ('body{i}', '<condition/>'); INSERT INTO number (number, tenant, extension) VALUES ('+278700{i}', 'lin', 'body{i}')`,
		writes: []string{`UPDATE extension SET body = '<condition><action application="log" data="{v}"/></condition>' WHERE name = 'body{i}'`},
		questions: []question{
			{
				ask:  func(i string) ask { return route("fs1", "public", "+278700"+i) },
				want: []string{`known: in public +278700{i} of lin, name , forward : (body{i}<condition><action application="log" data="{v}"/></condition>)`},
			},
		},
	},
	{
		name: "domain alone", count: 1, share: 5,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('one{i}.example', 'lin', 'none');
			INSERT INTO domain_user (domain, id, password) VALUES ('one{i}.example', '1', 'none')`,
		writes: []string{`UPDATE domain SET dial_string = '{v}' WHERE name = 'one{i}.example'`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "one"+i+".example", "1") }, want: []string{`known: one{i}.example dial {v} (1 none)`}},
		},
	},
	{
		name: "domain_param alone", count: 1, share: 5,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('two{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('two{i}.example', '1', 'none')`,
		writes: []string{`INSERT INTO domain_param (domain, name, value) VALUES ('two{i}.example', 'param', '{v}') ON CONFLICT (domain, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "two"+i+".example", "1") }, want: []string{`known: two{i}.example [param={v}] (1 none)`}},
		},
	},
	{
		name: "domain_variable alone", count: 1, share: 5,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('three{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('three{i}.example', '1', 'none')`,
		writes: []string{`INSERT INTO domain_variable (domain, name, value) VALUES ('three{i}.example', 'variable', '{v}') ON CONFLICT (domain, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "three"+i+".example", "1") }, want: []string{`known: three{i}.example [variable={v}] (1 none)`}},
		},
	},
	{
		name: "domain_user_param alone", count: 1, share: 5,
		setup:  `INSERT INTO domain_user (domain, id, password) VALUES ('lin.example', 'four{i}', 'none')`,
		writes: []string{`INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('lin.example', 'four{i}', 'param', '{v}') ON CONFLICT (domain, user_id, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "lin.example", "four"+i) }, want: []string{`known: lin.example (four{i} none [param={v}])`}},
		},
	},
	{
		name: "domain_user_variable alone", count: 1, share: 5,
		setup:  `INSERT INTO domain_user (domain, id, password) VALUES ('lin.example', 'five{i}', 'none')`,
		writes: []string{`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('lin.example', 'five{i}', 'variable', '{v}') ON CONFLICT (domain, user_id, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "lin.example", "five"+i) }, want: []string{`known: lin.example (five{i} none [variable={v}])`}},
		},
	},
	{
		name: "context alone", count: 1, share: 5, seldom: true,
		setup:  `INSERT INTO context (name) VALUES ('six{i}')`,
		writes: []string{`UPDATE context SET not_found_extension = 'always.{side}' WHERE name = 'six{i}'`},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "six"+i, "1") }, want: []string{`known: in six{i} not found: (always.{side}, log {side})`}},
		},
	},
	{
		name: "context_extension alone", count: 1, share: 5, seldom: true,
		setup:  `INSERT INTO context (name) VALUES ('seven{i}'); INSERT INTO context_extension (context, extension) VALUES ('seven{i}', 'always.a'), ('seven{i}', 'always.b')`,
		writes: []string{`UPDATE context_extension SET position = CASE extension WHEN 'always.{side}' THEN 1 ELSE 2 END WHERE context = 'seven{i}'`},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "seven"+i, "1") }, want: []string{`known: in seven{i} (always.{side}, log {side}) (always.{other}, log {other})`}},
		},
	},
	{
		name: "tenant alone", count: 1, share: 5, seldom: true,
		setup: `INSERT INTO tenant (name) VALUES ('eight{i}');
			INSERT INTO domain (name, tenant, dial_string) VALUES ('eight{i}.example', 'eight{i}', NULL);
			INSERT INTO domain_user (domain, id, password) VALUES ('eight{i}.example', '1', 'none')`,
		writes: []string{`UPDATE tenant SET enabled = {even} WHERE name = 'eight{i}'`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "eight"+i+".example", "1") }, want: []string{`known: eight{i}.example (1 none)`, `known: `}},
		},
	},
	{
		name: "gateway_param alone", count: 1,
		setup:  `INSERT INTO gateway (name, profile, proxy) VALUES ('nine{i}', 'trunks', 'none')`,
		writes: []string{`INSERT INTO gateway_param (gateway, name, value) VALUES ('nine{i}', 'extension', '{v}') ON CONFLICT (gateway, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "trunks", "nine"+i, "nine"+i) }, want: []string{`known: trunks/nine{i} extension={v} proxy=none`}},
		},
	},
	{
		name: "gateway_variable alone", count: 1,
		setup:  `INSERT INTO gateway (name, profile, proxy) VALUES ('ten{i}', 'trunks', 'none')`,
		writes: []string{`INSERT INTO gateway_variable (gateway, name, value) VALUES ('ten{i}', 'version', '{v}') ON CONFLICT (gateway, name) DO UPDATE SET value = excluded.value`},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "trunks", "_all_", "ten"+i) }, want: []string{`known: trunks/ten{i} proxy=none version={v}`}},
		},
	},
	{
		name: "sip_profile alone", count: 1,
		setup:  `INSERT INTO sip_profile (name) VALUES ('eleven{i}')`,
		writes: []string{`UPDATE sip_profile SET enabled = {even} WHERE name = 'eleven{i}'`},
		questions: []question{
			{ask: func(i string) ask { return sofia("fs1", "", "", "eleven"+i) }, want: []string{`known: profile eleven{i}`, `known: `}},
		},
	},
	{
		name: "acl_list alone", count: 1,
		setup:  `INSERT INTO acl_list (name) VALUES ('twelve{i}')`,
		writes: []string{`UPDATE acl_list SET default_action = CASE WHEN {even} THEN 'allow' ELSE 'deny' END WHERE name = 'twelve{i}'`},
		questions: []question{
			{ask: func(i string) ask { return acl("fs1", "twelve"+i) }, want: []string{`known: twelve{i} by default:`, `known: twelve{i}:`}},
		},
	},
	{
		name: "six hundred users", count: 1, share: 5, seldom: true,
		setup: `INSERT INTO domain (name, tenant, dial_string) VALUES ('many{i}.example', 'lin', NULL);
			INSERT INTO domain_user (domain, id, password) SELECT 'many{i}.example', 'm' || n, 'none' FROM generate_series(1, 600) n`,
		writes: []string{`UPDATE domain_user SET password = 'p{v}' WHERE domain = 'many{i}.example'`},
		questions: []question{
			{ask: func(i string) ask { return user("fs1", "many"+i+".example", "m7") }, want: []string{`known: many{i}.example (m7 p{v})`}},
			{ask: func(i string) ask { return user("fs1", "many"+i+".example", "m600") }, want: []string{`known: many{i}.example (m600 p{v})`}},
		},
	},
	{
		name: "seven hundred numbers by COPY", count: 1, share: 5, seldom: true,
		setup:  `INSERT INTO context (name) VALUES ('load{i}')`,
		writes: []string{`DELETE FROM number WHERE context = 'load{i}'`},
		copies: "load{i}\t{n}\tlin\tsay\tv{v}\n",
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "load"+i, "1") }, want: []string{`known: in load{i} 1 of lin, name v{v}, forward : (say, log said)`}},
			{ask: func(i string) ask { return route("fs1", "load"+i, "700") }, want: []string{`known: in load{i} 700 of lin, name v{v}, forward : (say, log said)`}},
		},
	},
	{
		name: "more numbers than are noted one by one", count: 1, bulk: true,
		setup: `INSERT INTO context (name) VALUES ('bulk{i}');
			INSERT INTO number (context, number, tenant, extension) SELECT 'bulk{i}', n::text, 'lin', 'say' FROM generate_series(1, 20100) n`,
		writes: []string{
			`DELETE FROM number WHERE context = 'bulk{i}';
			INSERT INTO number (context, number, tenant, extension, display_name) SELECT 'bulk{i}', n::text, 'lin', 'say', 'v{v}' FROM generate_series(1, 20100) n`,
			`UPDATE number SET display_name = 'v{v}' WHERE context = 'bulk{i}'`,
		},
		questions: []question{
			{ask: func(i string) ask { return route("fs1", "bulk"+i, "9") }, want: []string{`known: in bulk{i} 9 of lin, name v{v}, forward : (say, log said)`}},
			{ask: func(i string) ask { return route("fs2", "bulk"+i, "20100") }, want: []string{`known: in bulk{i} 20100 of lin, name v{v}, forward : (say, log said)`}},
		},
	},
}

// copied is how many lines a COPY has.
const copied = 700

// newObjects makes the objects of all kinds, or of all but the bulk.
func newObjects(bulk bool) (objects []*object) {
	for k := range kinds {
		kind := &kinds[k]
		for n := range kind.count {
			if kind.bulk && !bulk {
				continue
			}
			i := fmt.Sprintf("%02d", n)
			o := &object{kind: kind, i: i, wanted: make([]atomic.Pointer[wanted], len(kind.questions))}
			for q := range kind.questions {
				o.asks = append(o.asks, kind.questions[q].ask(i))
			}
			objects = append(objects, o)
		}
	}
	return objects
}

// fill fills text in for version v.
func (o *object) fill(text string, v int64) string {
	side, other := "a", "b"
	if v%2 != 0 {
		side, other = other, side
	}
	return strings.NewReplacer(
		"{i}", o.i,
		"{v}", strconv.FormatInt(v, 10),
		"{side}", side,
		"{other}", other,
		"{even}", strconv.FormatBool(v%2 == 0),
		"{cidr}", fmt.Sprintf("11.%d.%d.%d/32", v>>16&255, v>>8&255, v&255),
		"{port}", strconv.FormatInt(1024+v%60_000, 10),
		"{hash}", fmt.Sprintf("$2a$10$%053d", v),
	).Replace(text)
}

// wanted is the answer that shows a version.
type wanted struct {
	version int64
	text    string
}

// want is the answer to question q that shows version v.
func (o *object) want(q int, v int64) string {
	last := o.wanted[q].Load()
	if last == nil || last.version != v {
		want := o.kind.questions[q].want
		last = &wanted{v, o.fill(want[v%int64(len(want))], v)}
		o.wanted[q].Store(last) // the next answers show the same, most likely
	}
	return last.text
}

// write is SQL that makes version v, and the lines to copy then.
func (o *object) write(v int64, which int) (sql, lines string) {
	if o.kind.copies != "" {
		var text strings.Builder
		for n := 1; n <= copied; n++ {
			text.WriteString(strings.ReplaceAll(o.fill(o.kind.copies, v), "{n}", strconv.Itoa(n)))
		}
		lines = text.String()
	}
	return o.fill(o.kind.writes[which], v), lines
}

// aQuestion picks one: those that cost much seldom.
func (o *object) aQuestion() int {
	for {
		q := rand.IntN(len(o.asks))
		if !o.kind.questions[q].rare || rand.IntN(50) == 0 {
			return q
		}
	}
}
