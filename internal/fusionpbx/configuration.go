package fusionpbx

import (
	"cmp"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
)

// configuration is the section configuration, as far as FusionPBX keeps it in its database.
func (f *fusion) configuration() (*conftree.Element, error) {
	section := element(place("v_modules", "(all)"), "section", "name", "configuration")
	for _, of := range []func() (*conftree.Element, error){f.modules, f.acl, f.sofia, f.conference, f.translate, f.localStream} {
		e, err := of()
		if err != nil {
			return nil, err
		}
		if e != nil {
			add(section, e)
		}
	}
	return section, nil
}

func (f *fusion) modules() (*conftree.Element, error) {
	rows, err := f.sorted("v_modules", "module_category", "module_name")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.number("module_order"), b.number("module_order")) })
	all := element(place("v_modules", "(all)"), "modules")
	for _, r := range rows {
		if r.on("module_enabled") {
			add(all, element(place("v_modules", r["module_name"]), "load", "module", r["module_name"]))
		}
	}
	return add(configurationOf(all.Place, "modules.conf"), all), nil
}

func configurationOf(at conftree.Place, name string) *conftree.Element {
	return element(at, "configuration", "name", name)
}

func (f *fusion) acl() (*conftree.Element, error) {
	lists, err := f.sorted("v_access_controls", "access_control_name")
	if err != nil || len(lists) == 0 {
		return nil, err
	}
	nodes, err := f.sorted("v_access_control_nodes", "node_cidr")
	if err != nil {
		return nil, err
	}
	extensions, err := f.read("v_extensions")
	if err != nil {
		return nil, err
	}
	peopled := by(slices.DeleteFunc(extensions, func(r row) bool { return !r.on("enabled") }), "domain_uuid")
	of := by(nodes, "access_control_uuid")
	all := element(place("v_access_controls", "(all)"), "network-lists")
	for _, l := range lists {
		name := l["access_control_name"]
		at := place("v_access_controls", name)
		list := element(at, "list", "name", name, "default", l["access_control_default"])
		for _, n := range of[l["access_control_uuid"]] {
			at := place("v_access_control_nodes", name+" "+n["node_cidr"]+n["node_domain"])
			if n["node_cidr"] != "" {
				add(list, element(at, "node", "type", n["node_type"], "cidr", n["node_cidr"]))
			} else if n["node_domain"] != "" {
				add(list, element(at, "node", "type", n["node_type"], "domain", n["node_domain"]))
			}
		}
		if name == "providers" || name == "domains" {
			for _, d := range f.inUse() {
				if peopled[d.uuid] != nil {
					add(list, element(at, "node", "type", "allow", "domain", d.name))
				}
			}
		}
		add(all, list)
	}
	return add(configurationOf(all.Place, "acl.conf"), all), nil
}

func (f *fusion) sofia() (*conftree.Element, error) {
	profiles, err := f.sorted("v_sip_profiles", "sip_profile_name")
	if err != nil || len(profiles) == 0 {
		return nil, err
	}
	globals, err := f.sorted("v_sofia_global_settings", "global_setting_name")
	if err != nil {
		return nil, err
	}
	settings, err := f.sorted("v_sip_profile_settings", "sip_profile_setting_name")
	if err != nil {
		return nil, err
	}
	domains, err := f.sorted("v_sip_profile_domains", "sip_profile_domain_name")
	if err != nil {
		return nil, err
	}
	gateways, err := f.sorted("v_gateways", "gateway", "gateway_uuid")
	if err != nil {
		return nil, err
	}
	at := place("v_sip_profiles", "(all)")
	everywhere := element(at, "global_settings")
	for _, r := range globals {
		if r.on("global_setting_enabled") {
			at := place("v_sofia_global_settings", r["global_setting_name"])
			add(everywhere, param(at, r["global_setting_name"], f.plain(at, r["global_setting_name"], r["global_setting_value"])))
		}
	}
	all := element(at, "profiles")
	settingsOf, domainsOf, gatewaysOf := by(settings, "sip_profile_uuid"), by(domains, "sip_profile_uuid"), by(gateways, "profile")
	for _, r := range profiles {
		name, uuid := r["sip_profile_name"], r["sip_profile_uuid"]
		at := place("v_sip_profiles", name)
		own := slices.DeleteFunc(settingsOf[uuid], func(s row) bool { return !s.on("sip_profile_setting_enabled") })
		switch {
		case !r.on("sip_profile_enabled") || !f.here(at, r, "sip_profile_hostname"):
			continue
		case len(own) == 0:
			f.leave(at, "profile "+name, "it has no setting that is switched on, so the switch is told nothing of it", "Nothing, or give it one and import again.")
			continue
		}
		add(all, f.profile(at, name, own, domainsOf[uuid], gatewaysOf[name]))
	}
	return add(configurationOf(at, "sofia.conf"), everywhere, all), nil
}

func (f *fusion) profile(at conftree.Place, name string, settings, domains, gateways []row) *conftree.Element {
	inside := element(at, "gateways")
	for _, r := range gateways {
		at := place("v_gateways", r["gateway"])
		if r.on("enabled") && !f.isOff(r) && f.here(at, r, "hostname") {
			add(inside, f.gateway(at, r))
		}
	}
	known := element(at, "domains")
	for _, r := range domains {
		attrs := make([]string, 0, 6)
		for _, a := range []string{"name", "alias", "parse"} {
			value := f.plain(at, "the domains of a profile", r["sip_profile_domain_"+a])
			attrs = append(attrs, a, cmp.Or(value, "false"))
		}
		add(known, element(place("v_sip_profile_domains", name+" "+r["sip_profile_domain_name"]), "domain", attrs...))
	}
	told := element(at, "settings")
	for _, r := range settings {
		at := place("v_sip_profile_settings", name+" "+r["sip_profile_setting_name"])
		add(told, param(at, r["sip_profile_setting_name"], f.withVariables(at, r["sip_profile_setting_name"], r["sip_profile_setting_value"])))
	}
	return add(element(at, "profile", "name", name), inside, known, told)
}

// withVariables is a value of a profile as FusionPBX tells it: with global variables, and of those of a call with a few.
func (f *fusion) withVariables(at conftree.Place, name, value string) string {
	kept := strings.NewReplacer("$${", "\x00\x00{")
	for _, variable := range []string{"{domain_name}", "{strftime", "{uuid}", "{record_ext}"} {
		value = strings.ReplaceAll(value, "$"+variable, "\x00"+variable)
	}
	return strings.ReplaceAll(f.plain(at, name, kept.Replace(value)), "\x00", "$")
}

// gatewayParams are the params of a gateway and their columns.
var gatewayParams = [][2]string{
	{"username", "username"}, {"distinct-to", "distinct_to"}, {"auth-username", "auth_username"}, {"password", "password"}, {"realm", "realm"},
	{"from-user", "from_user"}, {"from-domain", "from_domain"}, {"proxy", "proxy"}, {"register-proxy", "register_proxy"},
	{"outbound-proxy", "outbound_proxy"}, {"expire-seconds", "expire_seconds"}, {"register", "register"}, {"register-transport", "register_transport"},
	{"contact-params", "contact_params"}, {"retry-seconds", "retry_seconds"}, {"extension", "extension"}, {"ping", "ping"}, {"ping-min", "ping_min"},
	{"ping-max", "ping_max"}, {"contact-in-ping", "contact_in_ping"}, {"context", "context"}, {"caller-id-in-from", "caller_id_in_from"},
	{"supress-cng", "supress_cng"}, {"extension-in-contact", "extension_in_contact"},
}

// gateway is a gateway, which the switch knows by its uuid: so does every dialplan that uses it.
func (f *fusion) gateway(at conftree.Place, r row) *conftree.Element {
	e := element(at, "gateway", "name", strings.ToLower(r["gateway_uuid"]))
	for _, p := range gatewayParams {
		value := f.plain(at, p[1]+" of v_gateways", r[p[1]])
		if p[1] == "register_transport" && value != "tcp" && value != "tls" {
			value = "udp"
		}
		if value != "" {
			add(e, param(at, p[0], value))
		}
	}
	if kind := r["sip_cid_type"]; kind != "" {
		add(e, add(element(at, "variables"), element(at, "variable", "name", "sip_cid_type", "value", kind)))
	}
	if d := f.domains[r["domain_uuid"]]; d != nil {
		f.tenants[e] = d.tenant
	}
	return e
}

func (f *fusion) conference() (*conftree.Element, error) {
	at := place("v_conference_profiles", "(all)")
	controls, err := f.nested("v_conference_controls", "control_name", "control_enabled", "v_conference_control_details", "conference_control_uuid", "control_digits", "control_enabled")
	if err != nil {
		return nil, err
	}
	profiles, err := f.nested("v_conference_profiles", "profile_name", "profile_enabled", "v_conference_profile_params", "conference_profile_uuid", "profile_param_name", "profile_param_enabled")
	if err != nil || len(controls)+len(profiles) == 0 {
		return nil, err
	}
	groups, all := element(at, "caller-controls"), element(at, "profiles")
	for _, c := range controls {
		group := element(place("v_conference_controls", c.row["control_name"]), "group", "name", c.row["control_name"])
		for _, r := range c.inside {
			add(group, element(group.Place, "control", "digits", r["control_digits"], "action", r["control_action"], "data", f.plain(group.Place, "control_data", r["control_data"])))
		}
		add(groups, group)
	}
	for _, p := range profiles {
		profile := element(place("v_conference_profiles", p.row["profile_name"]), "profile", "name", p.row["profile_name"])
		for _, r := range p.inside {
			add(profile, param(profile.Place, r["profile_param_name"], f.plain(profile.Place, r["profile_param_name"], r["profile_param_value"])))
		}
		add(all, profile)
	}
	return add(configurationOf(at, "conference.conf"), groups, all), nil
}

// nest is a row with rows of another table that belong to it.
type nest struct {
	row    row
	inside []row
}

// nested are the rows of a table that are switched on, with those of another that have the same uuid, and that are switched on.
func (f *fusion) nested(table, name, on, details, uuid, detailName, detailOn string) (all []nest, err error) {
	rows, err := f.sorted(table, name)
	if err != nil {
		return nil, err
	}
	inside, err := f.sorted(details, detailName)
	if err != nil {
		return nil, err
	}
	of := by(slices.DeleteFunc(inside, func(r row) bool { return !r.on(detailOn) }), uuid)
	for _, r := range rows {
		if r.on(on) {
			all = append(all, nest{r, of[r[uuid]]})
		}
	}
	return all, nil
}

func (f *fusion) translate() (*conftree.Element, error) {
	const details = "v_number_translation_details"
	rows, err := f.nested("v_number_translations", "number_translation_name", "number_translation_enabled", details, "number_translation_uuid", "number_translation_detail_order", "")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	at := place("v_number_translations", "(all)")
	all := element(at, "profiles")
	for _, n := range rows {
		name := n.row["number_translation_name"]
		profile := element(place("v_number_translations", name), "profile", "name", name)
		slices.SortStableFunc(n.inside, func(a, b row) int {
			return cmp.Compare(a.number("number_translation_detail_order"), b.number("number_translation_detail_order"))
		})
		for _, r := range n.inside {
			add(profile, element(profile.Place, "rule", "regex", r["number_translation_detail_regex"], "replace", r["number_translation_detail_replace"]))
		}
		add(all, profile)
	}
	return add(configurationOf(at, "translate.conf"), all), nil
}

func (f *fusion) localStream() (*conftree.Element, error) {
	rows, err := f.sorted("v_music_on_hold", "music_on_hold_name", "music_on_hold_rate")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	all := configurationOf(place("v_music_on_hold", "(all)"), "local_stream.conf")
	for _, r := range rows {
		if f.isOff(r) {
			continue
		}
		name, rate := r["music_on_hold_name"], r["music_on_hold_rate"]
		if d := f.domains[r["domain_uuid"]]; d != nil {
			name = d.name + "/" + name
		}
		if rate != "" {
			name += "/" + rate
		}
		at := place("v_music_on_hold", name)
		e := element(at, "directory", "name", name, "path", f.withVariables(at, "music_on_hold_path", r["music_on_hold_path"]))
		add(e, param(at, "rate", cmp.Or(rate, "48000")), param(at, "shuffle", r["music_on_hold_shuffle"]), param(at, "channels", "1"),
			param(at, "interval", "20"), param(at, "timer-name", cmp.Or(r["music_on_hold_timer_name"], "soft")))
		for _, p := range [][2]string{{"chime-list", "music_on_hold_chime_list"}, {"chime-freq", "music_on_hold_chime_freq"}, {"chime-max", "music_on_hold_chime_max"}} {
			if value := f.plain(at, p[1], r[p[1]]); value != "" {
				add(e, param(at, p[0], value))
			}
		}
		add(all, e)
	}
	return all, nil
}

// variables are the global variables.
func (f *fusion) variables() (all []conftree.Variable, err error) {
	rows, err := f.sorted("v_vars", "var_category")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a["var_category"], b["var_category"]), cmp.Compare(a.number("var_order"), b.number("var_order")))
	})
	for _, r := range rows {
		at := place("v_vars", r["var_name"])
		if !r.on("var_enabled") || r["var_category"] == "Provision" || !f.here(at, r, "var_hostname") {
			continue
		}
		command := cmp.Or(r["var_command"], "set")
		if r["var_category"] == "Exec-Set" {
			command = "exec-set"
		}
		switch command {
		case "set", "env-set", "stun-set", "exec-set":
		default:
			f.leave(at, "variable "+r["var_name"], "no variable is set by the command "+command, "Set it in FusionPBX, and import again.")
			continue
		}
		all = append(all, conftree.Variable{Place: at, Name: r["var_name"], Value: r["var_value"], Command: command})
	}
	return all, nil
}
