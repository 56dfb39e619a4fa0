package reconcile_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xmlcurld/db/switchstate"
	"xmlcurld/internal/reconcile"
)

// A node that is reached at another's address is not touched.
func TestAnothersAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.sql(t, `INSERT INTO node (name, event_socket_port) SELECT 'fs2', event_socket_port FROM node WHERE name = 'fs1'`)
	r.sql(t, `INSERT INTO module (node, name) VALUES ('fs2', 'mod_opus')`)
	r.keep(t, "one")
	eventually(t, "it is told", func() error {
		if state := r.state(t, "fs2"); state.Reachable || !strings.Contains(state.LastError, `is that of "fs1"`) {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	eventually(t, "the other is in sync", func() error {
		if state := r.state(t, "fs1"); state.LookedAt == nil || len(state.Pending) > 0 {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	if s.Did("load") != 0 {
		t.Error("the other's module was loaded")
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.node(t, "fs1")
	r.keepAt(t, "one", reconcile.Pace{Look: quick.Look, Ask: time.Second, Away: quick.Away})
	r.inSync(t)
	s.Set(func() { s.Faults.Silent = true })
	r.sql(t, carrier)
	eventually(t, "the node is not reachable", func() error {
		if r.state(t, "fs1").Reachable {
			return errors.New("reachable")
		}
		return nil
	})
	s.Set(func() { s.Faults.Silent = false })
	r.inSync(t)
}

// A switch that is not there is tried less and less, and at once when its row changes, when it fetches a document, or when
// somebody waits for it.
func TestAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	beside := r.node(t, "fs2")
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = away.Close() })
	var tried atomic.Int32
	go func() {
		for {
			conn, err := away.Accept()
			if err != nil {
				return
			}
			tried.Add(1)
			_ = conn.Close()
		}
	}()
	r.sql(t, `INSERT INTO node (name, event_socket_port) VALUES ('fs1', $1)`, away.Addr().(*net.TCPAddr).Port)
	r.keepAt(t, "one", reconcile.Pace{Look: 20 * time.Millisecond, Ask: quick.Ask, Away: 100 * time.Hour})
	eventually(t, "edits are listened for", func() error { return r.listened(t) })
	tries := func(atLeast int32) int32 {
		t.Helper()
		eventually(t, "it is tried", func() error {
			if got := tried.Load(); got < atLeast {
				return fmt.Errorf("tried %d times, not %d", got, atLeast)
			}
			return nil
		})
		looks := beside.Did("uptime")
		eventually(t, "time passes", func() error {
			if now := beside.Did("uptime"); now < looks+10 {
				return fmt.Errorf("%d looks at the other", now-looks)
			}
			return nil
		})
		return tried.Load()
	}
	before := tries(1)
	if before > 2 { // once at the start, and once more if edits were listened for only after that
		t.Fatalf("tried %d times at the start", before)
	}
	for n, cause := range []func(){
		func() { r.sql(t, `UPDATE node SET note = 'x' WHERE name = 'fs1'`) },
		func() {
			form := "hostname=fs1&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf"
			answer, err := http.Post(r.answers.URL+"/xml", "application/x-www-form-urlencoded", strings.NewReader(form))
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
		},
		func() {
			if _, err := switchstate.AskForLook(t.Context(), r.store.DB()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		cause()
		if got := tries(before + 1); got != before+1 {
			t.Fatalf("tried %d times more, at cause %d, counted from 0", got-before, n)
		}
		before++
	}
}
