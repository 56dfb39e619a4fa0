package importer

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

// directory adds the domains of the section directory, with their users and groups.
func (in *importer) directory(section *conftree.Element) {
	first := make(map[string]conftree.Place)
	for _, e := range section.Children {
		if e.Name != "domain" {
			in.unread(e, "<"+e.Name+"> in the directory")
			continue
		}
		name, unset := in.tree.Expand(e, e.Attr("name"))
		name = strings.ToLower(name)
		what := fmt.Sprintf("domain %q", e.Attr("name"))
		before, again := first[name]
		switch {
		case again:
			in.leave(e, what, "FreeSWITCH reads only the first domain of a name, in "+before.String(), "Delete it, or move its users there.")
		case in.tenant(e) == "":
			in.leave(e, what, "a domain belongs to a tenant", "Say --tenant NAME.")
		case len(unset) > 0:
			in.leave(e, what, "only the switch knows what it is called", "Say --variable "+strings.Join(unset, "=VALUE --variable ")+"=VALUE.")
		case !host.MatchString(name) || name == "all":
			in.leave(e, what, "no domain of the server can have the name "+strconv.Quote(name), "Name it as DNS has it.")
		default:
			(&domain{importer: in, element: e, name: name}).add()
		}
		if !again {
			first[name] = e.Place
		}
	}
}

// What the schema takes for names and credentials.
var (
	host    = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*|[0-9a-f.]{0,4}(:[0-9a-f.]{0,15}){2,8})$`)
	userID  = regexp.MustCompile(`^[a-z0-9*#+_][a-z0-9._+*#-]{0,63}$`)
	setName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	hash    = regexp.MustCompile(`^([0-9a-f]{32}|[0-9a-f]{64})$`)
	pin     = regexp.MustCompile(`^[0-9]{1,32}$`)
	secret  = regexp.MustCompile(`^[^\x01-\x1f\x7f\x{fffe}\x{ffff}]{1,256}$`)

	callerName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._+&/()-]{0,62}[A-Za-z0-9.)])?$`)
	callerNumber = regexp.MustCompile(`^(\+[1-9][0-9]{5,14}|[0-9*#]{1,20}|anonymous|restricted|private|unavailable|unknown)$`)
)

// setting is a param or a variable.
type setting struct {
	*conftree.Element
	name, value string
}

func (s setting) is(name string) bool { return strings.EqualFold(s.name, name) }

// settings are the params or variables of e, each name once.
func (in *importer) settings(e *conftree.Element, container, item string) (all []setting) {
	for n, inside := range e.All(container) {
		if n > 0 {
			in.leave(inside, "<"+container+">", "FreeSWITCH reads only the first one of an element", "Move what is in it there.")
			continue
		}
		in.readsAll(inside, nil, []string{item})
		for _, x := range inside.All(item) {
			in.readsAll(x, []string{"name", "value"}, nil)
			s := setting{x, x.Attr("name"), x.Attr("value")}
			i := slices.IndexFunc(all, func(other setting) bool { return s.is(other.name) })
			if i < 0 {
				all = append(all, s)
				continue
			}
			in.leave(all[i].Element, item+" "+s.name, "it stands twice, and most of FreeSWITCH takes the later one, in "+s.String(), "Delete it.")
			all[i] = s
		}
	}
	return all
}

// beside are those of others whose names are not among all.
func beside(all, others []setting) (rest []setting) {
	for _, s := range others {
		if !slices.ContainsFunc(all, func(own setting) bool { return own.is(s.name) }) {
			rest = append(rest, s)
		}
	}
	return rest
}

// add adds a setting as a row of table, of which key tells whose it is.
func (in *importer) addSetting(table string, s setting, key ...rowset.Column) {
	what := fmt.Sprintf("%s=%q", s.name, s.value)
	written, expand := in.value(s.Element, s.value)
	switch {
	case !setName.MatchString(s.name):
		in.leave(s.Element, what, "no setting can have this name", "Name it with letters, digits, dots, dashes and underscores.")
		return
	case strings.Contains(s.value, "<!") || expand && strings.Contains(s.value, "<$${"):
		in.leave(s.Element, what, "FreeSWITCH would take <! for markup when it copies the user", "Leave it out of the value.")
		return
	case notInXML.MatchString(s.value):
		in.leave(s.Element, what, "it holds a control character, which XML cannot carry", "Leave it out of the value.")
		return
	}
	value := any(written)
	if written == "" {
		value = rowset.Empty
	}
	in.Set.Add(table, s.String(), withTrue(append(slices.Clip(key), rowset.C("name", s.name), rowset.C("value", value)), "expand", expand)...)
}

// domain is a domain while its rows are made.
type domain struct {
	*importer
	element *conftree.Element
	name    string
	// What rows cannot say of a domain is said of each of its users. FreeSWITCH looks a user up with all that holds for it.
	params, variables []setting
	users             map[string]*user // by id, and by number-alias
	all               []*user
}

// user is a user of the directory.
type user struct {
	element *conftree.Element
	group   *conftree.Element // in which it stands; nil: in none
	id      string
}

func (d *domain) add() {
	e := d.element
	d.readsAll(e, []string{"name"}, []string{"params", "variables", "groups", "users", "user"})
	d.users = make(map[string]*user)
	d.findUsers()
	columns := []rowset.Column{rowset.C("name", d.name), rowset.C("tenant", d.tenant(e))}
	var dialString any
	var params, variables []setting
	for _, s := range d.settings(e, "params", "param") {
		switch {
		case s.is("dial-string") && !s.Refers(s.value) && s.value != "":
			dialString = s.value
		case s.is("allow-empty-password"):
			d.allowsEmpty(s)
		case s.is("dial-string"), s.is("password"), s.is("a1-hash"), s.is("vm-password"):
			d.params = append(d.params, s)
		default:
			params = append(params, s)
		}
	}
	columns = append(columns, rowset.C("dial_string", dialString))
	for _, s := range d.settings(e, "variables", "variable") {
		name := d.contextName(s.value)
		switch {
		case s.is("user_context") && d.contexts[name]:
			columns = append(columns, rowset.C("context", name))
		case s.is("user_context"):
			d.variables = append(d.variables, s)
		default:
			variables = append(variables, s)
		}
	}
	if ms := d.cacheable(); ms > 0 {
		columns = append(columns, rowset.C("cacheable", ms))
	}
	d.Set.Add("domain", e.String(), columns...)
	for _, s := range params {
		d.addSetting("domain_param", s, rowset.C("domain", d.name))
	}
	for _, s := range variables {
		d.addSetting("domain_variable", s, rowset.C("domain", d.name))
	}
	for _, u := range d.all {
		d.addUser(u)
	}
	for _, g := range e.Child("groups").All("group") {
		d.addGroup(g)
	}
	profile := d.parsing(d.name)
	for _, u := range d.all {
		d.addGateways(u, profile)
	}
}

func (in *importer) allowsEmpty(s setting) {
	if hunt.IsTrue(in.expand(s.Element, s.value)) {
		in.leave(s.Element, "allow-empty-password", "the server never lets anybody in without a password", "Give each user a password.")
	}
}

// findUsers finds the users where FreeSWITCH looks for them, and the first of each name.
func (d *domain) findUsers() {
	e := d.element
	for n, groups := range e.All("groups") {
		if n > 0 {
			d.leave(groups, "<groups>", "FreeSWITCH finds users only in the first one of a domain", "Move its groups there.")
			continue
		}
		d.readsAll(groups, nil, []string{"group"})
		for _, g := range groups.All("group") {
			d.readsAll(g, []string{"name"}, []string{"params", "variables", "users"})
			d.usersIn(g.Child("users"), g)
		}
	}
	if users := e.Child("users"); users != nil {
		d.usersIn(users, nil)
	} else {
		d.usersIn(e, nil)
	}
}

func (d *domain) usersIn(of, group *conftree.Element) {
	if of == nil {
		return
	}
	for _, e := range of.All("user") {
		if strings.EqualFold(e.Attr("type"), "pointer") {
			continue
		}
		written := d.expand(e, e.Attr("id"))
		u := &user{e, group, strings.ToLower(written)}
		what := fmt.Sprintf("user %q of %s", written, d.name)
		switch other := d.users[u.id]; {
		case other != nil:
			d.leave(e, what, "FreeSWITCH finds another one first, in "+other.element.String(), "Delete one of the two, or give it another id.")
			continue
		case !userID.MatchString(u.id):
			d.leave(e, what, "no user of the server can have this id", "Write it with letters, digits and . _ + * # - alone.")
			continue
		case u.id != written:
			d.leave(e, what, "the server writes it in lower case, and FreeSWITCH ignores case when it looks a user up",
				"Nothing, unless a dial string or an application compares it with capitals.")
		}
		d.users[u.id] = u
		d.all = append(d.all, u)
	}
}

// cacheable is how long FreeSWITCH may keep the users, in milliseconds, 0 if it may not.
func (d *domain) cacheable() (ms int) {
	for n, u := range d.all {
		text := d.expand(u.element, u.element.Attr("cacheable"))
		own, _ := strconv.Atoi(text)
		if n == 0 {
			ms = own
		}
		if own != ms || own > 2147483 || text != "" && own < 1 {
			d.leave(u.element, fmt.Sprintf("cacheable=%q of user %s@%s", text, u.id, d.name),
				"the users of a domain are kept for one time, in milliseconds, or not at all; here they are not kept", "Set cacheable of table domain.")
			return 0
		}
	}
	return ms
}

// addUser adds a user with what its group and its domain say of it.
func (d *domain) addUser(u *user) {
	e := u.element
	d.readsUser(e)
	params, variables := d.settings(e, "params", "param"), d.settings(e, "variables", "variable")
	if u.group != nil {
		params = append(params, beside(params, d.settings(u.group, "params", "param"))...)
		variables = append(variables, beside(variables, d.settings(u.group, "variables", "variable"))...)
	}
	params = append(params, beside(params, d.params)...)
	variables = append(variables, beside(variables, d.variables)...)

	columns := []rowset.Column{rowset.C("domain", d.name), rowset.C("id", u.id), rowset.C("number_alias", d.alias(u))}
	credentials, params := d.credentials(u, params)
	columns = append(columns, credentials...)
	callers, variables := callerColumns(variables)
	columns = append(append(append(columns, callers...), d.networks(u)...), d.body(u)...)
	d.Set.Add("domain_user", e.String(), columns...)
	for _, s := range params {
		d.addSetting("domain_user_param", s, rowset.C("domain", d.name), rowset.C("user_id", u.id))
	}
	for _, s := range variables {
		if s.is("user_context") {
			s.value = d.contextName(s.value)
		}
		d.addSetting("domain_user_variable", s, rowset.C("domain", d.name), rowset.C("user_id", u.id))
	}
}

// addGateways adds the gateways of a user. FreeSWITCH looks for them in groups, and directly in the domain.
func (d *domain) addGateways(u *user, profile string) {
	for _, g := range u.element.Child("gateways").All("gateway") {
		if profile == "" || u.group == nil && d.element.Child("users") != nil {
			d.leave(g, fmt.Sprintf("gateway %q of user %s@%s", d.expand(g, g.Attr("name")), u.id, d.name), "no profile takes it",
				`Have a profile parse the domain, with <domain name="`+d.name+`" parse="true"/>, or move the gateway into a profile.`)
			continue
		}
		d.gateway(g, profile, rowset.C("domain", d.name), rowset.C("user_id", u.id))
	}
}

// alias is the user's number-alias, if nobody else is found by it.
func (d *domain) alias(u *user) string {
	written := d.expand(u.element, u.element.Attr("number-alias"))
	alias := strings.ToLower(written)
	if alias == "" || alias == u.id {
		return alias
	}
	what := fmt.Sprintf("number-alias=%q of user %s@%s", written, u.id, d.name)
	if other := d.users[alias]; other != nil && other != u {
		d.leave(u.element, what, "it is the name of another user, in "+other.element.String(), "Choose another one.")
		return ""
	}
	if !userID.MatchString(alias) {
		d.leave(u.element, what, "no user of the server can have this name", "Write it with letters, digits and . _ + * # - alone.")
		return ""
	}
	d.users[alias] = u
	return alias
}

// further are elements of a user that a module or the core reads, and that no table has.
var further = []string{"skinny", "profile-variables", "vcard"}

// readsUser tells of what is read of a user's element only by the command user_data, or not at all.
func (d *domain) readsUser(e *conftree.Element) {
	for _, a := range e.Attrs {
		if !slices.Contains([]string{"id", "number-alias", "cidr", "cacheable", "type", "ip"}, a.Name) {
			d.leaveOnce(e, "attribute "+a.Name+" of <user>", "nothing but user_data with attr reads it", "Make it a variable, and read that.")
		}
	}
	d.readsAll(&conftree.Element{Name: e.Name, Children: e.Children}, nil, append([]string{"params", "variables", "gateways"}, further...))
	if e.Attr("ip") != "" {
		d.leave(e, fmt.Sprintf("ip=%q of user %q", e.Attr("ip"), e.Attr("id")), "the server tells users by their names alone", "Write the address into cidr, and have an access list with the domain.")
	}
}

// body is the column of what no table has of a user.
func (d *domain) body(u *user) []rowset.Column {
	var text string
	var expand bool
	for _, e := range u.element.Children {
		if slices.Contains(further, e.Name) && len(e.Children)+len(e.Attrs) > 0 {
			text += e.XML("")
			expand = expand || refers(e)
		}
	}
	switch {
	case text == "":
		return nil
	case strings.Contains(text, "&lt;!") || strings.Contains(text, "&lt;$${") || notInXML.MatchString(text) || directive.MatchString(text):
		d.leave(u.element, fmt.Sprintf("further elements of user %s@%s", u.id, d.name), "they hold a control character, a directive, or <!, which FreeSWITCH would take for markup",
			"Write them otherwise, into body of table domain_user.")
		return nil
	}
	return withTrue([]rowset.Column{rowset.C("body", strings.TrimSuffix(text, "\n"))}, "expand", expand)
}

// credentials are the columns of what a user proves itself with, and the other params.
func (d *domain) credentials(u *user, params []setting) (columns []rowset.Column, rest []setting) {
	var password, a1Hash, vmPassword string
	for _, s := range params {
		value := d.expand(s.Element, s.value)
		what := fmt.Sprintf("%s of user %s@%s", s.name, u.id, d.name)
		switch {
		case s.is("password") && value != "":
			if !secret.MatchString(value) || strings.Contains(value, "${") || strings.Contains(value, "<!") {
				d.leave(s.Element, what, "the server cannot carry it: it is longer than 256 characters, or holds a control character, ${ or <!", "Give the user another password.")
				continue
			}
			password = d.fixed(s.Element, "password of a user", s.value)
		case s.is("a1-hash") && value != "":
			if a1Hash = value; !hash.MatchString(a1Hash) {
				d.leave(s.Element, what, "it is not the lower-case hex of MD5 or SHA-256, so nobody gets in with it", "Give the user a password.")
				a1Hash = ""
			}
		case s.is("vm-password") && value != "":
			if !pin.MatchString(value) {
				d.leave(s.Element, what, "a voicemail password is dialled, so the server takes digits alone", "Set vm_password of table domain_user.")
				continue
			}
			vmPassword = d.fixed(s.Element, "vm-password of a user", s.value)
		case s.is("password"), s.is("a1-hash"), s.is("vm-password"):
		case s.is("allow-empty-password"):
			d.allowsEmpty(s)
		default:
			rest = append(rest, s)
		}
	}
	if a1Hash != "" && password != "" {
		d.leave(u.element, fmt.Sprintf("password of user %s@%s", u.id, d.name), "it has an a1-hash too, by which alone SIP is checked", "Keep one of the two.")
		password = ""
	}
	columns = []rowset.Column{rowset.C("password", password), rowset.C("a1_hash", a1Hash), rowset.C("vm_password", vmPassword)}
	if a1Hash == "" && password == "" {
		d.leave(u.element, fmt.Sprintf("user %s@%s", u.id, d.name), "it has no password, so FreeSWITCH lets anybody in as this user; the server lets nobody in",
			"If it has to register, give it a password, and set login to true.")
		columns = append(columns, rowset.C("login", false))
	}
	return columns, rest
}

// callerColumns takes out of variables what has a column.
func callerColumns(variables []setting) (columns []rowset.Column, rest []setting) {
	for _, s := range variables {
		switch {
		case s.name == "effective_caller_id_name" && callerName.MatchString(s.value):
			columns = append(columns, rowset.C("caller_id_name", s.value))
		case s.name == "effective_caller_id_number" && callerNumber.MatchString(s.value):
			columns = append(columns, rowset.C("caller_id_number", s.value))
		default:
			rest = append(rest, s)
		}
	}
	return columns, rest
}

// networks is the column of the user's cidr=.
func (d *domain) networks(u *user) []rowset.Column {
	text := d.expand(u.element, u.element.Attr("cidr"))
	if text == "" {
		return nil
	}
	var all []string
	for _, one := range strings.Split(text, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(one))
		if address, addressErr := netip.ParseAddr(strings.TrimSpace(one)); addressErr == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			d.leave(u.element, fmt.Sprintf("cidr=%q of user %s@%s", text, u.id, d.name), one+" is no network", "Write it as 192.0.2.64/29.")
			continue
		}
		all = append(all, network.Masked().String())
	}
	if len(all) > 32 {
		d.leave(u.element, fmt.Sprintf("cidr of user %s@%s", u.id, d.name), "it has more than the 32 networks that FreeSWITCH reads", "Join some of them.")
		all = all[:32]
	}
	if len(all) == 0 {
		return nil
	}
	return []rowset.Column{rowset.C("cidr", all)}
}

// addGroup adds a group with those of its users who are there.
func (d *domain) addGroup(g *conftree.Element) {
	name := d.expand(g, g.Attr("name"))
	what := fmt.Sprintf("group %q of %s", name, d.name)
	var members []string
	if users := g.Child("users"); users != nil {
		for _, e := range users.All("user") {
			id := strings.ToLower(d.expand(e, e.Attr("id")))
			switch u := d.users[id]; {
			case u == nil:
				d.leave(e, fmt.Sprintf("user %q in %s", id, what), "there is no such user", "Delete it, or import the user.")
			case !slices.Contains(members, u.id):
				members = append(members, u.id)
			}
		}
	}
	switch {
	case strings.EqualFold(name, "default"):
		if len(members) < len(d.all) {
			d.leave(g, what, "the server puts every user of a domain into it", "Use a group of another name where some of them are meant.")
		}
		return
	case !isLabel(name):
		d.leave(g, what, "no group of the server can have this name", "Write it with letters, digits, dots, dashes and underscores.")
		return
	}
	d.Set.Add("domain_group", g.String(), rowset.C("domain", d.name), rowset.C("name", name))
	for n, id := range members {
		d.Set.Add("domain_group_user", g.String(), rowset.C("domain", d.name), rowset.C("group_name", name), rowset.C("user_id", id), rowset.C("position", n+1))
	}
}
