package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

// What is exported, and what is not, is said.
func TestExport(t *testing.T) {
	t.Parallel()
	environ := []string{"XMLCURLD_DATABASE_URL=" + dbtest.DemoURL(t)}
	dir := filepath.Join(t.TempDir(), "conf")
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"export"}, exitUsage, "export what?"},
		{[]string{"export", dir}, exitPart, "secret left out of directory/acme.example.xml: param a1-hash"},
		{[]string{"export", dir, "--secrets"}, exitFault, "is not empty"},
		{[]string{"export", dir, "--secrets", "--replace"}, exitOK, "files are in " + dir},
		{[]string{"export", dir, "--tenant", "acme"}, exitUsage, "export what?"},
		{[]string{"export", "--tenant", "acme"}, exitPart, "secrets left out: 5"},
		{[]string{"export", "--tenant", "acme", "--secrets"}, exitOK, "INSERT INTO tenant"},
		{[]string{"export", "--tenant", "nobody"}, exitFault, "tenant nobody"},
	} {
		var out, complaint strings.Builder
		if code := run(t.Context(), test.args, environ, &out, &complaint); code != test.code {
			t.Errorf("%v ends with %d, want %d: %s", test.args, code, test.code, complaint.String())
		}
		if said := out.String() + complaint.String(); !strings.Contains(said, test.want) {
			t.Errorf("%v says\n%swithout %q", test.args, said, test.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "freeswitch.xml")); err != nil {
		t.Error(err)
	}
}
