package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/fakeswitch"
	"xmlcurld/internal/reconcile"
	"xmlcurld/internal/reconcile/liveswitch"
)

// foresee makes an edit, takes it back, and returns what was foreseen of it for fs1 meanwhile.
func (r *rig) foresee(t *testing.T, statement string) reconcile.Foreseen {
	t.Helper()
	for _, one := range r.foreseeAll(t, statement, patience) {
		if one.Node == "fs1" {
			return one
		}
	}
	return reconcile.Foreseen{}
}

func (r *rig) foreseeAll(t *testing.T, statement string, limit time.Duration) []reconcile.Foreseen {
	t.Helper()
	tx, err := r.connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := reconcile.NewForesight(&r.secrets, limit)
	defer f.Close()
	err = pgx.BeginFunc(t.Context(), tx, func(edit pgx.Tx) error {
		if _, err := edit.Exec(t.Context(), statement); err != nil {
			return err
		}
		if err := f.After(t.Context(), edit); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		t.Fatalf("%s: %v", statement, err)
	}
	if err := errors.Join(f.Before(t.Context(), tx), tx.Rollback(t.Context())); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return f.Foreseen(t.Context())
}

var errUndone = errors.New("undone")

// Edits of several kinds in one transaction: what one command brings along is not sent again.
func TestForeseeEditsTogether(t *testing.T) {
	t.Parallel()
	r, s := newKept(t)
	const statement = `INSERT INTO gateway (name, profile, proxy) VALUES ('a', 'external', 'x'), ('b', 'internal', 'x');
		UPDATE gateway SET proxy = 'y' WHERE name = 'twilio';
		UPDATE sip_profile_param SET value = 'PCMA' WHERE profile = 'external' AND name = 'inbound-codec-prefs';
		INSERT INTO sofia_param (name, value) VALUES ('log-level', '1');
		INSERT INTO sip_profile (name) VALUES ('aaa');
		INSERT INTO sip_profile_param (profile, name, value) VALUES ('aaa', 'sip-port', '5070');
		INSERT INTO gateway (name, profile, proxy) VALUES ('c', 'aaa', 'x');
		INSERT INTO module (name) VALUES ('mod_opus');
		UPDATE node SET max_sessions = 55, loglevel = 'err' WHERE name = 'fs1';
		INSERT INTO acl_entry (list, cidr) VALUES ('domains', '198.51.100.0/24');
		UPDATE domain_user SET caller_id_name = 'Front' WHERE id = '1000'`
	before := len(s.Log())
	foreseen := r.foresee(t, statement)
	r.edit(t, statement)
	if diff := cmp.Diff(foreseen.Commands, sent(s, before)); diff != "" {
		t.Errorf("commands (-foreseen +sent):\n%s", diff)
	}
}

// What is pending anyway is told apart from what the edit brings.
func TestForeseePending(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	r.sql(t, `UPDATE node SET loglevel = 'err' WHERE name = 'fs1'; INSERT INTO gateway (name, profile, proxy) VALUES ('carrier', 'external', 'x')`)
	before := len(s.Log())
	got := r.foresee(t, `DELETE FROM gateway WHERE name = 'twilio'; UPDATE node SET max_sessions = 55`)
	want := reconcile.Foreseen{
		Node: "fs1", Commands: []string{"fsctl max_sessions 55", "sofia profile external killgw twilio"},
		Pending: []string{"sofia profile external startgw carrier"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if told := sent(s, before); len(told) > 0 {
		t.Errorf("sent %q", told)
	}
}

// Of many gateways only those that the edit changes are asked for their revisions.
func TestForeseeAmongManyGateways(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	stop := r.keep(t, "two")
	r.edit(t, `INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', 'x' FROM generate_series(1, 200) n`)
	stop()
	before := s.Did("sofia_gateway_data")
	got := r.foresee(t, `UPDATE gateway SET proxy = 'y' WHERE name = 'many7'; DELETE FROM gateway WHERE name = 'many8'`)
	want := []string{"sofia profile external killgw many8", "sofia profile external killgw many7", "sofia profile external startgw many7"}
	if diff := cmp.Diff(want, got.Commands); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := s.Did("sofia_gateway_data") - before; n > 4 {
		t.Errorf("%d were asked", n)
	}
}

// Calls are up on a gateway that is replaced, and on a profile that has to be restarted.
func TestForeseeCalls(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	s.Set(func() {
		s.Channels = []fakeswitch.Channel{
			{UUID: "1", Direction: "outbound", Name: "sofia/external/+27831234567", Caller: "+27123456789", Called: "+27831234567", Gateway: "twilio"},
			{UUID: "4", Direction: "inbound", Name: "sofia/external/+27841234567@192.0.2.1", Caller: "+27841234567", Called: "+27123456789", Gateway: "twilio"},
			{UUID: "5", Direction: "inbound", Name: "sofia/external/+27851234567@192.0.2.2", Caller: "+27851234567", Called: "+27123456789"},
			{UUID: "2", Direction: "inbound", Name: "sofia/internal/1001@acme.example", Caller: "1001", Called: "1000"},
			{UUID: "3", Name: "loopback/internal-a", Caller: "1001", Called: "1000"},
		}
	})
	for _, tc := range []struct {
		name, statement string
		want            []liveswitch.Call
	}{
		{"gateway", `UPDATE gateway SET proxy = 'x' WHERE name = 'twilio'`,
			[]liveswitch.Call{
				{Channel: "sofia/external/+27831234567", Caller: "+27123456789", Called: "+27831234567", On: "gateway twilio"},
				{Channel: "sofia/external/+27841234567@192.0.2.1", Caller: "+27841234567", Called: "+27123456789", On: "gateway twilio"},
			}},
		{"profile", `UPDATE sip_profile_param SET value = '5099' WHERE profile = 'internal' AND name = 'sip-port'`,
			[]liveswitch.Call{{Channel: "sofia/internal/1001@acme.example", Caller: "1001", Called: "1000", On: "profile internal"}}},
		{"list", `INSERT INTO acl_list (name) VALUES ('guests')`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, r.foresee(t, tc.statement).Calls, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A switch that cannot be asked costs a bounded time, and is said to be unknown.
func TestForeseeUnknown(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	r.sql(t, `INSERT INTO node (name, event_socket_address) VALUES ('gone', '127.0.0.1:1'), ('impostor', $1)`, fmt.Sprintf("127.0.0.1:%d", s.Port()))
	hangs := r.node(t, "hangs")
	hangs.Set(func() { hangs.Faults.Silent = true })
	began := time.Now()
	const limit = 2 * time.Second
	all := r.foreseeAll(t, `INSERT INTO acl_list (name) VALUES ('guests'); INSERT INTO node (name) VALUES ('new')`, limit)
	if took := time.Since(began); took > 8*limit { // two looks, on a busy machine
		t.Errorf("it took %v", took)
	}
	unknown := make(map[string]string)
	for _, f := range all {
		unknown[f.Node] = f.Unknown
		if diff := cmp.Diff(reconcile.Foreseen{}, f, cmpopts.IgnoreFields(f, "Node", "Unknown", "Commands"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", f.Node, diff)
		}
	}
	for node, why := range map[string]string{
		"fs1": "", "gone": "connection refused", "hangs": "no answer within 2s", "impostor": `is that of "fs1"`, "new": "",
	} {
		if got, known := unknown[node]; !known || why != "" && !strings.Contains(got, why) || node == "fs1" && got != "" {
			t.Errorf("%s: %q, want %q", node, got, why)
		}
	}
}

// An edit of what no switch holds in memory has none asked.
func TestForeseeNothing(t *testing.T) {
	t.Parallel()
	r, s := newLeft(t)
	before := len(s.Log())
	if all := r.foreseeAll(t, `UPDATE number SET enabled = false; UPDATE action SET data = 'x'`, patience); len(all) > 0 || len(s.Log()) > before {
		t.Errorf("%+v, and asked %q", all, s.Log()[before:])
	}
}

// A transaction that a look fails in goes on.
func TestForeseeLeavesTheTransaction(t *testing.T) {
	t.Parallel()
	r, _ := newLeft(t)
	tx, err := r.connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := reconcile.NewForesight(&r.secrets, patience)
	defer f.Close()
	if _, err := tx.Exec(t.Context(), `INSERT INTO acl_list (name) VALUES ('guests'); CREATE ROLE nobody_at_all_reconcile; SET LOCAL ROLE nobody_at_all_reconcile`); err != nil {
		t.Fatal(err)
	}
	if err := f.After(t.Context(), tx); err == nil {
		t.Error("rows that may not be read were read")
	}
	var one int
	if err := tx.QueryRow(t.Context(), `SELECT 1`).Scan(&one); err != nil {
		t.Error(err)
	}
}
