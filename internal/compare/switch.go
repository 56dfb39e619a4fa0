package compare

import "slices"

// atStart are settings that FreeSWITCH takes when it starts only, before it can ask: they are the bootstrap's.
var atStart = []string{
	"switchname", "core-db-name", "core-db-dsn", "core-dbtype", "core-non-sqlite-db-required", "1ms-timer", "colorize-console",
	"auto-create-schemas", "auto-clear-sql",
}

// switchSettings compares switch.conf with post_load_switch.conf, which FreeSWITCH reads in the same way once it can ask.
func (c *comparison) switchSettings() error {
	c.progress("switch.conf")
	at := of{"post_load_switch.conf", "settings"}
	tree := settingsOf(c.configuration("switch.conf").child("settings"), "param")
	tree = append(tree, settingsOf(c.configuration("post_load_switch.conf").child("settings"), "param")...)
	answer, err := c.server.configuration("post_load_switch.conf")
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	c.settings(at, "", tree, settingsOf(answer.child("settings"), "param"), rules{
		what: "param", row: func(name string) string { return "switch_param " + name },
		explain: func(name, _, server string) string {
			if slices.Contains(atStart, name) && server == "" {
				return "FreeSWITCH takes it only before it can ask: it belongs into the bootstrap's switch.conf"
			}
			return ""
		},
	})
	for _, document := range []string{"switch.conf", "post_load_switch.conf"} {
		for _, part := range c.configuration(document).childrenBut("settings", "variables") {
			if part.saysNothing() {
				continue
			}
			c.compared(at.document, "other parts", part.size())
			d := Difference{What: part.name, Place: part.place(), Tree: part.tag(), Meaning: "the switch would not have these settings"}
			if match := answer.child(part.name); match != nil {
				c.elements(of{at.document, "other parts"}, part, match, "", part.name)
			} else if reason := switchParts[part.name]; reason != "" {
				c.explain(of{at.document, "other parts"}, d, reason)
			} else {
				c.found(of{at.document, "other parts"}, d)
			}
		}
	}
	return nil
}

// switchParts are parts of switch.conf that no table has, and why.
var switchParts = map[string]string{
	"cli-keybindings": "these are keys of the console of a FreeSWITCH in the foreground: they belong into the bootstrap's switch.conf",
	"default-ptimes":  "FreeSWITCH reads it from the bootstrap's switch.conf, where it belongs",
}

// childrenBut are the children that have none of some names.
func (n *node) childrenBut(names ...string) (all []*node) {
	if n == nil {
		return nil
	}
	for _, child := range n.children {
		if !slices.Contains(names, child.name) {
			all = append(all, child)
		}
	}
	return all
}
