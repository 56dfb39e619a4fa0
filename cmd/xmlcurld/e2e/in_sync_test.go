//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// storeTimeZones stores timezones.conf.
const storeTimeZones = `INSERT INTO document (name, body) VALUES ('timezones.conf', '<configuration name="timezones.conf"><timezones>
	<zone name="America/Chicago" value="CST6CDT,M3.2.0,M11.1.0"/><zone name="Asia/Tokyo" value="JST-9"/></timezones></configuration>')`

// timeZonesAreInForce although FreeSWITCH reads them before it can ask for them: they were stored before it started.
func timeZonesAreInForce(t *testing.T, w *world) {
	w.wait(t)
	zone := func(name string) string {
		reply, err := w.fs.command("strftime_tz " + name + " 1767225600|%H:%M") // midnight of New Year 2026, UTC
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if got := zone("Asia/Tokyo"); got != "09:00" {
		t.Errorf("after the start: %s", got)
	}
	w.edit(t, `UPDATE document SET body = replace(body::text, 'Asia/Tokyo', 'Asia/Seoul')::xml WHERE name = 'timezones.conf'`)
	if got := zone("Asia/Seoul"); got != "09:00" {
		t.Errorf("after an edit: %s", got)
	}
	if got := zone("Asia/Tokyo"); !strings.Contains(got, "-ERR") {
		t.Errorf("a zone that is no more: %s", got)
	}
}

// aBindingThatWaitsHoldsNothingBack: a host that is taken off its profile's access list is refused at once, and where the
// profile listens and what it tells of that stay.
func aBindingThatWaitsHoldsNothingBack(t *testing.T, w *world) {
	before := elements(t, w.fs.api(t, "sofia xmlstatus profile external"))["url"]
	w.checkGets(t, twilio, nobodysNumber, "404")
	w.edit(t, `INSERT INTO sip_profile_param (profile, name, value) VALUES ('external', 'ws-binding', ':5066')`)
	w.edit(t, `UPDATE sip_profile_param SET value = '5999' WHERE profile = 'external' AND name = 'sip-port'`)
	w.edit(t, `UPDATE sip_profile_param SET value = 'phones' WHERE profile = 'external' AND name = 'apply-inbound-acl'`)
	w.checkGets(t, twilio, nobodysNumber, "403")
	status := elements(t, w.fs.api(t, "sofia xmlstatus profile external"))
	if after := status["url"]; after != before || strings.Contains(status["ws-bind-url"], "5066") {
		t.Errorf("it tells %q and %q, and told %q", after, status["ws-bind-url"], before)
	}
	want := []string{"profile external: sip-port " + fmt.Sprint(w.external) + " -> 5999", "profile external: ws-binding"}
	if got := w.state(t).restart; !slices.Equal(got, want) {
		t.Errorf("restart required: %q, want %q", got, want)
	}
	w.edit(t, `DELETE FROM sip_profile_param WHERE name = 'ws-binding'`)
	w.edit(t, `UPDATE sip_profile_param SET value = $1 WHERE profile = 'external' AND name = 'sip-port'`, fmt.Sprint(w.external))
	w.edit(t, `UPDATE sip_profile_param SET value = 'domains' WHERE profile = 'external' AND name = 'apply-inbound-acl'`)
	w.checkGets(t, twilio, nobodysNumber, "404")
}

// aFetchIsNotATake: a fetch for an unknown queue does not clear what the other queues wait for; loading the module again does.
func aFetchIsNotATake(t *testing.T, w *world) {
	const shows = "callcenter.conf: its module"
	w.sql(t, `INSERT INTO document (name, body) VALUES ('callcenter.conf', '<configuration name="callcenter.conf"><settings/><queues>
		<queue name="support@acme.example"><param name="strategy" value="ring-all"/></queue></queues><agents/><tiers/></configuration>')`)
	w.edit(t, `INSERT INTO module (name, position) VALUES ('mod_callcenter', 96)`)
	strategy := func() string {
		_, row, _ := strings.Cut(w.fs.api(t, "callcenter_config queue list"), "support@acme.example|")
		name, _, _ := strings.Cut(row, "|")
		return name
	}
	w.edit(t, `UPDATE document SET body = replace(body::text, 'ring-all', 'top-down')::xml WHERE name = 'callcenter.conf'`)
	w.awaitRestart(t, shows, true)
	if _, err := w.fs.command("callcenter_config queue load nosuch@acme.example"); err != nil {
		t.Fatal(err)
	}
	w.fs.api(t, "callcenter_config agent reload nobody@acme.example")
	w.wait(t)
	w.awaitRestart(t, shows, true)
	if got := strategy(); got != "ring-all" {
		t.Errorf("the queue runs with %s", got)
	}
	w.fs.api(t, "reload mod_callcenter")
	w.awaitRestart(t, shows, false)
	if got := strategy(); got != "top-down" {
		t.Errorf("loaded again the queue runs with %s", got)
	}
	w.edit(t, `DELETE FROM module WHERE name = 'mod_callcenter'`)
	w.edit(t, `DELETE FROM document WHERE name = 'callcenter.conf'`)
}

// refusedGatewayIsPendingWithTheReason, which is in the switch's log only.
func refusedGatewayIsPendingWithTheReason(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO gateway (name, profile, proxy) VALUES ('secure', 'external', 'a.example')`)
	w.sql(t, `INSERT INTO gateway_param (gateway, name, value) VALUES ('secure', 'register-transport', 'tls')`)
	eventually(t, "it is pending with the reason", func() error {
		s := w.state(t)
		if !slices.Contains(s.pending, "gateway secure: unsupported transport") {
			return fmt.Errorf("pending: %q", s.pending)
		}
		return nil
	})
	w.edit(t, `DELETE FROM gateway_param WHERE gateway = 'secure'`)
	if reply := w.fs.api(t, "sofia xmlstatus gateway secure"); !strings.Contains(reply, "sip:a.example<") {
		t.Error(reply)
	}
	w.edit(t, `DELETE FROM gateway WHERE name = 'secure'`)
}

// known is what the rows tell of the switch.
type known struct{ pending, restart []string }

func (w *world) state(t testing.TB) (s known) {
	t.Helper()
	if err := w.rows.QueryRow(t.Context(), `SELECT pending, restart_required FROM node_state WHERE node = $1`, node).Scan(&s.pending, &s.restart); err != nil {
		t.Fatal(err)
	}
	return s
}

// awaitRestart returns when the node shows, or does not show, that something waits for a restart.
func (w *world) awaitRestart(t testing.TB, what string, shown bool) {
	t.Helper()
	eventually(t, what, func() error {
		if s := w.state(t); slices.Contains(s.restart, what) != shown {
			return fmt.Errorf("restart required: %q", s.restart)
		}
		return nil
	})
}
