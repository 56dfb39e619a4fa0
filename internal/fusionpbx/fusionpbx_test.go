package fusionpbx

import (
	"context"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/importer"
	"xmlcurld/internal/rowset"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var update = flag.Bool("update", false, "write the expected tree of testdata anew")

// fusionDatabase is a database with the tables of testdata and what is done to them then.
func fusionDatabase(t *testing.T, more string) *pgx.Conn {
	t.Helper()
	statements, err := os.ReadFile("testdata/fusion.sql")
	if err != nil {
		t.Fatal(err)
	}
	url := dbtest.EmptyURL(t)
	dbtest.Execute(t, url, string(statements)+more)
	return dbtest.Connect(t, url)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// The tables are read as the tree that FusionPBX tells its switch.
func TestTree(t *testing.T) {
	t.Parallel()
	tree, err := Tree(t.Context(), fusionDatabase(t, ""), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range tree.Variables {
		fmt.Fprintf(&b, "<!-- %s %s=%s  (%s) -->\n", v.Command, v.Name, v.Value, v.Place)
	}
	golden(t, "testdata/tree.xml", b.String()+tree.Document.XML(""))
}

// A switch is told of calls and users by the rows as it was by FusionPBX.
func TestRead(t *testing.T) {
	t.Parallel()
	fusion := fusionDatabase(t, "")
	result, err := Read(t.Context(), fusion, Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := show(result)
	for _, want := range saidOfFusion {
		if !strings.Contains(said, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, said)
		}
	}
	tree, err := Tree(t.Context(), fusion, Options{})
	if err != nil {
		t.Fatal(err)
	}
	url := dbtest.URL(t)
	if bringIn(t, url, result.Set) == "" {
		t.Error("nothing was brought in")
	}
	if again := bringIn(t, url, result.Set); again != "" {
		t.Errorf("brought in again:\n%s", again)
	}
	mux := sections.New(dbtest.Rules(t, url), nil)

	told := []byte("<document>" + tree.Section("dialplan").XML("") + "</document>")
	found := 0
	for _, context := range []string{"public", "acme.example", "globex.example"} {
		for _, number := range []string{"27215550100", "+27215550100", "27115551234", "1001", "1004", "*9196", "0215550177", "99", "0"} {
			call := hunt.Call{
				Number: number, Context: context, Fields: map[string]string{"caller_id_number": "1000"}, Variables: map[string]string{"domain_name": context},
				Globals: map[string]string{}, Complete: true, Time: time.Date(2026, 12, 1, 10, 30, 0, 0, time.UTC),
			}
			want := actions(t, told, call)
			got := actions(t, answer(t, mux, form.Call("fs1", context, number).String()), call)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s:\n%s", number, context, diff)
			}
			found += len(want)
		}
	}
	if found < 20 {
		t.Errorf("the calls met %d actions", found)
	}

	sofia := string(answer(t, mux, form.Configuration("fs1", "sofia.conf").With("profile", "external").String()))
	for _, want := range []string{
		`<gateway name="c0ffee00-0000-0000-0005-000000000001">`, `<param name="password" value="gold-Crest-8"/>`, `<param name="expire-seconds" value="800"/>`,
		`<param name="register-transport" value="tcp"/>`, `<variable name="sip_cid_type" value="pid"/>`, `<param name="sip-port" value="$${external_sip_port}"/>`,
	} {
		if !strings.Contains(sofia, want) {
			t.Errorf("there is no %s in\n%s", want, sofia)
		}
	}

	user := userOf(t, answer(t, mux, form.Register("fs1", "1001", "acme.example").String()))
	if diff := cmp.Diff(ann, user); diff != "" {
		t.Error(diff)
	}
}

// saidOfFusion are some of the rows, and what is left.
var saidOfFusion = []string{
	"tenant name=globex.example  -- v_domains globex.example",
	"number context=public number=27215550100 tenant=acme.example extension=27215550100  -- v_dialplans 27215550100@acme.example",
	"gateway name=c0ffee00-0000-0000-0005-000000000001 profile=external tenant=acme.example username=acme password=gold-Crest-8 proxy=sip.carrier.example register=true caller_id_in_from=true  -- v_gateways Carrier one",
	"gateway_variable gateway=c0ffee00-0000-0000-0005-000000000001 name=sip_cid_type value=pid ",
	"sip_profile_param profile=external name=sip-port value=$${external_sip_port} expand=true ",
	"sip_profile_param profile=internal name=record-path value=$${recordings_dir}/${domain_name}/x expand=true ",
	"switch_variable name=external_sip_port value=5080  -- v_vars external_sip_port",
	"acl_entry list=providers action=allow domain=acme.example ",
	"module name=mod_lua ",
	"document section=configuration name=translate.conf ",
	"extension name=echo  -- v_dialplans echo",
	"context_extension context=acme.example extension=echo ",
	"context_extension context=globex.example extension=echo ",
	"domain name=globex.example tenant=globex.example dial_string=user/${dialed_user}@proxy.globex.example context=globex.example ",
	"domain_user_param domain=acme.example user_id=1004 name=dial-string value=error/user_busy ",
	"domain_user_param domain=acme.example user_id=alice name=auth-acl value=virtual.alice ",
	"domain_group_user domain=acme.example group_name=sales user_id=alice position=2 ",
	"v_domains closed.example: domain closed.example with its users and dialplans: it is switched off. ",
	"v_sip_profiles spare: what is for machine pbx2 alone (2 times): ",
	"v_dialplans without-xml@acme.example: dialplan without-xml: no XML is stored for it, so the switch is told nothing. ",
	"v_dialplans damaged@acme.example: dialplan damaged: its XML cannot be read: <condition> is not closed before </extension>",
	"v_dialplans local-extension: what lua app.lua voicemail does: the action is carried, but ",
	"v_extensions 1001@acme.example: $ in effective_caller_id_name of v_extensions: ",
	"v_ring_groups (all): ring groups (1): no table has them: ",
}

// ann is what FusionPBX tells of user 1001 of acme.example, and what the server adds.
var ann = map[string]string{
	"param allow-empty-password":            "false",
	"cidr":                                  "192.0.2.0/28",
	"param password":                        "blue-Heron-41",
	"param vm-enabled":                      "true",
	"param vm-password":                     "4711",
	"param vm-email-all-messages":           "true",
	"param vm-attach-file":                  "true",
	"param vm-keep-local-after-email":       "true",
	"param vm-mailto":                       "ann@acme.example",
	"param dial-string":                     "{sip_invite_domain=acme.example,presence_id=${dialed_user}@acme.example}${sofia_contact(*/${dialed_user}@acme.example)}",
	"param verto-context":                   "acme.example",
	"param verto-dialplan":                  "XML",
	"param jsonrpc-allowed-methods":         "verto",
	"param jsonrpc-allowed-event-channels":  "demo,conference,presence",
	"param max-registrations-per-extension": "2",
	"param sip-allow-register":              "yes",
	"variable absolute_codec_string":        "PCMA",
	"variable accountcode":                  "acme",
	"variable call_group":                   "sales, support",
	"variable call_timeout":                 "30",
	"variable caller_id_name":               "1001",
	"variable caller_id_number":             "1001",
	"variable contact_uuid":                 "00000000-0000-0000-0003-000000000001",
	"variable directory-visible":            "true",
	"variable directory_full_name":          "Ann Lee",
	"variable domain_name":                  "acme.example",
	"variable domain_uuid":                  "00000000-0000-0000-0000-00000000000a",
	"variable effective_caller_id_name":     "Ann  Lee",
	"variable effective_caller_id_number":   "1001",
	"variable emergency_caller_id_number":   "+27215550199",
	"variable export_vars":                  "domain_name,domain_uuid",
	"variable extension_uuid":               "00000000-0000-0000-0001-000000000001",
	"variable force_ping":                   "true",
	"variable forward_busy_destination":     "1004",
	"variable forward_busy_enabled":         "true",
	"variable hold_music":                   "local_stream://default",
	"variable limit_destination":            "!USER_BUSY",
	"variable limit_max":                    "5",
	"variable missed_call_app":              "email",
	"variable missed_call_data":             "ann@acme.example",
	"variable outbound_caller_id_name":      "Acme",
	"variable outbound_caller_id_number":    "+27215550100",
	"variable presence_id":                  "1001@acme.example",
	"variable proxy_media":                  "true",
	"variable record_stereo":                "true",
	"variable sip-force-expires":            "600",
	"variable sip_secure_media":             "optional",
	"variable toll_allow":                   "local,national",
	"variable transfer_fallback_extension":  "operator",
	"variable user_context":                 "acme.example",
	"variable user_uuid":                    "00000000-0000-0000-0002-000000000001",
}

// With a tenant that is told, and the name of a machine.
func TestReadForOneTenant(t *testing.T) {
	t.Parallel()
	result, err := Read(t.Context(), fusionDatabase(t, ""), Options{Options: importer.Options{Tenant: "all"}, Host: "pbx2"})
	if err != nil {
		t.Fatal(err)
	}
	rows := show(result)
	for _, want := range []string{"tenant name=all ", "domain name=globex.example tenant=all ", "extension name=elsewhere "} {
		if !strings.Contains(rows, want) {
			t.Errorf("there is no %s in\n%s", want, rows)
		}
	}
}

// Where a number's destination is looked for first, what none leads to is not told.
func TestReadByDestinations(t *testing.T) {
	t.Parallel()
	result, err := Read(t.Context(), fusionDatabase(t, `
INSERT INTO v_default_settings VALUES ('destinations', 'dialplan_mode', 'text', 'single', true);
INSERT INTO v_destinations VALUES (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0007-000000000005', '27215550100');`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := show(result)
	if strings.Contains(rows, "extension name=fallback ") || !strings.Contains(rows, "extension name=27215550100 ") {
		t.Error(rows)
	}
}

// Tables and columns of other versions may be missing.
func TestReadOfAnotherVersion(t *testing.T) {
	t.Parallel()
	result, err := Read(t.Context(), fusionDatabase(t, `
DROP TABLE v_sofia_global_settings, v_users, v_conference_profiles, v_conference_profile_params, v_music_on_hold, v_number_translations, v_number_translation_details;
ALTER TABLE v_sip_profiles DROP sip_profile_hostname;
ALTER TABLE v_domains ALTER domain_enabled TYPE text;
ALTER TABLE v_extensions DROP extension_type, ALTER enabled TYPE text;`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := show(result)
	for _, want := range []string{"domain_user domain=acme.example id=1001 ", "v_users (all): table v_users: this version of FusionPBX does not have it."} {
		if !strings.Contains(rows, want) {
			t.Errorf("there is no %s in\n%s", want, rows)
		}
	}
}

func TestReadOfSomethingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, want string }{
		"nothing":  {"", "this is no database of FusionPBX, or the role may not read it: there is no table v_dialplans"},
		"an older": {"ALTER TABLE v_dialplans DROP dialplan_xml", "this FusionPBX is too old to be read: table v_dialplans has no column dialplan_xml; upgrade it first"},
	} {
		conn := dbtest.Connect(t, dbtest.EmptyURL(t))
		if c.sql != "" {
			conn = fusionDatabase(t, c.sql)
		}
		if _, err := Read(t.Context(), conn, Options{}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func show(result *importer.Result) string {
	var b strings.Builder
	for _, r := range result.Set.Rows {
		b.WriteString(r.Table)
		for _, c := range r.Columns {
			fmt.Fprintf(&b, " %s=%s", c.Name, strings.ReplaceAll(fmt.Sprint(c.Value), "\n", `\n`))
		}
		b.WriteString("  -- " + r.From + "\n")
	}
	b.WriteString("\n")
	for _, l := range result.Left {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

func bringIn(t *testing.T, url string, set *rowset.Set) string {
	t.Helper()
	var sql strings.Builder
	err := pgx.BeginFunc(t.Context(), dbtest.Connect(t, url), func(tx pgx.Tx) error {
		changes, err := set.Changes(t.Context(), tx)
		if err != nil {
			return err
		}
		if err := rowset.WriteSQL(&sql, changes); err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), sql.String())
		return err
	})
	if err != nil {
		t.Fatalf("%v in\n%s", err, sql.String())
	}
	return sql.String()
}

func answer(t *testing.T, mux xmlcurl.Handler, request string) []byte {
	t.Helper()
	parsed, err := xmlcurl.ParseRequest([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	document, err := xmlcurl.Render(context.WithoutCancel(t.Context()), mux, parsed)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return document
}

func actions(t *testing.T, document []byte, call hunt.Call) (all []string) {
	t.Helper()
	plan, err := hunt.Parse(document)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	for _, a := range plan.Hunt(call).Actions {
		all = append(all, fmt.Sprintf("%s(%s) inline=%t", a.Application, a.Data, a.Inline))
	}
	return all
}

// userOf is what a document says of its one user.
func userOf(t *testing.T, document []byte) map[string]string {
	t.Helper()
	told := make(map[string]string)
	decoder := xml.NewDecoder(strings.NewReader(string(document)))
	for {
		token, err := decoder.Token()
		if token == nil {
			return told
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attrs := make(map[string]string)
		for _, a := range e.Attr {
			attrs[a.Name.Local] = a.Value
		}
		switch e.Name.Local {
		case "user":
			told["cidr"] = attrs["cidr"]
		case "param", "variable":
			told[e.Name.Local+" "+attrs["name"]] = attrs["value"]
		}
	}
}
