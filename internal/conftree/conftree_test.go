package conftree_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/conftree"
)

// files is a tree: names and contents.
type files map[string]string

// write writes a tree to a folder and returns it.
func (f files) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// root is a freeswitch.xml whose document holds some text.
func root(text string) string { return "<document>\n" + text + "\n</document>\n" }

func read(t *testing.T, f files, options conftree.Options) *conftree.Tree {
	t.Helper()
	tree, err := conftree.Read(f.write(t), options)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files files
		want  string // the tree as XML
	}{
		"included files stand in the place of the directive, in the order of their names": {
			files{
				"freeswitch.xml":   root(`<a>` + "\n" + `<X-PRE-PROCESS cmd="include" data="more/*.xml"/>` + "\n</a>"),
				"more/b.xml":       "<include>\n<b/>\n</include>\n",
				"more/B.xml":       "<upper/>",
				"more/a.xml":       "<x-pre-process CMD=\"Include\" data=\"deep/[a-c].xml\"/>\n<after/>\n",
				"more/.hidden.xml": "<hidden/>",
				"more/deep/c.xml":  "<?xml version=\"1.0\"?>\r\n<c/>\r\n",
				"more/deep/d.xml":  "<d/>",
			},
			"<document>\n  <a>\n    <upper/>\n    <c/>\n    <after/>\n    <b/>\n  </a>\n</document>\n",
		},
		"a line with <include> or <? is dropped, one behind a variable is not": {
			files{"freeswitch.xml": root("<include> <a/>\n<b/> <?xml?>\n<c x=\"$${y}\"/> <?xml?>\n<d/></include>")},
			"<document>\n  <c x=\"$${y}\"/>\n</document>\n",
		},
		"comments": {
			files{"freeswitch.xml": root("<a>b<!-- <c/> -->d</a>\n<!--# set\n<e/>\n--><f/><!--#anything else--><g/>")},
			"<document>\n  <a>bd</a>\n  <f/>\n  <g/>\n</document>\n",
		},
		"references, and what is none": {
			files{"freeswitch.xml": root(`<a b="&lt;&#65;&#x42;&amp;lt; &nbsp; & &;` + "\t" + `&#9;">&quot;&apos;<![CDATA[<&amp;>]]></a>`)},
			"<document>\n  <a b=\"&lt;AB&amp;lt; &amp;nbsp; &amp; &amp;; &#9;\">\"'&lt;&amp;amp;&gt;</a>\n</document>\n",
		},
		"entities of a document type": {
			files{"freeswitch.xml": "<!DOCTYPE document [\n<!ENTITY a \"b&lt;\">\n<!ENTITY c '&a;&a;'>\n]>\n" + root("<d>&c;</d>")},
			"<document>\n  <d>b&lt;b&lt;</d>\n</document>\n",
		},
		"attributes": {
			files{"freeswitch.xml": root(`<a b = 'c"d' e="f>g"` + "\n" + `  h b="again"/>`)},
			"<document>\n  <a b=\"c&quot;d\" e=\"f&gt;g\" h=\"\"/>\n</document>\n",
		},
		"variables stay, and $${ that is text stays text": {
			files{"freeswitch.xml": root(`<X-PRE-PROCESS cmd="set" data="x=1"/>` + "\n" + `<a b="$${x}-$${none}" c="&#36;${x}">$${none}</a>`)},
			"<document>\n  <a b=\"$${x}-$${none}\" c=\"&#36;&#36;{x}\">$${none}</a>\n</document>\n",
		},
		"a variable may be a part of a path, and may be markup": {
			files{
				"freeswitch.xml": root(`<X-PRE-PROCESS cmd="set" data="lang=de"/>` + "\n" + `<X-PRE-PROCESS cmd="set" data="all=<b c='d'/>"/>` + "\n" +
					`<X-PRE-PROCESS cmd="include" data="lang/$${lang}.xml"/>` + "\n" + `<a>$${all}</a>`),
				"lang/de.xml": "<$${lang} e=\"$${lang}\"/>",
			},
			"<document>\n  <de e=\"$${lang}\"/>\n  <a>\n    <b c=\"d\"/>\n  </a>\n</document>\n",
		},
		"$${ that is text, in an element with variables": {
			files{"freeswitch.xml": root(`<a b="&#36;${x}$${x}">$$<c/>{y}$${x}</a>`)},
			"<document>\n  <a b=\"&#36;&#36;{x}\">\n    &#36;&#36;{y}\n    <c/>\n  </a>\n</document>\n",
		},
		"a line that ends a <!--# comment ends with its first variable": {
			files{"freeswitch.xml": root("<!--#\n--><a b=\"$${x}\"/>\n\"/>\n<!--#\n$${x}-->\n--><c/>")},
			"<document>\n  <a b=\"&#36;&#36;{x\"/>\n  <c/>\n</document>\n",
		},
		"a value that would be a directive": {
			files{"freeswitch.xml": root("<a b=\"X&#45;Pre-Process\">x-&#112;re-process</a>")},
			"<document>\n  <a b=\"X&#45;Pre-Process\">x&#45;pre-process</a>\n</document>\n",
		},
		"text of an element with children": {
			files{"freeswitch.xml": root("<a>\n  b\n  <c/>\n</a>")},
			"<document>\n  <a>\n    b\n    <c/>\n  </a>\n</document>\n",
		},
		"sections without a root": {
			files{"freeswitch.xml": "<include>\n<section name=\"a\"/>\n<section name=\"b\"/>\n</include>"},
			"<document type=\"freeswitch/xml\">\n  <section name=\"a\"/>\n  <section name=\"b\"/>\n</document>\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := read(t, test.files, conftree.Options{})
			if diff := cmp.Diff(test.want, tree.Document.XML("")); diff != "" {
				t.Error(diff)
			}
			again := read(t, files{"freeswitch.xml": test.want}, conftree.Options{})
			if diff := cmp.Diff(test.want, again.Document.XML("")); diff != "" {
				t.Errorf("what is written reads back as something else:\n%s", diff)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	tree := read(t, files{
		"freeswitch.xml": root(`
			<first a="$${late}"/>
			<X-PRE-PROCESS cmd="set" data="domain = $${local_ip_v4}"/>
			<!--#set "early=1"-->
			<X-PRE-PROCESS cmd="set" data="late=${caller}&amp;$\{x}"/>
			<X-PRE-PROCESS cmd="stun-set" data="public=stun:stun.example.com"/>
			<X-PRE-PROCESS cmd="env-set" data="home=$HOME"/>
			<X-PRE-PROCESS cmd="set" data="empty="/>
			<X-PRE-PROCESS cmd="set" data="port=5060"/>
			<X-PRE-PROCESS cmd="env-set" data="port=$PORT"/>
			<last/>
			<X-PRE-PROCESS cmd="set" data="early=2"/>`),
	}, conftree.Options{Globals: map[string]string{"home": "/root", "base_dir": "/opt/fs"}})
	first, last := tree.Document.Child("first"), tree.Document.Child("last")
	for name, test := range map[string]struct {
		place *conftree.Element
		text  string
		want  string
		unset []string
	}{
		"before it is set":                      {first, "[$${late}]", "[]", []string{"late"}},
		"the value there":                       {last, "$${early}", "1", nil},
		"the value at the end":                  {nil, "$${EARLY}", "2", nil},
		"a channel's variable is disarmed":      {last, "$${late}", `%{caller}&%\{x}`, nil},
		"what went into another":                {last, "sip:$${domain}", "sip:", []string{"local_ip_v4"}},
		"asked by the switch":                   {last, "$${public}", "", []string{"public"}},
		"from the environment, told":            {last, "$${home}", "/root", nil},
		"from the environment, with a default":  {last, "$${port}", "5060", []string{"port"}},
		"empty is set":                          {last, "$${empty}", "", nil},
		"from outside":                          {first, "$${base_dir}", "/opt/fs", nil},
		"preset":                                {first, "$${conf_dir}", tree.Dir, nil},
		"twice, and one that is not terminated": {last, "$${a}$${b}$${a}$${", "$${", []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, unset := tree.Expand(test.place, test.text)
			if got != test.want || cmp.Diff(test.unset, unset) != "" {
				t.Errorf("got %q and %q, want %q and %q", got, unset, test.want, test.unset)
			}
		})
	}
	for name, want := range map[string]bool{"hostname": true, "Public": true, "late": false, "none": false} {
		if got := tree.SwitchOnly(name); got != want {
			t.Errorf("only the switch knows %s: %t, want %t", name, got, want)
		}
	}
	wantNotes(t, tree, `freeswitch.xml:3: $${late}: it is set further on`)
	names := map[string]string{}
	for _, v := range tree.Variables {
		names[v.Name] += v.Command + " " + v.Value + " -> " + v.Holds + ";"
	}
	if diff := cmp.Diff(map[string]string{
		"domain": "set $${local_ip_v4} -> ;", "early": "set 1 -> 1;set 2 -> 2;", "late": `set ${caller}&amp;$\{x} -> %{caller}&amp;%\{x};`,
		"public": "stun-set stun:stun.example.com -> ;", "home": "env-set $HOME -> /root;", "empty": "set  -> ;",
		"port": "set 5060 -> 5060;env-set $PORT -> 5060;",
	}, names); diff != "" {
		t.Error(diff)
	}
}

// wantNotes fails the test unless a tree has notes that begin with some texts, and no others.
func wantNotes(t *testing.T, tree *conftree.Tree, want ...string) {
	t.Helper()
	var got []string
	for _, n := range tree.Notes {
		got = append(got, n.String()+": "+n.What+": "+n.Reason)
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Fatalf("the notes are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"directive in a comment": {"<!--\n<X-PRE-PROCESS cmd=\"set\" data=\"a=b\"/>\n-->",
			`freeswitch.xml:3: <X-PRE-PROCESS cmd="set" data="a=b"/>: FreeSWITCH follows a directive in a comment`},
		"beside a directive": {`<X-PRE-PROCESS cmd="set" data="a=b"/> <a/>`, "freeswitch.xml:2: <a/>: what stands beside a directive"},
		"single quotes":      {`<X-PRE-PROCESS cmd='set' data='a=b'/>`, "freeswitch.xml:2: X-PRE-PROCESS cmd='set' data='a=b'/>: the directive is passed over"},
		"unknown directive":  {`<X-PRE-PROCESS cmd="unset" data="a"/>`, "freeswitch.xml:2: unset: FreeSWITCH knows no such directive"},
		"not a directive":    {`<a/> X-PRE-PROCESS`, "freeswitch.xml:2: <a/> X-PRE-PROCESS: a line that names X-PRE-PROCESS is dropped"},
		"a line dropped":     {`<?xml version="1.0"?><a/>`, `freeswitch.xml:2: <?xml version="1.0"?><a/>: a line with <include> or <? is dropped`},
		"attribute twice":    {"\n<a b='1' b='2'/>", `freeswitch.xml:3: b="2": FreeSWITCH reads the first`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantNotes(t, read(t, files{"freeswitch.xml": root(test.text)}, conftree.Options{}), test.want)
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	include := func(pattern string) string { return root(`<X-PRE-PROCESS cmd="include" data="` + pattern + `"/>`) }
	for name, test := range map[string]struct {
		files files
		want  string
	}{
		"no tree":         {files{}, "freeswitch.xml:1: there is no such file"},
		"empty":           {files{"freeswitch.xml": "\n"}, "freeswitch.xml:1: there is no element"},
		"unclosed tag":    {files{"freeswitch.xml": include("a.xml"), "a.xml": "<a>\n<b>\n</a>"}, "a.xml:2: <b> is not closed before </a> at a.xml:3: write </b>"},
		"unclosed at end": {files{"freeswitch.xml": "<document>\n<a>\n"}, "freeswitch.xml:2: <a> is never closed"},
		"stray closing":   {files{"freeswitch.xml": root("</a>")}, "freeswitch.xml:2: </a> closes nothing: the open element is <document> at freeswitch.xml:1"},
		"two roots":       {files{"freeswitch.xml": root("") + "<a/>"}, "freeswitch.xml:4: <a> stands behind the root element <document>"},
		"include loop": {files{"freeswitch.xml": include("a.xml"), "a.xml": "\n<X-PRE-PROCESS cmd=\"include\" data=\"./*.xml\"/>"},
			"a.xml:2: include loop: a.xml includes a.xml"},
		"missing file":         {files{"freeswitch.xml": include("a/b.xml")}, "freeswitch.xml:2: there is no file a/b.xml"},
		"not UTF-8":            {files{"freeswitch.xml": root("<a b='\xe9'/>")}, "freeswitch.xml:2: not UTF-8"},
		"UTF-16":               {files{"freeswitch.xml": "\xff\xfe<\x00a\x00>\x00"}, "freeswitch.xml:1: holds a NUL character"},
		"attribute unquoted":   {files{"freeswitch.xml": root("<a\nb=c/>")}, "freeswitch.xml:3: the value of b in <a does not stand in quotation marks"},
		"quotation mark":       {files{"freeswitch.xml": root(`<a b="c d="e"/>`)}, `freeswitch.xml:2: "e\"" is no name`},
		"quotation mark ever":  {files{"freeswitch.xml": root("<b/>\n<a b=\"c/>")}, "freeswitch.xml:3: <a has no end"},
		"comment in a comment": {files{"freeswitch.xml": root("<!-- a\n-- b -->")}, "freeswitch.xml:3: -- stands within a comment"},
		"comment unclosed":     {files{"freeswitch.xml": root("<!-- a")}, "freeswitch.xml:2: a comment is never closed"},
		"text with <":          {files{"freeswitch.xml": root("a < b")}, "freeswitch.xml:2: unexpected <"},
		"long line":            {files{"freeswitch.xml": root(strings.Repeat("x", 1<<20))}, "freeswitch.xml:2: the line is longer than 1048574 bytes"},
		"exec":                 {files{"freeswitch.xml": root(`<X-PRE-PROCESS cmd="exec-set" data="a=date"/>`)}, `freeswitch.xml:2: exec-set runs the command "date"`},
		"include of a variable": {files{"freeswitch.xml": include("$${where}/a*.xml")},
			"freeswitch.xml:2: there is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := conftree.Read(test.files.write(t), conftree.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	tree := read(t, files{"freeswitch.xml": root(`
		<X-PRE-PROCESS cmd="exec-set" data="a=printf '1 \n\n'"/>
		<X-PRE-PROCESS cmd="exec" data="echo '<b></b>'; exit 3"/>`)}, conftree.Options{Exec: true})
	if got, _ := tree.Expand(nil, "[$${a}]"); got != "[1]" || tree.Document.Child("b") == nil {
		t.Errorf("exec-set gave %s, and exec\n%s", got, tree.Document.XML(""))
	}
	wantNotes(t, tree, `freeswitch.xml:3: printf '1 \n\n': was run`, "freeswitch.xml:4: echo '<b></b>'; exit 3: was run and ended with an error: exit status 3")
}

func TestFirstOfANameIsRead(t *testing.T) {
	t.Parallel()
	tree := read(t, files{"freeswitch.xml": root(`<section name="Dialplan"><context name="a"/>` + "\n" +
		`<context name="A"/></section><section name="dialplan"/>`)}, conftree.Options{})
	section := tree.Section("dialplan")
	repeated := section.Repeated("context")
	if section.Attr("name") != "Dialplan" || len(repeated) != 1 || repeated[0].Line != 3 {
		t.Errorf("the section is %v, and what is never read %v", section, repeated)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{root("<a b='c'>$${d}</a>"), "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;<![CDATA[d]]></a>", "<!--#set a=b -->\n<a/>",
		root("<X-PRE-PROCESS cmd=\"set\" data=\"a=<b>\"/>\n$${a}</b>"), "<X-PRE-PROCESS cmd=\"include\" data=\"*.xml\"/>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := files{"freeswitch.xml": text}.write(t)
		tree, err := conftree.Read(dir, conftree.Options{})
		if err != nil {
			return
		}
		again, err := conftree.Read(files{"freeswitch.xml": tree.Document.XML("")}.write(t), conftree.Options{})
		if err != nil {
			t.Fatalf("what is written is damaged: %v\n%s", err, tree.Document.XML(""))
		}
		if diff := cmp.Diff(tree.Document.XML(""), again.Document.XML("")); diff != "" {
			t.Error(diff)
		}
	})
}
