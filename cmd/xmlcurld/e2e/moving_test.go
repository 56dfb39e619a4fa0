//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

// TestMoving: a tree that is brought in is told as before, and so is one that is exported again. Two switches, one on each, report
// the same. Besides the example the trees of FreeSWITCH itself are tried, if FREESWITCH_CONF names their folder.
func TestMoving(t *testing.T) {
	program := buildServer(t)
	trees := map[string]string{"example": "../../../testdata/tree"}
	if conf := os.Getenv("FREESWITCH_CONF"); conf != "" {
		for _, name := range []string{"minimal", "vanilla", "sbc", "testing"} { // FreeSWITCH 1.11 does not start on insideout
			trees[name] = filepath.Join(conf, name)
		}
	}
	for name, tree := range trees {
		t.Run(name, func(t *testing.T) {
			m := mover{program, dbtest.URL(t)}
			m.does(t, "Applied.", "import", tree, "--tenant", "office", "--yes", "--no-wait", "--no-switches")
			m.does(t, "are there already.", "import", tree, "--tenant", "office", "--yes", "--no-wait", "--no-switches")
			m.does(t, "They report the same.", "compare", tree, "--tenant", "office", "--freeswitch", switchProgram(t))
			exported := filepath.Join(t.TempDir(), "exported")
			m.does(t, "", "export", exported, "--node", node, "--secrets")
			m.does(t, "They report the same.", "compare", exported, "--tenant", "office", "--freeswitch", switchProgram(t))
		})
	}
}

// mover runs the program's verbs on a database.
type mover struct{ program, database string }

// does fails the test if a verb fails, or does not say what is wanted.
func (m *mover) does(t *testing.T, want string, verb ...string) {
	t.Helper()
	if verb[0] != "export" {
		verb = append(verb, "--variable", "local_ip_v4="+localhost, "--variable", "domain="+localhost)
	}
	if verb[0] == "compare" {
		verb = append(verb, "--node", node)
	}
	command := exec.CommandContext(t.Context(), m.program, verb...)
	command.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+m.database)
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("%s: %v\n%s", strings.Join(verb, " "), err, out)
	}
}
