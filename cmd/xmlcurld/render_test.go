package main

import (
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

func TestRender(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{name: "a configuration document", args: []string{"acl.conf"}, stdout: `<list name="domains" default="deny">`},
		{name: "one profile of one", args: []string{"sofia.conf", "--field", "profile=external", "--field", "reconfig=true"},
			stdout: `<profile name="external">`},
		{name: "a number", args: []string{"number", "+27123456789"}, stdout: `expression="^(\+27123456789)$"`},
		{name: "a user", args: []string{"user", "1000@acme.example"}, stdout: `<user id="1000"`},
		{name: "for a node", args: []string{"acl.conf", "--node", "sw-1"}, stdout: `<configuration name="acl.conf">`},
		{name: "an unknown user", args: []string{"user", "nobody@acme.example"}, code: exitFault,
			stderr: "xmlcurld: render user nobody@acme.example: not found\n"},
		{name: "an unknown document", args: []string{"nothing.conf"}, code: exitFault,
			stderr: "xmlcurld: render nothing.conf: not found\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"render", "--database-url", url}, test.args...)
			code, stdout, stderr := runOnce(t, nil, args...)
			if code != test.code || stderr != test.stderr || !strings.Contains(stdout, test.stdout) {
				t.Errorf("exit %d\n%s%s\nwant exit %d with %q, %q", code, stdout, stderr, test.code, test.stdout, test.stderr)
			}
		})
	}
}

// A gateway whose password is not to be had is not in the document, and that is said.
func TestRenderWithoutASecret(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	execute(t, url, `INSERT INTO gateway (name, profile, proxy, password_from) VALUES ('own', 'external', 'a.example', 'env:OWN')`)
	args := []string{"render", "sofia.conf", "--field", "profile=external", "--database-url", url, "--secrets-env-prefix", "SECRET_"}
	code, stdout, stderr := runOnce(t, nil, args...)
	if code != exitOK || strings.Contains(stdout, `gateway name="own"`) || !strings.Contains(stdout, `gateway name="twilio"`) ||
		!strings.Contains(stderr, "secret env:OWN: no variable SECRET_OWN in the environment") {
		t.Errorf("without it: exit %d, %s%s", code, stderr, stdout)
	}
	code, stdout, stderr = runOnce(t, []string{"SECRET_OWN=its password"}, args...)
	if code != exitOK || stderr != "" || !strings.Contains(stdout, `name="password" value="its password"`) {
		t.Errorf("with it: exit %d, %s%s", code, stderr, stdout)
	}
}
