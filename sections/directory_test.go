package sections_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	user1000  = []string{"domain name=acme.example\n", "user id=1000 number-alias=71000\n", "param name=password value=demo-1000", "allow-empty-password value=false"}
	everybody = expectation{
		want:  []string{"user id=1000", "user id=1001", "user id=1002", "allow-empty-password value=false", "name=dial-string"},
		never: []string{"demo-1000", "demo-1001", "a1-hash", "vm-password", "cacheable"},
	}
	domainOnly = expectation{want: []string{"domain name=acme.example", "name=user_context value=acme"}, never: []string{"user id", "groups"}}
	notFound   = expectation{missing: true}
)

// Every way in which FreeSWITCH asks, by the fields that tell them apart.
func TestDirectoryLookups(t *testing.T) {
	t.Parallel()
	const acme = "acme.example"
	single := expectation{want: user1000, never: []string{"user id=1001", "user id=1002"}}
	sales := expectation{
		want:  []string{"group name=sales\n", "user id=1000", "user id=1001", "name=dial-string"},
		never: []string{"user id=1002", "demo-", "password value=demo", "cacheable"},
	}
	check(t, []answer{
		{"digest", nil, lookupUser(acme, "1000", "action=sip_auth", "sip_auth_method=REGISTER"), single},
		{"challenged without a gateway", nil, lookupUser(acme, "1000", "action=reverse-auth-lookup"), single},
		{"known by its address", nil, lookupUser(acme, "1000", "Event-Calling-Function=sofia_locate_user", "X-Purpose=gateways"), single},
		{"with the address it came from", nil, lookupUser(acme, "1000", "action=sip_auth") + "&ip=192.0.2.65", single},
		{"user_call", nil, lookupUser(acme, "1000", "as_channel=true", "action=user_call"), single},
		{"pointer of group_call", nil, lookupUser(acme, "1000", "group=sales", "action=group_call", "group_name=sales"), single},
		{"user_data", nil, lookupUser(acme, "1000", "type=var"), single},
		{"user_exists, set_user, voicemail forward", nil, lookupUser(acme, "1000"), single},
		{"user_exists by number-alias", nil, lookup(acme, "key=number-alias", "user=71000", "domain="+acme), single},
		{"key tried again", nil, lookup(acme, "key=id", "user=71000", "domain="+acme, "key=number-alias", "user=71000", "domain="+acme), single},
		{"voicemail", nil, lookupUser(acme, "1000", "action=voicemail-lookup"), single},
		{"message-count", nil, lookupUser(acme, "1000", "action=message-count"), single},
		{"web-vm", nil, lookupUser(acme, "1000", "action=web-vm"), single},
		{"PIN change", nil, lookupUser(acme, "1000", "VM-Action=change-password", "VM-User-Password=1"), single},
		{"event_socket_auth", nil, lookupUser(acme, "1000", "action=event_socket_auth"), single},
		{"jsonrpc-authenticate", nil, lookupUser(acme, "1000", "action=jsonrpc-authenticate", "purpose=gateways"), single},
		{"mod_xml_rpc", nil, lookupUser(acme, "1000", "number_alias=check"), single},
		{"mod_rtmp", nil, lookupUser(acme, "1000", "source=mod_rtmp"), single},
		{"mod_skinny", nil, lookupUser(acme, "1000", "action=skinny-auth"), single},
		{"voicemail_inject to one", nil, lookup(acme, "purpose=publish-vm", "user=1000", "domain="+acme), single},
		{"voicemail_inject to all", nil, lookup(acme, "purpose=publish-vm", "user=_all_", "domain="+acme), everybody},
		{"voicemail_inject to a group", nil, lookup(acme, "purpose=publish-vm", "group=sales", "domain="+acme), sales},
		{"group_call", nil, lookup(acme, "group=sales", "action=group_call", "group_name=sales", "domain="+acme), sales},
		{"in_group", nil, lookup(acme, "group_name=sales", "user=1000", "domain="+acme), sales},
		{"group in other case", nil, lookup(acme, "group=SALES", "group_name=SALES", "domain="+acme), expectation{want: []string{"group name=SALES", "user id=1000"}}},
		{"group that nobody is in", []string{`INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'empty')`}, lookup(acme, "group=empty", "domain="+acme), notFound},
		{"group unknown", nil, lookup(acme, "group=nobody", "domain="+acme), notFound},
		{"SIP 302, domain_exists", nil, lookup(acme, "domain="+acme), domainOnly},
		{"domain_data", nil, lookup(acme, "domain="+acme, "type=param"), domainOnly},
		{"list_users of a domain", nil, lookup(acme), everybody},
		{"mod_directory", nil, lookup(acme, "Event-Name=REQUEST_PARAMS"), everybody},
		{"list_users", nil, allDomains(), everybody},
		{"network-list", nil, lookup(acme, "domain="+acme, "purpose=network-list"),
			expectation{want: []string{"user id=1002 cidr=192.0.2.64/29"}, never: []string{"1000", "1001", "param"}}},
		{"profile's domain", nil, lookup(acme, "purpose=gateways", "profile=internal"), domainOnly},
		{"profile's domains, all", nil, allDomains("purpose=gateways", "profile=internal"), domainOnly},
	})
}

func TestWhoIsFound(t *testing.T) {
	t.Parallel()
	const acme = "acme.example"
	one := expectation{want: user1000}
	upper := `INSERT INTO domain_user (domain, id, number_alias, password) VALUES ('acme.example', 'alice', 'al', 'wonder')`
	alice := expectation{want: []string{"user id=alice number-alias=al", "value=wonder"}}
	set := func(statement string) []string { return []string{statement} }
	check(t, []answer{
		{"domain in other case", nil, lookupUser("ACME.Example", "1000"), one},
		{"domain in two cases", nil, lookup("ACME.example", "key=id", "user=1000", "domain=acme.EXAMPLE"), one},
		{"user in other case", set(upper), lookupUser(acme, "ALICE"), alice},
		{"alias in other case", set(upper), lookupUser(acme, "AL"), alice},
		{"alias", nil, lookupUser(acme, "71000"), one},
		{"unknown user", nil, lookupUser(acme, "1009"), notFound},
		{"unknown domain", nil, lookupUser("nobody.example", "1000"), notFound},
		{"domain's tail", nil, lookupUser("example", "1000"), notFound},
		{"domain with a dot too many", nil, lookupUser("acme.example.", "1000"), notFound},
		{"pattern", nil, lookupUser(acme, "%"), notFound},
		{"user off", set(`UPDATE domain_user SET enabled = false WHERE id = '1000'`), lookupUser(acme, "1000"), notFound},
		{"user off by alias", set(`UPDATE domain_user SET enabled = false WHERE id = '1000'`), lookupUser(acme, "71000"), notFound},
		{"user off in list", set(`UPDATE domain_user SET enabled = false WHERE id = '1000'`), lookup(acme), expectation{want: []string{"user id=1001"}, never: []string{"1000"}}},
		{"user off in group", set(`UPDATE domain_user SET enabled = false WHERE id = '1000'`), lookup(acme, "group=sales", "domain="+acme), expectation{want: []string{"user id=1001"}, never: []string{"1000"}}},
		{"user off in networks", set(`UPDATE domain_user SET enabled = false WHERE id = '1002'`), lookup(acme, "purpose=network-list", "domain="+acme), domainNameOnly()},
		{"domain off", set(`UPDATE domain SET enabled = false`), lookupUser(acme, "1000"), notFound},
		{"domain off, itself", set(`UPDATE domain SET enabled = false`), lookup(acme, "domain="+acme), notFound},
		{"tenant off", set(`UPDATE tenant SET enabled = false WHERE name = 'acme'`), lookupUser(acme, "1000"), notFound},
		{"tenant off, all domains", set(`UPDATE tenant SET enabled = false WHERE name = 'acme'`), allDomains(), notFound},
		{"other tenant off", set(`UPDATE tenant SET enabled = false WHERE name = 'vumi'`), lookupUser(acme, "1000"), one},
		{"domain and key_value differ", nil, lookup("acme.example", "key=id", "user=1000", "domain=other.example"), notFound},
		{"realm with fields of its own", nil,
			form("fs1", "directory", "domain", "name", "acme.example&user=1000&key=id&domain=acme.example&purpose=gateways", "key=id", "user=1001", "domain=acme.example&user=1000&key=id&domain=acme.example&purpose=gateways"), notFound},
		{"realm with another section", nil,
			form("fs1", "directory", "domain", "name", "acme.example&section=configuration&key_value=sofia.conf", "key=id", "user=1000", "domain=acme.example&section=configuration&key_value=sofia.conf"), notFound},
		{"realm that asks for everybody", nil, lookup("acme.example&key=&user=_all_&purpose=publish-vm", "key=id", "user=1001", "domain=acme.example&key=&user=_all_&purpose=publish-vm"), notFound},
		{"empty realm", nil, lookup("", "action=sip_auth", "key=id", "user=1000"), notFound},
		{"empty realm that asks for all domains", nil, lookup("&tag_name=", "action=sip_auth", "key=id", "user=1000", "domain=&tag_name="), notFound},
		{"SIP headers as fields", nil, lookup(acme, "section=configuration", "purpose=network-list", "group=sales", "user=1001", "domain=other.example", "key=id", "user=1000", "domain="+acme), one},
		{"user that is no UTF-8", nil, lookupUser(acme, "") + "&user=%ff%00", notFound},
		{"name with an apostrophe", set(`UPDATE domain_user SET caller_id_name = 'Conan O''Brien', caller_id_number = 'anonymous' WHERE id = '1000'`), lookupUser(acme, "1000"),
			expectation{want: []string{"variable name=effective_caller_id_name value=Conan O'Brien\n", "variable name=effective_caller_id_number value=anonymous\n"}}},
		{"operator's name before the tenant's", set(`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'Effective_Caller_ID_Name', 'A "B" <C>'), ('acme.example', '1000', 'effective_caller_id_number', 'seven')`), lookupUser(acme, "1000"),
			expectation{want: []string{`value=A "B" <C>`, "variable name=effective_caller_id_number value=seven\n"}, never: []string{"Acme Reception"}}},
		{"group default rings everybody", nil, lookup(acme, "group=default", "domain="+acme),
			expectation{want: []string{"group name=default\n", "user id=1000", "user id=1001", "user id=1002"}, never: []string{"demo-100"}}},
		{"groups in the list of users", set(`INSERT INTO domain_group (domain, name) VALUES ('acme.example', 'a'); INSERT INTO domain_group_user (domain, group_name, user_id, position) VALUES ('acme.example', 'a', '1001', -1), ('acme.example', 'a', '1000', 9), ('acme.example', 'a', '1002', 10)`), lookup(acme),
			expectation{want: []string{"group name=a\n   users\n    user id=1001 type=pointer\n    user id=1000 type=pointer\n    user id=1002 type=pointer\n  group name=sales\n   users\n    user id=1000 type=pointer\n    user id=1001 type=pointer\n"}}},
		{"nobody has a cidr", set(`UPDATE domain_user SET cidr = '{}'`), lookup(acme, "purpose=network-list", "domain="+acme), domainNameOnly()},
		{"many networks", set(`UPDATE domain_user SET cidr = '{192.0.2.1,2001:db8::/32}' WHERE id = '1001'`), lookup(acme, "purpose=network-list", "domain="+acme),
			expectation{want: []string{"user id=1001 cidr=192.0.2.1/32,2001:db8::/32", "user id=1002 cidr=192.0.2.64/29"}}},
	})
}

func domainNameOnly() expectation {
	return expectation{want: []string{"domain name=acme.example\n"}, never: []string{"user", "cidr"}}
}

// crowded has whatever a domain can hold.
var crowded = []string{
	`UPDATE domain SET cacheable = 60000`,
	`INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'Reverse-Auth-Pass', 'hidden'), ('acme.example', 'vm-email', 'seen')`,
	`INSERT INTO domain_user_param (domain, user_id, name, value) VALUES
		('acme.example', '1000', 'esl-password', 'hidden'), ('acme.example', '1000', 'Reverse-Auth-PASS', 'hidden'), ('acme.example', '1000', 'vm-mailto', 'seen')`,
	`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'public'), ('acme.example', '1001', 'toll_allow', 'local')`,
	`INSERT INTO gateway (name, profile, tenant, proxy, username, password, register, domain, user_id)
		VALUES ('gw1000', 'internal', 'acme', 'sip.example', 'u', 'gatewaysecret', true, 'acme.example', '1000')`,
	`INSERT INTO gateway_variable (gateway, name, value, direction) VALUES ('gw1000', 'v', '1', 'inbound')`,
}

// One user's answer is the same whatever it is asked for, since FreeSWITCH caches it under the user's name; what is
// about many is never cached and holds nothing secret.
func TestCacheable(t *testing.T) {
	t.Parallel()
	const acme = "acme.example"
	w := demo(t, crowded...)
	var first []byte
	for _, fields := range [][]string{{"action=sip_auth"}, {"type=param"}, {"action=user_call", "as_channel=true"}, {"purpose=gateways"},
		{"purpose=network-list"}, {"action=message-count"}, {"group=sales"}, {"purpose=publish-vm"}, {"ip=192.0.2.1"}} {
		got, err := w.render(t, lookupUser(acme, "1000", fields...))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
			expectation{want: []string{"user id=1000 number-alias=71000 cacheable=60000", "value=hidden", "value=seen", "user_context value=public"}}.check(t, lines(t, got))
		}
		if !bytes.Equal(first, got) {
			t.Errorf("%v: %s", fields, cmp.Diff(string(first), string(got)))
		}
	}
	for _, form := range manyUsers() {
		expectation{want: []string{"domain name=acme.example"}, never: []string{"cacheable", "hidden", "demo-", "a1-hash"}}.check(t, w.ask(t, form))
	}
}

// manyUsers are the lookups that are answered with more than one user, or with none.
func manyUsers() []string {
	const acme = "acme.example"
	return []string{
		allDomains(), lookup(acme), lookup(acme, "group=sales", "domain="+acme), lookup(acme, "domain="+acme), lookup(acme, "purpose=gateways", "profile=internal"),
		allDomains("purpose=gateways", "profile=internal"), lookup(acme, "purpose=network-list", "domain="+acme), lookup(acme, "purpose=publish-vm", "user=_all_", "domain="+acme),
	}
}

// FreeSWITCH takes a user's type or ip as a match for everybody, and one without a credential in with any password.
func TestUserIsNobodyElse(t *testing.T) {
	t.Parallel()
	w := demo(t, crowded...)
	forms := manyUsers()
	for _, user := range []string{"1000", "1001", "1002", "71000", "71001"} {
		form := lookupUser("acme.example", user, "action=sip_auth", "ip=192.0.2.65")
		forms = append(forms, form)
		got := strings.Join(w.ask(t, form), "\n")
		password, hash := strings.Count(got, "param name=password value="), strings.Count(got, "param name=a1-hash value=")
		if password+hash != 1 || strings.Count(got, "user id=") != 1 || !strings.Contains(got, "allow-empty-password value=false") {
			t.Errorf("%d passwords and %d hashes in\n%s", password, hash, got)
		}
	}
	for _, form := range forms {
		for _, line := range w.ask(t, form) {
			if strings.HasPrefix(strings.TrimSpace(line), "user ") && (strings.Contains(strings.TrimSuffix(line, " type=pointer"), " type=") || strings.Contains(line, " ip=")) {
				t.Error(line)
			}
			if strings.Contains(line, "allow-empty-password") && !strings.HasSuffix(line, "value=false") {
				t.Error(line)
			}
		}
	}
}

// A user without anything to prove itself with is no answer, however its row came about.
func TestUserWithoutCredential(t *testing.T) {
	t.Parallel()
	w := demo(t)
	w.edit(t, `ALTER TABLE domain_user DROP CONSTRAINT domain_user_has_one_credential`, `UPDATE domain_user SET password = NULL WHERE id = '1000'`)
	if got, err := w.render(t, lookupUser("acme.example", "1000")); err == nil {
		t.Errorf("answered\n%s", got)
	}
}

// A user as whom nobody may log in has another password in each answer.
func TestUserWithoutLogin(t *testing.T) {
	t.Parallel()
	w := demo(t, `UPDATE domain_user SET password = NULL, login = false WHERE id = '1000'`)
	passwords := map[string]bool{}
	for range 2 {
		answer, err := w.render(t, lookupUser("acme.example", "1000"))
		if err != nil {
			t.Fatal(err)
		}
		password := regexp.MustCompile(`name="password" value="(\w{26})"`).FindSubmatch(answer)
		if password == nil || passwords[string(password[1])] {
			t.Fatalf("%q after %v in\n%s", password, passwords, answer)
		}
		passwords[string(password[1])] = true
	}
}

// What no table has of a user is told about the user alone.
func TestUserBody(t *testing.T) {
	t.Parallel()
	edits := []string{`UPDATE domain_user SET expand = true, body = '<skinny><buttons><button position="1" label="$${main}"/></buttons></skinny><vcard/>' WHERE id = '1000'`}
	check(t, []answer{
		{"of the user", edits, lookupUser("acme.example", "1000"), expectation{want: []string{"  skinny\n", "button position=1 label=$${main}", "vcard\n"}}},
		{"of all users", edits, lookup("acme.example", "purpose=publish-vm"), expectation{want: []string{"user id=1000"}, never: []string{"skinny", "vcard"}}},
	})
}

func TestGatewaysOfUsers(t *testing.T) {
	t.Parallel()
	const acme = "acme.example"
	gateway := expectation{want: []string{"user id=1000", "gateway name=gw1000\n", "param name=register value=true", "param name=password value=gatewaysecret", "variable name=v value=1 direction=inbound"},
		never: []string{"1001", "demo-1000", "twilio"}}
	off := func(statement string) []string { return append(append([]string{}, crowded...), statement) }
	internal := lookup(acme, "purpose=gateways", "profile=internal")
	none := expectation{want: []string{"domain name=acme.example"}, never: []string{"gateway", "user id"}}
	check(t, []answer{
		{"of the profile", crowded, internal, gateway},
		{"all domains", crowded, allDomains("purpose=gateways", "profile=internal"), gateway},
		{"of another profile", crowded, lookup(acme, "purpose=gateways", "profile=external"), none},
		{"not in sofia.conf", crowded, conf("sofia.conf", "profile=internal"), expectation{never: []string{"gw1000", "gatewaysecret"}}},
		{"gateway off", off(`UPDATE gateway SET enabled = false WHERE name = 'gw1000'`), internal, none},
		{"user off", off(`UPDATE domain_user SET enabled = false WHERE id = '1000'`), internal, none},
		{"of another node", off(`INSERT INTO node (name) VALUES ('fs2'); UPDATE gateway SET node = 'fs2' WHERE name = 'gw1000'`), internal, none},
		{"gateway's tenant off", off(`UPDATE gateway SET tenant = 'vumi' WHERE name = 'gw1000'; UPDATE tenant SET enabled = false WHERE name = 'vumi'`), internal, none},
		{"domain off", off(`UPDATE domain SET enabled = false`), internal, notFound},
	})
}
