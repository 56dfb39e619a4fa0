package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

// sofia adds the SIP profiles, with their gateways.
func (in *importer) sofia() {
	e := in.configuration("sofia.conf")
	if e == nil {
		return
	}
	in.readsAll(&conftree.Element{Name: e.Name, Children: e.Children}, nil, []string{"global_settings", "profiles"})
	for _, s := range in.settings(e, "global_settings", "param") {
		s.name = strings.ToLower(s.name)
		in.addSetting("sofia_param", s, in.ofNode()...)
	}
	profiles := in.profilesOf(e)
	in.leaveProfiles(e, profiles)
	for _, p := range profiles {
		in.Set.Add("sip_profile", p.element.String(), append([]rowset.Column{rowset.C("name", p.name)}, in.ofNode()...)...)
	}
	taken := map[string]bool{}
	for _, p := range profiles {
		taken[strings.ToLower(p.name)] = true
	}
	for _, p := range profiles {
		in.profileParams(p)
		in.profileAliases(p, taken)
		in.profileDomains(p, taken)
		for n, gateways := range p.element.All("gateways") {
			if n > 0 {
				in.leave(gateways, "<gateways> of profile "+p.name, "FreeSWITCH reads only the first one of a profile", "Move its gateways there.")
				continue
			}
			for _, g := range gateways.All("gateway") {
				in.gateway(g, p.name, in.ofNode()...)
			}
		}
	}
}

// profile is a SIP profile of the tree.
type profile struct {
	element *conftree.Element
	name    string
}

// profilesOf are those that FreeSWITCH starts, and that rows can name.
func (in *importer) profilesOf(sofia *conftree.Element) (all []profile) {
	for _, e := range sofia.Child("profiles").All("profile") {
		name := in.expand(e, e.Attr("name"))
		if e.Child("settings") != nil && isProfile(name) && !slices.ContainsFunc(all, func(other profile) bool { return strings.EqualFold(other.name, name) }) {
			all = append(all, profile{e, name})
		}
	}
	return all
}

func isProfile(name string) bool {
	key := strings.ToLower(name)
	return isLabel(name) && key != "all" && key != "_all_" && key != "gateway" && !strings.Contains(key, "mod_event_socket")
}

// leaveProfiles tells of what is not carried of profiles as such.
func (in *importer) leaveProfiles(sofia *conftree.Element, carried []profile) {
	for n, container := range sofia.All("profiles") {
		if n > 0 {
			in.leave(container, "<profiles>", "FreeSWITCH reads only the first one", "Move its profiles there.")
		}
	}
	for _, e := range sofia.Child("profiles").All("profile") {
		name := in.expand(e, e.Attr("name"))
		what := fmt.Sprintf("profile %q", name)
		switch {
		case slices.Contains(carried, profile{e, name}):
			in.readsAll(e, []string{"name", "domain"}, []string{"settings", "gateways", "aliases", "domains"})
			if domain := in.expand(e, e.Attr("domain")); domain != "" {
				in.leave(e, "domain="+domain+" of "+what, "no table has this attribute", "Name the domain in <domains> of the profile.")
			}
		case e.Child("settings") == nil:
			in.leave(e, what, "FreeSWITCH does not start a profile without <settings>", "Delete it, or give it settings.")
		case !isProfile(name):
			in.leave(e, what, "no profile of the server can have this name", "Give it another name, and write that where it is used.")
		default:
			in.leave(e, what, "there is a profile of the name before", "Give it another name.")
		}
	}
}

// takesAll tells whether a profile takes all values of a param, and not the last one alone.
func takesAll(name string) bool {
	return name == "rtp-ip" || name == "ext-rtp-ip" || name == "alias" || name == "bind-params" || strings.HasPrefix(name, "apply-") && strings.HasSuffix(name, "-acl")
}

// v6Network is one that FreeSWITCH compares with addresses of either family.
var v6Network = regexp.MustCompile(`^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*/[0-9]`)

// address is a param that the schema wants a value of.
var address = regexp.MustCompile(`(ip|port)$`)

// profileParams adds the settings of a profile.
func (in *importer) profileParams(p profile) {
	type param struct {
		setting
		position int
	}
	var all []param
	for n, settings := range p.element.All("settings") {
		if n > 0 {
			in.leave(settings, "<settings> of profile "+p.name, "FreeSWITCH reads only the first one of a profile", "Move what is in it there.")
			continue
		}
		in.readsAll(settings, nil, []string{"param"})
		for _, e := range settings.All("param") {
			in.readsAll(e, []string{"name", "value"}, nil)
			one := param{setting{e, strings.ToLower(e.Attr("name")), e.Attr("value")}, 1}
			what := fmt.Sprintf("%s=%q of profile %s", one.name, one.value, p.name)
			switch {
			case one.value == "" && address.MatchString(one.name):
				in.leave(e, what, "it has no value, and the server wants one for an address or a port", "Delete it, or give a value.")
				continue
			case strings.HasPrefix(one.name, "apply-") && strings.Contains(one.name, "acl") && v6Network.MatchString(one.value):
				in.leave(e, what, "an IPv6 network would let IPv4 addresses in", "Put it into an access list, and name the list here.")
				continue
			}
			for i := range all {
				switch {
				case all[i].name != one.name:
				case takesAll(one.name):
					one.position = max(one.position, all[i].position+1)
				default:
					in.leave(all[i].Element, fmt.Sprintf("%s=%q of profile %s", one.name, all[i].value, p.name),
						"it stands twice, and FreeSWITCH takes the later one, in "+e.String(), "Delete it.")
				}
			}
			if !takesAll(one.name) {
				all = slices.DeleteFunc(all, func(other param) bool { return other.name == one.name })
			}
			all = append(all, one)
		}
	}
	for _, one := range all {
		columns := append([]rowset.Column{rowset.C("profile", p.name)}, in.ofNode()...)
		if one.position > 1 {
			columns = append(columns, rowset.C("position", one.position))
		}
		in.addSetting("sip_profile_param", one.setting, columns...)
	}
}

// profileAliases adds the further names of a profile, which are names of nothing else.
func (in *importer) profileAliases(p profile, taken map[string]bool) {
	for _, e := range p.element.Child("aliases").All("alias") {
		written := in.expand(e, e.Attr("name"))
		name := strings.ToLower(written)
		what := fmt.Sprintf("alias %q of profile %s", written, p.name)
		switch {
		case !host.MatchString(name) || name == "all" || name == "gateway":
			in.leave(e, what, "no profile of the server can have this name", "Give it another name.")
		case taken[name]:
			in.leave(e, what, "a profile has this name already", "Delete it.")
		default:
			taken[name] = true
			in.Set.Add("sip_profile_alias", e.String(), rowset.C("profile", p.name), rowset.C("name", name))
		}
	}
}

// profileDomains adds the domains that a profile looks up.
func (in *importer) profileDomains(p profile, taken map[string]bool) {
	added := map[string]bool{}
	for _, e := range p.element.Child("domains").All("domain") {
		name, unset := in.tree.Expand(e, e.Attr("name"))
		name = strings.ToLower(name)
		what := fmt.Sprintf("domain %q of profile %s", e.Attr("name"), p.name)
		alias, parse := hunt.IsTrue(in.expand(e, e.Attr("alias"))), hunt.IsTrue(in.expand(e, e.Attr("parse")))
		switch {
		case len(unset) > 0:
			in.leave(e, what, "only the switch knows what it is called", "Say --variable "+strings.Join(unset, "=VALUE --variable ")+"=VALUE.")
			continue
		case !host.MatchString(name):
			in.leave(e, what, "no domain of the server can have this name", "Name it as DNS has it.")
			continue
		case added[name]:
			in.leave(e, what, "it stands twice", "Delete it.")
			continue
		case alias && name != "all" && taken[name] && name != strings.ToLower(p.name):
			in.leave(e, "alias= of "+what, "a profile has this name already", "Delete it.")
			alias = false
		}
		added[name] = true
		in.Set.Add("sip_profile_domain", e.String(), rowset.C("profile", p.name), rowset.C("name", name), rowset.C("alias", alias), rowset.C("parse", parse))
	}
}
