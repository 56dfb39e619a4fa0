package sections

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/xmlcurl"
)

type directoryStore interface {
	User(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error)
	Domain(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error)
	Users(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error)
	Networks(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error)
	Group(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error)
	UserGateways(ctx context.Context, node, domain, profile string) (db.Answer[[]db.Domain], error)
}

// directory answers who a user is and what a domain holds. FreeSWITCH always asks for a domain and picks the user out
// of the answer itself.
//
// It caches a user's answer under nothing but the user's name, whatever it asked for, so every answer about one user is
// the same and complete. Answers about many users carry no credentials.
func directory(s directoryStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		// The realm that a phone answers with arrives raw in key_value, and may bring fields of its own; the domain
		// that FreeSWITCH took from it arrives encoded. Where they differ somebody is lying.
		domain := r.Field("domain")
		if domain != "" && table.Fold(domain) != table.Fold(r.KeyValue) {
			d.SetKind("domain_mismatch")
			return xmlcurl.ErrNotFound
		}
		switch {
		case r.KeyValue != "":
			return oneDomain(ctx, s, r, d)
		case r.TagName != "": // a phone's realm was empty: a domain is wanted, and none has that name
			d.SetKind("domain_mismatch")
			return xmlcurl.ErrNotFound
		}
		return allDomains(ctx, s, r, d)
	})
}

// allDomains answers a lookup that names no domain: a profile that takes all of them, or list_users.
func allDomains(ctx context.Context, s directoryStore, r *xmlcurl.Request, d *xmlcurl.Document) error {
	var domains db.Answer[[]db.Domain]
	var err error
	if r.Field("purpose") == "gateways" {
		d.SetKind("gateways")
		domains, err = s.UserGateways(ctx, r.Hostname, "", r.Field("profile"))
	} else {
		d.SetKind("users")
		domains, err = s.Users(ctx, r.Hostname, "")
	}
	return written(d, domains, err, everyUser)
}

// oneDomain tells what is asked about a domain. A lookup with key and user picks one user, and gets that user whatever
// else it says: for an answer to anything else FreeSWITCH would have to find the user's password missing.
func oneDomain(ctx context.Context, s directoryStore, r *xmlcurl.Request, d *xmlcurl.Document) error {
	user, purpose := r.Field("user"), r.Field("purpose")
	group := r.Field("group_name")
	if group == "" {
		group = r.Field("group")
	}
	switch {
	case user != "" && r.Field("key") != "":
		d.SetKind(userKind(r))
		return lookedUp(ctx, s, d, r, user)
	case purpose == "gateways":
		d.SetKind("gateways")
		domains, err := s.UserGateways(ctx, r.Hostname, r.KeyValue, r.Field("profile"))
		return written(d, domains, err, everyUser)
	case purpose == "network-list":
		d.SetKind("network-list")
		domains, err := s.Networks(ctx, r.Hostname, r.KeyValue)
		return written(d, domains, err, networksOnly)
	case group != "":
		d.SetKind("group")
		domains, err := s.Group(ctx, r.Hostname, r.KeyValue, group)
		domains.Value = someUser(domains.Value)
		return written(d, domains, err, inGroup(group))
	case purpose == "publish-vm" && user != "" && user != "_all_":
		d.SetKind("publish-vm")
		return lookedUp(ctx, s, d, r, user)
	case r.Field("domain") == "" || purpose == "publish-vm": // list_users, mod_directory: they look through all of them
		d.SetKind("users")
		domains, err := s.Users(ctx, r.Hostname, r.KeyValue)
		return written(d, domains, err, everyUser)
	default:
		d.SetKind("domain")
		domains, err := s.Domain(ctx, r.Hostname, r.KeyValue)
		return written(d, domains, err, everyUser)
	}
}

// userKind names what a user is looked up for, in the words of a closed set.
func userKind(r *xmlcurl.Request) string {
	switch action := r.Field("action"); action {
	case "sip_auth", "user_call", "reverse-auth-lookup", "voicemail-lookup", "message-count", "web-vm", "group_call",
		"event_socket_auth", "jsonrpc-authenticate", "skinny-auth":
		return action
	}
	if r.Field("VM-Action") == "change-password" {
		return "change-password"
	}
	return "user"
}

// lookedUp answers with the one user that is asked for.
func lookedUp(ctx context.Context, s directoryStore, d *xmlcurl.Document, r *xmlcurl.Request, user string) error {
	domains, err := s.User(ctx, r.Hostname, r.KeyValue, user)
	return written(d, domains, err, theUser)
}

// someUser is nothing when nobody in domains is what was asked for: then the domain is no answer either.
func someUser(domains []db.Domain) []db.Domain {
	if len(domains) > 0 && len(domains[0].Users) == 0 {
		return nil
	}
	return domains
}

func written(d *xmlcurl.Document, answer db.Answer[[]db.Domain], err error, form form) error {
	if err != nil {
		return err
	}
	domains := copyable(d, known(d, answer), form)
	if len(domains) == 0 {
		return xmlcurl.ErrNotFound
	}
	for i := range domains {
		writeDomain(d, &domains[i], form)
	}
	return nil
}

// markup is what FreeSWITCH takes for the beginning of markup in a user's values, however they are encoded: it writes a user
// out and parses it again at each lookup, and its writer (switch_xml_ampencode) escapes nothing more behind these two.
const markup = "<!"

// copyable is domains without those, and without those users, that FreeSWITCH could not copy as they are. The schema refuses
// such values; rows from before it did may hold one.
func copyable(d *xmlcurl.Document, domains []db.Domain, form form) []db.Domain {
	if !slices.ContainsFunc(domains, func(domain db.Domain) bool {
		return holdsMarkup(&domain) || slices.ContainsFunc(domain.Users, func(u db.User) bool { return userHoldsMarkup(&u) })
	}) {
		return domains
	}
	var all []db.Domain
	for _, domain := range domains {
		if holdsMarkup(&domain) {
			d.Withhold(fmt.Errorf("domain %s: a value holds %s, which FreeSWITCH would take for markup", domain.Name, markup))
			continue
		}
		users := domain.Users
		domain.Users = nil
		for i := range users {
			if userHoldsMarkup(&users[i]) {
				d.Withhold(fmt.Errorf("user %s@%s: a value holds %s, which FreeSWITCH would take for markup", users[i].ID, domain.Name, markup))
				domain.Groups = withoutMember(domain.Groups, users[i].ID)
				continue
			}
			domain.Users = append(domain.Users, users[i])
		}
		if form == theUser && len(domain.Users) == 0 {
			continue // without the user the domain is no answer
		}
		all = append(all, domain)
	}
	return all
}

// withoutMember is groups without the user in any of them.
func withoutMember(groups []db.Group, id string) []db.Group {
	var all []db.Group
	for _, g := range groups {
		g.Users = slices.DeleteFunc(slices.Clone(g.Users), func(user string) bool { return user == id })
		all = append(all, g)
	}
	return all
}

func holdsMarkup(domain *db.Domain) bool {
	return strings.Contains(domain.DialString, markup) || settingsHoldMarkup(domain.Params) || settingsHoldMarkup(domain.Variables)
}

func userHoldsMarkup(u *db.User) bool {
	return strings.Contains(u.Password, markup) || strings.Contains(u.CallerIDName, markup) ||
		settingsHoldMarkup(u.Params) || settingsHoldMarkup(u.Variables) || slices.ContainsFunc(u.Gateways, func(g db.Gateway) bool {
		return slices.ContainsFunc(g.Settings, func(s db.GatewaySetting) bool { return strings.Contains(s.Value, markup) })
	})
}

func settingsHoldMarkup(all []db.Setting) bool {
	for i := range all {
		if strings.Contains(all[i].Value, markup) || all[i].Expand && strings.Contains(all[i].Value, "<$${") {
			return true
		}
	}
	return false
}

// form is how much of a domain's users an answer shows, and in which group.
type form struct {
	group       string
	credentials bool // and all else that belongs to one user
	networks    bool // nothing but id and cidr
}

var (
	theUser      = form{group: "default", credentials: true}
	everyUser    = form{group: "default"}
	networksOnly = form{group: "default", networks: true}
)

func inGroup(name string) form { return form{group: name} }

// params writes all, or, with no credentials, those that are none.
func (f form) params(d *xmlcurl.Document, all []db.Setting) {
	for _, s := range all {
		if f.credentials || !strings.Contains(table.Fold(s.Name), "pass") { // esl-password, reverse-auth-pass and their like
			setting(d, "param", s)
		}
	}
}

func writeDomain(d *xmlcurl.Document, domain *db.Domain, form form) {
	d.Open("domain", xmlcurl.A("name", domain.Name))
	if !form.networks {
		domainSettings(d, domain, form)
	}
	// Of the places where users may stand this is the one that every reader in FreeSWITCH looks in.
	if len(domain.Users) > 0 {
		d.Open("groups")
		d.Open("group", xmlcurl.A("name", form.group))
		d.Open("users")
		for i := range domain.Users {
			user(d, domain, &domain.Users[i], form)
		}
		d.Close()
		d.Close()
		// Behind the users themselves: FreeSWITCH takes the first that has the name, pointer or not.
		for i := range domain.Groups {
			members(d, &domain.Groups[i])
		}
		d.Close()
	}
	d.Close()
}

// members writes a group as pointers to its users, in the order in which they ring.
func members(d *xmlcurl.Document, g *db.Group) {
	d.Open("group", xmlcurl.A("name", g.Name))
	d.Open("users")
	for _, id := range g.Users {
		d.Empty("user", xmlcurl.A("id", id), xmlcurl.A("type", "pointer"))
	}
	d.Close()
	d.Close()
}

func domainSettings(d *xmlcurl.Document, domain *db.Domain, form form) {
	d.Open("params")
	// FreeSWITCH lets a user without a password in with any password, unless this says that it must not.
	param(d, "allow-empty-password", "false")
	param(d, "dial-string", domain.DialString)
	form.params(d, domain.Params)
	d.Close()
	d.Open("variables")
	variable(d, "user_context", domain.Context)
	for _, s := range domain.Variables {
		setting(d, "variable", s)
	}
	d.Close()
}

// user writes a user without an attribute type or ip: FreeSWITCH takes either as a match for somebody else.
func user(d *xmlcurl.Document, domain *db.Domain, u *db.User, form form) {
	attrs := []xmlcurl.Attr{xmlcurl.A("id", u.ID)}
	if u.NumberAlias != "" && !form.networks {
		attrs = append(attrs, xmlcurl.A("number-alias", u.NumberAlias))
	}
	if u.CIDR != "" {
		attrs = append(attrs, xmlcurl.A("cidr", u.CIDR))
	}
	if form.networks {
		d.Empty("user", attrs...)
		return
	}
	if form.credentials && domain.Cacheable > 0 {
		attrs = append(attrs, xmlcurl.A("cacheable", strconv.Itoa(domain.Cacheable)))
	}
	d.Open("user", attrs...)
	d.Open("params")
	if form.credentials {
		credentials(d, u)
	}
	form.params(d, u.Params)
	d.Close()
	d.Open("variables")
	callerID(d, u, "effective_caller_id_name", u.CallerIDName)
	callerID(d, u, "effective_caller_id_number", u.CallerIDNumber)
	for _, s := range u.Variables {
		setting(d, "variable", s)
	}
	d.Close()
	gateways(d, u.Gateways)
	if u.Body != "" {
		d.Stored(u.Body, u.ExpandBody)
	}
	d.Close()
}

// callerID writes what a column says of the caller, unless the operator set that variable of the user.
func callerID(d *xmlcurl.Document, u *db.User, name, value string) {
	for i := range u.Variables {
		if table.Fold(u.Variables[i].Name) == table.Fold(name) {
			return
		}
	}
	variable(d, name, value)
}

var errNoCredential = errors.New("has neither a password nor an a1_hash")

// credentials writes what a user proves itself with. One without anything would be let in with any password, so it is
// no answer at all. One as whom nobody may log in has a password that nobody knows.
func credentials(d *xmlcurl.Document, u *db.User) {
	if u.NoLogin {
		param(d, "password", rand.Text())
	} else if u.Password == "" && u.A1Hash == "" {
		d.Fail(fmt.Errorf("user %s: %w", u.ID, errNoCredential))
	}
	param(d, "password", u.Password)
	param(d, "a1-hash", u.A1Hash)
	param(d, "vm-password", u.VMPassword)
}

// param writes a param that has a value.
func param(d *xmlcurl.Document, name, value string) {
	if value != "" {
		d.Empty("param", xmlcurl.A("name", name), xmlcurl.A("value", value))
	}
}

// variable writes a variable that has a value.
func variable(d *xmlcurl.Document, name, value string) {
	if value != "" {
		d.Empty("variable", xmlcurl.A("name", name), xmlcurl.A("value", value))
	}
}
