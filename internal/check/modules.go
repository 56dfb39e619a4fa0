package check

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed modules.txt
var modulesText string

// bootstrapped are loaded before the switch asks for the others.
var bootstrapped = []string{"mod_commands", "mod_console", "mod_event_socket", "mod_logfile", "mod_xml_curl"}

// owner names the modules that have something: by kind, by name.
type owner map[string]map[string][]string

func owners() owner {
	all := make(owner)
	for _, line := range lines(modulesText) {
		if words := strings.Fields(line); len(words) == 3 {
			if all[words[0]] == nil {
				all[words[0]] = make(map[string][]string)
			}
			all[words[0]][words[1]] = append(all[words[0]][words[1]], strings.Split(words[2], "|")...)
		}
	}
	return all
}

// loaded reports whether one of modules is loaded on some node. No rows of table module at all mean that switches load them
// by files of their own.
func (w *world) loaded(modules []string) bool {
	none := true
	for i := range w.nodes {
		for _, m := range w.nodes[i].Modules {
			none = false
			if slices.Contains(modules, m) {
				return true
			}
		}
	}
	return none || slices.ContainsFunc(modules, func(m string) bool { return slices.Contains(bootstrapped, m) })
}

// moduleMissing finds what no loaded module has.
func moduleMissing(w *world) (found []Finding, err error) {
	known := owners()
	applications, err := texts(w, `SELECT unnest(known_words('application'))`)
	if err != nil {
		return nil, err
	}
	for _, name := range applications {
		if known["application"][name] == nil {
			known["application"][name] = []string{"mod_dptools"}
		}
	}
	report := func(p place, what string, modules []string) {
		if len(modules) > 0 && !w.loaded(modules) {
			found = append(found, p.finding(fmt.Sprintf("%s needs %s, and no row of table module loads it.", what, strings.Join(modules, " or ")),
				fmt.Sprintf("Insert %s into table module.", modules[0])))
		}
	}
	for i := range w.actions {
		a := &w.actions[i]
		report(a.place, "Application "+a.Application, known["application"][a.Application])
		for _, n := range a.needs() {
			of := known[n.kind][n.name]
			if n.kind == "language" {
				of = []string{"mod_say_" + n.name}
			}
			report(a.place, n.what, of)
		}
	}
	for i := range w.profiles {
		report(place{"sip_profile", "name=" + w.profiles[i].Name, ""}, "A SIP profile", []string{"mod_sofia"})
		for _, p := range w.profiles[i].Params {
			for _, codec := range p.codecs() {
				report(p.place(), "Codec "+codec, known["codec"][codec])
			}
		}
	}
	contexts, err := rows[struct{ Name, Tenant string }](w, `SELECT name, coalesce(tenant, '') FROM context ORDER BY name`)
	if err != nil {
		return nil, err
	}
	for _, c := range contexts {
		report(place{"context", "name=" + c.Name, c.Tenant}, "A context", []string{"mod_dialplan_xml"})
	}
	languages, err := rows[struct{ Name, Node, Kind, Value string }](w, `
		SELECT d.name, d.node, x.kind, x.value
		FROM document d
		CROSS JOIN LATERAL XMLTABLE('/*/@say-module | /*/@tts-engine' PASSING d.body COLUMNS kind text PATH 'name()', value text PATH '.') x
		WHERE d.section = 'languages'
		ORDER BY 1, 2, 3`)
	for _, l := range languages {
		p := place{"document", fmt.Sprintf("section=languages name=%s node=%s", l.Name, l.Node), ""}
		if l.Kind == "say-module" {
			report(p, "say-module "+l.Value, []string{"mod_say_" + l.Value})
		} else {
			report(p, "tts-engine "+l.Value, known["engine"][l.Value])
		}
	}
	return found, err
}

// need is something that a module has.
type need struct{ kind, name, what string }

// needs are what an action needs besides its application.
func (a *action) needs() (all []need) {
	for _, leg := range a.dialled() {
		if endpoint, _, ok := strings.Cut(leg, "/"); ok {
			all = append(all, need{"endpoint", endpoint, "Destination " + endpoint + "/…"})
		}
	}
	switch a.Application {
	case "playback", "endless_playback", "loop_playback":
		if scheme, _, ok := strings.Cut(a.Data, "://"); ok {
			all = append(all, need{"file", scheme, "Playing " + scheme + "://…"})
		}
	case "say":
		language, _, _ := strings.Cut(strings.TrimSpace(a.Data), " ")
		if language, _, _ = strings.Cut(language, ":"); fixed(language) && language != "" {
			all = append(all, need{"language", language, "say in " + language})
		}
	case "speak":
		if strings.Count(a.Data, "|") > 1 {
			engine, _, _ := strings.Cut(a.Data, "|")
			all = append(all, need{"engine", engine, "Speech of " + engine})
		}
	}
	return all
}

// codecs are those that a setting of a profile names, without their rates.
func (p *param) codecs() (all []string) {
	if p.Name != "inbound-codec-prefs" && p.Name != "outbound-codec-prefs" && p.Name != "codec-prefs" {
		return nil
	}
	for _, codec := range strings.Split(p.Value, ",") {
		name, _, _ := strings.Cut(codec, "@")
		all = append(all, strings.ToUpper(strings.TrimSpace(name)))
	}
	return all
}

const documentModules = `
	SELECT m.node, m.name, EXISTS (
		SELECT FROM document d WHERE d.section = 'configuration' AND d.name = x.name AND (d.node = '*' OR d.node = m.node OR m.node = '*')
	)
	FROM module m
	JOIN unnest($1::text[], $2::text[]) x (name, module) ON x.module = m.name
	WHERE m.enabled
	ORDER BY 1, 2`

// moduleDocument finds modules that refuse to load, since their document is not there.
func moduleDocument(w *world) (found []Finding, err error) {
	wants := make(map[string]string)
	var names, modules []string
	for name, of := range owners()["wants"] {
		names, modules, wants[of[0]] = append(names, name), append(modules, of[0]), name
	}
	all, err := rows[struct {
		Node, Module string
		Stored       bool
	}](w, documentModules, names, modules)
	for _, m := range all {
		if !m.Stored {
			found = append(found, place{"module", fmt.Sprintf("node=%s name=%s", m.Node, m.Module), ""}.finding(
				fmt.Sprintf("%s does not load without %s, which table document does not hold.", m.Module, wants[m.Module]),
				fmt.Sprintf("Insert %s into table document, unless the switch has one on its own disk.", wants[m.Module])))
		}
	}
	return found, err
}

// documentUnasked finds documents that nobody asks for, because their module is not loaded.
func documentUnasked(w *world) (found []Finding, err error) {
	known := owners()["document"]
	all, err := rows[struct{ Name, Node string }](w, `SELECT name, node FROM document WHERE section = 'configuration' ORDER BY 1, 2`)
	for _, d := range all {
		if of := known[d.Name]; len(of) > 0 && !w.loaded(of) {
			found = append(found, place{"document", fmt.Sprintf("section=configuration name=%s node=%s", d.Name, d.Node), ""}.finding(
				fmt.Sprintf("Nobody asks for %s: it is %s's, and no row of table module loads it.", d.Name, strings.Join(of, " or ")),
				fmt.Sprintf("Insert %s into table module, or delete the document.", of[0])))
		}
	}
	return found, err
}
