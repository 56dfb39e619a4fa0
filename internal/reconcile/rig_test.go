package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/fakeswitch"
	"xmlcurld/internal/reconcile"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// patience is for what takes a second at most on a machine that has time.
const patience = time.Minute

// rig is the demo world with what keeps switches in sync.
type rig struct {
	url      string
	conn     *pgx.Conn
	secrets  laterSecrets
	store    *table.Store
	recorder *switchstate.Recorder
	answers  *httptest.Server
}

// laterSecrets are secrets that a test may set when the Store is there already.
type laterSecrets struct{ Resolver db.Secrets }

func (s *laterSecrets) Resolve(reference string) (string, error) {
	if s.Resolver == nil {
		return "", errors.New("secret " + reference + ": nobody knows it here")
	}
	return s.Resolver.Resolve(reference)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{url: dbtest.DemoURL(t)}
	r.conn = r.connect(t)
	registry := prometheus.NewRegistry()
	store, err := table.Open(t.Context(), r.url, registry)
	if err != nil {
		t.Fatal(err)
	}
	r.store = store
	t.Cleanup(store.Close)
	r.recorder = switchstate.NewRecorder(store.DB())
	t.Cleanup(r.recorder.Close)
	r.answers = httptest.NewServer(xmlcurl.NewServer(xmlcurl.Options{
		Handler: sections.New(db.NewRulebook(store, &r.secrets), r.recorder), Log: slog.New(slog.DiscardHandler), Registerer: registry,
		Deadline: 5 * time.Second, BodyLimit: 1 << 20, AnswerLimit: 16 << 20,
	}))
	t.Cleanup(r.answers.Close)
	return r
}

func (r *rig) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (r *rig) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := r.conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// node inserts a node and boots its switch.
func (r *rig) node(t *testing.T, name string) *fakeswitch.Switch {
	t.Helper()
	s := newSwitch(t, name, r.answers.URL+"/xml")
	r.sql(t, `INSERT INTO node (name, event_socket_port) VALUES ($1, $2)`, name, s.Port())
	s.Boot()
	return s
}

// newKept is a rig with one node, fs1, which server one keeps in sync.
func newKept(t *testing.T) (*rig, *fakeswitch.Switch) {
	t.Helper()
	r, s, _ := newInSync(t)
	return r, s
}

// newLeft is a rig with one node, fs1, which is in sync, and whose server has stopped.
func newLeft(t *testing.T) (*rig, *fakeswitch.Switch) {
	t.Helper()
	r, s, stop := newInSync(t)
	stop()
	return r, s
}

func newInSync(t *testing.T) (r *rig, s *fakeswitch.Switch, stop func()) {
	t.Helper()
	r = newRig(t)
	s = r.node(t, "fs1")
	stop = r.keep(t, "one")
	r.inSync(t)
	return r, s, stop
}

func newSwitch(t *testing.T, name, server string) *fakeswitch.Switch {
	t.Helper()
	s, err := fakeswitch.NewSwitch(name, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Off)
	return s
}

// quick is a pace at which tests are over soon.
var quick = reconcile.Pace{Look: 200 * time.Millisecond, Ask: 15 * time.Second, Away: time.Second}

// keep runs a keeper until the function that it returns is called, or the test ends.
func (r *rig) keep(t *testing.T, server string) (stop func()) {
	t.Helper()
	return r.keepAt(t, server, quick)
}

func (r *rig) keepAt(t *testing.T, server string, pace reconcile.Pace) (stop func()) {
	t.Helper()
	rows := r.store.Isolated(t.Context())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	state := switchstate.New(db.NewRulebook(rows, &r.secrets), rows)
	keeper := reconcile.New(state, reconcile.Options{
		Server: server, Log: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Pace: pace,
	})
	go func() {
		defer close(ended)
		keeper.Run(ctx)
		rows.Close()
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// listened is nil when a keeper hears of edits.
func (r *rig) listened(t *testing.T) error {
	t.Helper()
	var listening bool
	if err := r.conn.QueryRow(t.Context(), `
		SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN xmlcurld' AND state = 'idle')
	`).Scan(&listening); err != nil {
		t.Fatal(err)
	}
	if !listening {
		return errors.New("nobody listens")
	}
	return nil
}

// state returns what is known of a node.
func (r *rig) state(t *testing.T, node string) switchstate.NodeState {
	t.Helper()
	states, err := switchstate.NodeStates(context.WithoutCancel(t.Context()), r.store.DB())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if s.Node == node {
			return s
		}
	}
	t.Fatalf("no node %s", node)
	return switchstate.NodeState{}
}

// inSync waits until all nodes run what is committed.
func (r *rig) inSync(t *testing.T) {
	t.Helper()
	since, err := switchstate.AskForLook(t.Context(), r.store.DB())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all nodes are in sync", func() error {
		states, err := switchstate.NodeStates(t.Context(), r.store.DB())
		if err != nil {
			return err
		}
		for _, s := range states {
			if s.LookedAt == nil || s.LookedAt.Before(since) || len(s.Pending) > 0 || s.LastError != "" || s.Unattended {
				return fmt.Errorf("%+v", s)
			}
		}
		return nil
	})
}

// edit edits, and waits until all nodes run it.
func (r *rig) edit(t *testing.T, statement string, args ...any) {
	t.Helper()
	r.sql(t, statement, args...)
	r.inSync(t)
}

// wantServer wants server to take care of fs1.
func (r *rig) wantServer(t *testing.T, server string) {
	t.Helper()
	if got := r.state(t, "fs1").Server; got != server {
		t.Errorf("%q takes care, want %q", got, server)
	}
}

// has is nil when something is so on the switch.
func has(s *fakeswitch.Switch, holds func() bool) error {
	held := false
	s.Set(func() { held = holds() })
	if held {
		return nil
	}
	return fmt.Errorf("not so after %q", s.Told())
}

func wantHas(t *testing.T, s *fakeswitch.Switch, holds func() bool) {
	t.Helper()
	if err := has(s, holds); err != nil {
		t.Error(err)
	}
}

// wantDid wants the switch to have been told n times what begins with words.
func wantDid(t *testing.T, s *fakeswitch.Switch, words string, n int) {
	t.Helper()
	if got := s.Did(words); got != n {
		t.Errorf("%d times %q, want %d", got, words, n)
	}
}

// eventually waits until check finds no fault.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s: %v", patience, what, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// restartRequired waits until a node shows that it has to be restarted for what begins so.
func (r *rig) restartRequired(t *testing.T, node, what string) {
	t.Helper()
	r.inSync(t)
	if all := strings.Join(r.state(t, node).RestartRequired, "; "); !strings.Contains(all, what) {
		t.Errorf("restart required: %q, want %q among it", all, what)
	}
}
