package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/rowset"
)

// sections tells of what FreeSWITCH never reads because it found something of the same name before.
func (in *importer) sections() {
	read := []string{"configuration", "dialplan", "directory", "languages", "phrases", "chatplan"}
	for _, e := range in.tree.Document.Children {
		if e.Name != "section" || !slices.Contains(read, strings.ToLower(e.Attr("name"))) {
			in.unread(e, fmt.Sprintf("<%s name=%q>", e.Name, e.Attr("name")))
		}
	}
	for _, e := range in.tree.Document.Repeated("section") {
		in.leave(e, "section "+e.Attr("name"), "FreeSWITCH reads only the first section of a name", "Move what is in it there.")
	}
	configurations := in.tree.Section("configuration")
	for _, e := range configurations.Repeated("configuration") {
		in.leave(e, "configuration "+e.Attr("name"), "FreeSWITCH reads only the first one, in "+configurations.Named("configuration", e.Attr("name")).String(), "Delete it.")
	}
}

// configuration is a configuration document, nil if the tree has none of the name.
func (in *importer) configuration(name string) *conftree.Element {
	return in.tree.Section("configuration").Named("configuration", name)
}

// fromTables are the configurations whose rows other files of this package make.
var fromTables = []string{
	"acl.conf", "event_socket.conf", "modules.conf", "pre_load_modules.conf", "post_load_modules.conf", "sofia.conf", "switch.conf", "post_load_switch.conf",
}

// atStart are the configurations that FreeSWITCH reads before it can ask a server.
var atStart = []string{"console.conf", "logfile.conf", "msrp.conf", "speex.conf", "xml_curl.conf"}

var documentName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$`)

// documents adds whatever has no tables: as XML.
func (in *importer) documents() {
	configurations := in.tree.Section("configuration")
	if configurations != nil {
		in.readsAll(&conftree.Element{Name: "section", Children: configurations.Children}, nil, []string{"configuration"})
	}
	for _, e := range firsts(configurations, "configuration") {
		name := e.Attr("name")
		switch lower := strings.ToLower(name); {
		case slices.Contains(fromTables, lower):
		case lower == "xml_curl.conf":
			in.leave(e, name, "FreeSWITCH reads it before it asks this server, and the bootstrap has its own", "Nothing, unless FreeSWITCH asks further servers: then write their bindings into the bootstrap's xml_curl.conf.")
		case slices.Contains(atStart, lower):
			in.leave(e, name, "FreeSWITCH reads it before it asks this server", "Put it into the bootstrap's autoload_configs.")
		case !strings.HasSuffix(name, ".conf"):
			in.leave(e, name, "no module asks for a configuration whose name does not end in .conf", "Name it so, or delete it.")
		default:
			if lower == "timezones.conf" {
				in.leave(e, name, "FreeSWITCH reads it before it asks this server, and again at each reloadxml, from which on the row holds", "Put it into the bootstrap's autoload_configs too.")
			}
			in.document("configuration", e)
		}
	}
	languages, phrases := in.tree.Section("languages"), in.tree.Section("phrases")
	for _, e := range firsts(languages, "language") {
		in.document("languages", e)
	}
	switch {
	case phrases == nil:
	case languages != nil:
		in.leave(phrases, "section phrases", "FreeSWITCH reads it only where there is no section languages", "Delete it.")
	default:
		for _, e := range firsts(phrases.Child("macros"), "language") {
			in.document("languages", language(e))
		}
	}
	for _, e := range firsts(in.tree.Section("chatplan"), "context") {
		in.document("chatplan", e)
	}
}

// firsts are the children of a name, each as FreeSWITCH finds it: the first of those with one name.
func firsts(e *conftree.Element, name string) []*conftree.Element {
	repeated := e.Repeated(name)
	return slices.DeleteFunc(e.All(name), func(c *conftree.Element) bool { return slices.Contains(repeated, c) })
}

// language is a language of the old section phrases as it stands in section languages.
func language(old *conftree.Element) *conftree.Element {
	macros := *old
	macros.Name, macros.Attrs = "macros", nil
	phrases := &conftree.Element{Place: old.Place, Name: "phrases", Children: []*conftree.Element{&macros}}
	e := *old
	e.Text, e.Children = "", []*conftree.Element{phrases}
	return &e
}

// document adds an element as XML.
func (in *importer) document(section string, e *conftree.Element) {
	name := in.expand(e, e.Attr("name"))
	what := section + " " + name
	settled := in.settled(e)
	for i := range settled.Attrs {
		if settled.Attrs[i].Name == "name" {
			settled.Attrs[i].Value = name // the server finds it by its name
		}
	}
	body := strings.TrimSuffix(settled.XML(""), "\n")
	switch {
	case !documentName.MatchString(name):
		in.leave(e, what, "no document can have this name", "Name it with letters, digits, dots, dashes and underscores.")
		return
	case notInXML.MatchString(body):
		in.leave(e, what, "it holds a control character, which XML cannot carry", "Leave it out.")
		return
	case directive.MatchString(body):
		in.leave(e, what, "it holds text that FreeSWITCH's pre-processor would act on, when it comes from a server", "Leave out X-PRE-PROCESS, <include> and DOCTYPE.")
		return
	}
	columns := []rowset.Column{rowset.C("section", section), rowset.C("name", name)}
	columns = append(columns, in.ofNode()...)
	in.Set.Add("document", e.String(), withTrue(append(columns, rowset.C("body", body)), "expand", refers(settled))...)
}

// settled is a copy of e in which values are expanded that a running switch would expand to something else.
func (in *importer) settled(e *conftree.Element) *conftree.Element {
	s := *e
	s.Text, _ = in.value(e, e.Text)
	s.Attrs = slices.Clone(e.Attrs)
	for i := range s.Attrs {
		s.Attrs[i].Value, _ = in.value(e, s.Attrs[i].Value)
	}
	s.Children = nil
	for _, child := range e.Children {
		s.Children = append(s.Children, in.settled(child))
	}
	return &s
}

// ofNode is the column of whom a row is for; that of all nodes is preset.
func (in *importer) ofNode() []rowset.Column {
	if in.options.Node == everyNode {
		return nil
	}
	return []rowset.Column{rowset.C("node", in.options.Node)}
}
