package db_test

import (
	"errors"
	"testing"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/switchstate"
)

// known are secrets by their references.
type known map[string]string

func (k known) Resolve(reference string) (string, error) {
	if secret, ok := k[reference]; ok {
		return secret, nil
	}
	return "", errors.New("secret " + reference + ": unknown")
}

// A node's own password or reference goes before the common one, whichever of the two either is.
func TestEventSocketPassword(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn := dbtest.Connect(t, url)
	store := dbtest.Open(t, url)
	rules := db.NewRulebook(store, known{"file:own": "from own", "env:COMMON": "from common"})
	state := switchstate.New(rules, store)
	if _, err := conn.Exec(t.Context(), `INSERT INTO node (name) VALUES ('fs1')`); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, own, common, password, fault string }{
		{"common", "", "event_socket_password = 'plain'", "plain", ""},
		{"own", "event_socket_password = 'mine'", "event_socket_password = 'plain'", "mine", ""},
		{"common reference", "", "event_socket_password_from = 'env:COMMON'", "from common", ""},
		{"own reference, common password", "event_socket_password_from = 'file:own'", "event_socket_password = 'plain'", "from own", ""},
		{"own password, common reference", "event_socket_password = 'mine'", "event_socket_password_from = 'env:COMMON'", "mine", ""},
		{"two references", "event_socket_password_from = 'file:own'", "event_socket_password_from = 'env:COMMON'", "from own", ""},
		{"a reference to nothing", "event_socket_password_from = 'file:gone'", "event_socket_password = 'plain'", "", "secret file:gone: unknown"},
		{"none", "", "", "", ""},
	} {
		for node, setting := range map[string]string{"fs1": tc.own, "*": tc.common} {
			if _, err := conn.Exec(t.Context(), `UPDATE node SET event_socket_password = NULL, event_socket_password_from = NULL WHERE name = $1`, node); err != nil {
				t.Fatal(err)
			}
			if setting == "" {
				continue
			}
			if _, err := conn.Exec(t.Context(), `UPDATE node SET `+setting+` WHERE name = $1`, node); err != nil {
				t.Fatal(err)
			}
		}
		nodes, err := state.Nodes(t.Context(), "fs1")
		if err != nil || len(nodes) != 1 || nodes[0].Password != tc.password || nodes[0].Fault != tc.fault {
			t.Errorf("%s: the keeper has %+v, %v", tc.name, nodes, err)
		}
		settings, err := rules.EventSocket(t.Context(), "fs1")
		if err != nil || !settings.NodeKnown {
			t.Fatalf("%s: %+v, %v", tc.name, settings, err)
		}
		told := ""
		for _, s := range settings.Value {
			if s.Name == "password" {
				told = s.Value
			}
		}
		if told != tc.password {
			t.Errorf("%s: FreeSWITCH is told %q, want %q", tc.name, told, tc.password)
		}
	}
}

// A gateway's password from elsewhere is as good as one in its row, its revision tells when it is another, and one that
// is not to be had takes its gateway, and no other, out of the answer.
func TestGatewayPassword(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	secrets := known{"file:own": "first"}
	conn, rules := dbtest.Connect(t, url), db.NewRulebook(dbtest.Open(t, url), secrets)
	if _, err := conn.Exec(t.Context(), `INSERT INTO gateway (name, profile, proxy, username, register, password_from) VALUES
		('own', 'external', 'a.example', 'u', true, 'file:own'), ('gone', 'external', 'a.example', 'u', true, 'file:gone')`); err != nil {
		t.Fatal(err)
	}
	look := func() (password, revision string) {
		t.Helper()
		sofia, err := rules.Sofia(t.Context(), "fs1", "external", "")
		if err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, g := range sofia.Value.Profiles[0].Gateways {
			names += g.Name + " "
			for _, s := range g.Settings {
				switch {
				case g.Name == "own" && s.Name == "password":
					password = s.Value
				case g.Name == "own" && s.Name == db.RevisionVariable:
					revision = s.Value
				}
			}
		}
		if names != "own twilio " {
			t.Errorf("gateways: %s", names)
		}
		all, err := rules.GatewayRevisions(t.Context(), "fs1")
		if err != nil || len(all) != 3 || all[0].Name != "gone" || all[0].Fault != "secret file:gone: unknown" || all[1].Revision != revision {
			t.Errorf("%+v, %v, want revision %s", all, err, revision)
		}
		return password, revision
	}
	password, revision := look()
	secrets["file:own"] = "second"
	newPassword, newRevision := look()
	if password != "first" || newPassword != "second" || revision == newRevision {
		t.Errorf("%s in %s, then %s in %s", password, revision, newPassword, newRevision)
	}
	if _, again := look(); again != newRevision {
		t.Errorf("revision %s, then %s of the same", newRevision, again)
	}
}
