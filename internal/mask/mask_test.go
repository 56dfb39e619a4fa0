package mask_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
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

func TestMarks(t *testing.T) {
	one, other := newMasker(t, "1"), newMasker(t, "2")
	mark := one.Value("password", "hunter2")
	if !strings.HasPrefix(mark, "secret:") || strings.Contains(mark, "hunter2") {
		t.Errorf("mark %q", mark)
	}
	if again := one.Value("vm-password", "hunter2"); again != mark {
		t.Errorf("the same secret is %s and %s", mark, again)
	}
	if changed := one.Value("password", "hunter3"); changed == mark {
		t.Errorf("another secret has the same mark %s", mark)
	}
	if elsewhere := other.Value("password", "hunter2"); elsewhere == mark {
		t.Errorf("another Masker gives the same mark %s", mark)
	}
	if _, err := mask.New(iotest.ErrReader(errors.ErrUnsupported)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without random bytes: %v", err)
	}
	if _, err := mask.New(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with few random bytes: %v", err)
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
	s := m.Value("password", "s3cr3t")
	mark := func(secret string) string { return m.Value("password", secret) }
	for _, test := range []struct{ name, in, want string }{
		{"param", `<param name="password" value="s3cr3t"/>`, `<param name="password" value="` + s + `"/>`},
		{"attributes the other way round", `<param value='s3cr3t'  name = 'password' />`, `<param value='` + s + `'  name = 'password' />`},
		{"references", `<param name="p&#97;ss&#x77;ord" value="s&#51;cr&#x33;t"/>`, `<param name="p&#97;ss&#x77;ord" value="` + s + `"/>`},
		{"upper case", `<PARAM NAME="PASSWORD" VALUE="s3cr3t"/>`, `<PARAM NAME="PASSWORD" VALUE="` + s + `"/>`},
		{"gateway's variable", `<variable name="api_key" value="s3cr3t" direction="outbound"/>`, `<variable name="api_key" value="` + s + `" direction="outbound"/>`},
		{"attribute", `<menu name="x" pin="s3cr3t" tries="3"></menu>`, `<menu name="x" pin="` + s + `" tries="3"></menu>`},
		{"element", `<a><secret-access-key> s3cr3t </secret-access-key></a>`, `<a><secret-access-key> ` + s + ` </secret-access-key></a>`},
		{"all in an element", `<credentials><a b="s3cr3t" name="x">s3cr3t</a></credentials>`, `<credentials><a b="` + s + `" name="x">` + s + `</a></credentials>`},
		{"text of a param", `<param name="password">s3cr3t<a/>x</param>`, `<param name="password">` + s + `<a/>` + mark("x") + `</param>`},
		{"CDATA", `<password><![CDATA[s3c]]>r3t</password>`, `<password>` + s + `</password>`},
		{"a word in two", `<a>pass<!-- -->word=s3cr3t</a>`, `<a>` + mark("password=s3cr3t") + `</a>`},
		{"comment", `<a><!-- was s3cr3t --></a>`, `<a><!-- ` + mark("was s3cr3t") + ` --></a>`},
		{"condition", `<condition field="${pin}" expression="s3cr3t"/>`, `<condition field="${pin}" expression="` + s + `"/>`},
		{"dial string", `<action application="bridge" data="{a=b,sip_auth_password=s3cr3t}sofia/x/y@z"/>`,
			`<action application="bridge" data="{a=b,sip_auth_password=` + s + `}sofia/x/y@z"/>`},
		{"quoted in a dial string", `<action data="[sip_auth_password='s3]cr3t',a=b]sofia/x"/>`,
			`<action data="[sip_auth_password=` + mark("'s3]cr3t',a=b") + `]sofia/x"/>`},
		{"set", `<action application="set" data="api_token=s3cr3t"/>`, `<action application="set" data="api_token=` + s + `"/>`},
		{"pre-processor", `<a><X-PRE-PROCESS cmd="set" data="default_password=s3cr3t"/></a>`, `<a><X-PRE-PROCESS cmd="set" data="default_password=` + s + `"/></a>`},
		{"header", `<action data="append_headers Authorization: s3cr3t"/>`, `<action data="append_headers Authorization: ` + s + `"/>`},
		{"URL", `<action data="https://u:s3cr3t@host/a@b c"/>`, `<action data="https://` + mark("u:s3cr3t") + `@host/a@b c"/>`},
		{"URL with a token", `<a>https://s3cr3t@host/</a>`, `<a>https://` + s + `@host/</a>`},
		{"URL that is not escaped", `<a b="pgsql://u:s3/cr3t@host/db"/>`, `<a b="pgsql://` + mark("u:s3/cr3t") + `@host/db"/>`},
		{"URL with a key", `<a b="https://host/?a=b&amp;key=s3cr3t"/>`, `<a b="https://host/?a=b&amp;key=` + s + `"/>`},
		{"SIP URI", `<a b="sip:u:s3cr3t@host:5060;a=b"/>`, `<a b="sip:u:` + s + `@host:5060;a=b"/>`},
		{"conference", `<action application="conference" data="room@default+s3cr3t+flags{mute}"/>`, `<action application="conference" data="room@default+` + s + `+flags{mute}"/>`},
		{"conference inline", `<action data="conference:room+s3cr3t inline"/>`, `<action data="conference:room+` + mark("s3cr3t inline") + `"/>`},
		{"JSON", `<a>{"n":1,"password":"s3cr3t"}</a>`, `<a>{"n":1,"password":` + mark(`"s3cr3t"`) + `}</a>`},
		{"XML in XML", `<a b="&lt;param name='password' value='s3cr3t'/>"/>`, `<a b="` + mark("<param name='password' value='s3cr3t'/>") + `"/>`},

		{"a variable of the switch", `<param name="password" value="$${pw}"/>`, `<param name="password" value="$${pw}"/>`},
		{"what only looks like one", `<param name="password" value="&#36;${pw}"/>`, `<param name="password" value="` + mark("$${pw}") + `"/>`},
		{"no value", `<param name="password" value=""/>`, `<param name="password" value=""/>`},
		{"no secrets", `<param name="allow-empty-password" value="false"/>`, `<param name="allow-empty-password" value="false"/>`},
		{"addresses", `<a b="sofia/internal/sip:1001@host:5060;fs_path=sip:a@b" c="http://host:80/x@y"/>`,
			`<a b="sofia/internal/sip:1001@host:5060;fs_path=sip:a@b" c="http://host:80/x@y"/>`},
		{"declaration", "\ufeff" + `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n<a/>\n", "\ufeff" + `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n<a/>\n"},
		{"nothing", "", ""},

		{"no quotes", `<a/><param name=password value=s3cr3t/>`, `<a/>` + mark("<param name=password value=s3cr3t/>")},
		{"quote missing", `<a b="x><param name="password" value="s3cr3t"/>`, mark(`<a b="x><param name="password" value="s3cr3t"/>`)},
		{"cut off", `<a><param name="password" value="s3cr`, `<a>` + mark(`<param name="password" value="s3cr`)},
		{"elements that cross", `<a></b>s3cr3t`, `<a>` + mark("</b>s3cr3t")},
		{"not XML", "password s3cr3t\n", mark("password s3cr3t") + "\n"},
		{"document type", `<!DOCTYPE a [<!ENTITY b "password">]><a/>`, mark(`<!DOCTYPE a [<!ENTITY b "password">]><a/>`)},
		{"another encoding", `<?xml version="1.0" encoding="UTF-7"?><a/>`, mark(`<?xml version="1.0" encoding="UTF-7"?><a/>`)},
		{"UTF-16", "<\x00a\x00>\x00", mark("<\x00a\x00>\x00")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, string(m.Document([]byte(test.in)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValue(t *testing.T) {
	m := newMasker(t, "1")
	for _, test := range []struct{ name, value, want string }{
		{"event_socket_password", "x", m.Value("password", "x")},
		{"event_socket_password_from", "file:fs1/password", "file:fs1/password"},
		{"dial_string", "{a_pass=x}user/1", "{a_pass=" + m.Value("password", "x") + "}user/1"},
		{"password", "", ""},
		{"note", "plain = text", "plain = text"},
	} {
		if got := m.Value(test.name, test.value); got != test.want {
			t.Errorf("%s %q: %q, want %q", test.name, test.value, got, test.want)
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
		restored := masked
		for _, secret := range []string{"change-me", "demo-1000", "demo-1001", "ClueCon", "1000", "1001"} {
			restored = strings.ReplaceAll(restored, m.Value("password", secret), secret)
		}
		if diff := cmp.Diff(string(document), restored); diff != "" {
			t.Error("more than secrets changed", diff)
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
		mark, inText := m.Value("password", secret), m.Value("x", "pass="+secret)[len("pass="):]
		if strings.Contains(secret, "<") { // which makes XML of the text
			inText = m.Value("password", "auth_pass="+secret)
		}
		for _, decoded := range attributesOf(t, masked) {
			if strings.Contains(decoded, strings.TrimSpace(secret)) {
				t.Errorf("%q is still there: %q", secret, decoded)
			}
		}
		for _, want := range []string{`value="` + mark + `"`, `password="` + mark + `"`, inText + `"/>`} {
			if !bytes.Contains(masked, []byte(want)) {
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
