package check_test

import "testing"

// act is an edit that gives extension forward another action, and number 7002 of acme that extension.
func act(application, data string) string {
	return `INSERT INTO number (context, number, tenant, extension, forward_number, display_name) VALUES ('acme', '7002', 'acme', 'forward', '7001', 'x');
		INSERT INTO action (extension, position, application, data) VALUES ('forward', 9, '` + application + `', '` + data + `')`
}

const lonely = `INSERT INTO context (name) VALUES ('lonely'); INSERT INTO number (context, number, tenant, extension) VALUES ('lonely', '1', 'acme', 'reception')`

const theAction = "action extension=forward position=9"

var dialplanCases = []found{
	{"an application", act("anwser", ""), []string{"application-unknown " + theAction + ": Write answer, if that is meant."}},
	{"an application like no other", act("frobnicate", ""), []string{"application-unknown " + theAction}},
	{"a field", condition("destination_numbr", `^1$`), []string{"field-unknown " + theCondition + ": Write destination_number, if that is meant."}},

	{"no form of numbers", `UPDATE context SET number_forms = '{}' WHERE name = 'public'`, []string{"context-forms context name=public"}},
	{"a context of nobody's", lonely, []string{"context-unentered context name=lonely"}},
	{"a context that calls are transferred to", lonely + `;` + act("transfer", "1 XML Lonely"), nil},
	{"a context that calls may be transferred to", lonely + `;` + act("transfer", "1 XML ${a}"), nil},
	{"a transfer to no context", act("transfer", "1 XML nobody"), []string{"context-unknown " + theAction}},
	{"a loopback to no context", act("bridge", "{a=b}loopback/1/nobody/XML"), []string{"context-unknown " + theAction}},
	{"a transfer of the other leg", act("transfer", "-bleg 1 XML nobody"), []string{"context-unknown " + theAction}},
	{"a transfer of the other leg in its own context", act("transfer", "-both 7009"), nil},
	{"a transfer that another dialplan takes", act("transfer", "1 enum nobody"), nil},
	{"a transfer to who knows where", act("transfer", "${a} XML ${b}"), nil},
	{"a profile in no context", `UPDATE sip_profile_param SET value = 'nobody' WHERE profile = 'external' AND name = 'context'`,
		[]string{"context-unknown sip_profile_param profile=external node=* name=context position=1"}},
	{"a profile without a context", `DELETE FROM sip_profile_param WHERE profile = 'external' AND name = 'context'`,
		[]string{"context-unknown sip_profile name=external: in context default"}},
	{"a profile in the context of the domain", `UPDATE sip_profile_param SET value = '_domain_' WHERE profile = 'external' AND name = 'context'`, nil},
	{"a gateway in no context", `INSERT INTO gateway_param (gateway, name, value) VALUES ('twilio', 'context', 'nobody')`,
		[]string{"context-unknown gateway_param gateway=twilio name=context"}},
	{"a user in no context", `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'user_context', 'nobody')`,
		[]string{"context-unknown domain_user_variable domain=acme.example user_id=1000 name=user_context"}},

	{"a gateway that nobody has", act("bridge", "[a=b]sofia/gateway/twillio/+1|sofia/gateway/twilio/+1"), []string{"destination-unknown " + theAction}},
	{"a gateway that is off", `UPDATE gateway SET enabled = false WHERE name = 'twilio'`, []string{"destination-unknown action extension=forward position=2: is off"}},
	{"a profile that nobody has", act("bridge", "sofia/extern/1@192.0.2.1"), []string{"destination-unknown " + theAction}},
	{"a user that nobody is", act("bridge", "user/1009@acme.example"), []string{"destination-unknown " + theAction}},
	{"destinations that are there", act("bridge", "{a=b,c=d}[e=f]user/71000@acme.example,user/1001@acme.example|sofia/internal/1@192.0.2.1:_:sofia/gateway/external::twilio/1,sofia/acme.example/1"), nil},
	{"destinations that depend", act("bridge", "user/${a}@acme.example,sofia/gateway/${b}/1,error/user_busy"), nil},

	{"an extension that does nothing", `DELETE FROM action WHERE extension = 'reception'`, []string{"extension-empty extension name=reception"}},
	{"an extension that does nothing, and others follow", `INSERT INTO extension (name, continue) VALUES ('nothing', true); INSERT INTO context_extension (context, extension) VALUES ('acme', 'nothing')`, nil},
	{"an extension that leaves the end to FreeSWITCH", `INSERT INTO extension (name) VALUES ('nothing'); UPDATE context SET not_found_extension = 'nothing'`, nil},
	{"an extension that does nothing and that nobody has", `INSERT INTO extension (name) VALUES ('nothing')`, nil},
	{"an extension behind all", `INSERT INTO context_extension (context, extension, position) VALUES ('acme', 'reception', 1)`,
		[]string{"extension-hidden context_extension context=acme extension=local.user"}},

	{"no menu", act("ivr", "main"), []string{"menu-unknown " + theAction}},
	{"a menu", act("ivr", "main_menu"), nil},
	{"a menu, where none is stored", act("ivr", "main") + `; DELETE FROM document WHERE name = 'ivr.conf'`, nil},
	{"no phrase", act("phrase", "greet,7"), []string{"phrase-unknown " + theAction}},
	{"a phrase", act("phrase", "greeting,7"), nil},
	{"a key of a menu", `UPDATE document SET body = replace(body::text, 'user/1000', 'user/1009')::xml WHERE name = 'ivr.conf'`,
		[]string{"destination-unknown document section=configuration name=ivr.conf node=* (entry 1)"}},

	{"a number that its extension refuses", `INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '2000', 'acme', 'local.user'), ('acme', '1000', 'acme', 'local.user')`,
		[]string{"number-refused number context=acme number=2000"}},
	{"a transfer to no number", act("transfer", "7009"), []string{"number-unknown " + theAction}},
	{"a transfer to no number of another context", act("transfer", "1 XML public"), []string{"number-unknown " + theAction}},
	{"transfers to numbers", act("transfer", "27210000000 XML PUBLIC"), nil},
	{"a transfer to what an extension of the context takes", act("transfer", "1001 XML acme"), nil},
	{"a transfer to no number, where somebody answers", act("transfer", "7009") + `; UPDATE context SET not_found_extension = 'reception' WHERE name = 'acme'`, nil},
	{"a number that is forwarded nowhere", `UPDATE number SET forward_number = '7999' WHERE number = '7000'`, []string{"number-unknown number context=acme number=7000"}},
	{"a number that is forwarded to a phone", `UPDATE number SET forward_number = '1001' WHERE number = '7000'`, nil},

	{"a number that is forwarded to itself", `UPDATE number SET forward_number = '7000' WHERE number = '7000'`, []string{"transfer-loop number context=acme number=7000: 7000, 7000"}},
	{"a circle of numbers", `UPDATE number SET forward_number = '7002' WHERE number = '7000';
		INSERT INTO number (context, number, tenant, extension, forward_number) VALUES ('acme', '7002', 'acme', 'transfer', '7000'), ('acme', '7003', 'acme', 'transfer', '7002')`,
		[]string{"transfer-loop number context=acme number=7000: 7000, 7002, 7000", "transfer-loop number context=acme number=7002"}},
	{"a circle with something in it", `UPDATE number SET forward_number = '7000' WHERE number = '7000';
		INSERT INTO action (extension, position, application, data) VALUES ('transfer', 0, 'bridge', 'user/1000@acme.example')`, nil},
}

func TestDialplan(t *testing.T) {
	t.Parallel()
	finds(t, dialplanCases)
}
