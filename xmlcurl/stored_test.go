package xmlcurl

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestStored(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, source string
		expand       bool
		want         string
	}{
		{name: "one element a line", source: `<a><b c="d"/><e><f/></e></a>`, want: "<a>\n<b c=\"d\"/>\n<e>\n<f/>\n</e>\n</a>\n"},
		{name: "white space is no data", source: "<action application=\"a\" data=\"b\">\n</action>", want: "<action application=\"a\" data=\"b\"/>\n"},
		{name: "empty pair", source: "<action></action>\n <b> </b>", want: "<action/>\n<b/>\n"},
		{name: "text is kept", source: "<e> ^1\n2 </e>", want: "<e> ^1&#10;2 </e>\n"},
		{name: "text beside elements", source: "<a> x\n<b> </b>\n<c>\n<d/></c>y</a><e/>", want: "<a> x&#10;<b/>&#10;<c>\n<d/>\n</c>y</a>\n<e/>\n"},
		{name: "comments and instructions", source: "<?xml version=\"1.0\"?><!-- c --><a><!--#exec \"id\"--><?php x?></a>", want: "<a/>\n"},
		{name: "text cut by a comment", source: "<a>x-pre<!-- c -->-process $<![CDATA[${b}]]></a>", want: "<a>x&#45;pre-process &#36;&#36;{b}</a>\n"},
		{name: "prefix", source: `<c:a xmlns:c="u" c:b="d"/>`, want: "<c:a xmlns:c=\"u\" c:b=\"d\"/>\n"},
		{name: "references", source: `<a b="&#10;&lt;&#x24;$&#123;x}"/>`, want: "<a b=\"&#10;&lt;&#36;&#36;{x}\"/>\n"},
		{name: "not expanded", source: `<a b="$${x}">$${y}</a>`, want: "<a b=\"&#36;&#36;{x}\">&#36;&#36;{y}</a>\n"},
		{name: "expanded", source: `<a b="$${x}">$${y}</a>`, expand: true, want: "<a b=\"$${x}\">$${y}</a>\n"},
		{name: "line and tab in an attribute", source: "<a b=\"en NUMBER\n\t\tx\" c='\n'/>", want: "<a b=\"en NUMBER   x\" c=\" \"/>\n"},
		{name: "lines of Windows and old Macs in an attribute", source: "<a b=\"1\r\n2\r3\n\r4\r\n\"/>", want: "<a b=\"1 2 3  4 \"/>\n"},
		{name: "references in an attribute stay", source: "<a b=\"1&#10;2&#x9;3&#13;4\n&#10;\"/>", want: "<a b=\"1&#10;2&#9;3&#13;4 &#10;\"/>\n"},
		{name: "the other quote in an attribute", source: "<a b=\"it's\n\"\nc='\"\n>\t'/>", want: "<a b=\"it&apos;s \" c=\"&quot; &gt; \"/>\n"},
		{name: "line between attributes", source: "<a\n\tb=\"1\"\r\nc=\"2\"\n/>", want: "<a b=\"1\" c=\"2\"/>\n"},
		{name: "attribute behind a comment with a quote", source: "<!-- it's\n --><a b=\"\n\"><?php \"\n?><c d=\"\t\"/></a>", want: "<a b=\" \">\n<c d=\" \"/>\n</a>\n"},
		{name: "what looks like an attribute in text", source: "<e>a=\"\n\"<![CDATA[<a b=\"\n\">]]></e>", want: "<e>a=&quot;&#10;&quot;&lt;a b=&quot;&#10;&quot;&gt;</e>\n"},
		{name: "lines of text", source: "<e>1\r\n2\r3&#13;4\t</e>", want: "<e>1&#10;2&#10;3&#13;4&#9;</e>\n"},
		{name: "text alone", source: "a", want: "a\n"},
		{name: "nothing", source: " ", want: ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var d Document
			d.Stored(tc.source, tc.expand)
			if d.err != nil {
				t.Fatal(d.err)
			}
			if got := string(d.out); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}

func TestStoredRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, source, want string }{
		{"declaration", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "stored XML: a DOCTYPE or another declaration is not taken"},
		{"directive", `<X-PRE-PROCESS cmd="exec" data="id"/>`, `the name "X-PRE-PROCESS" is FreeSWITCH's pre-processor's`},
		{"directive as an attribute", `<a x-pre-process="b"/>`, `the name "x-pre-process" is FreeSWITCH's pre-processor's`},
		{"directive with a prefix", `<a:x-pre-process/>`, `the name "a:x-pre-process" is FreeSWITCH's pre-processor's`},
		{"include", `<include><a/></include>`, `the name "include" is FreeSWITCH's pre-processor's`},
		{"closes what it did not open", `</section><section>`, `stored XML: element "section" is closed but not open`},
		{"crossed", `<a><b></a></b>`, `stored XML: element "a" is closed but not open`},
		{"left open", `<a><b></b>`, `stored XML: element "a" is never closed`},
		{"unknown entity", `<a>&nbsp;</a>`, "stored XML: XML syntax error on line 1: invalid character entity &nbsp;"},
		{"cut off", `<a`, "stored XML: XML syntax error on line 1: unexpected EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var d Document
			d.Stored(tc.source, true)
			if d.err == nil || d.err.Error() != tc.want {
				t.Errorf("got %v\nwant %s", d.err, tc.want)
			}
		})
	}
}

func FuzzStored(f *testing.F) {
	for _, v := range nastyValues {
		for _, expand := range []bool{false, true} {
			f.Add(v, expand)
			f.Add("<a><![CDATA["+v+"]]></a>", expand)
			f.Add("<a b='"+strings.NewReplacer("'", "&#39;", "<", "&lt;", "&", "&amp;").Replace(v)+"'>\n<c/></a>", expand)
		}
	}
	f.Add("<a>x-pre<!-- c -->-process<b> </b> t</a><?xml?>\n<action data='d'>\n</action>", true)
	f.Fuzz(func(t *testing.T, source string, expand bool) {
		section, err := sectionOf(t, notEmpty, func(d *Document) { d.Stored(source, expand) })
		if err != nil {
			return
		}
		want, err := parse(spaced(source))
		if err != nil {
			t.Fatalf("taken, but not XML: %v", err)
		}
		if expand {
			want.expand(notEmpty)
		}
		// White space between the section's tag and the first element may be ours.
		trimEnds(want)
		trimEnds(section)
		if diff := cmp.Diff(want.Inside, section.Inside, cmpopts.IgnoreUnexported(element{})); diff != "" {
			t.Errorf("what arrived (-want +got):\n%s", diff)
		}
		section.each(func(e *element) {
			if e.blank && e != section {
				t.Errorf("<%s> holds white space, which FreeSWITCH takes for data", e.Name)
			}
		})
	})
}

// quoted are the parts of XML in which quotes mean nothing, and an attribute's value.
var quoted = regexp.MustCompile(`(?s)<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^!?"'>](?:[^"'>]|"[^"]*"|'[^']*')*>`)

// spaced is source with a blank for each line's end and tab between the quotes of a tag.
func spaced(source string) string {
	return quoted.ReplaceAllStringFunc(source, func(markup string) string {
		if markup[1] == '!' || markup[1] == '?' {
			return markup
		}
		return strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ").Replace(markup)
	})
}

// trimEnds drops white space at both ends of e's text.
func trimEnds(e *element) {
	trim := func(at int, cut func(string) string) {
		if s, ok := e.Inside[at].(string); ok {
			if e.Inside[at] = cut(s); cut(s) == "" {
				e.Inside = append(e.Inside[:at:at], e.Inside[at+1:]...)
			}
		}
	}
	if len(e.Inside) > 0 {
		trim(0, func(s string) string { return strings.TrimLeft(s, " \t\r\n") })
	}
	if len(e.Inside) > 0 {
		trim(len(e.Inside)-1, func(s string) string { return strings.TrimRight(s, " \t\r\n") })
	}
}
