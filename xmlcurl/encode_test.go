package xmlcurl

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// writes is a handler that finds what write writes.
func writes(write func(d *Document)) HandlerFunc {
	return func(_ context.Context, _ *Request, d *Document) error {
		write(d)
		return nil
	}
}

var variablePattern = regexp.MustCompile(`\$\$\{[A-Za-z0-9_.-]+\}`)

// globals are a FreeSWITCH's variables; some try to complete a directive together with what stands around them.
func globals(name string) string {
	return map[string]string{"local_ip_v4": "192.0.2.1", "x": "x", "dash": "X-", "pre": "pRe", "dollars": "$$", "brace": "{x}"}[name]
}

func notEmpty(name string) string { return "[" + globals(name) + "]" }

func TestValueAsWritten(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value string
		expand      bool
		want        string
	}{
		{name: "regular expression stays readable", value: `^(\+27123456789)$`, want: `^(\+27123456789)$`},
		{name: "markup", value: `<a b="c" d='e'>&amp;`, want: `&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;amp;`},
		{name: "white space", value: "a\tb\nc\rd e", want: "a&#9;b&#10;c&#13;d e"},
		{name: "channel variable", value: "${uuid}", want: "&#36;{uuid}"},
		{name: "global variable", value: "$${ip}", want: "&#36;&#36;{ip}"},
		{name: "dollars", value: "$$$", want: "&#36;&#36;$"},
		{name: "directive", value: "X-Pre-Process x-pre-process", want: "X&#45;Pre-Process x&#45;pre-process"},
		{name: "header that starts like it", value: "X-PRE-PROCES X-Prefix", want: "X-PRE-PROCES X-Prefix"},
		{name: "several bytes", value: "Zoë 🎉 \u0085\uFFFD", want: "Zoë 🎉 \u0085\uFFFD"},
		{name: "expanded", value: "$${local_ip_v4}:5060", expand: true, want: "$${local_ip_v4}:5060"},
		{name: "expanded beside a channel variable", value: "$${a}${b}", expand: true, want: "$${a}&#36;{b}"},
		{name: "expanded behind a dollar", value: "$$${a}", expand: true, want: "&#36;$${a}"},
		{name: "no name to expand", value: "$${} $${a b} $${a", expand: true, want: "&#36;&#36;{} &#36;&#36;{a b} &#36;&#36;{a"},
		{name: "nested", value: "$${a$${b}}", expand: true, want: "&#36;&#36;{a$${b}}"},
		{name: "dash beside a variable", value: "x$${e}-pre-process", expand: true, want: "x$${e}&#45;pre&#45;process"},
		{name: "dash without a variable", value: "a-b", expand: true, want: "a-b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var d Document
			if err := d.value(tc.value, tc.expand); err != nil {
				t.Fatal(err)
			}
			if got := string(d.out); got != tc.want {
				t.Errorf("got %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestValueXMLCannotCarry(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, value, want string }{
		{"NUL", "a\x00", "encode: attribute \"value\": byte 1: XML cannot carry the character U+0000"},
		{"control", "\x1b", "encode: attribute \"value\": byte 0: XML cannot carry the character U+001B"},
		{"noncharacter", "ab\uFFFE", "encode: attribute \"value\": byte 2: XML cannot carry the character U+FFFE"},
		{"not UTF-8", "\xff", "encode: attribute \"value\": byte 0: not UTF-8"},
		{"surrogate", "\xed\xa0\x80", "encode: attribute \"value\": byte 0: not UTF-8"},
		{"line too long", strings.Repeat("a", 1<<20), "encode: a line of 1048594 bytes, FreeSWITCH reads at most 1048574"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Render(t.Context(), writes(func(d *Document) {
				d.Empty("param", A("value", tc.value))
				d.Empty("param", A("value", "\x01"))
			}), &Request{Section: "dialplan"})
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v\nwant %v", err, tc.want)
			}
		})
	}
}

func TestLongestLineArrives(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("a", maxLine-len(`<param value=""/>`+"\n"))
	section, err := sectionOf(t, globals, func(d *Document) { d.Empty("param", A("value", value)) })
	if err != nil {
		t.Fatal(err)
	}
	if got := section.Inside[0].(*element).Attrs[0].Value; got != value {
		t.Errorf("%d bytes arrived of %d", len(got), len(value))
	}
}

var nastyValues = []string{
	"", "plain", `^(\+27123456789)$`, "${api uptime}", "$${local_ip_v4}", "$$${x}", "$${x}$${dash}", "a\r\nb\tc", "<include>",
	"</include>", "<?xml?>", "<!--#exec \"id\"-->", `<X-PRE-PROCESS cmd="exec" data="id"/>`, "x-pre-process", "x$${none}-pre-process",
	"$${x}-pre-process", "$${dash}pre-process", "x-$${pre}-process", "$${a$${x}}", "$${unterminated", "&amp;#36;&#36;", "]]>", "'\"",
	"\x00", "\ufffe", "\xff", "Zoë", "$${dollars}{x}", "$$${brace}", "$${x-pre-process}", "x-pre-$${x-pre-process}process",
}

func FuzzValue(f *testing.F) {
	for _, v := range nastyValues {
		f.Add(v, false)
		f.Add(v, true)
	}
	f.Fuzz(func(t *testing.T, value string, expand bool) {
		section, err := sectionOf(t, globals, func(d *Document) {
			d.Open("before")
			d.Empty("param", A("name", "first"), Attr{Name: "value", Value: value, Expand: expand}, A("last", "last"))
			d.Close()
			d.Empty("after")
		})
		if carried := canCarry(value); carried != (err == nil) {
			t.Fatalf("error %v, XML can carry it: %v", err, carried)
		}
		if err != nil {
			return
		}
		want := value
		if expand {
			want = expectExpanded(value, globals)
		}
		wantInside := []any{
			&element{Name: "before", Inside: []any{
				&element{Name: "param", Attrs: []Attr{A("name", "first"), A("value", want), A("last", "last")}},
			}},
			&element{Name: "after"},
		}
		if diff := cmp.Diff(wantInside, section.Inside, cmpopts.IgnoreUnexported(element{})); diff != "" {
			t.Errorf("what arrived (-want +got):\n%s", diff)
		}
	})
}

// canCarry says whether XML 1.0 has a way to write value, and a line of FreeSWITCH's the room.
func canCarry(value string) bool {
	for _, r := range value {
		ok := r == '\t' || r == '\n' || r == '\r' || ' ' <= r && r <= 0xD7FF || 0xE000 <= r && r <= 0xFFFD || r >= 0x10000
		if !ok {
			return false
		}
	}
	return utf8.ValidString(value) && len(value) < 1<<17
}

func FuzzName(f *testing.F) {
	for _, name := range append(nastyValues, "param", "include", "x-pre-process", "a:X-PRE-PROCESS", "a b", "a/", "a=", "é", "-a", "1a", "::", ":a", "a:", "a:b") {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !validName(name) {
			return
		}
		section, err := sectionOf(t, globals, func(d *Document) {
			d.Open(name, A("a", "1"))
			d.Empty("b", A(name, "2"))
			d.Close()
		})
		if err != nil {
			return
		}
		if len(section.Inside) != 1 || len(section.Inside[0].(*element).Inside) != 1 {
			t.Errorf("arrived: %+v", section)
		}
	})
}
