package compare

import (
	"slices"
	"strings"

	bootstrap "xmlcurld/freeswitch-bootstrap"

	"xmlcurld/internal/hunt"
)

// modules compares the modules that are loaded. FreeSWITCH has three documents for them, and the server's is the last.
func (c *comparison) modules() error {
	c.progress("modules")
	at := of{"post_load_modules.conf", "modules"}
	loaded := map[string]*node{}
	var names []string
	for _, document := range []string{"pre_load_modules.conf", "modules.conf", "post_load_modules.conf"} {
		for _, load := range c.configuration(document).child("modules").all("load") {
			name := moduleName(load)
			if name != "" && loaded[name] == nil {
				loaded[name] = load
				names = append(names, name)
			}
		}
	}
	answer, err := c.server.configuration("post_load_modules.conf")
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	own := bootstrapModules()
	served := map[string]bool{}
	for _, load := range answer.child("modules").all("load") {
		served[moduleName(load)] = true
	}
	c.compared(at.document, at.counted, len(names))
	for _, name := range names {
		load := loaded[name]
		d := Difference{What: name, Place: load.place(), Tree: load.tag(), Row: "module " + name}
		switch {
		case served[name] || slices.Contains(own, name):
			c.moduleAttributes(at, load, d)
		default:
			d.Meaning = "the switch would not have the module"
			c.found(at, d)
		}
	}
	for _, name := range slices.Concat(own, sorted(served)) {
		if loaded[name] != nil || slices.Contains(own, name) && served[name] {
			continue
		}
		c.compared(at.document, at.counted, 1)
		d := Difference{What: name, Row: "module " + name, Server: `<load module="` + name + `"/>`, Meaning: "the switch would have a module that the tree does not load"}
		if slices.Contains(own, name) {
			d.Row = ""
			c.explain(at, d, "the bootstrap loads it: by it the switch asks the server, is reached by it, or is seen at work")
			continue
		}
		c.found(at, d)
	}
	return nil
}

// moduleAttributes compares what a load says besides the module.
func (c *comparison) moduleAttributes(at of, load *node, d Difference) {
	for _, a := range load.attrs {
		switch {
		case a.Name == "module" || a.Value == "" || a.Name == "critical" && !hunt.IsTrue(a.Value) || a.Name == "global" && !hunt.IsTrue(a.Value):
		case a.Name == "critical":
			d.Meaning = "the switch would start although the module did not load"
			c.explain(at, d, "FreeSWITCH knows no critical modules among those that it loads after it can ask a server")
		case a.Name == "path", a.Name == "global":
			d.Meaning = "the module would be loaded in another way: the server has no " + a.Name
			c.found(at, d)
		default:
			d.Meaning = "FreeSWITCH does not read " + a.Name + " here"
			c.explain(at, d, "it does nothing in the tree either")
		}
	}
}

// moduleName is the module that a load names. FreeSWITCH takes mod_sofia.so for mod_sofia.
func moduleName(load *node) string {
	name, _, _ := strings.Cut(load.soft("module"), ".")
	return name
}

// bootstrapDocument is a configuration document of the bootstrap, nil if it has none of the name.
func bootstrapDocument(name string) *node {
	file := name + ".xml"
	if name == "pre_load_modules.conf" || name == "msrp.conf" {
		file = "early.conf.xml"
	}
	text, err := bootstrap.Conf.ReadFile("conf/autoload_configs/" + file)
	if err != nil {
		return nil
	}
	root, err := read(text, map[string]string{})
	if err != nil {
		return nil
	}
	for _, configuration := range root.all("configuration") {
		if configuration.soft("name") == name {
			return configuration
		}
	}
	return nil
}

func bootstrapModules() (names []string) {
	for _, load := range bootstrapDocument("modules.conf").child("modules").all("load") {
		names = append(names, moduleName(load))
	}
	return names
}

func sorted(set map[string]bool) (names []string) {
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
