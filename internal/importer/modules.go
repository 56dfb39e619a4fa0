package importer

import (
	"regexp"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

var moduleName = regexp.MustCompile(`^mod_[a-z0-9_]+$`)

// modules adds the modules that FreeSWITCH loads, in its order: a module is loaded once.
func (in *importer) modules() {
	var loads []*conftree.Element
	seen := map[string]bool{}
	for _, document := range []string{"pre_load_modules.conf", "modules.conf", "post_load_modules.conf"} {
		for _, load := range in.configuration(document).Child("modules").All("load") {
			name := in.moduleOf(load)
			if document == "pre_load_modules.conf" && name != "" {
				in.leave(load, name, "FreeSWITCH loads it before it opens its database; from the server it gets it later", "If the database needs it, put it into the bootstrap's pre_load_modules.conf.")
			}
			if name != "" && !seen[name] {
				seen[name] = true
				loads = append(loads, load)
			}
		}
	}
	step := max(1, min(10, positionMost/max(1, len(loads))))
	for i, load := range loads {
		columns := append(in.ofNode(), rowset.C("name", in.moduleFile(load)), rowset.C("position", (i+1)*step))
		in.Set.Add("module", load.String(), columns...)
	}
}

func (in *importer) moduleFile(load *conftree.Element) string {
	return strings.TrimSuffix(in.expand(load, load.Attr("module")), ".so")
}

// moduleOf is the module that an element loads, empty if none that the server can name.
func (in *importer) moduleOf(load *conftree.Element) string {
	name := in.moduleFile(load)
	switch {
	case name == "mod_xml_curl":
		return "" // the bootstrap loads it, or nobody would ask
	case name == "":
		in.unread(load, "<load> without a module")
		return ""
	case !moduleName.MatchString(name):
		in.leave(load, "module "+name, "the server names modules mod_, and the rest in lower case", "Put it into the bootstrap's modules.conf.")
		return ""
	case in.expand(load, load.Attr("path")) != "":
		in.leave(load, "module "+name, "it is loaded from a folder of its own, in path=", "Put it into the bootstrap's modules.conf.")
		return ""
	}
	if hunt.IsTrue(in.expand(load, load.Attr("critical"))) {
		in.leave(load, "critical= of "+name, "FreeSWITCH ends itself without the module only if that stands on its disk", "Put it into the bootstrap's modules.conf if it is to.")
	}
	if hunt.IsTrue(in.expand(load, load.Attr("global"))) {
		in.leave(load, "global= of "+name, "the server loads a module with names of its own", "Put it into the bootstrap's modules.conf if other modules need its names.")
	}
	return name
}
