package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmlcurld/internal/fakeswitch"
)

// A parameter that waits for a restart is named, and holds nothing else of its profile back: not a list taken away from it.
func TestWhatWaitsForARestartHoldsNothingBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, statement, shows string }{
		{"a binding added", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'ws-binding', ':5066')`, "profile internal: ws-binding"},
		{"a port changed", `UPDATE sip_profile_param SET value = '5099' WHERE profile = 'internal' AND name = 'sip-port'`, "profile internal: sip-port 5060 -> 5099"},
		{"TLS turned on", `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'tls', 'true'), ('internal', 'tls-passphrase', 'words')`,
			"profile internal: tls; profile internal: tls-passphrase"},
		{"an address left out", `DELETE FROM sip_profile_param WHERE profile = 'internal' AND name = 'sip-ip'`, "profile internal: sip-ip $${local_ip_v4} -> none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, s := newKept(t)
			before := advertised(s, "internal")
			r.edit(t, tc.statement)
			r.restartRequired(t, "fs1", tc.shows)
			r.edit(t, `DELETE FROM sip_profile_param WHERE profile = 'internal' AND name = 'apply-inbound-acl';
				INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'apply-inbound-acl', 'none')`)
			after := advertised(s, "internal")
			if after["apply-inbound-acl"] != "none" {
				t.Errorf("the access list is %q", after["apply-inbound-acl"])
			}
			for _, name := range []string{"sip-ip", "sip-port", "ws-binding", "tls", "tls-passphrase"} {
				if after[name] != before[name] {
					t.Errorf("%s was %q, is %q", name, before[name], after[name])
				}
			}
			if got := strings.Join(r.state(t, "fs1").RestartRequired, "; "); got != tc.shows {
				t.Errorf("restart required: %q, want %q", got, tc.shows)
			}
			wantHas(t, s, func() bool { return s.Variables["xmlcurld_rescan"] == "" })
		})
	}
}

// A start sends the same question as a rescan. It gets all parameters, whoever starts.
func TestAStartTakesAllParameters(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	r.edit(t, `UPDATE sip_profile_param SET value = '5099' WHERE profile = 'internal' AND name = 'sip-port'`)
	r.edit(t, `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'hold-music', 'silence')`)
	if port := advertised(s, "internal")["sip-port"]; port != "5060" {
		t.Errorf("it runs at %q", port)
	}
	s.Set(func() { s.Run("sofia profile internal start") })
	if port := advertised(s, "internal")["sip-port"]; port != "5099" {
		t.Errorf("it started at %q", port)
	}
	r.edit(t, `INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'debug', '1')`)
	eventually(t, "what it fetched when it started is recorded", func() error {
		r.edit(t, `UPDATE sip_profile_param SET value = value WHERE profile = 'internal' AND name = 'debug'`)
		if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
			return fmt.Errorf("restart required: %q", all)
		}
		return nil
	})
	s.Set(func() {
		s.Profiles = map[string]bool{"external": true}
		delete(s.Advertised, "internal")
	})
	r.edit(t, `UPDATE sip_profile_param SET value = '5098' WHERE profile = 'internal' AND name = 'sip-port'`) // the keeper starts it
	if port := advertised(s, "internal")["sip-port"]; port != "5098" {
		t.Errorf("the keeper started it at %q", port)
	}
}

// What a server that died in the middle of a rescan left behind is cleared up by the next.
func TestServerDiesWhileItRescans(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	s.Set(func() { s.Variables["xmlcurld_rescan"] = "start-" })
	r.keep(t, "two")
	r.inSync(t)
	wantHas(t, s, func() bool { return s.Variables["xmlcurld_rescan"] == "" })
}

func advertised(s *fakeswitch.Switch, profile string) map[string]string {
	params := make(map[string]string)
	s.Set(func() {
		for name, value := range s.Advertised[profile] {
			params[name] = value
		}
	})
	return params
}

const storeZones = `INSERT INTO document (name, body) VALUES ('timezones.conf', '<configuration name="timezones.conf"><timezones>
	<zone name="America/Chicago" value="CST6CDT,M3.2.0,M11.1.0"/><zone name="Asia/Tokyo" value="JST-9"/></timezones></configuration>')`

// timezones.conf is read before the switch can ask for it.
func TestTimeZones(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sql(t, storeZones)
	s := r.node(t, "fs1")
	wantHas(t, s, func() bool { return !s.Zones["Asia/Tokyo"] })
	r.keep(t, "one")
	r.inSync(t)
	wantHas(t, s, func() bool { return s.Zones["Asia/Tokyo"] && s.Zones["America/Chicago"] })
	wantDid(t, s, "reloadxml", 1)
	r.edit(t, `UPDATE document SET body = replace(body::text, 'Asia/Tokyo', 'Asia/Seoul')::xml WHERE name = 'timezones.conf'`)
	wantHas(t, s, func() bool { return s.Zones["Asia/Seoul"] && !s.Zones["Asia/Tokyo"] })
	s.Boot()
	r.inSync(t)
	wantHas(t, s, func() bool { return s.Zones["Asia/Seoul"] })
	s.Set(func() { s.Faults.Fetches = 1 << 20 })
	r.sql(t, `UPDATE document SET body = replace(body::text, 'Asia/Seoul', 'Asia/Tokyo')::xml WHERE name = 'timezones.conf'`)
	eventually(t, "it is pending", func() error {
		if state := r.state(t, "fs1"); !slices.Contains(state.Pending, "timezones.conf") {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	s.Set(func() { s.Faults.Fetches = 0 })
	r.inSync(t)
	wantHas(t, s, func() bool { return s.Zones["Asia/Tokyo"] })
	r.edit(t, `DELETE FROM document WHERE name = 'timezones.conf'`)
	wantHas(t, s, func() bool { return len(s.Zones) == 0 })
}

// storeModules has two modules read documents that are stored as XML.
const storeModules = `INSERT INTO module (name, position) VALUES ('mod_callcenter', 96), ('mod_voicemail', 97);
	INSERT INTO document (name, body) VALUES
		('callcenter.conf', '<configuration name="callcenter.conf"><queues><queue name="support"><param name="strategy" value="ring-all"/></queue></queues></configuration>'),
		('voicemail.conf', '<configuration name="voicemail.conf"><profiles><profile name="default"><param name="max-login-attempts" value="3"/></profile></profiles></configuration>')`

// A module that fetches its document for something that it does not know goes on with what it has. Only when it is loaded again
// it takes the document.
func TestAFetchIsNotATake(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, document, module, edit string
		fetch                        []string
	}{
		{"a queue", "callcenter.conf", "mod_callcenter", `UPDATE document SET body = replace(body::text, 'ring-all', 'top-down')::xml WHERE name = 'callcenter.conf'`,
			[]string{"Event-Name", "REQUEST_PARAMS", "CC-Queue", "nosuch@acme.example"}},
		{"all queues anew", "callcenter.conf", "mod_callcenter", `UPDATE document SET body = replace(body::text, 'ring-all', 'top-down')::xml WHERE name = 'callcenter.conf'`, nil},
		{"a profile for voicemail", "voicemail.conf", "mod_voicemail", `UPDATE document SET body = replace(body::text, '"3"', '"4"')::xml WHERE name = 'voicemail.conf'`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sql(t, storeModules)
			s := r.node(t, "fs1")
			stop := r.keep(t, "one")
			r.inSync(t)
			shows := tc.document + ": its module"
			r.sql(t, tc.edit)
			r.restartRequired(t, "fs1", shows)
			fetches := r.fetchedAt(t, tc.document)
			s.Set(func() { s.LookFor(tc.document, tc.fetch...) })
			eventually(t, "the fetch is noted", func() error {
				if r.fetchedAt(t, tc.document) == fetches {
					return errors.New("not yet")
				}
				return nil
			})
			r.restartRequired(t, "fs1", shows)
			stop()
			r.keep(t, "two") // whoever takes over knows it as well
			r.restartRequired(t, "fs1", shows)
			s.Set(func() { s.LoadModule(tc.module) })
			eventually(t, "the module took it", func() error {
				r.inSync(t)
				if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
					return fmt.Errorf("restart required: %q", all)
				}
				return nil
			})
		})
	}
}

// A start of the switch takes everything.
func TestAStartIsATake(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sql(t, storeModules)
	s := r.node(t, "fs1")
	r.keep(t, "one")
	r.inSync(t)
	r.sql(t, `UPDATE document SET body = replace(body::text, 'ring-all', 'top-down')::xml WHERE name = 'callcenter.conf'`)
	r.restartRequired(t, "fs1", "callcenter.conf: its module")
	s.Boot()
	eventually(t, "the start took it", func() error {
		r.inSync(t)
		if all := r.state(t, "fs1").RestartRequired; len(all) > 0 {
			return fmt.Errorf("restart required: %q", all)
		}
		return nil
	})
}

// fetchedAt is when any part of a document was fetched last.
func (r *rig) fetchedAt(t *testing.T, document string) (at string) {
	t.Helper()
	if err := r.conn.QueryRow(t.Context(), `SELECT coalesce(max(at)::text, '') FROM node_fetch WHERE document = $1`, document).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// A gateway that the switch refuses in its log only is pending with the reason, is tried less and less, and at once when it or
// its profile is another.
func TestRefusedGateway(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	s.Set(func() { s.Faults.Unsupported = "tls" })
	const refused = "gateway carrier: unsupported transport"
	pending := func() {
		t.Helper()
		eventually(t, "it is pending", func() error {
			state := r.state(t, "fs1")
			if !slices.Contains(state.Pending, refused) || !strings.Contains(state.LastError, "unsupported transport") {
				return fmt.Errorf("%+v", state)
			}
			return nil
		})
	}
	starts := func() int { return s.Did("sofia profile external startgw carrier") }
	r.sql(t, `INSERT INTO gateway (name, profile, proxy) VALUES ('carrier', 'external', 'x');
		INSERT INTO gateway_param (gateway, name, value) VALUES ('carrier', 'register-transport', 'tls')`)
	pending()
	before := starts()
	looks := s.Did("sofia status gateway")
	eventually(t, "it is looked at again and again", func() error {
		if n := s.Did("sofia status gateway") - looks; n < 4 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
	if n := starts() - before; n > 2 { // once more, and once for the reason
		t.Errorf("it was started %d times in four looks", n)
	}
	pending()
	before = starts()
	r.sql(t, `UPDATE sip_profile_param SET value = 'PCMA' WHERE profile = 'external' AND name = 'inbound-codec-prefs'`)
	eventually(t, "it is tried when its profile is another", func() error {
		if starts() == before {
			return errors.New("not yet")
		}
		return nil
	})
	pending()
	r.edit(t, `DELETE FROM gateway_param WHERE gateway = 'carrier'`)
	wantHas(t, s, func() bool { return s.Gateways["carrier"].Revision != "" })
}

// What a switch says may be any bytes. The state is saved all the same.
func TestAnErrorThatIsNoText(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	s.Set(func() { s.Faults.Refusal = "-ERR bad \xe9 \x00 bytes\n" })
	s.Set(func() { s.Faults.DoesNotLoad = "mod_opus" })
	r.sql(t, `INSERT INTO module (name) VALUES ('mod_opus')`)
	eventually(t, "it is told", func() error {
		if state := r.state(t, "fs1"); !strings.Contains(state.LastError, "bad \uFFFD \uFFFD bytes") {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
}
