package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db/table"
	bootstrap "xmlcurld/freeswitch-bootstrap"
	"xmlcurld/internal/form"
)

// varsFile sets the global variables before anything else is read.
const varsFile = "vars.xml"

// ownAddress is how a switch learns its address, as from the bootstrap: the directive of the second line is obeyed while the
// variable is empty, and dropped while it has a value.
const ownAddress = `  <!-- local_ip_v4 is what LOCAL_IP in the environment says, or what FreeSWITCH itself found.
  <X-PRE-PROCESS cmd="set" data="xmlcurld_found_ip=$${local_ip_v4}"/>
  <X-PRE-PROCESS cmd="env-set" data="local_ip_v4=$LOCAL_IP"/>
  <$${local_ip_v4}X-PRE-PROCESS cmd="set" data="local_ip_v4=$${xmlcurld_found_ip}"/>
  -->
`

// ownFiles are files of the bootstrap with what a switch reads before it could ask a server. The database has no such documents.
var ownFiles = []string{"console.conf.xml", "logfile.conf.xml", "early.conf.xml"}

func configurationFile(name string) string { return "autoload_configs/" + name + ".xml" }

// configuration writes the configuration documents that are made from tables, and what is static on every switch.
func (w *writer) configuration() error {
	for _, name := range slices.Sorted(maps.Keys(w.contents.Configuration)) {
		all, err := w.render(form.Configuration(w.node, name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		switch name {
		case "post_load_modules.conf":
			w.variables(all[0])
			withoutModule(all[0], "mod_xml_curl")
		case "sofia.conf":
			err = w.gateways(all[0])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.include(configurationFile(name), all)
	}
	w.Files[configurationFile("switch.conf")] = fmt.Sprintf(`<include>
  <!-- What FreeSWITCH has to know before anything else. The rest is in post_load_switch.conf.xml. -->
  <configuration name="switch.conf">
    <settings>
      <param name="switchname" value="%s"/>
    </settings>
  </configuration>
</include>
`, w.node)
	if err := w.firstModules(); err != nil {
		return err
	}
	for _, name := range ownFiles {
		content, err := bootstrap.Conf.ReadFile("conf/autoload_configs/" + name)
		if err != nil {
			return err
		}
		w.Files["autoload_configs/"+name] = string(content)
	}
	return nil
}

// variables moves the global variables from the document that sets them to a file that is read first.
func (w *writer) variables(of *element) {
	isVariable := func(e *element) bool { return e.is("X-PRE-PROCESS") }
	var variables []*element
	for _, e := range of.inside {
		if isVariable(e) {
			variables = append(variables, e)
		}
	}
	w.include(varsFile, variables)
	w.Files[varsFile] = strings.Replace(w.Files[varsFile], "<include>\n", "<include>\n"+ownAddress, 1)
	of.inside = slices.DeleteFunc(of.inside, isVariable)
}

// firstModules writes modules.conf, with what a switch loads from its own disk but for what would ask a server.
func (w *writer) firstModules() error {
	content, err := bootstrap.Conf.ReadFile("conf/autoload_configs/modules.conf.xml")
	if err != nil {
		return err
	}
	modules := &element{tag: "<modules>", end: "</modules>"}
	for line := range strings.Lines(string(content)) {
		if e := (&element{tag: strings.TrimSpace(line)}); e.tag != "" && e.is("load") {
			modules.inside = append(modules.inside, e)
		}
	}
	conf := &element{tag: `<configuration name="modules.conf">`, inside: []*element{modules}, end: "</configuration>"}
	withoutModule(conf, "mod_xml_curl")
	w.include(configurationFile("modules.conf"), []*element{conf})
	return nil
}

func withoutModule(conf *element, name string) {
	for _, modules := range conf.all("modules") {
		modules.inside = slices.DeleteFunc(modules.inside, func(e *element) bool { return e.attr("module") == name })
	}
}

// gateways puts into sofia.conf what FreeSWITCH asks for one profile at a time.
func (w *writer) gateways(conf *element) error {
	for _, p := range conf.all("profiles", "profile") {
		name := p.attr("name")
		all, err := w.render(form.Configuration(w.node, "sofia.conf").With("profile", name))
		if err != nil {
			return err
		}
		if of := all[0].first("profiles", "profile"); of != nil {
			*p = *of
		}
	}
	trunks, err := w.rules.GatewayRevisions(w.ctx, w.node)
	for _, g := range trunks {
		if g.Fault != "" {
			w.leave(configurationFile("sofia.conf"), "gateway %s: %s", g.Name, g.Fault)
		}
	}
	return err
}

// documents writes what is stored as XML.
func (w *writer) documents() error {
	keys, err := w.keys(table.Document)
	if err != nil {
		return err
	}
	ask := map[string]func(name string) *form.Form{
		"configuration": func(name string) *form.Form { return form.Configuration(w.node, name) },
		"languages":     func(name string) *form.Form { return form.Section(w.node, "languages").With("lang", name) },
		"chatplan":      func(name string) *form.Form { return form.Section(w.node, "chatplan").With("context", name) },
		"channels":      func(name string) *form.Form { return form.Section(w.node, "channels").With("purpose", name) },
	}
	for _, key := range keys { // one that a node has of its own comes twice, and is the same both times
		section, name := key[0], key[1]
		all, err := w.render(ask[section](name))
		if err != nil {
			return fmt.Errorf("%s %s: %w", section, name, err)
		}
		if all == nil {
			continue // another node's
		}
		i := slices.IndexFunc(folders, func(f struct{ section, folder string }) bool { return f.section == section })
		w.include(folders[i].folder+"/"+name+".xml", all)
	}
	return nil
}
