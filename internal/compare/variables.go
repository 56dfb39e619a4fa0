package compare

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/form"
)

// presets are global variables that FreeSWITCH sets itself, or that its command line does.
var presets = strings.Fields(`hostname local_ip_v4 local_mask_v4 local_ip_v6 base_dir conf_dir log_dir run_dir db_dir mod_dir cache_dir
	recordings_dir sounds_dir sound_prefix htdocs_dir script_dir temp_dir grammar_dir fonts_dir images_dir certs_dir storage_dir data_dir
	localstate_dir core_uuid switch_serial`)

// directive is one by which an answer sets a global variable.
var directive = regexp.MustCompile(`(?m)^<X-PRE-PROCESS cmd="set" data="([^="]+)=([^"]*)"/>$`)

// variables compares the global variables, and finds out those of the switch on the server, which all else is read with.
func (c *comparison) variables() error {
	c.progress("global variables")
	at := of{"post_load_switch.conf", "global variables"}
	tree, server := map[string]setting{}, map[string]setting{}
	c.globals, c.server.globals = map[string]string{}, map[string]string{}
	for _, name := range presets {
		if value, unset := c.tree.Expand(nil, "$${"+name+"}"); len(unset) == 0 {
			c.server.globals[name], c.globals[name] = value, value
		}
	}
	maps.Copy(c.server.globals, c.Variables)
	maps.Copy(c.globals, c.Variables)
	onlySwitch := map[string]string{}
	for i := range c.tree.Variables {
		v := &c.tree.Variables[i]
		tree[strings.ToLower(v.Name)] = setting{v.Name, v.Holds, &node{Place: v.Place}}
		if v.Command != "set" && c.Variables[v.Name] == "" {
			onlySwitch[strings.ToLower(v.Name)] = v.Command
		}
		c.globals[v.Name] = v.Holds
		if _, given := c.Variables[v.Name]; !given {
			delete(c.server.globals, v.Name)
		}
	}
	for _, document := range []string{"switch.conf", "post_load_switch.conf"} {
		for _, s := range settingsOf(c.configuration(document).child("variables"), "variable") {
			tree[strings.ToLower(s.name)], c.globals[s.name] = s, s.value
		}
	}
	if err := c.serverVariables(server); err != nil {
		return err
	}
	c.settings(at, "", inOrder(tree), inOrder(server), rules{
		what: "variable", empty: true, row: func(name string) string { return "switch_variable " + name },
		explain: func(name, tree, server string) string {
			switch command := onlySwitch[name]; {
			case server == "" && strings.HasPrefix(name, "xmlcurld_"):
				return exportedMark
			case server == "" && slices.Contains(presets, name) && tree == c.Variables[name]:
				return "a switch finds it out itself, and --variable says that it is the same"
			case command == "" || tree != "":
				return ""
			default:
				return "only the switch knows what " + command + " gives: say it with --variable " + name + "=…, and it is compared"
			}
		},
	})
	return nil
}

// inOrder are settings by name.
func inOrder(all map[string]setting) (ordered []setting) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		ordered = append(ordered, all[name])
	}
	return ordered
}

// serverVariables adds the variables that the server sets, as FreeSWITCH holds them.
func (c *comparison) serverVariables(all map[string]setting) error {
	document, err := c.server.document(form.Configuration(c.server.node, "post_load_modules.conf"))
	if err == nil {
		for _, m := range directive.FindAllStringSubmatch(string(document), -1) {
			name, value := m[1], disarmed(fillIn(m[2], c.server.globals))
			all[strings.ToLower(name)], c.server.globals[name] = setting{name, value, &node{}}, value
		}
		var settings *node
		settings, err = c.server.configuration("post_load_switch.conf")
		for _, s := range settingsOf(settings.child("variables"), "variable") {
			s.value = disarmed(s.value)
			all[strings.ToLower(s.name)], c.server.globals[s.name] = s, s.value
		}
	}
	what, err := asFault(err)
	if what != "" {
		c.fault(of{"post_load_switch.conf", "global variables"}, what)
	}
	return err
}

// disarmed is a value as FreeSWITCH keeps it in a global variable: ${ in it is %{.
func disarmed(value string) string { return strings.ReplaceAll(value, "${", "%{") }

// fault tells of a question that the server answers with an error.
func (c *comparison) fault(at of, what string) {
	c.found(at, Difference{Server: what, Meaning: "the server fails to answer, and FreeSWITCH gets nothing"})
}
