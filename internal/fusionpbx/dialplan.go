package fusionpbx

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
)

// Contexts of dialplans that stand in every context of calls inside.
const (
	everyDomain = "${domain_name}"
	everywhere  = "global"
)

// dialplan is the section dialplan. FusionPBX answers for a context with the dialplans of all domains' contexts in it, unless calls
// come in there.
func (f *fusion) dialplan() (*conftree.Element, error) {
	section := element(place("v_dialplans", "(all)"), "section", "name", "dialplan")
	rows, err := f.sorted("v_dialplans", "dialplan_name", "dialplan_uuid")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.number("dialplan_order"), b.number("dialplan_order")) })
	skip, err := f.unreached(rows)
	if err != nil {
		return nil, err
	}
	extensions := make(map[string][]*conftree.Element) // of each row
	kept := slices.DeleteFunc(rows, func(r row) bool {
		at := f.dialplanPlace(r)
		if !r.on("dialplan_enabled") || f.isOff(r) || skip[r["dialplan_uuid"]] || !f.here(at, r, "hostname") {
			return true
		}
		extensions[r["dialplan_uuid"]] = f.extensions(at, r)
		return false
	})
	contexts, err := f.contexts(kept)
	if err != nil {
		return nil, err
	}
	for _, name := range contexts {
		context := element(place("v_dialplans", name), "context", "name", name)
		for _, r := range kept {
			of := r["dialplan_context"]
			if of == name || (of == everyDomain || of == everywhere) && !comesIn(name) {
				add(context, extensions[r["dialplan_uuid"]]...)
			}
		}
		add(section, context)
	}
	return section, nil
}

func (f *fusion) dialplanPlace(r row) conftree.Place {
	name := r["dialplan_name"]
	if d := f.domains[r["domain_uuid"]]; d != nil {
		name += "@" + d.name
	}
	return place("v_dialplans", name)
}

// isOff reports whether a row belongs to a domain that is switched off.
func (f *fusion) isOff(r row) bool {
	d := f.domains[r["domain_uuid"]]
	return d != nil && d.off
}

// comesIn reports whether a context has no dialplans but those with its name.
func comesIn(context string) bool {
	return context == "public" || strings.Contains(context, "@") || strings.HasSuffix(context, ".public")
}

// contexts are the names for which FusionPBX would be asked.
func (f *fusion) contexts(dialplans []row) ([]string, error) {
	names := make(map[string]bool)
	for _, d := range f.inUse() {
		names[d.name] = true
	}
	for _, r := range dialplans {
		names[r["dialplan_context"]] = true
	}
	users, err := f.read("v_extensions")
	if err != nil {
		return nil, err
	}
	for _, r := range users {
		if r.on("enabled") && !f.isOff(r) {
			names[r["user_context"]] = true
		}
	}
	gateways, err := f.read("v_gateways")
	if err != nil {
		return nil, err
	}
	for _, r := range gateways {
		if r.on("enabled") {
			names[r["context"]] = true
		}
	}
	for _, none := range []string{"", everyDomain, everywhere} {
		delete(names, none)
	}
	for name := range names {
		if strings.Contains(name, "$") {
			f.leave(place("v_dialplans", name), fmt.Sprintf("context %q", name), "it is the name of no context, since FusionPBX replaces no variables in it", "Give its dialplans the context of a domain.")
			delete(names, name)
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// unreached are dialplans that FusionPBX does not tell of where it looks for a number's destination first.
func (f *fusion) unreached(dialplans []row) (map[string]bool, error) {
	if f.setting("", "destinations", "dialplan_mode") != "single" {
		return nil, nil
	}
	destinations, err := f.read("v_destinations")
	if err != nil {
		return nil, err
	}
	reached, skip := by(destinations, "dialplan_uuid"), make(map[string]bool)
	for _, r := range dialplans {
		if uuid := r["dialplan_uuid"]; r["domain_uuid"] != "" && comesIn(r["dialplan_context"]) && reached[uuid] == nil && r.on("dialplan_enabled") {
			skip[uuid] = true
			f.leave(f.dialplanPlace(r), "dialplan "+r["dialplan_name"], "no destination leads to it, and FusionPBX goes by destinations (dialplan_mode is single)",
				"Nothing, or make a destination for it in FusionPBX, and import again.")
		}
	}
	return skip, nil
}

// extensions are what is stored of a dialplan.
func (f *fusion) extensions(at conftree.Place, r row) (all []*conftree.Element) {
	what := "dialplan " + r["dialplan_name"]
	if strings.TrimSpace(r["dialplan_xml"]) == "" {
		f.leave(at, what, "no XML is stored for it, so the switch is told nothing", "Open it in FusionPBX, save it, and import again.")
		return nil
	}
	elements, err := conftree.Fragment(at, r["dialplan_xml"])
	if fault := new(conftree.Error); errors.As(err, &fault) {
		f.leave(at, what, "its XML cannot be read: "+fault.What, "Open it in FusionPBX, save it, and import again.")
		return nil
	}
	for _, e := range elements {
		if e.Name != "extension" {
			f.leave(at, "<"+e.Name+"> in "+what, "FreeSWITCH reads nothing but extensions here", "Delete it.")
			continue
		}
		e.Attrs = slices.DeleteFunc(e.Attrs, func(a conftree.Attr) bool { return a.Name == "uuid" }) // that of the row
		f.scripts(e)
		if d := f.domains[r["domain_uuid"]]; d != nil {
			f.tenants[e] = d.tenant
		}
		all = append(all, e)
	}
	return all
}

// scripts tells of actions that need FusionPBX itself.
func (f *fusion) scripts(e *conftree.Element) {
	if words := strings.Fields(e.Attr("data")); e.Attr("application") == "lua" && len(words) > 0 {
		name := words[0]
		if name == "app.lua" && len(words) > 1 {
			name += " " + words[1]
		}
		f.leave(e.Place, "what lua "+name+" does", "the action is carried, but the script is FusionPBX's and reads its database",
			"Leave FusionPBX's scripts and database to the switch, or write the action anew.")
	}
	for _, child := range e.Children {
		f.scripts(child)
	}
}
