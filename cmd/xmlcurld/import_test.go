package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

const exampleTree = "../../testdata/tree"

// A tree is brought in once, and told as before.
func TestImport(t *testing.T) {
	t.Parallel()
	environ := []string{"XMLCURLD_DATABASE_URL=" + dbtest.URL(t)}
	once := []string{"import", exampleTree, "--tenant", "office", "--yes", "--no-wait", "--no-switches"}
	code, stdout, stderr := runOnce(t, environ, once...)
	if code != exitOK || !strings.Contains(stdout, "Applied.") || !strings.Contains(stdout, "Not carried\n  autoload_configs/switch.conf.xml:2: <cli-keybindings> in switch.conf: ") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = runOnce(t, environ, append(once, "--json")...); code != exitOK {
		t.Fatalf("again: exit %d %s", code, stderr)
	}
	var again struct {
		Rows    int
		Left    []struct{ File, What, Reason, Do string }
		Applied bool
	}
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || again.Applied || again.Rows < 50 || len(again.Left) != 1 || again.Left[0].Do == "" {
		t.Errorf("again: %+v, %v", again, err)
	}
	if code, stdout, stderr = runOnce(t, environ, "compare", exampleTree, "--tenant", "office", "--node", "fs1"); code != exitOK {
		t.Errorf("compare: exit %d\n%s%s", code, stdout, stderr)
	}
}

// The SQL of an import is a file that only its owner may read, and what stands in its place is not overwritten.
func TestImportSQL(t *testing.T) {
	t.Parallel()
	environ := []string{"XMLCURLD_DATABASE_URL=" + dbtest.URL(t)}
	file := filepath.Join(t.TempDir(), "office.sql")
	if code, _, stderr := runOnce(t, environ, "import", exampleTree, "--tenant", "office", "--sql", file); code != exitOK {
		t.Fatalf("exit %d %s", code, stderr)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if code, _, stderr := runOnce(t, environ, "import", exampleTree, "--tenant", "office", "--sql", file); code != exitFault || !strings.Contains(stderr, "file exists") {
		t.Errorf("over a file: exit %d %s", code, stderr)
	}
	if code, stdout, stderr := runOnce(t, environ, "apply", file, "--yes", "--no-wait", "--no-switches"); code != exitOK {
		t.Errorf("apply: exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := runOnce(t, environ, "import", exampleTree, "--tenant", "office", "--sql", file); code != exitOK || !strings.Contains(stdout, "are there already.") {
		t.Errorf("after it: exit %d %s", code, stdout)
	}
}

// A damaged tree changes nothing, and the error says where it is damaged.
func TestImportDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("freeswitch.xml", "<document>\n<X-PRE-PROCESS cmd=\"include\" data=\"vars.xml\"/>\n</document>\n")
	write("vars.xml", "<include>\n  <section name=\"dialplan\">\n</include>\n")
	code, _, stderr := runOnce(t, []string{"XMLCURLD_DATABASE_URL=" + dbtest.URL(t)}, "import", dir, "--yes")
	if code != exitFault || !strings.Contains(stderr, "vars.xml:2: ") {
		t.Errorf("exit %d %s", code, stderr)
	}
}

// A database of FusionPBX comes in as a tree does: each of its domains is a tenant, and twice is once.
func TestImportFusionPBX(t *testing.T) {
	t.Parallel()
	const sql = "../../internal/fusionpbx/testdata/fusion.sql"
	theirs := dbtest.EmptyURL(t)
	script, err := os.ReadFile(sql)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dbtest.Connect(t, theirs).Exec(t.Context(), string(script)); err != nil {
		t.Fatal(err)
	}
	environ := []string{"XMLCURLD_DATABASE_URL=" + dbtest.URL(t)}
	once := []string{"import", "--from", "fusionpbx", theirs, "--variable", "local_ip_v4=192.0.2.10", "--yes", "--no-wait", "--no-switches"}
	if code, stdout, stderr := runOnce(t, environ, once...); code != exitOK || !strings.Contains(stdout, "Applied.") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := runOnce(t, environ, once...); code != exitOK || !strings.Contains(stdout, "are there already.") {
		t.Errorf("again: exit %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := runOnce(t, environ, "import", "--from", "asterisk", theirs); code != exitUsage || !strings.Contains(stderr, "fusionpbx") {
		t.Errorf("from somebody else: exit %d %s", code, stderr)
	}
}
