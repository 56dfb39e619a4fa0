package importer

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/db"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/form"
)

// The tree of testdata says whatever a configuration can say: the server tells a node the same, and what it leaves is listed.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	for _, node := range []string{"", "fs1"} {
		tree, err := conftree.Read("testdata/configuration", conftree.Options{Globals: map[string]string{"local_ip_v4": "192.0.2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		im := importTree(t, tree, Options{Tenant: "acme", Node: node})
		if n := im.compareConfigurations(t); n < 7 {
			t.Errorf("%d documents were compared", n)
		}
		if node == "" {
			golden(t, "testdata/configuration.txt", im.show())
		}
	}
}

// ask is a document of the server, nil if it has nothing.
func (im *imported) ask(t *testing.T, request *form.Form) *node {
	t.Helper()
	var root node
	if err := xml.Unmarshal(im.answer(t, request.String()), &root); err != nil {
		t.Fatal(err)
	}
	return &root
}

// compareConfigurations compares every document that the server has with the tree.
func (im *imported) compareConfigurations(t *testing.T) (n int) {
	t.Helper()
	var tree node
	if err := xml.Unmarshal(im.told("configuration"), &tree); err != nil {
		t.Fatal(err)
	}
	of := func(name string) *node {
		for _, c := range tree.all("section", "configuration") {
			if strings.EqualFold(c.attr("name"), name) {
				return c
			}
		}
		return new(node)
	}
	served := func(name string) *node {
		all := im.ask(t, form.Configuration("fs1", name)).all("section", "configuration")
		if len(all) != 1 {
			t.Fatalf("%s: there are %d answers", name, len(all))
		}
		return all[0]
	}
	for _, name := range im.rows("document", "name") {
		if !strings.HasSuffix(name, ".conf") {
			continue
		}
		if diff := cmp.Diff(of(name).text(), served(name).text()); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		n++
	}
	same := func(what string, want, got []string) {
		n++
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(slices.Compact(want), slices.Compact(got)); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	profiles := im.rows("sip_profile", "name")
	same("global settings", last(of("sofia.conf").all("global_settings", "param")), last(served("sofia.conf").all("global_settings", "param")))
	for _, p := range of("sofia.conf").all("profiles", "profile") {
		if name := p.attr("name"); slices.Contains(profiles, name) {
			got := im.ask(t, form.Configuration("fs1", "sofia.conf").With("profile", name)).all("section", "configuration", "profiles", "profile")
			same("settings of "+name, last(p.all("settings", "param")), last(got[0].all("settings", "param")))
			same("gateways of "+name, im.gatewaysOf(p), im.gatewaysOf(got[0]))
		}
	}
	if of("switch.conf").XMLName.Local != "" {
		got := last(served("post_load_switch.conf").all("settings", "param"))
		want := last(of("switch.conf").all("settings", "param"))
		same("switch.conf", slices.DeleteFunc(want, func(s string) bool { return im.left(strings.SplitN(s, "=", 2)[0]) }), got)
	}
	return n
}

// left reports whether something of a name is left.
func (im *imported) left(name string) bool {
	return slices.ContainsFunc(im.Left, func(l *Left) bool { return strings.HasPrefix(strings.ToLower(l.What), name+"=") })
}

// last are params as FreeSWITCH has them: of two with the same name the last, unless it takes all.
func last(params []*node) (all []string) {
	for _, p := range params {
		name, value := strings.ToLower(p.attr("name")), p.attr("value")
		if value == "" && address.MatchString(name) {
			continue
		}
		if name == "loglevel" {
			value = levelOf(value)
		}
		if !takesAll(name) {
			all = slices.DeleteFunc(all, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		}
		all = append(all, name+"="+value)
	}
	return all
}

// gatewaysOf are the gateways of a profile with what is told of them.
func (im *imported) gatewaysOf(profile *node) (all []string) {
	seen := map[string]bool{}
	for _, g := range profile.all("gateways", "gateway") {
		name := g.attr("name")
		if seen[name] {
			continue
		}
		seen[name] = true
		told := map[string]string{"register": "true", "caller-id-in-from": "false"}
		for _, p := range append(g.all("params", "param"), g.all("param")...) {
			told[p.attr("name")] = p.attr("value")
		}
		for _, v := range append(g.all("variables", "variable"), g.all("variable")...) {
			if v.attr("name") != db.RevisionVariable {
				told["variable "+v.attr("name")] = v.attr("value") + v.attr("direction")
			}
		}
		all = append(all, fmt.Sprint(name, told))
	}
	return all
}
