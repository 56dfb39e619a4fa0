package mask_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/mask"
	"xmlcurld/xmlcurl"
)

// newMasker has a key that depends on nothing but seed.
func newMasker(t testing.TB, seed string) *mask.Masker {
	t.Helper()
	m, err := mask.New(strings.NewReader(strings.Repeat(seed, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// anyMark has all marks look alike, so that they can be written down.
func anyMark(masked string) string { return marks.ReplaceAllString(masked, mark) }

var marks = regexp.MustCompile(`secret:[0-9a-f]{8}`)

const mark = "secret:…"

func TestMarks(t *testing.T) {
	one, other := newMasker(t, "1"), newMasker(t, "2")
	first := one.Value("here", "password", "hunter2")
	if !marks.MatchString(first) || strings.Contains(first, "hunter2") {
		t.Errorf("mark %q", first)
	}
	if again := one.Value("here", "vm-password", "hunter2"); again != first {
		t.Errorf("the same secret at the same place is %s and %s", first, again)
	}
	for name, differs := range map[string]string{
		"another secret": one.Value("here", "password", "hunter3"), "another place": one.Value("there", "password", "hunter2"),
		"another Masker": other.Value("here", "password", "hunter2"),
	} {
		if differs == first {
			t.Errorf("%s has the same mark %s", name, first)
		}
	}
	if _, err := mask.New(iotest.ErrReader(errors.ErrUnsupported)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without random bytes: %v", err)
	}
	if _, err := mask.New(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with few random bytes: %v", err)
	}
}

// Who may write one user's password cannot try out another's: equal ones have different marks. That of a password that stays stays.
func TestPlaces(t *testing.T) {
	m := newMasker(t, "1")
	user := func(id, password string) string {
		return `<user id="` + id + `"><params><param name="password" value="` + password + `"/><param name="vm-password" value="` + password + `"/></params></user>`
	}
	masked := func(document string) []string {
		return marks.FindAllString(string(m.Document([]byte("<users>"+document+"</users>"))), -1)
	}
	two := masked(user("1000", "hunter2") + user("1001", "hunter2"))
	slices.Sort(two)
	if len(two) != 4 || len(slices.Compact(two)) != 4 {
		t.Errorf("marks %v", two)
	}
	alone, moved := masked(user("1001", "hunter2")), masked(user("1002", "x")+user("1001", "hunter2"))
	if !slices.Equal(alone, moved[2:]) {
		t.Errorf("marks %v become %v, though nothing has changed", alone, moved)
	}
}

func TestNames(t *testing.T) {
	for _, name := range strings.Fields(`password Password VM-PASSWORD vm_password a1-hash A1_Hash reverse-auth-pass esl-password
		jsonrpc-password tls-passphrase ssl-key-password gateway-credentials cred odbc-dsn db_dsn pin moderator-pin pin2 api_key
		sip_auth_password sip_h_X-Api-Key access-token signalwire_token secret-access-key password_hash bypassword p:password
		pass$${empty}word sip_h_Authorization auth-pass ha1 passwd userpass ${pin}`) {
		if !mask.IsSecret(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`allow-empty-password bypass_media inbound-bypass-media pass-rfc2833 pass-callee-id t38-passthru
		password_from event_socket_password_from ping pin-retries bad-pin-sound auth-calls auth-username username realm value
		presence_id dial-string cidr ${destination_number} $${local_ip_v4} $${$${ key`) {
		if mask.IsSecret(name) {
			t.Errorf("%s is a secret", name)
		}
	}
}

func TestDocument(t *testing.T) {
	m := newMasker(t, "1")
	const s = mark
	for _, test := range []struct{ name, in, want string }{
		{"param", `<param name="password" value="s3cr3t"/>`, `<param name="password" value="` + s + `"/>`},
		{"attributes the other way round", `<param value='s3cr3t'  name = 'password' />`, `<param value='` + s + `'  name = 'password' />`},
		{"references", `<param name="p&#97;ss&#x77;ord" value="s&#51;cr&#x33;t"/>`, `<param name="p&#97;ss&#x77;ord" value="` + s + `"/>`},
		{"upper case", `<PARAM NAME="PASSWORD" VALUE="s3cr3t"/>`, `<PARAM NAME="PASSWORD" VALUE="` + s + `"/>`},
		{"gateway's variable", `<variable name="api_key" value="s3cr3t" direction="outbound"/>`, `<variable name="api_key" value="` + s + `" direction="outbound"/>`},
		{"attribute", `<menu name="x" pin="s3cr3t" tries="3"></menu>`, `<menu name="x" pin="` + s + `" tries="3"></menu>`},
		{"element", `<a><secret-access-key> s3cr3t </secret-access-key></a>`, `<a><secret-access-key> ` + s + ` </secret-access-key></a>`},
		{"all in an element", `<credentials><a b="s3cr3t" name="x">s3cr3t</a></credentials>`, `<credentials><a b="` + s + `" name="x">` + s + `</a></credentials>`},
		{"text of a param", `<param name="password">s3cr3t<a/>x</param>`, `<param name="password">` + s + `<a/>` + mark + `</param>`},
		{"CDATA", `<password><![CDATA[s3c]]>r3t</password>`, `<password>` + s + `</password>`},
		{"a word in two", `<a>pass<!-- -->word=s3cr3t</a>`, `<a>` + mark + `</a>`},
		{"comment", `<a><!-- was s3cr3t --></a>`, `<a><!-- ` + mark + ` --></a>`},
		{"condition", `<condition field="${pin}" expression="s3cr3t"/>`, `<condition field="${pin}" expression="` + s + `"/>`},
		{"dial string", `<action application="bridge" data="{a=b,sip_auth_password=s3cr3t}sofia/x/y@z"/>`,
			`<action application="bridge" data="{a=b,sip_auth_password=` + s + `}sofia/x/y@z"/>`},
		{"quoted in a dial string", `<action data="[sip_auth_password='s3]cr3t',a=b]sofia/x"/>`,
			`<action data="[sip_auth_password=` + mark + `]sofia/x"/>`},
		{"set", `<action application="set" data="api_token=s3cr3t"/>`, `<action application="set" data="api_token=` + s + `"/>`},
		{"pre-processor", `<a><X-PRE-PROCESS cmd="set" data="default_password=s3cr3t"/></a>`, `<a><X-PRE-PROCESS cmd="set" data="default_password=` + s + `"/></a>`},
		{"header", `<action data="append_headers Authorization: s3cr3t"/>`, `<action data="append_headers Authorization: ` + s + `"/>`},
		{"URL", `<action data="https://u:s3cr3t@host/a@b c"/>`, `<action data="https://` + mark + `@host/a@b c"/>`},
		{"URL with a token", `<a>https://s3cr3t@host/</a>`, `<a>https://` + s + `@host/</a>`},
		{"URL that is not escaped", `<a b="pgsql://u:s3/cr3t@host/db"/>`, `<a b="pgsql://` + mark + `@host/db"/>`},
		{"URL with a key", `<a b="https://host/?a=b&amp;key=s3cr3t"/>`, `<a b="https://host/?a=b&amp;key=` + s + `"/>`},
		{"SIP URI", `<a b="sip:u:s3cr3t@host:5060;a=b"/>`, `<a b="sip:u:` + s + `@host:5060;a=b"/>`},
		{"conference", `<action application="conference" data="room@default+s3cr3t+flags{mute}"/>`, `<action application="conference" data="room@default+` + s + `+flags{mute}"/>`},
		{"conference inline", `<action data="conference:room+s3cr3t inline"/>`, `<action data="conference:room+` + mark + `"/>`},
		{"JSON", `<a>{"n":1,"password":"s3cr3t"}</a>`, `<a>{"n":1,"password":` + mark + `}</a>`},
		{"XML in XML", `<a b="&lt;param name='password' value='s3cr3t'/>"/>`, `<a b="` + mark + `"/>`},

		{"a variable of the switch", `<param name="password" value="$${pw}"/>`, `<param name="password" value="$${pw}"/>`},
		{"what only looks like one", `<param name="password" value="&#36;${pw}"/>`, `<param name="password" value="` + mark + `"/>`},
		{"no value", `<param name="password" value=""/>`, `<param name="password" value=""/>`},
		{"no secrets", `<param name="allow-empty-password" value="false"/>`, `<param name="allow-empty-password" value="false"/>`},
		{"addresses", `<a b="sofia/internal/sip:1001@host:5060;fs_path=sip:a@b" c="http://host:80/x@y"/>`,
			`<a b="sofia/internal/sip:1001@host:5060;fs_path=sip:a@b" c="http://host:80/x@y"/>`},
		{"declaration", "\ufeff" + `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n<a/>\n", "\ufeff" + `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n<a/>\n"},
		{"nothing", "", ""},

		{"no quotes", `<a/><param name=password value=s3cr3t/>`, `<a/>` + mark},
		{"quote missing", `<a b="x><param name="password" value="s3cr3t"/>`, mark},
		{"cut off", `<a><param name="password" value="s3cr`, `<a>` + mark},
		{"elements that cross", `<a></b>s3cr3t`, `<a>` + mark},
		{"not XML", "password s3cr3t\n", mark + "\n"},
		{"document type", `<!DOCTYPE a [<!ENTITY b "password">]><a/>`, mark},
		{"another encoding", `<?xml version="1.0" encoding="UTF-7"?><a/>`, mark},
		{"UTF-16", "<\x00a\x00>\x00", mark},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, anyMark(string(m.Document([]byte(test.in))))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValue(t *testing.T) {
	m := newMasker(t, "1")
	for _, test := range []struct{ name, value, want string }{
		{"event_socket_password", "x", mark},
		{"event_socket_password_from", "file:fs1/password", "file:fs1/password"},
		{"dial_string", "{a_pass=x}user/1", "{a_pass=" + mark + "}user/1"},
		{"password", "", ""},
		{"note", "plain = text", "plain = text"},
		{"data", "conference:room+1234", "conference:room+" + mark},
	} {
		if got := anyMark(m.Value("", test.name, test.value)); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.name, test.value, got, test.want)
		}
	}
}

func TestData(t *testing.T) {
	m := newMasker(t, "1")
	for _, test := range []struct{ application, data, want string }{
		{"conference", "room@default+1234", "room@default+" + mark},
		{"conference", "room+1234+flags{mute}", "room+" + mark + "+flags{mute}"},
		{"conference", "room@default", "room@default"},
		{"conference", "room++flags{mute}", "room++flags{mute}"},
		{"set", "conference_pin=1234", "conference_pin=" + mark},
		{"bridge", "[sip_auth_password=x]sofia/gateway/a/+2721", "[sip_auth_password=" + mark + "]sofia/gateway/a/+2721"},
		{"bridge", "sofia/gateway/a/+2721", "sofia/gateway/a/+2721"},
	} {
		if got := anyMark(m.Data("", test.application, test.data)); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.application, test.data, got, test.want)
		}
	}
}

// golden calls look with every expected answer of the demo rows.
func golden(t *testing.T, look func(t *testing.T, document []byte)) {
	t.Helper()
	answers := os.DirFS("../../testdata/documents")
	files, err := fs.Glob(answers, "*/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no expected answers: %v", err)
	}
	for _, file := range files {
		document, err := fs.ReadFile(answers, file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(file, func(t *testing.T) { look(t, document) })
	}
}

// demoSecrets are those of the demo rows, as they stand in answers. The demo gateway's user has the name of its password,
// and a phone's PIN is its number.
var demoSecrets = []string{
	`"password" value="change-me"`, "demo-1000", "demo-1001", "ClueCon", `"vm-password" value="1000"`, `"vm-password" value="1001"`,
}

func TestGoldenDocumentsKeepAllButSecrets(t *testing.T) {
	m := newMasker(t, "1")
	found := map[string]bool{}
	golden(t, func(t *testing.T, document []byte) {
		masked := string(m.Document(document))
		for _, secret := range demoSecrets {
			found[secret] = found[secret] || bytes.Contains(document, []byte(secret))
			if strings.Contains(masked, secret) {
				t.Errorf("%s is still there", secret)
			}
		}
		others := strings.Split(anyMark(masked), mark)
		for i := range others {
			others[i] = regexp.QuoteMeta(others[i])
		}
		if !regexp.MustCompile("^" + strings.Join(others, "(change-me|demo-1000|demo-1001|ClueCon|1000|1001)") + "$").Match(document) {
			t.Errorf("more than secrets changed: %s", cmp.Diff(string(document), masked))
		}
	})
	if len(found) != len(demoSecrets) {
		t.Errorf("of the secrets %q the expected answers have only %v", demoSecrets, found)
	}
}

// TestWhereverItStands puts a secret at every place of an answer, also where it is no XML any more.
func TestWhereverItStands(t *testing.T) {
	m := newMasker(t, "1")
	const secret = `<param name="password" value="S3CR3T"/>`
	golden(t, func(t *testing.T, document []byte) {
		for at := range min(len(document), 3000) {
			with := string(document[:at]) + secret + string(document[at:])
			if masked := m.Document([]byte(with)); bytes.Contains(masked, []byte("S3CR3T")) {
				t.Fatalf("at byte %d:\n%s", at, masked)
			}
		}
	})
}

// TestEncodedSecrets has the server's own encoder write secrets of all signs.
func TestEncodedSecrets(t *testing.T) {
	m := newMasker(t, "1")
	for _, secret := range []string{`a"b'c<d>e&f`, "a,b}c]d", "ünï-cødé", "a\tb", "x-pre-process", "$${not}", " a b ", "&amp;", "a@b/c#d?e", "]]>", "<!--"} {
		handler := xmlcurl.HandlerFunc(func(_ context.Context, _ *xmlcurl.Request, d *xmlcurl.Document) error {
			d.Empty("param", xmlcurl.A("value", secret), xmlcurl.A("name", "Password"))
			d.Empty("gateway", xmlcurl.A("password", secret))
			d.Empty("action", xmlcurl.A("application", "set"), xmlcurl.A("data", "auth_pass="+secret))
			return nil
		})
		document, err := xmlcurl.Render(t.Context(), handler, &xmlcurl.Request{Section: "configuration"})
		if err != nil {
			t.Fatal(err)
		}
		masked := m.Document(document)
		inText := anyMark(m.Value("", "x", "pass="+secret))[len("pass="):]
		if strings.Contains(secret, "<") { // which makes XML of the text
			inText = mark
		}
		for _, decoded := range attributesOf(t, masked) {
			if strings.Contains(decoded, strings.TrimSpace(secret)) {
				t.Errorf("%q is still there: %q", secret, decoded)
			}
		}
		for _, want := range []string{`value="` + mark + `"`, `password="` + mark + `"`, inText + `"/>`} {
			if !strings.Contains(anyMark(string(masked)), want) {
				t.Errorf("%q: no %s in\n%s", secret, want, masked)
			}
		}
	}
}

func attributesOf(t *testing.T, document []byte) (all []string) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if start, ok := token.(xml.StartElement); ok {
			for _, a := range start.Attr {
				all = append(all, a.Value)
			}
		}
	}
}

func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`<a>`, `<a b="`, `<![CDATA[`, `<!--`, `<?xml`, `&#x`, `<a b='&lt;`, `<a><password/>`, `$${$${`, `{a_pass='`} {
		f.Add([]byte(seed), []byte(`"/></a>`))
	}
	m := newMasker(f, "1")
	f.Fuzz(func(t *testing.T, before, after []byte) {
		with := string(before) + `<param name="password" value="S3CR3T"/>` + string(after)
		if masked := m.Document([]byte(with)); bytes.Contains(masked, []byte("S3CR3T")) && !bytes.Contains(before, []byte("S3CR3T")) && !bytes.Contains(after, []byte("S3CR3T")) {
			t.Errorf("%q becomes %q", with, masked)
		}
	})
}
