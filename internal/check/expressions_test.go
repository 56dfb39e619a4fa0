package check_test

import (
	"errors"
	"fmt"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/check"
	"xmlcurld/internal/pcre"
)

// condition is an edit that adds a condition to extension forward.
func condition(field, expression string) string {
	return `INSERT INTO condition (extension, position, field, expression) VALUES ('forward', 1, '` + field + `', '` + expression + `')`
}

const theCondition = "condition extension=forward position=1"

var expressionCases = []found{
	{"what PCRE refuses", condition("ani", `(?<9>a)`), []string{"expression-refused " + theCondition}},
	{"in a body", `INSERT INTO extension (name, body) VALUES ('b', '<condition field="ani" expression="^+27"><action application="answer"/></condition>')`,
		[]string{"expression-refused extension name=b (condition 1 of its body): never matches"}},
	{"as an element of a body", `INSERT INTO extension (name, body) VALUES ('b', '<condition field="ani"><expression>a(</expression><action application="answer"/></condition>')`,
		[]string{"expression-refused extension name=b (condition 1 of its body)"}},
	{"in a macro", `UPDATE document SET body = replace(body::text, '(.*)', '(.*')::xml WHERE name = 'en'`,
		[]string{"expression-refused document section=languages name=en node=* (expression 1)"}},
	{"no slash at the end", condition("ani", `/abc`), []string{"expression-refused " + theCondition}},
	{"expanded first", condition("ani", `${a}(?<9>`), nil},

	{"an address", condition("network_addr", `^192.168.1.1$`), []string{"expression-dot " + theCondition + `: Write 192\.168\.1\.1.`}},
	{"an address in another field", condition("${sip_via}", `10.0\.0.1`), []string{"expression-dot " + theCondition}},
	{"a host", condition("${sip_from_host}", `^sip.acme.example$`), []string{"expression-dot " + theCondition + `: Write sip\.acme\.example.`}},
	{"a host with its dots", condition("${sip_from_host}", `^sip\.acme\.example$`), nil},
	{"any host", condition("${sip_from_host}", `^.*\.acme\.example$`), nil},
	{"a dot in a name", condition("caller_id_name", `Mr. Smith`), nil},

	{"alternatives", condition("ani", `^100|200$`), []string{"expression-alternatives " + theCondition}},
	{"alternatives of a number", condition("destination_number", `^100|200`), []string{"expression-alternatives " + theCondition}},
	{"alternatives in a group", condition("ani", `^(100|200)$`), nil},
	{"alternatives with their own ends", condition("ani", `^100$|^200$`), nil},
	{"empty or a word", condition("ani", `anonymous|^$`), nil},

	{"no ends", condition("destination_number", `1001`), []string{"expression-unanchored " + theCondition + ": Write ^1001$ for"}},
	{"no ends, counted", condition("destination_number", `(\d{4})`), []string{"expression-unanchored " + theCondition}},
	{"any number", condition("destination_number", `(\d+)`), nil},
	{"whatever is around it", condition("destination_number", `.*1001`), nil},
	{"of a caller", condition("caller_id_number", `555`), nil},

	{"a range of numbers", condition("ani", `^[10-19]$`), []string{"expression-class " + theCondition}},
	{"months", condition("ani", `^[1-12]$`), []string{"expression-class " + theCondition}},
	{"ranges of digits", condition("ani", `^[02-9][2-79][1-35-9]$`), nil},
	{"a bar in a class", condition("destination_number", `^[10|20]$`), []string{"expression-class " + theCondition}},

	{"two backslashes", condition("ani", `^\\d+$`), []string{"expression-backslash " + theCondition}},
	{"the end in the middle", condition("ani", `^1$2`), []string{"expression-never " + theCondition}},
	{"the beginning in the middle", condition("ani", `1^2`), []string{"expression-never " + theCondition}},
	{"an escaped sign", condition("ani", `^1\$2$`), nil},

	{"options", condition("ani", `/^a$/ig`), []string{"expression-slashes " + theCondition + ": ignores g"}},
	{"an option", condition("ani", `/^a$/i`), nil},
	{"Asterisk", condition("ani", `_27NXX.`), []string{"expression-asterisk " + theCondition}},

	{"no context", condition("context", `^acme2$`), []string{"expression-context " + theCondition}},
	{"a context", condition("context", `^acme$`), nil},
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	finds(t, expressionCases)
}

// What dialplans are full of is nothing to speak of.
func TestUsualExpressions(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	edit := ""
	for i, expression := range []string{
		`^$`, `^.*$`, `(.*)`, `^(10[01][0-9])$`, `^\*98$`, `^(?:\+?1)?(\d{10})$`, `^1?(\d{10})$`, `^00|^\+`, `^(30\d{2})(-\d+)?$`, `^911$|^112$`, `^\*8\d{3}|^\*97$`,
		`^\+27(\d+)$`, `^27[1-5]\d{8}$`, `^(?!00)\d{7,15}$`, `^0([^0]\d+)$`, `^[\d*#]+$`, `^sip:(.*)@acme\.example$`, `^(\w+)\.(\w+)$`, `^[02-9][0-9]*$`, `^\$1$`, `^(a|b|c)$`,
		`^(?i)operator$`, `^0$|^operator$`, `[^\d]`, `^conf-(.{4})$`, `^\Q1.1.1.1\E$`,
	} {
		edit += fmt.Sprintf(`INSERT INTO condition (extension, position, field, expression) VALUES ('forward', %d, 'destination_number', '%s');`, i+1, expression)
	}
	for _, f := range run(t, conn, edit, check.Options{}) {
		t.Errorf("%+v", f)
	}
}

// What is said about an expression is what PCRE does with it.
func TestExpressionsMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		expression, field string
		matches           bool
	}{
		{`^192.168.1.1$`, "192x168y1z1", true},
		{`^sip.acme.example$`, "sipXacme-example", true},
		{`^100|200$`, "1009", true},
		{`^100|200$`, "9200", true},
		{`1001`, "910019", true},
		{`^[10-19]$`, "15", false},
		{`^[10-19]$`, "9", true},
		{`^[10|20]$`, "10", false},
		{`^[10|20]$`, "|", true},
		{`^\\d+$`, "123", false},
		{`^1$2`, "1$2", false},
		{`1^2`, "1^2", false},
		{`/^A$/ig`, "a", true},
		{`_27NXX.`, "27211", true},
	} {
		m, err := pcre.Perform(tc.field, tc.expression)
		if errors.Is(err, pcre.ErrNotHere) {
			t.Skip(err)
		}
		if err != nil || (m != nil) != tc.matches {
			t.Errorf("%s and %s: %v, %v", tc.expression, tc.field, m, err)
		}
	}
}
