package booted

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/sandbox"
)

// What a switch reports is compared part by part. What tells of the moment only is not.
func TestCompare(t *testing.T) {
	t.Parallel()
	about := Subjects{
		Modules: []string{"mod_flite"}, Profiles: []string{"external", "two words"}, Lists: []string{"lan"}, Addresses: []string{"192.0.2.1"},
		Users: []User{{ID: "1000", Domain: "acme.example", Params: []string{"dial-string"}}},
	}
	want := []string{
		"module_exists mod_flite", "sofia xmlstatus profile external", "acl 192.0.2.1 lan",
		"user_exists id 1000 acme.example", "user_data 1000@acme.example param dial-string",
	}
	if diff := cmp.Diff(want, about.commands()); diff != "" {
		t.Fatal(diff)
	}
	tree := []string{
		"true",
		`<profile><profile-info><name>external</name><calls-in>1</calls-in></profile-info></profile>`, "true\n", "true", "a",
	}
	server := []string{
		"false",
		`<?xml version="1.0" encoding="ISO-8859-1"?><profile><profile-info><name>external</name><calls-in>2</calls-in><dialplan>XML</dialplan></profile-info></profile>`,
		"false", "true", "",
	}
	replies := func(bodies []string) (all []sandbox.Reply) {
		for n, body := range bodies {
			all = append(all, sandbox.Reply{Command: want[n], Body: body})
		}
		return all
	}
	r, err := about.compare(replies(tree), replies(server))
	if err != nil {
		t.Fatal(err)
	}
	differences := []Difference{
		{want[0], "", "true", "false"},
		{want[1], "profile/profile-info/dialplan", "", "XML"},
		{want[2], "", "true", "false"},
		{want[4], "", "a", ""},
	}
	if diff := cmp.Diff(differences, r.Differences); diff != "" {
		t.Error(diff)
	}
	if r, err = about.compare(replies(tree), replies(tree)); err != nil || len(r.Differences) > 0 {
		t.Errorf("a switch differs from itself: %v, %v", r.Differences, err)
	}
	if _, err := about.compare(replies(tree), nil); err == nil {
		t.Error("a switch that said nothing is compared")
	}
}
