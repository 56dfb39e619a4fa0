//go:build e2e

package e2e

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/fakeswitch"
	"xmlcurld/internal/reconcile"
)

// onlyAsk begin the commands that change nothing.
var onlyAsk = regexp.MustCompile(`^(acl|echo|module_exists|show channels|sofia status|sofia_gateway_data|status|strftime_tz|switchname|uptime|uuid_getvar)( |$)|^fsctl \w+$`)

// told returns the commands that the switch gets while something is done, in order, without those that change nothing. The switch
// itself tells of each.
func (w *world) told(t *testing.T, do func()) (commands []string) {
	t.Helper()
	s, err := dialEventSocket(w.eventSocket, "ClueCon", patience)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := s.command("event plain API"); err != nil {
		t.Fatal(err)
	}
	do()
	w.fs.api(t, "echo over")
	type command struct {
		words    string
		sequence int
	}
	var all []command
	for over := false; !over; {
		m, err := s.receive()
		if err != nil {
			t.Fatal(err)
		}
		words := strings.TrimSpace(m.header["API-Command"] + " " + m.header["API-Command-Argument"])
		sequence, _ := strconv.Atoi(m.header["Event-Sequence"])
		if over = words == "echo over"; !onlyAsk.MatchString(words) {
			all = append(all, command{words, sequence})
		}
	}
	slices.SortFunc(all, func(a, b command) int { return a.sequence - b.sequence })
	for _, c := range all {
		commands = append(commands, c.words)
	}
	return commands
}

// foresee makes an edit, takes it back, and returns what was foreseen meanwhile.
func (w *world) foresee(t *testing.T, statement string) reconcile.Foreseen {
	t.Helper()
	f := reconcile.NewForesight(nil, patience)
	defer f.Close()
	undone := errors.New("undone")
	err := pgx.BeginFunc(t.Context(), w.rows, func(tx pgx.Tx) error {
		err := pgx.BeginFunc(t.Context(), tx, func(edit pgx.Tx) error {
			if _, err := edit.Exec(t.Context(), statement); err != nil {
				return err
			}
			return errors.Join(f.After(t.Context(), edit), undone)
		})
		return errors.Join(err, f.Before(t.Context(), tx))
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	for _, one := range f.Foreseen(t.Context()) {
		if one.Node == node {
			return one
		}
	}
	return reconcile.Foreseen{}
}

// whatIsForeseenIsSent: to foresee an edit tells the switch nothing, and once it is committed the switch gets what was
// foreseen. A call is up, and phones are registered.
func whatIsForeseenIsSent(t *testing.T, w *world) {
	carrier := newRegistrar(t, "first")
	w.edit(t, `INSERT INTO gateway (name, profile, proxy, realm, username, password, register)
		VALUES ('account', 'external', $1, $2, 'account', 'first', true)`, carrier.Address(), fakeswitch.RegistrarRealm)
	w.fs.originate(t, "{origination_caller_id_number=+27123456789}sofia/gateway/account/+27831234567")
	sales.registered(t, w)
	door.registered(t, w)
	for _, tc := range []struct {
		statement     string
		least         string // among what is sent
		calls         []string
		registrations []string
		restart       string
	}{
		{statement: `INSERT INTO gateway (name, profile, proxy) VALUES ('spare', 'external', 'a.example')`, least: "sofia profile external startgw spare"},
		{statement: `UPDATE gateway SET proxy = 'b.example' WHERE name = 'spare'`, least: "sofia profile external killgw spare"},
		{statement: `UPDATE gateway SET profile = 'internal' WHERE name = 'spare'`, least: "sofia profile internal startgw spare"},
		{statement: `DELETE FROM gateway WHERE name = 'spare'`, least: "sofia profile internal killgw spare"},
		{statement: `UPDATE gateway SET caller_id_in_from = true WHERE name = 'account'`, least: "sofia profile external unregister account", calls: []string{"gateway account"}},
		{statement: `INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'hold-music', 'silence')`, least: "sofia profile external rescan"},
		{statement: `INSERT INTO sofia_param (name, value) VALUES ('log-level', '1');
			INSERT INTO gateway (name, profile, proxy) VALUES ('both', 'external', 'a.example')`, least: "sofia profile external rescan"},
		{statement: `DELETE FROM gateway WHERE name = 'both'; DELETE FROM sofia_param WHERE name = 'log-level'`, least: "sofia profile external killgw both"},
		{statement: `UPDATE sip_profile_param SET value = '5999' WHERE profile = 'external' AND name = 'sip-port'`, calls: []string{"profile external"}, restart: "profile external: sip-port"},
		{statement: `INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24')`, least: "reloadacl"},
		{statement: `INSERT INTO module (name) VALUES ('mod_opus')`, least: "load mod_opus"},
		{statement: `DELETE FROM module WHERE name = 'mod_opus'`, least: "unload mod_opus"},
		{statement: `UPDATE node SET max_sessions = 66, sessions_per_second = 28, loglevel = 'info' WHERE name = 'e2e'`, least: "fsctl max_sessions 66"},
		{statement: `UPDATE node SET max_sessions = NULL, sessions_per_second = 29, loglevel = NULL WHERE name = 'e2e'`, least: "fsctl max_sessions 77"},
		{statement: `UPDATE domain_user SET password = 'another' WHERE id = '1001'`, least: "sofia profile internal flush_inbound_reg 1001@acme.example", registrations: []string{"1001@acme.example"}},
		{statement: `UPDATE document SET body = replace(body::text, 'America/Chicago', 'America/Denver')::xml WHERE name = 'timezones.conf'`, least: "reloadxml"},
		{statement: `UPDATE number SET display_name = 'Another' WHERE tenant = 'vumi'`},
	} {
		t.Run(tc.statement, func(t *testing.T) {
			var foreseen reconcile.Foreseen
			if told := w.told(t, func() { foreseen = w.foresee(t, tc.statement) }); len(told) > 0 {
				t.Errorf("to foresee sent %q", told)
			}
			told := w.told(t, func() { w.edit(t, tc.statement) })
			if diff := cmp.Diff(foreseen.Commands, told, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("commands (-foreseen +sent):\n%s", diff)
			}
			if tc.least != "" && !slices.Contains(told, tc.least) {
				t.Errorf("%q is not among %q", tc.least, told)
			}
			var on []string
			for _, c := range foreseen.Calls {
				if on = append(on, c.On); c.Called != "+27831234567" {
					t.Errorf("call: %+v", c)
				}
			}
			if diff := cmp.Diff(tc.calls, on, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("calls (-want +foreseen):\n%s", diff)
			}
			if diff := cmp.Diff(tc.registrations, foreseen.Registrations, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("registrations (-want +foreseen):\n%s", diff)
			}
			if got := strings.Join(foreseen.Restart, "; "); !strings.HasPrefix(got, tc.restart) || tc.restart == "" && got != "" {
				t.Errorf("restart: %q, want %q", got, tc.restart)
			}
			if foreseen.Unknown != "" || len(foreseen.Pending) > 0 {
				t.Errorf("foreseen: %+v", foreseen)
			}
		})
	}
	w.fs.hangUpAll(t)
	w.edit(t, `UPDATE sip_profile_param SET value = $1 WHERE profile = 'external' AND name = 'sip-port'`, strconv.Itoa(w.external))
	w.edit(t, `UPDATE domain_user SET password = 'demo-1001' WHERE id = '1001'`)
	w.edit(t, `DELETE FROM gateway WHERE name = 'account'`)
}
