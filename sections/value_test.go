package sections_test

import (
	"fmt"
	"strings"
	"testing"
)

// expandable are the places where an operator may ask for FreeSWITCH's own variable: a row, with its value to be put in,
// and the request whose answer shows it. All of the rows can stand in one world.
var expandable = []struct{ name, insert, form string }{
	{"switch_param", `INSERT INTO switch_param (name, value, expand) VALUES ('mailer-app', %s)`, conf("post_load_switch.conf")},
	{"switch_variable", `INSERT INTO switch_variable (name, value, expand) VALUES ('a', %s)`, conf("post_load_switch.conf")},
	{"event_socket_param", `INSERT INTO event_socket_param (name, value, expand) VALUES ('a', %s)`, conf("event_socket.conf")},
	{"sofia_param", `INSERT INTO sofia_param (name, value, expand) VALUES ('a', %s)`, conf("sofia.conf", "profile=nobody")},
	{"sip_profile_param", `INSERT INTO sip_profile_param (profile, name, value, expand) VALUES ('internal', 'a', %s)`, conf("sofia.conf")},
	{"gateway_param", `INSERT INTO gateway_param (gateway, name, value, expand) VALUES ('twilio', 'from-domain', %s)`, conf("sofia.conf", "profile=external", "gateway=twilio")},
	{"gateway_variable", `INSERT INTO gateway_variable (gateway, name, value, expand) VALUES ('twilio', 'a', %s)`, conf("sofia.conf", "profile=external", "gateway=twilio")},
	{"gateway_variable, one direction", `INSERT INTO gateway_variable (gateway, name, direction, value, expand) VALUES ('twilio', 'b', 'inbound', %s)`, conf("sofia.conf", "profile=external", "gateway=twilio")},
	{"gateway_param of a user", `INSERT INTO gateway (name, profile, proxy, domain, user_id) VALUES ('gw1000', 'internal', 'x', 'acme.example', '1000');
		INSERT INTO gateway_param (gateway, name, value, expand) VALUES ('gw1000', 'from-domain', %s)`, lookup("acme.example", "purpose=gateways", "profile=internal")},
	{"domain_param", `INSERT INTO domain_param (domain, name, value, expand) VALUES ('acme.example', 'a', %s)`, lookupUser("acme.example", "1001")},
	{"domain_variable", `INSERT INTO domain_variable (domain, name, value, expand) VALUES ('acme.example', 'a', %s)`, lookup("acme.example", "domain=acme.example")},
	{"domain_user_param", `INSERT INTO domain_user_param (domain, user_id, name, value, expand) VALUES ('acme.example', '1000', 'a', %s)`, lookupUser("acme.example", "1000")},
	{"domain_user_variable", `INSERT INTO domain_user_variable (domain, user_id, name, value, expand) VALUES ('acme.example', '1000', 'a', %s)`, lookup("acme.example", "group=sales", "domain=acme.example")},
	{"action", `INSERT INTO action (extension, position, application, data, expand) VALUES ('reception', 9, 'log', %s)`, call("public", "+27210000000")},
	{"condition", `INSERT INTO condition (extension, position, field, expression, expand) VALUES ('local.user', 9, 'ani', %s)`, call("acme", "1000")},
	{"extension", `INSERT INTO extension (name, body, expand) SELECT 'body', xmlelement(name condition, xmlattributes(v.value AS expression)), v.expand FROM (VALUES (%s)) v (value, expand);
		INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '5', 'acme', 'body')`, call("acme", "5")},
	{"document", `INSERT INTO document (name, body, expand) SELECT 'x.conf', xmlelement(name configuration, xmlattributes('x.conf' AS name, v.value AS value)), v.expand FROM (VALUES (%s)) v (value, expand)`, conf("x.conf")},
}

// filled is the demo world with a value, and its flag expand, in each of expandable.
func filled(t *testing.T, value func(i int) string, expand bool) *world {
	t.Helper()
	var edits []string
	for i, tc := range expandable {
		edits = append(edits, fmt.Sprintf(tc.insert, fmt.Sprintf(`'%s', %v`, strings.ReplaceAll(value(i), `'`, `''`), expand)))
	}
	return demo(t, edits...)
}

// $${name} is left to FreeSWITCH where the row asks for that, and nowhere else.
func TestExpand(t *testing.T) {
	t.Parallel()
	for expand, want := range map[bool]string{true: `="$${own_ip%02d}"`, false: `="&#36;&#36;{own_ip%02d}"`} {
		w := filled(t, func(i int) string { return fmt.Sprintf("$${own_ip%02d}", i) }, expand)
		for i, tc := range expandable {
			t.Run(fmt.Sprintf("%s %v", tc.name, expand), func(t *testing.T) { raw(t, w, tc.form, fmt.Sprintf(want, i)) })
		}
	}
}

// Any value arrives as it stands in its row, however hostile and however long.
func TestValuesArrive(t *testing.T) {
	t.Parallel()
	const most = 65536 // bytes of a setting_value
	const hostile = "<!--#exec cmd=\"id\"--> <X-PRE-PROCESS cmd=\"exec\" data=\"id\"/> </include><?x?> $${a} ${system id} $1 &amp; ]]> ' \" " +
		"\t\n\r é 😀 \u00a0\u0085\u2028 "
	long := strings.Repeat(hostile, most/len(hostile))
	long += strings.Repeat("<", most-len("#00")-len(long))
	for name, value := range map[string]string{"hostile": hostile, "long": long} {
		numbered := func(i int) string {
			switch name := expandable[i].name; {
			case name == "extension", name == "document": // these may not name the directive
				return strings.ReplaceAll(hostile, "X-PRE-PROCESS", "PROCESS") + fmt.Sprintf("#%02d", i)
			case strings.HasPrefix(name, "domain_"), strings.HasSuffix(name, "of a user"): // FreeSWITCH copies these, and cannot copy <!
				return strings.ReplaceAll(value, "<!", "<") + fmt.Sprintf("#%02d", i)
			}
			return value + fmt.Sprintf("#%02d", i)
		}
		w := filled(t, numbered, false)
		for i, tc := range expandable {
			t.Run(tc.name+" "+name, func(t *testing.T) { arrives(t, w, tc.form, numbered(i)) })
		}
	}
}

// arrives sees that the answer to form holds value, whole, and nothing that FreeSWITCH's pre-processor would act on.
func arrives(t *testing.T, w *world, form, value string) {
	t.Helper()
	answer, err := w.render(t, form)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines(t, answer), "\n"); !strings.Contains(got, "="+value) {
		t.Errorf("%d bytes are not whole in an answer of %d", len(value), len(got))
	}
	for _, directive := range []string{"$${a}", "<!--", "X-PRE-PROCESS", "<include", "</include"} {
		if strings.Contains(string(answer), directive) {
			t.Errorf("%s is for FreeSWITCH's pre-processor", directive)
		}
	}
}
