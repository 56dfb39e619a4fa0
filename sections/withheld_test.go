package sections_test

import (
	"encoding/xml"
	"math/rand/v2"
	"strings"
	"testing"
)

// Rows from before the schema refused <! are not served: FreeSWITCH would take them for markup when it copies the user.
func TestMarkupIsWithheld(t *testing.T) {
	t.Parallel()
	const (
		variable = `ALTER TABLE domain_user_variable DROP CONSTRAINT domain_user_variable_is_copied;
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'a', 'a<!b')`
		password = `ALTER DOMAIN secret DROP CONSTRAINT secret_check; UPDATE domain_user SET password = 'a<!b' WHERE id = '1000'`
		ofDomain = `ALTER TABLE domain_param DROP CONSTRAINT domain_param_is_copied;
			INSERT INTO domain_param (domain, name, value) VALUES ('acme.example', 'a', 'a<!b')`
	)
	notFound := expectation{missing: true}
	check(t, []answer{
		{"a user's variable", []string{variable}, lookupUser("acme.example", "1000"), notFound},
		{"a user's password", []string{password}, lookupUser("acme.example", "71000"), notFound},
		{"another user", []string{variable, password}, lookupUser("acme.example", "1001"), expectation{want: []string{"user id=1001", "demo-1001"}}},
		{"the list of users", []string{variable}, lookup("acme.example"), expectation{want: []string{"user id=1001"}, never: []string{"a<!b", "number-alias=71000", "user id=1000"}}},
		{"a group", []string{variable}, lookup("acme.example", "group=sales", "domain=acme.example"), expectation{want: []string{"user id=1001"}, never: []string{"a<!b", "1000"}}},
		{"a user's gateway", []string{`UPDATE gateway SET domain = 'acme.example', user_id = '1000', profile = 'internal'; ALTER TABLE gateway_variable DISABLE TRIGGER ALL;
			INSERT INTO gateway_variable (gateway, name, value) VALUES ('twilio', 'a', 'a<!b')`}, lookup("acme.example", "purpose=gateways", "profile=internal"), expectation{want: []string{"domain name=acme.example"}, never: []string{"a<!b", "twilio"}}},
		{"a domain's parameter", []string{ofDomain}, lookupUser("acme.example", "1001"), notFound},
	})
}

// A number that lacks what its extension asks for is one that nobody has, and no fault.
func TestNumberThatCannotBeFilledIn(t *testing.T) {
	t.Parallel()
	w := demo(t)
	w.unguarded(t, `UPDATE number SET forward_number = NULL WHERE number = '7000'`)
	got := strings.Join(w.ask(t, call("acme", "7000")), "\n")
	if !strings.Contains(got, "application=respond data=404 Not Found") || strings.Contains(got, "transfer") {
		t.Errorf("the answer is\n%s", got)
	}
	w.edit(t, `INSERT INTO extension (name, body) VALUES ('body', '<condition><action application="log" data="&#37;{address}"/></condition>')`,
		`INSERT INTO number (context, number, tenant, extension, address) VALUES ('acme', '7009', 'acme', 'body', 'a.example')`)
	raw(t, w, call("acme", "7009"), `data="a.example"`)
	w.unguarded(t, `UPDATE number SET address = NULL WHERE number = '7009'`)
	raw(t, w, call("acme", "7009"), `data="404 Not Found"`)
	w.edit(t, `INSERT INTO extension (name) VALUES ('nobody')`,
		`INSERT INTO action (extension, position, application, data) VALUES ('nobody', 1, 'respond', '486')`,
		`UPDATE context SET not_found_extension = 'nobody' WHERE name = 'acme'`)
	if got := strings.Join(w.ask(t, call("acme", "7000")), "\n"); !strings.Contains(got, "application=respond data=486") {
		t.Errorf("the context's own answer is\n%s", got)
	}
}

// copied is an attribute's value after FreeSWITCH has parsed it, written it out and parsed it again: its writer turns the
// five characters, line ends and tabs into references, and stops doing so behind <!.
func copied(t *testing.T, value string) string {
	t.Helper()
	var out strings.Builder
	immune := false
	for i, c := range value {
		switch {
		case immune:
			out.WriteRune(c)
		case c == '<' && strings.HasPrefix(value[i:], "<!"):
			immune = true
			out.WriteRune(c)
		default:
			out.WriteString(map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\n': "&#xA;", '\t': "&#x9;", '\r': "&#xD;"}[c])
			if !strings.ContainsRune("&<>\"\n\t\r", c) {
				out.WriteRune(c)
			}
		}
	}
	var element struct {
		Value string `xml:"value,attr"`
	}
	d := xml.NewDecoder(strings.NewReader(`<variable value="` + out.String() + `"/>`))
	d.Strict = false // FreeSWITCH's parser is not, either
	if err := d.Decode(&element); err != nil {
		return "no XML: " + err.Error()
	}
	return element.Value
}

// What the schema takes for a user's variable is the same after FreeSWITCH has copied the user, however the characters
// that mean something to XML stand beside each other; what it refuses would not be.
func TestUsersValuesSurviveACopy(t *testing.T) {
	t.Parallel()
	pieces := []string{"&", "<", ">", `"`, "'", "!", "-", "--", "[", "]", "CDATA", "?", "/", ";", "#", "x41", "&amp;", "&#60;", "%3C", "=", " ", "\n", "\t", "a", "é", "$", "{", "}", "\\"}
	random := rand.New(rand.NewPCG(1, 2))
	w := demo(t)
	var values []string
	for len(values) < 300 {
		value := ""
		for range 1 + random.IntN(8) {
			value += pieces[random.IntN(len(pieces))]
		}
		if strings.Contains(value, "<!") || strings.TrimSpace(value) != value {
			continue
		}
		if got := copied(t, value); got != value {
			t.Errorf("%q becomes %q", value, got)
		}
		values = append(values, value)
	}
	var edits []string
	for i, value := range values {
		edits = append(edits, `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'v`+
			string(rune('a'+i/26))+string(rune('a'+i%26))+`', E'`+strings.NewReplacer(`\`, `\\`, "'", "''").Replace(value)+`')`)
	}
	w.edit(t, edits...)
	if w.ask(t, lookupUser("acme.example", "1000")) == nil {
		t.Error("a user whose values FreeSWITCH can copy is not found")
	}
	if got := copied(t, "a<!b"); got == "a<!b" {
		t.Error("the model of FreeSWITCH's writer has no fault to be kept from")
	}
}
