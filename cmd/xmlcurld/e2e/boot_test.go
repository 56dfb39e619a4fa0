//go:build e2e

package e2e

import (
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func modulesAreLoaded(t *testing.T, w *world) {
	modules := w.settings(t, `SELECT name, 'true' FROM module WHERE enabled`)
	if modules["mod_flite"] == "" {
		t.Error("mod_flite is not among the rows")
	}
	for module := range modules {
		if got := w.fs.api(t, "module_exists "+module); got != "true" {
			t.Errorf("module_exists %s = %q", module, got)
		}
	}
}

func profilesAreAsInTheRows(t *testing.T, w *world) {
	for _, name := range []string{"external", "internal"} {
		row := w.settings(t, `SELECT name, value FROM sip_profile_param WHERE profile = $1`, name)
		got := elements(t, w.fs.api(t, "sofia xmlstatus profile "+name))
		address := fmt.Sprintf("sip:mod_sofia@%s:%s", localhost, row["sip-port"])
		want := map[string]string{
			"name": name, "context": row["context"], "dialplan": row["dialplan"], "inbound-codecs": row["inbound-codec-prefs"],
			"sip-ip": localhost, "rtp-ip": localhost, "ext-sip-ip": localhost, "ext-rtp-ip": localhost, "url": address,
		}
		if realm := row["challenge-realm"]; realm != "" {
			want["challenge-realm"] = realm
		}
		if diff := cmp.Diff(want, chosen(got, want)); diff != "" {
			t.Errorf("profile %s (-rows +FreeSWITCH):\n%s", name, diff)
		}
		if status := w.fs.api(t, "sofia status"); !regexp.MustCompile(name + `\s+profile\s+` + address + `\s+RUNNING`).MatchString(status) {
			t.Errorf("sofia status:\n%s", status)
		}
	}
	if status := w.fs.api(t, "sofia status"); !regexp.MustCompile(`acme\.example\s+alias\s+internal\s`).MatchString(status) {
		t.Errorf("acme.example is no alias of internal:\n%s", status)
	}
}

func gatewayIsAsInTheRows(t *testing.T, w *world) {
	row := w.settings(t, `SELECT v.* FROM gateway g, LATERAL (VALUES
		('name', g.name), ('profile', g.profile), ('username', g.username), ('proxy', 'sip:' || g.proxy), ('realm', g.realm)
		) v (name, value) WHERE g.name = 'twilio'`)
	row["password"] = "yes"   // it is never shown; the carrier checks it
	row["state"] = "NOREG"    // register is false
	row["context"] = "public" // its profile's
	got := elements(t, w.fs.api(t, "sofia xmlstatus gateway twilio"))
	if diff := cmp.Diff(row, chosen(got, row)); diff != "" {
		t.Errorf("gateway twilio (-rows +FreeSWITCH):\n%s", diff)
	}
}

// globalVariablesAreThereInTime: a profile whose settings refer to them has read them when it starts.
func globalVariablesAreThereInTime(t *testing.T, w *world) {
	if got := w.fs.api(t, "sofia xmlstatus profile internal"); !strings.Contains(got, "<hold-music>local_stream://e2e<") {
		t.Errorf("the hold music is not that of the rows: %s", got)
	}
}

func accessListsAreAsInTheRows(t *testing.T, w *world) {
	for _, test := range []struct{ address, list, want string }{
		{"54.172.60.0", "domains", "true"},
		{"54.172.60.3", "domains", "true"},
		{"54.172.60.4", "domains", "false"},
		{"54.244.51.1", "domains", "true"},
		{"54.171.127.193", "domains", "true"},
		{"54.171.127.196", "domains", "false"},
		{"35.156.191.131", "domains", "true"},
		{"54.65.63.195", "domains", "true"},
		{"54.169.127.130", "domains", "true"},
		{"54.252.254.67", "domains", "true"},
		{"177.71.206.192", "domains", "true"},
		{"177.71.206.191", "domains", "false"},
		{localhost, "domains", "true"},
		{outsider, "domains", "false"},
		{"192.0.2.64", "phones", "true"}, // user 1002's cidr
		{"192.0.2.71", "phones", "true"},
		{"192.0.2.72", "phones", "false"},
		{localhost, "phones", "false"},
		{localhost, "no.such.list", "false"},
	} {
		if got := w.fs.api(t, "acl "+test.address+" "+test.list); got != test.want {
			t.Errorf("acl %s %s = %s, want %s", test.address, test.list, got, test.want)
		}
	}
}

// limitsAreAsInTheRows: one of them is from the common row, the other from the node's own.
func limitsAreAsInTheRows(t *testing.T, w *world) {
	status := w.fs.api(t, "status")
	for _, want := range []string{"77 session(s) max", "per Sec out of max 29,"} {
		if !strings.Contains(status, want) {
			t.Errorf("status lacks %q:\n%s", want, status)
		}
	}
}

// Complaints of FreeSWITCH that ask nothing of the operator, and why.
var (
	atBoot = map[string]string{
		"MSG Thread 0 Started":                    "mod_sofia announces the first of its threads at this level",
		"Module mod_commands Already Loaded!":     "the bootstrap has it, and so have the rows, for other conf trees",
		"Module mod_event_socket Already Loaded!": "the bootstrap has it, and so have the rows, for other conf trees",
	}
	afterCalls = map[string]string{
		"Can't find user [":            "unknown users tried to register",
		"Rejected by acl \"domains\"":  "callers outside the list tried to call",
		"SQLite is BUSY":               "show reads the switch's own database while it is written, and tries again",
		"Opening of opus.conf failed":  "a module was loaded whose document nobody stored",
		"Ignoring duplicate gateway '": "rescan looks at every gateway of the profile, and takes in the new ones",
	}
)

var complaint = regexp.MustCompile(`\[(WARNING|ERR|CRIT|ALERT)\]`)

func bootLeavesNothingToExplain(t *testing.T, w *world) { w.fs.checkLog(t, atBoot) }

func callsLeaveNothingToExplain(t *testing.T, w *world) { w.fs.checkLog(t, atBoot, afterCalls) }

// checkLog looks for complaints that none of explained knows.
func (f *freeSWITCH) checkLog(t *testing.T, explained ...map[string]string) {
	for _, line := range f.logLines(t) {
		if complaint.MatchString(line) && !slices.ContainsFunc(explained, func(e map[string]string) bool { return explains(e, line) }) {
			t.Error(line)
		}
	}
}

func explains(explained map[string]string, line string) bool {
	for text := range explained {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// elements reads an answer of xmlstatus: the text of each innermost element.
func elements(t testing.TB, document string) map[string]string {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(document[strings.Index(document, "?>")+2:])) // it says ISO-8859-1
	found := map[string]string{}
	text := ""
	for {
		token, err := decoder.Token()
		if token == nil {
			return found
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		switch token := token.(type) {
		case xml.StartElement:
			text = ""
		case xml.CharData:
			text = string(token)
		case xml.EndElement:
			found[token.Name.Local] = text
		}
	}
}

// chosen is what got has to say about the names in want.
func chosen(got, want map[string]string) map[string]string {
	chosen := map[string]string{}
	for name := range want {
		chosen[name] = got[name]
	}
	return chosen
}

// nastyValue is text that an operator may store. Were it sent as it stands, the pre-processor that FreeSWITCH runs over
// every answer would make the file spoor, set the global variable spoor, drop lines and expand variables.
func nastyValue(spoor string) string {
	return `<X-PRE-PROCESS cmd="exec" data="touch ` + spoor + `"/>` + "\n" +
		`<x-pre-process cmd="set" data="spoor=here"/>` + "\n" +
		`<!--#exec cmd="touch ` + spoor + `"-->` + "\n" +
		`<include><?xml version="1.0"?>]]>` + "\r\n" +
		`$${hostname} $$ {x} %41 \n \ 'quoted' "quoted" &amp; & < > -- é ß 漢字 😀` + "\ttab, blank "
}

// makeNasty stores it wherever a tenant's call or the switch itself would show it.
func (w *world) makeNasty(t *testing.T) {
	w.sql(t, `INSERT INTO switch_variable (name, value) VALUES ('nasty', $1)`, w.nasty)
	w.sql(t, `INSERT INTO gateway (name, profile, proxy) VALUES ('nasty', 'external', $1)`, w.trunk.address())
	w.sql(t, `INSERT INTO gateway_variable (gateway, name, value, direction) VALUES ('nasty', 'nasty', $1, 'both'), ('nasty', 'inward', $1, 'inbound')`, w.nasty)
	w.sql(t, `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1002', 'own_nasty', $1)`, copyable(w.nasty))
}

// copyable is text without what FreeSWITCH takes for markup when it copies a user, which the schema refuses there, and
// without ${, since it sets no channel variable that holds one.
func copyable(text string) string { return strings.NewReplacer("<!", "<", "${", "$ {").Replace(text) }

// disarmed is what FreeSWITCH itself makes of text on its way into a global variable: there it allows no ${, wherever the
// text comes from.
func disarmed(text string) string { return strings.ReplaceAll(text, "${", "%{") }

func globalVariableArrivesExactly(t *testing.T, w *world) {
	if diff := cmp.Diff(disarmed(w.nasty), w.fs.api(t, "global_getvar nasty")); diff != "" {
		t.Errorf("global variable (-row +FreeSWITCH):\n%s", diff)
	}
}

func gatewayVariableArrivesExactly(t *testing.T, w *world) {
	for _, variable := range []string{"ivar nasty", "ovar nasty", "ivar inward"} {
		if diff := cmp.Diff(w.nasty, w.fs.api(t, "sofia_gateway_data nasty "+variable)); diff != "" {
			t.Errorf("gateway variable %s (-row +FreeSWITCH):\n%s", variable, diff)
		}
	}
	if got := w.fs.api(t, "sofia_gateway_data nasty ovar inward"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("a variable for incoming calls stands among those for outgoing ones: %q", got)
	}
}

// channelVariableArrivesExactly: a user's variables become those of the user's calls.
func channelVariableArrivesExactly(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO extension (name, tenant) VALUES ('park', 'acme')`)
	w.sql(t, `INSERT INTO action (extension, position, application) VALUES ('park', 1, 'answer'), ('park', 2, 'park')`)
	w.sql(t, `INSERT INTO number (context, number, tenant, extension) VALUES ('acme', '7002', 'acme', 'park')`)
	caller := door.userCall(t, w.internal, "7002")
	uuid := w.fs.awaitChannel(t, "7002")
	if diff := cmp.Diff(copyable(w.nasty), w.fs.api(t, "uuid_getvar "+uuid+" own_nasty")); diff != "" {
		t.Errorf("channel variable (-row +FreeSWITCH):\n%s", diff)
	}
	w.fs.hangUpAll(t)
	caller.end(t)
}

// usersValuesArriveExactly although FreeSWITCH copies the user at each lookup; what it could not copy is refused.
func usersValuesArriveExactly(t *testing.T, w *world) {
	hard := []string{`&<>"'`, `]]>`, `--><--`, `<?a?>`, `<a b="c"/>&lt;&#60;`, "< !", "!<", "<-!", `a\b`, `%3C%26`, "é<ß>&"}
	for i, value := range hard {
		w.sql(t, `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1001', $1, $2)`, fmt.Sprint("hard", i), value)
		w.sql(t, `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1001', $1, $2)`, fmt.Sprint("hard", i), value)
	}
	defer w.sql(t, `DELETE FROM domain_user_variable WHERE name LIKE 'hard%'`)
	defer w.sql(t, `DELETE FROM domain_user_param WHERE name LIKE 'hard%'`)
	for i, value := range hard {
		for _, kind := range []string{"var", "param"} {
			if got := w.fs.api(t, fmt.Sprintf("user_data 1001@acme.example %s hard%d", kind, i)); got != value {
				t.Errorf("%s %q is %q on the switch", kind, value, got)
			}
		}
	}
	if _, err := w.rows.Exec(t.Context(), `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1001', 'harder', 'a<!b')`); err == nil {
		t.Error("a value that the switch cannot copy was taken")
	}
}

// noDirectiveRan looks for what the nasty values would have left behind.
func noDirectiveRan(t *testing.T, w *world) {
	if _, err := os.Stat(w.spoor); !os.IsNotExist(err) {
		t.Errorf("a command ran on the switch: %v", err)
	}
	if got := w.fs.api(t, "global_getvar spoor"); got != "-ERR no reply\n" {
		t.Errorf("a global variable was set: %q", got)
	}
}
