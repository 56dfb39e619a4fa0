package fusionpbx

import (
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
)

// directory is the section directory.
func (f *fusion) directory() (*conftree.Element, error) {
	section := element(place("v_domains", "(all)"), "section", "name", "directory")
	var p people
	for _, t := range []struct {
		rows            *map[string][]row
		table, name, by string
	}{
		{&p.extensions, "v_extensions", "extension", "domain_uuid"},
		{&p.voicemails, "v_voicemails", "domain_uuid", "voicemail_id"},
		{&p.users, "v_extension_users", "user_uuid", "extension_uuid"},
		{&p.settings, "v_extension_settings", "extension_setting_name", "extension_uuid"},
		{&p.contacts, "v_users", "contact_uuid", "user_uuid"},
		{&p.followMe, "v_follow_me", "follow_me_uuid", "follow_me_uuid"},
	} {
		all, err := f.sorted(t.table, t.name)
		if err != nil {
			return nil, err
		}
		*t.rows = by(all, t.by)
	}
	if len(p.extensions) > 0 {
		f.leave(place("v_extensions", "(all)"), "reverse-auth-user and reverse-auth-pass of users",
			"FusionPBX answers a phone that asks for a password itself with that of its user, and rows would hold each twice",
			"Set both in domain_user_param for phones that ask, as some do that are told to provision.")
	}
	for _, d := range f.inUse() {
		e := f.domain(d, p, f.setting(d.uuid, "domain", "dial_string"))
		f.tenants[e] = d.tenant
		add(section, e)
	}
	return section, nil
}

// people are the rows about users, each table's by the column that tells whose they are.
type people struct {
	extensions, voicemails, users, settings, contacts, followMe map[string][]row
}

// told are params or variables. Of two with one name FreeSWITCH takes the later.
type told []conftree.Attr

func (t *told) set(name, value string) {
	*t = append(slices.DeleteFunc(*t, func(a conftree.Attr) bool { return a.Name == name }), conftree.Attr{Name: name, Value: value})
}

// unlessEmpty sets what FusionPBX does not tell if it is empty.
func (t *told) unlessEmpty(name, value string) {
	if value != "" {
		t.set(name, value)
	}
}

func (t told) get(name string) (string, bool) {
	i := slices.IndexFunc(t, func(a conftree.Attr) bool { return a.Name == name })
	if i < 0 {
		return "", false
	}
	return t[i].Value, true
}

// elements are what is told, in an element of a name.
func (t told) elements(at conftree.Place, container, item string) *conftree.Element {
	all := element(at, container)
	for _, a := range t {
		add(all, element(at, item, "name", a.Name, "value", a.Value))
	}
	return all
}

// user is a user of the directory.
type user struct {
	*conftree.Element
	params, variables told
}

// domain is a domain with its users and groups. What FusionPBX tells of each user alike is told of the domain.
func (f *fusion) domain(d *domain, p people, dialString string) *conftree.Element {
	at := place("v_domains", d.name)
	e := element(at, "domain", "name", d.name)
	users, all := element(at, "users"), []*user(nil)
	groups := element(at, "groups")
	add(groups, add(element(at, "group", "name", "default"), users))
	for _, r := range p.extensions[d.uuid] {
		if !r.on("enabled") {
			continue
		}
		u := f.user(d, p, r, dialString)
		all = append(all, u)
		add(users, u.Element)
		for _, name := range strings.Split(r["call_group"], ",") {
			if name = strings.TrimSpace(name); name != "" {
				f.member(groups, name, u)
			}
		}
	}
	var params, variables told
	params.set("jsonrpc-allowed-methods", "verto")
	params.set("jsonrpc-allowed-event-channels", "demo,conference,presence")
	params.set("verto-dialplan", "XML")
	variables.set("domain_uuid", d.uuid)
	variables.set("domain_name", d.name)
	variables.set("record_stereo", "true")
	variables.set("transfer_fallback_extension", "operator")
	variables.set("export_vars", "domain_name,domain_uuid")
	params.set("dial-string", defaultDialString(d, "${dialed_user}", dialString))
	shared(&params, "dial-string", all, func(u *user) *told { return &u.params })
	shared(&params, "verto-context", all, func(u *user) *told { return &u.params })
	shared(&variables, "user_context", all, func(u *user) *told { return &u.variables })
	for _, u := range all {
		add(u.Element, u.params.elements(u.Place, "params", "param"), u.variables.elements(u.Place, "variables", "variable"))
	}
	return add(e, params.elements(at, "params", "param"), variables.elements(at, "variables", "variable"), groups)
}

// shared lets the domain say what most users say, or what it says already, and leaves out of the users what it says.
func shared(domain *told, name string, users []*user, of func(*user) *told) {
	value, there := domain.get(name)
	if !there {
		count := make(map[string]int)
		for _, u := range users {
			own, _ := of(u).get(name)
			if count[own]++; count[own] > count[value] {
				value = own
			}
		}
		domain.unlessEmpty(name, value)
	}
	for _, u := range users {
		t := of(u)
		*t = slices.DeleteFunc(*t, func(a conftree.Attr) bool { return a.Name == name && a.Value == value && value != "" })
	}
}

// member puts a user into a call group.
func (f *fusion) member(groups *conftree.Element, name string, u *user) {
	g := groups.Named("group", name)
	if g == nil {
		g = add(element(u.Place, "group", "name", name), element(u.Place, "users"))
		add(groups, g)
	}
	add(g.Child("users"), element(u.Place, "user", "id", u.Attr("id"), "type", "pointer"))
}

// user is an extension as FusionPBX tells its switch of it.
func (f *fusion) user(d *domain, p people, r row, dialString string) *user {
	id, alias := r["extension"], r["number_alias"]
	at := place("v_extensions", id+"@"+d.name)
	plain := func(column string) string { return f.plain(at, column+" of v_extensions", r[column]) }
	e := element(at, "user", "id", id)
	for _, a := range []conftree.Attr{{Name: "cidr", Value: plain("cidr")}, {Name: "number-alias", Value: alias}} {
		if a.Value != "" {
			e.Attrs = append(e.Attrs, a)
		}
	}
	u := &user{Element: e}
	number := id
	if alias != "" {
		number = alias
	}

	u.params.unlessEmpty("password", r["password"])
	f.voicemail(&u.params, at, d, p.voicemails[number])
	u.params.unlessEmpty("MWI-Account", plain("mwi_account"))
	u.params.unlessEmpty("auth-acl", plain("auth_acl"))
	if r["extension_type"] == "virtual" {
		u.params.set("auth-acl", "virtual."+id) // a list that nobody is on
	}
	u.params.set("dial-string", dialStringOf(d, r, dialString))
	u.params.set("verto-context", plain("user_context"))
	u.params.unlessEmpty("max-registrations-per-extension", plain("max_registrations"))

	v := &u.variables
	v.unlessEmpty("extension_uuid", r["extension_uuid"])
	if users := p.users[r["extension_uuid"]]; len(users) > 0 {
		v.unlessEmpty("user_uuid", users[0]["user_uuid"])
		for _, c := range p.contacts[users[0]["user_uuid"]] {
			v.unlessEmpty("contact_uuid", c["contact_uuid"])
		}
	}
	v.set("call_timeout", r["call_timeout"])
	v.set("caller_id_name", id)
	v.set("caller_id_number", number)
	v.set("presence_id", id+"@"+d.name)
	for _, column := range variablesAsColumns {
		v.unlessEmpty(column, plain(column))
	}
	v.set("user_context", plain("user_context"))
	v.unlessEmpty("directory_full_name", strings.TrimSpace(plain("directory_first_name")+" "+lastName(r)))
	for name, column := range map[string]string{
		"call_screen_enabled": "call_screen_enabled", "directory-visible": "directory_visible", "directory-exten-visible": "directory_exten_visible",
		"force_ping": "force_ping", "forward_all_enabled": "forward_all_enabled", "forward_busy_enabled": "forward_busy_enabled",
		"forward_no_answer_enabled": "forward_no_answer_enabled", "do_not_disturb": "do_not_disturb",
		"forward_user_not_registered_enabled": "forward_user_not_registered_enabled",
	} {
		if r[column] == "true" {
			v.set(name, "true")
		}
	}
	for _, follow := range p.followMe[r["follow_me_uuid"]] {
		if follow["follow_me_enabled"] == "true" && r["do_not_disturb"] != "true" && r["forward_all_enabled"] != "true" {
			v.set("follow_me_enabled", "true")
		}
	}
	if _, there := v.get("limit_max"); !there {
		v.set("limit_max", "5")
	}
	for name, column := range map[string]string{
		"sip-force-contact": "sip_force_contact", "sip-force-expires": "sip_force_expires",
		"default_language": "extension_language", "default_dialect": "extension_dialect", "default_voice": "extension_voice",
	} {
		v.unlessEmpty(name, plain(column))
	}
	switch r["sip_bypass_media"] {
	case "bypass-media":
		v.set("bypass_media", "true")
	case "bypass-media-after-bridge":
		v.set("bypass_media_after_bridge", "true")
	case "proxy-media":
		v.set("proxy_media", "true")
	}
	for _, s := range p.settings[r["extension_uuid"]] {
		name, value := s["extension_setting_name"], f.plain(at, "extension_setting_value of v_extension_settings", s["extension_setting_value"])
		switch {
		case !s.on("extension_setting_enabled"):
		case s["extension_setting_type"] == "param":
			u.params.set(name, value)
		case s["extension_setting_type"] == "variable":
			v.set(name, value)
		}
	}
	slices.SortStableFunc(*v, func(a, b conftree.Attr) int { return strings.Compare(a.Name, b.Name) })
	return u
}

// variablesAsColumns are variables that FusionPBX tells, unless they are empty, under the names of its columns.
var variablesAsColumns = []string{
	"call_group", "user_record", "hold_music", "toll_allow", "accountcode", "effective_caller_id_name", "effective_caller_id_number",
	"outbound_caller_id_name", "outbound_caller_id_number", "emergency_caller_id_name", "emergency_caller_id_number", "missed_call_app",
	"missed_call_data", "limit_max", "limit_destination", "nibble_account", "absolute_codec_string", "forward_all_destination",
	"forward_busy_destination", "forward_no_answer_destination", "forward_user_not_registered_destination",
}

// lastName is told only behind a first name.
func lastName(r row) string {
	if r["directory_first_name"] == "" {
		return ""
	}
	return strings.ReplaceAll(r["directory_last_name"], "$", "")
}

// voicemail sets the params of a voicemail box, which is one of those with the user's number.
func (f *fusion) voicemail(params *told, at conftree.Place, d *domain, boxes []row) {
	i := slices.IndexFunc(boxes, func(r row) bool { return r["domain_uuid"] == d.uuid })
	if i < 0 {
		params.set("vm-enabled", "true")
		return
	}
	box := boxes[i]
	params.set("vm-enabled", box["voicemail_enabled"])
	if box["voicemail_mail_to"] == "" {
		if box["voicemail_password"] != "" {
			f.leave(at, "the voicemail password of users without an address for mail", "FusionPBX does not tell its switch of it, since its own script asks for it",
				"Set vm_password of table domain_user where mod_voicemail is to ask for it.")
		}
		return
	}
	plain := func(column string) string { return f.plain(at, column+" of v_voicemails", box[column]) }
	params.unlessEmpty("vm-password", plain("voicemail_password"))
	params.set("vm-email-all-messages", box["voicemail_enabled"])
	params.set("vm-attach-file", plain("voicemail_attach_file"))
	params.set("vm-keep-local-after-email", box["voicemail_local_after_email"])
	params.set("vm-mailto", plain("voicemail_mail_to"))
}

// dialStringOf is how a user is called. It names who was dialled instead of the user where that is the same, as the domain does.
func dialStringOf(d *domain, r row, preset string) string {
	switch {
	case r["do_not_disturb"] == "true":
		return "error/user_busy"
	case r["dial_string"] != "":
		return r["dial_string"]
	case r["number_alias"] != "":
		return defaultDialString(d, r["extension"], preset)
	}
	return defaultDialString(d, "${dialed_user}", preset)
}

// defaultDialString is how somebody is called of whom nothing else is said.
func defaultDialString(d *domain, who, preset string) string {
	if preset != "" {
		return preset
	}
	return "{sip_invite_domain=" + d.name + ",presence_id=" + who + "@" + d.name + "}${sofia_contact(*/" + who + "@" + d.name + ")}"
}
