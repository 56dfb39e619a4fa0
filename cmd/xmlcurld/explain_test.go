package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db/dbtest"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	moment := time.Now().Format(time.RFC3339Nano)
	for _, statement := range []string{
		`INSERT INTO extension (name) VALUES ('hours')`,
		`INSERT INTO condition (extension, position, wday, time_of_day) VALUES ('hours', 1, 'mon-fri', '09:00-17:00')`,
		`INSERT INTO action (extension, condition, position, application, data, anti) VALUES
			('hours', 1, 1, 'transfer', '7000 XML acme', false), ('hours', 1, 2, 'respond', '480', true)`,
		`INSERT INTO number (number, tenant, extension) VALUES ('+27110000001', 'vumi', 'hours')`,
		`INSERT INTO number (number, tenant, extension, enabled) VALUES ('+27110000002', 'vumi', 'hours', false)`,
		`INSERT INTO extension (name, body) VALUES ('api', '<condition field="${user_exists(id 1000 acme.example)}" expression="true"><action application="answer"/></condition>')`,
		`INSERT INTO number (number, tenant, extension) VALUES ('+27110000003', 'vumi', 'api')`,
		`UPDATE domain_user SET cidr = '{192.0.2.0/24}' WHERE id = '1001'`,
		`UPDATE domain_user SET enabled = false WHERE id = '1000'`,
		`INSERT INTO tenant (name, enabled) VALUES ('gone', false)`,
		`INSERT INTO number (number, tenant, extension) VALUES ('+27110000004', 'gone', 'hours')`,
		`INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '54.172.60.1')`,
	} {
		execute(t, url, statement)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"in time", []string{"number", "+27110000001", "--zone", "UTC", "--at", "2099-12-03 09:00"}, exitOK, []string{
			"number +27110000001 in context public: extension hours takes it: transfer\n",
			"  number public +27110000001\n", "  extension hours\n", "  condition hours 1\n", "yes hours 2: wday is thu, asked for is mon-fri; time-of-day is 09:00:00, asked for is 09:00-17:00",
			"at another time:\n  2099-12-03 17:00:01 UTC: extension hours takes it: respond\n",
		}},
		{"out of time", []string{"number", "0027110000001", "--zone", "UTC", "--at", "2099-12-05 09:00"}, exitOK, []string{
			"extension hours takes it: respond\n", "no  hours 2: wday is sat, asked for is mon-fri", "since the condition is false",
			"2099-12-07 09:00:00 UTC: extension hours takes it: transfer\n", "found as +27110000001, by number_forms of the context",
		}},
		{"from an address", []string{"number", "+27110000001", "--from", "54.172.60.2", "--from", "+15005550006"}, exitOK, []string{
			"profile external, list domains: entry domains 54.172.60.0/30 (allow) is the longest network that holds the address\n",
		}},
		{"from elsewhere", []string{"number", "+27110000001", "--from", "198.51.100.1"}, exitFault, []string{
			"refused:\n  profile external refuses calls from 198.51.100.1",
		}},
		{"a number that is off", []string{"number", "+27110000002"}, exitFault, []string{"refused:\n  number +27110000002 is off (number.enabled is false)\n"}},
		{"a tenant that is off", []string{"number", "+27110000004"}, exitFault, []string{"refused:\n  tenant gone is off (tenant.enabled is false)\n"}},
		{"before the number was there", []string{"number", "+27110000001", "--at", moment}, exitFault, []string{"nobody has the number in context public"}},
		{"nobody's", []string{"number", "+27110000009"}, exitFault, []string{"extension not_found takes it: log, respond\n", "nobody has the number in context public"}},
		{"nobody's context", []string{"number", "1", "--context", "none"}, exitFault, []string{"there is no context none"}},
		{"the switch decides", []string{"number", "+27110000003"}, exitFault, []string{
			"only the switch decides (taken for empty here; say it with --field):\n  ${user_exists(id 1000 acme.example)}, a command's reply\n",
		}},
		{"a user", []string{"user", "1001@acme.example", "--from", "192.0.2.7"}, exitOK, []string{
			"it can register with its password, and calls in context acme\n", "192.0.2.7 is in 192.0.2.0/24\n",
		}},
		{"a user who is off", []string{"user", "1000@acme.example"}, exitFault, []string{"user 1000 is off (domain_user.enabled is false)\n"}},
		{"nobody", []string{"user", "1@none.example"}, exitFault, []string{"there is no domain none.example\n"}},
		{"a gateway", []string{"gateway", "Twilio"}, exitOK, []string{"profile external has it: calls to sofia/gateway/twilio go to "}},
		{"no gateway", []string{"gateway", "none"}, exitFault, []string{"there is no gateway none\n"}},
		{"an address that is denied", []string{"address", "54.172.60.1", "--list", "domains"}, exitFault, []string{
			"denied: entry domains 54.172.60.1/32 (deny) is the longest network that holds the address\n",
		}},
		{"an address of nobody", []string{"address", "198.51.100.1", "--list", "domains"}, exitFault, []string{
			"denied: no entry holds the address, and the list's default is deny\n",
		}},
		{"a user's network", []string{"address", "192.0.2.9", "--list", "phones"}, exitOK, []string{"allowed: entry phones domain acme.example, user 1001, 192.0.2.0/24"}},
		{"what an extension reaches", []string{"row", "extension", "hours"}, exitOK, []string{"it reaches numbers (3), documents (1)\n", "  public +27110000001\n"}},
		{"what a tenant reaches", []string{"row", "tenant", "acme"}, exitOK, []string{"domains: 1:\n  acme.example\n"}},
		{"what a gateway reaches", []string{"row", "gateway", "twilio"}, exitOK, []string{"documents: 1:\n  sofia.conf\n"}},
		{"what a list reaches", []string{"row", "acl_list", "domains"}, exitOK, []string{"profiles: 1:\n  external\n"}},
		{"what a context reaches", []string{"row", "context", "acme"}, exitOK, []string{"domains: 1:\n  acme.example\n"}},
		{"what a domain reaches", []string{"row", "domain", "acme.example"}, exitOK, []string{"  1001@acme.example\n"}},
		{"what a profile reaches", []string{"row", "sip_profile", "external"}, exitOK, []string{"gateways: 1:\n  twilio\n"}},
		{"what a node reaches", []string{"row", "node", "*"}, exitOK, []string{"profiles: 2"}},
		{"what a user reaches", []string{"row", "domain_user", "acme.example", "1000"}, exitOK, []string{"groups: 1:\n  sales\n", "users (1)"}},
		{"what a number reaches", []string{"row", "number", "7001 acme"}, exitOK, []string{"extensions: 1:\n  reception\n", "domains: 1:\n  acme.example\n"}},
		{"what a finding's row reaches", []string{"row", "action", "extension=forward position=2"}, exitOK, []string{"documents (1)"}},
		{"what a finding's row reaches, word by word", []string{"row", "acl_entry", "list=domains", "cidr=54.172.60.0/30"}, exitOK, []string{"profiles: 1:\n  external\n"}},
		{"a column that is not there", []string{"row", "number", "numbr=1"}, exitFault, nil},
		{"half a key", []string{"row", "domain_user", "acme.example"}, exitFault, nil},
		{"no such row", []string{"row", "context", "none"}, exitFault, []string{"there is no such row\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runOnce(t, nil, append([]string{"explain", "--database-url", url}, c.args...)...)
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s", code, c.code, stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("lacks %q:\n%s", want, stdout)
				}
			}
		})
	}
}

func TestExplainJSON(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	_, stdout, stderr := runOnce(t, nil, "explain", "--database-url", url, "number", "+27999", "--json")
	got := map[string]any{}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err, stderr)
	}
	delete(got, "hunt")
	want := map[string]any{
		"question": "number +27999 in context public", "answer": "extension not_found takes it: log, respond", "found": false,
		"refused": []any{}, "notes": []any{"nobody has the number in context public"},
		"rows": []any{map[string]any{"table": "context", "key": "public"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExplainUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"number"}, {"number", "1", "2"}, {"user", "1000"}, {"address", "1.2.3.4"}, {"address", "x", "--list", "y"}, {"row", "tenant"},
		{"number", "1", "--at", "noon"}, {"number", "1", "--zone", "Nowhere/City"}, {"number", "1", "--field", "x"}, {"something", "else"},
	} {
		if code, _, stderr := runOnce(t, nil, append([]string{"explain"}, args...)...); code != exitUsage {
			t.Errorf("%q: exit %d, %s", args, code, stderr)
		}
	}
}

func TestExplainMasksSecrets(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, statement := range []string{
		`INSERT INTO extension (name) VALUES ('dials')`,
		`INSERT INTO action (extension, position, application, data) VALUES ('dials', 1, 'bridge', '{sip_auth_password=geheim}sofia/gateway/twilio/1')`,
		`INSERT INTO number (number, tenant, extension) VALUES ('+27110000001', 'vumi', 'dials')`,
	} {
		execute(t, url, statement)
	}
	for _, form := range []string{"--json", "--json=false"} {
		code, stdout, stderr := runOnce(t, nil, "explain", "--database-url", url, "number", "+27110000001", form)
		if code != exitOK || strings.Contains(stdout, "geheim") || !strings.Contains(stdout, "sip_auth_password=secret:") {
			t.Errorf("%s: exit %d, %s%s", form, code, stderr, stdout)
		}
	}
}
