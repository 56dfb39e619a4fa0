package sections_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	vumis  = "extension name=twilio.inbound"
	notOne = "action application=respond data=404 Not Found"
)

func TestNumberForms(t *testing.T) {
	t.Parallel()
	condition := func(dialled string) expectation {
		return expectation{want: []string{vumis, "condition field=destination_number expression=^(" + dialled + ")$\n"}, never: []string{notOne}}
	}
	nobody := expectation{want: []string{notOne}, never: []string{"twilio", "socket"}}
	forms := func(forms string) []string {
		return []string{`UPDATE context SET number_forms = '` + forms + `' WHERE name = 'public'`}
	}
	extensionNumber := `UPDATE extension SET tenant = NULL WHERE name = 'reception';
		INSERT INTO number (number, tenant, extension) VALUES ('27123456789', 'vumi', 'reception')`
	check(t, []answer{
		{"plus", nil, call("public", "+27123456789"), condition(`\+27123456789`)},
		{"bare", nil, call("public", "27123456789"), condition("27123456789")},
		{"00", nil, call("public", "0027123456789"), condition("0027123456789")},
		{"plus off", forms("{bare,00}"), call("public", "+27123456789"), nobody},
		{"bare off", forms("{plus,00}"), call("public", "27123456789"), nobody},
		{"00 off", forms("{plus,bare}"), call("public", "0027123456789"), nobody},
		{"bare alone", forms("{bare}"), call("public", "27123456789"), condition("27123456789")},
		{"no form at all", forms("{}"), call("public", "+27123456789"), nobody},
		{"000", nil, call("public", "00027123456789"), nobody},
		{"00 and plus", nil, call("public", "00+27123456789"), nobody},
		{"plus twice", nil, call("public", "++27123456789"), nobody},
		{"a digit more", nil, call("public", "+271234567890"), nobody},
		{"a digit less", nil, call("public", "+2712345678"), nobody},
		{"nothing dialled", nil, call("public", ""), nobody},
		{"a regular expression", nil, call("public", ".*"), nobody},
		{"a character that is no UTF-8", nil, call("public", "") + "&Hunt-Destination-Number=%FF%00", nobody},
		{"an extension as it stands", []string{extensionNumber}, call("public", "27123456789"),
			expectation{want: []string{"extension name=reception", "expression=^(27123456789)$"}, never: []string{vumis}}},
		{"an extension needs no form", append(forms("{}"), extensionNumber), call("public", "27123456789"),
			expectation{want: []string{"extension name=reception"}, never: []string{notOne}}},
		{"the number beside the extension", []string{extensionNumber}, call("public", "+27123456789"), condition(`\+27123456789`)},
		{"an extension with star and hash", []string{`INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '*98#', 'acme', 'reception')`},
			call("acme", "*98#"), expectation{want: []string{`expression=^(\*98#)$`}}},
	})
}

func TestWhoIsCalled(t *testing.T) {
	t.Parallel()
	nobody := expectation{want: []string{"context name=public", "extension name=not_found continue=false", "\n  condition\n", notOne}, never: []string{"acme", "twilio"}}
	global := expectation{want: []string{"context name=global", notOne}, never: []string{"nowhere", "acme", "twilio"}}
	reception := expectation{want: []string{"extension name=reception"}, never: []string{notOne, "twilio"}}
	check(t, []answer{
		{"nobody", nil, call("public", "+27999999999"), nobody},
		{"unknown context", nil, call("nowhere", "+27123456789"), global},
		{"no context", nil, form("fs1", "dialplan", "", "", ""), global},
		{"context in other case", nil, call("PUBLIC", "+27123456789"), expectation{want: []string{"context name=public", vumis}}},
		{"the same number in another context", nil, call("acme", "+27123456789"), expectation{want: []string{"context name=acme", notOne}, never: []string{"twilio"}}},
		{"Hunt before Caller", nil, call("public", "+27210000000", "Caller-Context=acme", "Caller-Destination-Number=+27123456789"), reception},
		{"Caller without Hunt", nil, form("fs1", "dialplan", "", "", "", "Caller-Context=public", "Caller-Destination-Number=+27210000000"), reception},
		{"Hunt's number, Caller's context", nil, form("fs1", "dialplan", "", "", "", "Caller-Context=public", "Hunt-Destination-Number=+27210000000"), reception},
		{"a caller's header is no number", nil, call("public", "+27999999999", "variable_sip_h_Hunt-Destination-Number=+27123456789"), nobody},
		{"number off", []string{`UPDATE number SET enabled = false WHERE number = '+27123456789'`}, call("public", "+27123456789"), nobody},
		{"number off, bare", []string{`UPDATE number SET enabled = false WHERE number = '+27123456789'`}, call("public", "27123456789"), nobody},
		{"tenant off, shared context", []string{`UPDATE tenant SET enabled = false WHERE name = 'vumi'`}, call("public", "+27123456789"), nobody},
		{"tenant off, own context", []string{`UPDATE tenant SET enabled = false WHERE name = 'acme'`}, call("acme", "1000"), global},
		{"regular expression off", []string{`UPDATE context_extension SET enabled = false`}, call("acme", "1000"),
			expectation{want: []string{notOne}, never: []string{"local.user"}}},
	})
}

func TestNotFoundExtension(t *testing.T) {
	t.Parallel()
	sorry := []string{
		`INSERT INTO extension (name) VALUES ('sorry')`,
		`INSERT INTO action (extension, position, application, data) VALUES ('sorry', 1, 'playback', 'sorry.wav')`,
		`UPDATE context SET not_found_extension = 'sorry'`,
	}
	own := expectation{want: []string{"extension name=sorry continue=false\n  condition\n   action application=playback data=sorry.wav"}, never: []string{notOne, "name=not_found"}}
	check(t, []answer{
		{"shared context", sorry, call("public", "+27999999999"), own},
		{"a tenant's context", sorry, call("acme", "9999"), own},
		{"a number that is known", sorry, call("public", "+27123456789"), expectation{want: []string{vumis}, never: []string{"sorry"}}},
		{"of a context that nobody has", sorry, call("nowhere", "9999"), expectation{want: []string{notOne}, never: []string{"sorry"}}},
		{"with conditions of its own", append(sorry, `INSERT INTO condition (extension, position, wday) VALUES ('sorry', 1, 'sun')`),
			call("public", "+27999999999"), expectation{want: []string{"action application=playback", "condition wday=sun"}}},
	})
}

// In a context by regular expression all its extensions are there, in order, and the answer for nobody's numbers last.
func TestOrderOfExtensions(t *testing.T) {
	t.Parallel()
	w := demo(t,
		`INSERT INTO extension (name, tenant, continue) VALUES ('a.late', 'acme', false), ('z.first', 'acme', true), ('b.first', NULL, false)`,
		`INSERT INTO condition (extension, position, field, expression, "break") VALUES
			('a.late', 1, 'destination_number', '^9', 'on-false'),
			('z.first', 2, '${x}', '^y$', 'never'), ('z.first', 1, 'ani', '^(1)$', 'on-true'),
			('b.first', 1, 'source', 'mod_(.*)', 'always')`,
		`INSERT INTO action (extension, condition, position, application, data, "inline", anti) VALUES
			('z.first', 2, 20, 'set', 'b=2', true, false), ('z.first', 2, 10, 'set', 'a=1', false, false),
			('z.first', 1, 1, 'hangup', 'BUSY', false, true),
			('b.first', 1, 1, 'answer', '', false, false)`,
		`INSERT INTO context_extension (context, extension, position) VALUES ('acme', 'a.late', 200), ('acme', 'z.first', 1), ('acme', 'b.first', 1)`)
	want := []string{
		"context name=acme",
		" extension name=b.first continue=false",
		"  condition field=source expression=mod_(.*) break=always",
		"   action application=answer data=",
		" extension name=z.first continue=true",
		"  condition field=ani expression=^(1)$ break=on-true",
		"   anti-action application=hangup data=BUSY",
		"   anti-action application=set data=xmlcurld=zz inline=true",
		"  condition field=${x} expression=^y$ break=never",
		"   action application=set data=a=1",
		"   action application=set data=b=2 inline=true",
		" extension name=local.user continue=false",
		`  condition field=destination_number expression=^(10\d\d)$`,
		"   action application=bridge data=user/$1@acme.example",
		" extension name=a.late continue=false",
		"  condition field=destination_number expression=^9",
		" extension name=not_found continue=false",
		"  condition field=${xmlcurld} expression=^zz$ break=on-true",
		"  condition",
		"   action application=log data=NOTICE Nobody has the number [${destination_number}] in context [${context}].",
		"   action application=respond data=404 Not Found",
	}
	if diff := cmp.Diff(want, w.ask(t, call("acme", "1000", "Event-Sequence=1295"))); diff != "" {
		t.Error(diff)
	}
}

// A number's answer: the condition on the number with what belongs to no condition, then the conditions in order.
func TestConditionsOfANumber(t *testing.T) {
	t.Parallel()
	w := demo(t,
		`INSERT INTO condition (extension, position, field, expression, wday, mday, mon, time_of_day, date_time, expand) VALUES
			('reception', 2, NULL, NULL, '2-6', '1-15', '1-3', '09:00-17:00', '2026-12-24 12:00~2027-01-02 23:59', false),
			('reception', 7, 'context', '^$${main}$', NULL, NULL, NULL, NULL, NULL, true)`,
		`INSERT INTO action (extension, condition, position, application, data, anti) VALUES
			('reception', 2, 1, 'set', 'open=true', false), ('reception', 2, 2, 'set', 'open=false', true)`)
	want := []string{
		"context name=public",
		" extension name=reception continue=false",
		`  condition field=destination_number expression=^(\+27210000000)$`,
		"   action application=answer data=",
		"   action application=phrase data=greeting",
		"   action application=ivr data=main_menu",
		"  condition wday=2-6 mday=1-15 mon=1-3 time-of-day=09:00-17:00 date-time=2026-12-24 12:00~2027-01-02 23:59",
		"   action application=set data=open=true",
		"   anti-action application=set data=open=false",
		"  condition field=context expression=^$${main}$",
	}
	if diff := cmp.Diff(want, w.ask(t, call("public", "+27210000000"))); diff != "" {
		t.Error(diff)
	}
}

// In a body as in a row, and encoded with what stands around it.
func TestFillInBody(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO extension (name, body) VALUES ('office', '<condition wday="2-6" minute-of-day="540-1020">
			<action application="transfer" data="%{forward_number}"/><anti-action application="log" data="&lt;&quot;%{display_name}&quot; &#37;{tenant}>"/>
			<action application="log">%{number} &amp; %{<!-- -->address}</action><condition><action application="answer"/></condition></condition>')`,
		`INSERT INTO number (number, tenant, extension, forward_number, display_name, address)
			VALUES ('+27111111111', 'acme', 'office', '+27210000000', 'Acme - Sales', '[2001:db8::1]:5060')`)
	raw(t, w, call("public", "+27111111111"), `<action application="transfer" data="+27210000000"/>`,
		`<anti-action application="log" data="&lt;&quot;Acme - Sales&quot; acme&gt;"/>`, `<action application="log">+27111111111 &amp; [2001:db8::1]:5060</action>`)
	w.edit(t, `UPDATE extension SET body = '<condition><action application="log" data="%{tenant}"/></condition>' WHERE name = 'office'`)
	raw(t, w, call("public", "+27111111111"), `<action application="log" data="acme"/>`)
	w.edit(t, `UPDATE extension SET body = '<condition><action application="log" data="none"/></condition>' WHERE name = 'office'`,
		`UPDATE number SET forward_number = NULL WHERE extension = 'office'`, `INSERT INTO context_extension (context, extension) VALUES ('acme', 'office')`)
	raw(t, w, call("public", "+27111111111"), `<action application="log" data="none"/>`)
}

// All that FreeSWITCH knows of conditions, as rows.
func TestKindsOfConditions(t *testing.T) {
	t.Parallel()
	w := demo(t,
		`INSERT INTO condition (extension, position, parent, regex, require_nested, "break", year, yday, week, mweek, hour, minute, minute_of_day, tz_offset, dst) VALUES
			('transfer', 1, NULL, NULL, false, 'never', '2026', '1-90', '1-26', '2', '9-16', '0-29', '541-1020', '2', true),
			('transfer', 2, NULL, 'xor', true, 'on-false', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
			('transfer', 3, 1, 'all', false, 'on-true', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
			('transfer', 4, 3, NULL, true, 'on-false', NULL, NULL, NULL, NULL, '9', NULL, NULL, NULL, NULL)`,
		`INSERT INTO condition_regex (extension, condition, position, field, expression, expand, wday) VALUES
			('transfer', 2, 20, '${x}', '^$${main}$', true, NULL), ('transfer', 2, 10, NULL, NULL, false, 'mon-fri'), ('transfer', 3, 1, 'ani', '^1', false, NULL)`,
		`INSERT INTO action (extension, condition, position, application, data, anti) VALUES
			('transfer', 4, 1, 'log', '%{forward_number}', false), ('transfer', 2, 1, 'answer', '', true)`)
	want := []string{
		"  condition year=2026 yday=1-90 week=1-26 mweek=2 hour=9-16 minute=0-29 minute-of-day=541-1020 tz-offset=2 dst=true break=never require-nested=false",
		"   condition regex=all break=on-true require-nested=false",
		"    regex field=ani expression=^1",
		"    condition hour=9",
		"     action application=log data=7001",
		"  condition regex=xor",
		"   regex wday=mon-fri",
		"   regex field=${x} expression=^$${main}$",
		"   anti-action application=answer data=",
	}
	got := w.ask(t, call("acme", "7000"))
	if diff := cmp.Diff(want, got[len(got)-len(want):]); diff != "" {
		t.Error(diff)
	}
	raw(t, w, call("acme", "7000"), `expression="^$${main}$"/>`)
	w.edit(t, `UPDATE condition_regex SET position = 30, expand = false WHERE position = 10`, `DELETE FROM condition WHERE position = 3`)
	expectation{
		want:  []string{"require-nested=false\n  condition regex=xor\n   regex field=${x} expression=^$${main}$\n   regex wday=mon-fri\n"},
		never: []string{"regex=all", "hour=9\n"},
	}.check(t, w.ask(t, call("acme", "7000")))
}

// What a context has for every call stands around the extension of a number, in the order of its rows.
func TestEveryCall(t *testing.T) {
	t.Parallel()
	every := []string{
		`INSERT INTO extension (name, continue) VALUES ('every.call', true), ('a.later', true), ('last', false), ('other', false)`,
		`INSERT INTO condition (extension, position) VALUES ('every.call', 1)`,
		`INSERT INTO action (extension, condition, position, application, data) VALUES ('every.call', 1, 1, 'set', 'RECORD_STEREO=true')`,
		`INSERT INTO context_extension (context, extension, position) VALUES ('public', 'every.call', 1), ('public', 'a.later', 2), ('public', 'other', 3)`,
	}
	last := append(every, `INSERT INTO context_extension (context, extension, position, after_number) VALUES ('public', 'last', 1, true)`)
	before := " extension name=every.call continue=true\n  condition\n   action application=set data=RECORD_STEREO=true\n extension name=a.later continue=true\n"
	check(t, []answer{
		{"before a number's own", every, call("public", "+27123456789"), expectation{
			want:  []string{"context name=public\n" + before + " " + vumis + " continue=false\n  condition field=destination_number expression=^(\\+27123456789)$\n"},
			never: []string{"name=other", notOne, "xmlcurld"}}},
		{"behind a number's own", last, call("public", "+27123456789"), expectation{
			want: []string{before + " " + vumis, "\n extension name=last continue=false\n"}, never: []string{"name=other", notOne}}},
		{"before a number's own, and takes the call", append(every, `UPDATE context_extension SET before_number = true WHERE extension = 'other'`),
			call("public", "+27123456789"), expectation{want: []string{before + " extension name=other continue=false\n " + vumis}, never: []string{notOne}}},
		{"nobody's number", last, call("public", "+27999999999"), expectation{
			want: []string{"name=every.call", "name=last", "name=a.later", "name=other", notOne}, never: []string{"xmlcurld"}}},
		{"in another context", every, call("acme", "7000"), expectation{never: []string{"every.call"}}},
		{"no more", append(every, `UPDATE extension SET continue = false WHERE name = 'every.call'`), call("public", "+27123456789"), expectation{
			want: []string{"context name=public\n extension name=a.later"}, never: []string{"every.call"}}},
		{"off", append(every, `UPDATE context_extension SET enabled = false WHERE context = 'public'`), call("public", "+27123456789"),
			expectation{want: []string{"context name=public\n " + vumis}}},
		{"gone", append(last, `TRUNCATE context_extension`), call("public", "+27123456789"), expectation{want: []string{"context name=public\n " + vumis}}},
		{"it is the number's own", append(every, `UPDATE number SET extension = 'every.call'`), call("public", "+27123456789"), expectation{
			want: []string{"context name=public\n extension name=a.later continue=true\n extension name=every.call continue=true\n  condition field=destination_number"}}},
	})
}

// The answer for nobody's number is not for a call for which something was done: where FreeSWITCH may have taken actions
// and still looks, it finds a mark.
func TestMarks(t *testing.T) {
	t.Parallel()
	const set, skip = "action application=set data=xmlcurld=zz inline=true\n", "condition field=${xmlcurld} expression=^zz$ break=on-true\n"
	body := func(continues, body string) []string {
		return []string{`INSERT INTO extension (name, continue, body) VALUES ('x', ` + continues + `, '` + body + `')`,
			`INSERT INTO context_extension (context, extension) VALUES ('public', 'x')`}
	}
	rows := func(continues, conditions, actions string) []string {
		return []string{`INSERT INTO extension (name, continue) VALUES ('x', ` + continues + `)`,
			`INSERT INTO condition (extension, position, parent, field, expression, regex, hour) VALUES ` + conditions,
			`INSERT INTO action (extension, condition, position, application, anti) VALUES ` + actions,
			`INSERT INTO context_extension (context, extension) VALUES ('public', 'x')`}
	}
	const two = `('x', 1, NULL, 'ani', '^1', NULL, NULL), ('x', 2, NULL, 'ani', '^2', NULL, NULL)`
	const is = `<condition field="destination_number" expression="^1$">`
	marked := expectation{want: []string{set, skip}}
	plain := expectation{want: []string{notOne}, never: []string{"xmlcurld"}}
	var cases []answer
	for _, tc := range []struct {
		name  string
		edits []string
		want  expectation
	}{
		{"one condition", body("false", is+`<action application="answer"/></condition>`), plain},
		{"actions in the last one", body("false", is+`</condition><condition wday="2-6"><action application="answer"/><anti-action application="hangup"/></condition>`), plain},
		{"actions in the first one", body("false", is+`<action application="answer"/></condition><condition wday="2-6"/>`), marked},
		{"anti-actions in the first one", body("false", is+`<anti-action application="answer"/></condition><condition wday="2-6"/>`),
			expectation{want: []string{"anti-" + set, skip}, never: []string{" " + set}}},
		{"both", body("false", is+`<action application="answer"/><anti-action application="answer"/></condition><condition/>`),
			expectation{want: []string{"    action application=answer\n"[1:], " " + set, " anti-" + set, skip}}},
		{"xor", body("false", `<condition regex="xor"><regex field="ani" expression="1"/><action application="answer"/></condition>`), marked},
		{"in another one", body("false", is+`<condition hour="9"><action application="answer"/></condition></condition>`), marked},
		{"a time and a field", body("false", `<condition hour="9" field="ani" expression="^1"><action application="answer"/></condition>`), marked},
		{"no actions", body("true", is+`</condition>`), plain},
		{"goes on", body("true", is+`<action application="set" data="a=b"/></condition>`), marked},
		{"goes on for all", body("true", `<condition><action application="set" data="a=b"/></condition>`), plain},
		{"goes on for all, and acts", body("true", `<condition><action application="set" data="a=b"/></condition><condition hour="9"><action application="answer"/></condition>`),
			expectation{want: []string{"data=a=b\n  condition hour=9\n   action application=answer\n   " + set, skip}}},
		{"rows: the last one", rows("false", two, `('x', 2, 1, 'answer', false)`), plain},
		{"rows: the first one", rows("false", two, `('x', 1, 1, 'answer', false)`), marked},
		{"rows: before all", rows("false", two, `('x', NULL, 1, 'answer', false)`), marked},
		{"rows: anti-action", rows("false", two, `('x', 1, 1, 'answer', true)`), expectation{want: []string{"anti-" + set, skip}}},
		{"rows: in another one", rows("false", `('x', 1, NULL, 'ani', '^1', NULL, NULL), ('x', 2, 1, 'ani', '^2', NULL, NULL)`, `('x', 2, 1, 'answer', false)`), marked},
		{"rows: regex", rows("false", `('x', 1, NULL, NULL, NULL, 'all', NULL)`, `('x', 1, 1, 'answer', false)`), marked},
		{"rows: a time and a field", rows("false", `('x', 1, NULL, 'ani', '^1', NULL, '9')`, `('x', 1, 1, 'answer', false)`), marked},
		{"rows: goes on for all", rows("true", `('x', 1, NULL, NULL, NULL, NULL, '9')`, `('x', 1, 1, 'set', false)`), plain},
		{"rows: goes on for a number", rows("true", `('x', 1, NULL, '${destination_number}', '^1', NULL, NULL)`, `('x', 1, 1, 'set', false)`), marked},
		{"the context's own answer", append(body("true", is+`<action application="set" data="a=b"/></condition>`),
			`INSERT INTO extension (name) VALUES ('sorry')`, `INSERT INTO action (extension, position, application) VALUES ('sorry', 1, 'hangup')`,
			`UPDATE context SET not_found_extension = 'sorry'`),
			expectation{want: []string{" extension name=sorry continue=false\n  " + skip + "  condition\n   action application=hangup data=\n"}}},
		{"an answer that does nothing", append(body("true", is+`<action application="set" data="a=b"/></condition>`),
			`INSERT INTO extension (name) VALUES ('nothing')`, `UPDATE context SET not_found_extension = 'nothing'`),
			expectation{want: []string{"extension name=x"}, never: []string{"xmlcurld", "nothing", notOne}}},
	} {
		cases = append(cases, answer{tc.name, tc.edits, call("public", "5", "Event-Sequence=1295"), tc.want})
	}
	check(t, cases)
}

// Two answers never have one mark, also where FreeSWITCH does not number its questions.
func TestMarksDiffer(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO extension (name, body) VALUES ('x', '<condition><action application="answer"/></condition><condition/>')`,
		`INSERT INTO context_extension (context, extension) VALUES ('public', 'x')`)
	seen := map[string]bool{}
	for _, number := range []string{"1", "18446744073709551615", "", "", "-1", "1 2"} {
		answer, err := w.render(t, call("public", "5", "Event-Sequence="+number))
		if err != nil {
			t.Fatal(err)
		}
		mark := regexp.MustCompile(`data="(xmlcurld=[0-9a-z]+)"`).FindStringSubmatch(string(answer))
		if len(mark) != 2 || len(mark[1]) > 23 || seen[mark[1]] {
			t.Errorf("%q: %q after %v", number, mark, seen)
			continue
		}
		seen[mark[1]] = true
	}
}

func TestExtensionBody(t *testing.T) {
	t.Parallel()
	body := func(extra string) []string {
		return []string{`INSERT INTO extension (name, body, expand) VALUES ('body', '<condition regex="any"><regex field="ani" expression="^$${a}$"/>
			<!-- gone --><action application="log" data="&lt;$${x}>"/></condition>', ` + extra + `)`,
			`INSERT INTO number (number, tenant, extension) VALUES ('5', 'acme', 'body')`,
			`INSERT INTO context_extension (context, extension) VALUES ('acme', 'body')`}
	}
	inside := []string{"  condition regex=any\n   regex field=ani expression=^$${a}$\n   action application=log data=<$${x}>\n"}
	check(t, []answer{
		{"of a number", body("false"), call("public", "5"),
			expectation{want: append(inside, "  condition field=destination_number expression=^(5)$\n  condition regex=any"), never: []string{"gone"}}},
		{"by regular expression", body("false"), call("acme", "1000"), expectation{want: append(inside, "extension name=body continue=false\n  condition regex=any")}},
	})
	for expand, want := range map[string]string{"false": `data="&lt;&#36;&#36;{x}&gt;"`, "true": `data="&lt;$${x}&gt;"`} {
		raw(t, demo(t, body(expand)...), call("public", "5"), want)
	}
}

// A body means what it would mean in a file: a line's end or a tab in an attribute is a blank. In a row it is meant.
func TestLinesInAnAttribute(t *testing.T) {
	t.Parallel()
	w := demo(t,
		"INSERT INTO extension (name, body) VALUES ('lines', '<condition field=\"ani\"\n expression=\"^1\n$\"><action application=\"say\" data=\"en NUMBER\r\n\t\tx&#10;&#x9;y\"/></condition>')",
		`INSERT INTO extension (name) VALUES ('row')`,
		`INSERT INTO action (extension, position, application, data) VALUES ('row', 1, 'say', E'en\n\tx')`,
		`INSERT INTO context_extension (context, extension) VALUES ('acme', 'lines'), ('acme', 'row')`)
	raw(t, w, call("acme", "1000"),
		`<condition field="ani" expression="^1 $">`, `data="en NUMBER   x&#10;&#9;y"`, `data="en&#10;&#9;x"`)
}

func TestFillIn(t *testing.T) {
	t.Parallel()
	template := func(application, data string) []string {
		return []string{
			`INSERT INTO extension (name) VALUES ('template')`,
			`INSERT INTO action (extension, position, application, data) VALUES ('template', 1, '` + application + `', '` + data + `')`,
			`INSERT INTO number (number, tenant, extension, address, forward_number, display_name)
				VALUES ('+27300000000', 'acme', 'template', 'pbx.acme.example:5062', '+27821234567', 'Zoë 1.2 - x')`,
		}
	}
	filledIn := func(data string) expectation {
		return expectation{want: []string{"data=" + data + "\n"}, never: []string{"%{"}}
	}
	check(t, []answer{
		{"number", template("log", "%{number}"), call("public", "+27300000000"), filledIn("+27300000000")},
		{"the number as its row has it", template("log", "%{number}"), call("public", "0027300000000"), filledIn("+27300000000")},
		{"tenant", template("set", "accountcode=%{tenant}"), call("public", "+27300000000"), filledIn("accountcode=acme")},
		{"address", template("bridge", "sofia/external/%{number}@%{address}"), call("public", "+27300000000"), filledIn("sofia/external/+27300000000@pbx.acme.example:5062")},
		{"forward_number", template("transfer", "%{forward_number} XML %{tenant}"), call("public", "+27300000000"), filledIn("+27821234567 XML acme")},
		{"display_name", template("export", "nolocal:effective_caller_id_name=${x} %{display_name}"), call("public", "+27300000000"), filledIn("nolocal:effective_caller_id_name=${x} Zoë 1.2 - x")},
		{"more than once", template("log", "%{tenant}%{tenant}%{number}"), call("public", "+27300000000"), filledIn("acmeacme+27300000000")},
		{"a percent sign is one", template("log", "100% %%{tenant} % {tenant}"), call("public", "+27300000000"), expectation{want: []string{"data=100% %acme % {tenant}\n"}}},
	})
}
