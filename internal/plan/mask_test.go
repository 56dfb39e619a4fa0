package plan_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/mask"
)

// masked are values as one of the functions of SQL masks them.
func masked(t *testing.T, conn *pgx.Conn, function string, values []string) (all []string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT `+function+` FROM unnest($1::text[]) WITH ORDINALITY x (v, n) ORDER BY n`, values)
	if err != nil {
		t.Fatal(err)
	}
	if all, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSecretsOfSQL has SQL, which masks rows, and Go, which masks documents, agree on what is a secret.
func TestSecretsOfSQL(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	var names []string
	for _, word := range strings.Fields(`password PASSWORD pass passwd pwd pw pin pin2 ping pin-retries cred creds credentials dsn ha1 a1_hash a1hash
		api_key apikey X-Api-Key key keys secret token tokens auth auth-pass authorization auth-response cookie conn-str connection_string
		private.key license:key access_key crypto-key bypass bypass_media bypassword passthru t38-passthru passthrough pass-through passive
		pass-rfc2833 pass-callee-id allow-empty-password password_from event_socket_password_from value name username realm`) {
		for _, around := range [][2]string{{"", ""}, {"x_", ""}, {"", "_x"}, {"sip.", "2"}, {"${", "}"}, {"$${a}", ""}, {"x", "x"}, {"", "-}"}} {
			names = append(names, around[0]+word+around[1])
		}
	}
	names = append(names, "pass$${empty}word", "pa$${empty}ss", "", "$${$${")
	for i, is := range masked(t, conn, `is_secret(v)::text`, names) {
		if want := mask.IsSecret(names[i]); want != (is == "true") {
			t.Errorf("%q is a secret: %s for SQL, %v for Go", names[i], is, want)
		}
	}
}

// TestMasksOfSQL has no secret stay in rows that goes from documents, and nothing else go.
func TestMasksOfSQL(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	const s = "s3cr3t"
	texts := []string{
		"{a=b,sip_auth_password=s3cr3t}sofia/x/y@z", "[sip_auth_password='s3]cr3t',a=b]sofia/x", "api_token=s3cr3t", "a=b,api_token = s3cr3t",
		"append_headers Authorization: s3cr3t", "https://u:s3cr3t@host/a@b c", "https://s3cr3t@host/", "pgsql://u:s3cr3t/x@host/db",
		"https://host/?a=b&key=s3cr3t", "sip:u:s3cr3t@host:5060;a=b", "conference:room+s3cr3t inline", `{"n":1,"password":"s3cr3t"}`,
		"<param name='password' value='s3cr3t'/>", "{a_pass=s3cr3t}[b_pass=s3cr3t]x", "{a_pass=(x)s3cr3t}", "{{a=b}c_pass=s3cr3t}x", "password:s3cr3t",
		"nolocal:x_pin=s3cr3t", "({pass=s3cr3t)s3cr3t}x", "{pass=s3cr3t", "https://a:s3cr3t@x/ https://b:s3cr3t@y/",
	}
	documents := []string{
		`<param name="password" value="s3cr3t"/>`, `<param value='s3cr3t'  name = 'password' />`, `<param name="p&#97;ss&#x77;ord" value="s3cr3t"/>`,
		`<PARAM NAME="PASSWORD" VALUE="s3cr3t"/>`, `<menu name="x" pin="s3cr3t" tries="3"></menu>`, `<a><secret-access-key> s3cr3t </secret-access-key></a>`,
		`<credentials><a b="s3cr3t" name="x">s3cr3t</a></credentials>`, `<param name="password">s3cr3t<a/>x</param>`, `<param name="password"><a/>s3cr3t</param>`,
		`<password><![CDATA[s3cr3t]]></password>`, `<a><!-- password s3cr3t --></a>`, `<condition field="${pin}" expression="s3cr3t"/>`,
		`<action application="set" data="api_token=s3cr3t"/>`, `<a b="https://host/?a=b&amp;key=s3cr3t"/>`, `<a c="x>y" name="password" value="s3cr3t"/>`,
		`<action application="conference" data="room@default+s3cr3t+flags{mute}"/>`, `<a b="&lt;param name='password' value='s3cr3t'/>"/>`,
		`<a>https://s3cr3t@host/</a>`, `<action data="conference:room+s3cr3t"/>`,
	}
	for function, values := range map[string][]string{"without_secrets(v, 'salt')": texts, "xml_without_secrets(v, 'salt')": documents} {
		for i, got := range masked(t, conn, function, values) {
			if strings.Contains(got, s) || !strings.Contains(got, "secret:") {
				t.Errorf("%s becomes %s", values[i], got)
			}
		}
	}
	for value, want := range map[string]string{"room@default+1234": "room@default+", "room+1234+flags{mute}": "room+"} {
		if got := masked(t, conn, "data_without_secrets('conference', v, 'salt')", []string{value})[0]; strings.Contains(got, "1234") || !strings.HasPrefix(got, want+"secret:") {
			t.Errorf("conference %s becomes %s", value, got)
		}
	}
	plain := []string{
		"{a=b}sofia/gateway/twilio/+2721", "{^^:sip_invite_domain=${dialed_domain}:presence_id=${dialed_user}@${dialed_domain}}sofia/internal/${dialed_user}%${dialed_domain}",
		"INFO [${sip_from_user}] to [${sip_to_user}].", "sofia/internal/sip:1001@host:5060;fs_path=sip:a@b", "http://host:80/x@y", "bypass_media=true", "",
		`<a b="c>d">e</a>`, `<condition field="destination_number" expression="^(10\d\d)$"><action application="bridge" data="user/$1@acme.example"/></condition>`,
		`<action application="conference" data="room@default+flags{mute}"/>`, `<param name="password" value="$${pw}"/>`, `<param name="password" value=""/>`,
	}
	for _, function := range []string{"xml_without_secrets(v, 'salt')", "CASE WHEN v LIKE '%<%' THEN v ELSE data_without_secrets('bridge', v, 'salt') END"} {
		for i, got := range masked(t, conn, function, plain) {
			if got != plain[i] {
				t.Errorf("%s becomes %s", plain[i], got)
			}
		}
	}
}
