//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

// node is the switchname. It has a row of its own, which overrides one of the common columns.
const node = "e2e"

// Addresses of those who are not the switch. All of them are loopback, as in the demo world only localhost is allowed.
const (
	localhost = "127.0.0.1" // the switch, and callers that the list domains allows
	outsider  = "127.0.0.2" // on no list; also where the carriers are
	newcomer  = "127.0.0.3" // on no list until it is put there
	phones    = "127.0.0.4"
)

// world is the demo world come true: its database, two servers that answer from it, and the switch that asks them.
type world struct {
	rows          *pgx.Conn
	first, second *server
	fs            *freeSWITCH
	eventSocket   string       // of the switch, as the rows have it
	application   *application // where the action socket of twilio.inbound leads
	trunk         party        // where the gateway twilio leads
	external      int          // SIP port for carriers
	internal      int          // SIP port for phones
	rtp           ports
	nasty         string // a value of everything that could go wrong on its way
	spoor         string // the file that nasty makes if it runs
}

// ports is a range, both ends included.
type ports struct{ first, last int }

// newWorld returns when all of it runs. The switch asks the servers at the URLs that way makes of theirs.
func newWorld(t *testing.T, way func(url string) string) *world {
	w := newRows(t)
	w.makeNasty(t)
	w.sql(t, storeTimeZones)
	w.first.start(t)
	w.second.start(t)
	w.fs = startFreeSWITCH(t, w.eventSocket, way(w.first.url()), way(w.second.url()))
	return w
}

// newRows is a world of which nothing runs yet but the database.
func newRows(t *testing.T) *world {
	url := dbtest.DemoURL(t)
	w := &world{
		rows:        connect(t, url),
		application: newApplication(t),
		trunk:       party{ip: outsider, port: freePort(t, outsider)},
		external:    freePort(t, localhost),
		internal:    freePort(t, localhost),
		rtp:         freePorts(t, 101), // calls that waited for a server are answered all at once
		spoor:       filepath.Join(t.TempDir(), "spoor"),
	}
	w.nasty = nastyValue(w.spoor)
	eventSocket := freePort(t, localhost)
	w.eventSocket = fmt.Sprintf("%s:%d", localhost, eventSocket)
	w.putOnFreePorts(t, eventSocket)
	program := buildServer(t)
	w.first, w.second = newServer(t, program, url), newServer(t, program, url)
	return w
}

// putOnFreePorts edits the demo world as an operator would whose ports are taken, and limits the switch in a way that
// is nobody's default.
func (w *world) putOnFreePorts(t *testing.T, eventSocket int) {
	w.sql(t, `UPDATE node SET event_socket_port = $1, rtp_port = int4range($2, $3, '[]'), max_sessions = 77 WHERE name = '*'`,
		eventSocket, w.rtp.first, w.rtp.last)
	w.sql(t, `INSERT INTO node (name, sessions_per_second) VALUES ($1, 29)`, node)
	w.sql(t, `UPDATE sip_profile_param SET value = $1 WHERE profile = 'external' AND name = 'sip-port'`, fmt.Sprint(w.external))
	w.sql(t, `UPDATE sip_profile_param SET value = $1 WHERE profile = 'internal' AND name = 'sip-port'`, fmt.Sprint(w.internal))
	w.sql(t, `INSERT INTO switch_variable (name, value, expand) VALUES ('hold_music', 'local_stream://$${music}', true), ('music', 'e2e', false)`)
	w.sql(t, `INSERT INTO sip_profile_param (profile, name, value, expand) VALUES ('internal', 'hold-music', '$${hold_music}', true)`)
	w.sql(t, `UPDATE gateway SET proxy = $1 WHERE name = 'twilio'`, w.trunk.address())
	w.sql(t, `UPDATE action SET data = $1 WHERE extension = 'twilio.inbound' AND application = 'socket'`, w.application.address()+" async full")
}

// sql executes one statement on the rows.
func (w *world) sql(t testing.TB, statement string, args ...any) {
	t.Helper()
	tag, err := w.rows.Exec(context.Background(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if tag.RowsAffected() == 0 {
		t.Fatalf("%s: no row was affected", statement)
	}
}

// settings reads two text columns as name and value.
func (w *world) settings(t testing.TB, query string, args ...any) map[string]string {
	t.Helper()
	settings := map[string]string{}
	rows, _ := w.rows.Query(context.Background(), query, args...)
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error { settings[name] = value; return nil }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return settings
}

func connect(t *testing.T, url string) *pgx.Conn {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Single ports come from above those of freePorts and from below those that FreeSWITCH or the kernel takes when nobody
// says which: nobody else is given one of them before it is listened at.
const firstSingle, singles = 15000, 1300

// given is how many single ports were looked at, from a random one on: each is given once.
var given atomic.Int64

var randomSingle = rand.Int64N(singles)

// freePort finds a port that is free for UDP and TCP.
func freePort(t testing.TB, ip string) int {
	t.Helper()
	for range singles {
		port := firstSingle + int((randomSingle+given.Add(1))%singles)
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = l.Close()
		if isFree(ip, port) {
			return port
		}
	}
	t.Fatalf("no free port on %s", ip)
	return 0
}

// freePorts finds n UDP ports in a row, from an even one, outside the range that FreeSWITCH takes when nobody says
// which, and outside that of the kernel.
func freePorts(t testing.TB, n int) ports {
	t.Helper()
	for range 100 {
		p := ports{first: 10000 + 2*rand.IntN(2400)}
		p.last = p.first + n - 1
		free := true
		for port := p.first; port <= p.last; port++ {
			free = free && isFree(localhost, port)
		}
		if free {
			return p
		}
	}
	t.Fatalf("no %d free ports in a row on %s", n, localhost)
	return ports{}
}

func isFree(ip string, port int) bool {
	c, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", ip, port))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
