package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/compare"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	url, dir := dbtest.URL(t), t.TempDir()
	execute(t, url, `
		INSERT INTO module (name) VALUES ('mod_dptools');
		INSERT INTO context (name) VALUES ('acme-public');
		INSERT INTO extension (name) VALUES ('a');
		INSERT INTO condition (extension, position, field, expression) VALUES ('a', 1, 'destination_number', '^1000$');
		INSERT INTO action (extension, condition, position, application, data) VALUES ('a', 1, 1, 'transfer', '1001 XML acme-public'), ('a', 1, 2, 'log', '192.0.2.1');
		INSERT INTO context_extension (context, extension) VALUES ('acme-public', 'a')`)
	tree := `<document><section name="configuration"><configuration name="modules.conf"><modules><load module="mod_dptools"/></modules></configuration></section>
		<section name="dialplan"><context name="public"><extension name="a"><condition field="destination_number" expression="^1000$">
		<action application="transfer" data="1001 XML public"/><action application="log" data="$${local_ip_v4}"/></condition></extension></context></section></document>`
	if err := os.WriteFile(filepath.Join(dir, "freeswitch.xml"), []byte(tree), 0o600); err != nil {
		t.Fatal(err)
	}
	compared := func(args ...string) (code int, stdout, stderr string) {
		return runOnce(t, []string{"XMLCURLD_DATABASE_URL=" + url}, append([]string{"compare", dir}, args...)...)
	}
	if code, _, stderr := compared("--context", "public"); code != exitUsage || !strings.Contains(stderr, "not name=value") {
		t.Errorf("exit %d %s", code, stderr)
	}
	equal := []string{"--context", "public=acme-public", "--variable", "local_ip_v4=192.0.2.1", "--zone", "UTC"}
	if code, stdout, stderr := compared(equal...); code != exitOK || !strings.Contains(stdout, "no difference") {
		t.Errorf("equal: exit %d %s%s", code, stdout, stderr)
	}
	execute(t, url, `DELETE FROM module`)
	code, stdout, stderr := compared(append(equal, "--json")...)
	var result compare.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatal(err)
	}
	if code != exitFault || stderr != "xmlcurld: the server and the tree differ\n" || result.Equal() {
		t.Errorf("differs: exit %d %s", code, stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "freeswitch.xml"), []byte("<document>\n<section>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := compared(equal...); code != exitFault || !strings.Contains(stderr, "freeswitch.xml:") {
		t.Errorf("damaged: exit %d %s", code, stderr)
	}
}
