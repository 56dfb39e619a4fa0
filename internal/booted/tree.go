package booted

import (
	"cmp"
	"net"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
)

// SubjectsOf is what switches can be asked about that is in a tree, and addresses to look up in its access lists.
func SubjectsOf(tree *conftree.Tree, addresses []string) Subjects {
	s := Subjects{Addresses: addresses}
	name := func(e *conftree.Element) string {
		text, _ := tree.Expand(e, e.Attr("name"))
		return text
	}
	configuration := tree.Section("configuration")
	for _, list := range []string{"pre_load_modules.conf", "modules.conf", "post_load_modules.conf"} {
		for _, load := range configuration.Named("configuration", list).Child("modules").All("load") {
			name, _ := tree.Expand(load, load.Attr("module"))
			s.Modules = append(s.Modules, name)
		}
	}
	for _, p := range configuration.Named("configuration", "sofia.conf").Child("profiles").All("profile") {
		s.Profiles = append(s.Profiles, name(p))
		for _, g := range p.Child("gateways").All("gateway") {
			s.Gateways = append(s.Gateways, name(g))
		}
	}
	for _, l := range configuration.Named("configuration", "acl.conf").Child("network-lists").All("list") {
		s.Lists = append(s.Lists, name(l))
	}
	for _, v := range tree.Variables {
		// An exported tree has variables of its own.
		if v.Command == "set" && !strings.HasPrefix(v.Name, "xmlcurld_") && !slices.Contains(s.Variables, v.Name) {
			s.Variables = append(s.Variables, v.Name)
		}
	}
	if directory := tree.Section("directory"); directory != nil {
		for _, d := range directory.All("domain") {
			s.addUsers(d, name(d), name)
		}
	}
	return s
}

// addUsers adds the users below e: FreeSWITCH finds them in a domain, in its groups and in their lists.
func (s *Subjects) addUsers(e *conftree.Element, domain string, name func(*conftree.Element) string) {
	for _, child := range e.Children {
		switch child.Name {
		case "groups", "group", "users":
			s.addUsers(child, domain, name)
		case "user":
			u := User{ID: strings.ToLower(child.Attr("id")), Domain: domain}
			known := func(u2 User) bool { return u2.ID == u.ID && u2.Domain == domain }
			if child.Attr("type") == "pointer" || slices.ContainsFunc(s.Users, known) {
				continue
			}
			for _, p := range child.Child("params").All("param") {
				u.Params = append(u.Params, name(p))
			}
			for _, v := range child.Child("variables").All("variable") {
				u.Variables = append(u.Variables, name(v))
			}
			s.Users = append(s.Users, u)
		}
	}
}

// EventSocket is where the event socket of a switch listens that takes these params, as others on its host reach it, and its
// password.
func EventSocket(params map[string]string) (address, password string) {
	host := strings.Trim(params["listen-ip"], "[]")
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, cmp.Or(params["listen-port"], "8021")), cmp.Or(params["password"], "ClueCon")
}
