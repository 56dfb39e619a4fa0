//go:build linux

package edits

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
	"xmlcurld/internal/fakeswitch"
)

const (
	// provedTime is how long an edit may take at all.
	provedTime = time.Minute
	// restTime is longer than what belongs to one burst of edits.
	restTime = 400 * time.Millisecond
)

// realNode is the world's only node: the real switch.
var realNode = world.Node(0)

// edit is a kind of edit, and how long after COMMIT it was proved.
type edit struct {
	name  string
	limit float64 // ms
	make  func(ctx context.Context, b *bench, tx pgx.Tx) error
	check func(b *bench) error

	one, many []time.Duration
}

func allEdits() []*edit {
	return []*edit{
		{name: "an ACL entry", limit: 300, check: nothing, make: func(ctx context.Context, b *bench, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO acl_entry (list, cidr) VALUES ('carriers', $1)`, fmt.Sprintf("198.18.%d.%d/32", b.made/256, b.made%256))
			return err
		}},
		{name: "a new gateway", limit: 500, check: nothing, make: func(ctx context.Context, b *bench, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO gateway (name, profile, proxy) VALUES ($1, 'external', $2)`, fmt.Sprintf("new%d", b.made), b.carrier.Address())
			return err
		}},
		{name: "a changed gateway", limit: 1000, check: nothing, make: func(ctx context.Context, b *bench, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE gateway SET username = $1 WHERE name = 'plain'`, fmt.Sprintf("account-%d", b.made))
			return err
		}},
		{name: "a changed gateway that registers", limit: 4000, check: isBound, make: func(ctx context.Context, b *bench, tx pgx.Tx) error {
			password := fmt.Sprintf("password-%d", b.made)
			b.carrier.SetPassword(password)
			_, err := tx.Exec(ctx, `UPDATE gateway SET password = $1 WHERE name = 'account'`, password)
			return err
		}},
	}
}

func nothing(*bench) error { return nil }

// isBound sees that the carrier has the registration, and has it by the new password.
func isBound(b *bench) error {
	binding, log, _ := b.carrier.Get()
	if last := log[len(log)-1]; binding == "" || strings.HasSuffix(last, " 0") || !strings.HasPrefix(last, fmt.Sprintf("password-%d ", b.made)) {
		return fmt.Errorf("the carrier has the binding %q after %q", binding, last)
	}
	return nil
}

// insertSwitch makes the world's only node the real switch, at ports that are free, with one profile and two gateways.
func (b *bench) insertSwitch(ctx context.Context) error {
	var ports [2]string
	for i := range ports {
		address, err := rig.FreeAddress()
		if err != nil {
			return err
		}
		_, ports[i], _ = net.SplitHostPort(address) // it is ours: no error
	}
	var rows pgx.Batch
	rows.Queue(`UPDATE node SET rtp_port = int4range(10000, 11000), loglevel = $1 WHERE name = '*'`, rig.LogLevel)
	rows.Queue(`UPDATE node SET local_ip = $2, external_ip = $2, event_socket_port = $3 WHERE name = $1`, realNode, rig.Localhost, ports[0])
	for i, module := range rig.SwitchModules {
		rows.Queue(`INSERT INTO module (name, position) VALUES ($1, $2)`, module, i)
	}
	rows.Queue(`DELETE FROM sip_profile WHERE name <> 'external'`)
	rows.Queue(`UPDATE sip_profile_param SET value = $1 WHERE name = 'sip-port'`, ports[1])
	rows.Queue(`INSERT INTO gateway (name, profile, proxy) VALUES ('plain', 'external', $1)`, b.carrier.Address())
	rows.Queue(`INSERT INTO gateway (name, profile, proxy, realm, username, password, register) VALUES ('account', 'external', $1, $2, 'account', 'none yet', true)`,
		b.carrier.Address(), fakeswitch.RegistrarRealm)
	return b.rows.SendBatch(ctx, &rows).Close()
}

// addSimulated adds the simulated nodes, and returns when they run what the rows say, with what removes them.
func (b *bench) addSimulated(ctx context.Context) (remove func(context.Context) error, err error) {
	rig.Progress("adding %d simulated nodes", b.options.simulated)
	var rows pgx.Batch
	for i := range b.options.simulated {
		s, err := fakeswitch.NewSwitch(fmt.Sprintf("simulated%02d", i), "http://"+b.server.Address+"/xml")
		if err != nil {
			return nil, err
		}
		b.OnClose(func() error { s.Off(); return nil })
		s.Boot()
		rows.Queue(`INSERT INTO node (name, event_socket_port) VALUES ($1, $2)`, s.Name, s.Port())
	}
	if err := b.rows.SendBatch(ctx, &rows).Close(); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := b.rows.Exec(ctx, `DELETE FROM node WHERE name LIKE 'simulated%'`)
		return errors.Join(err, b.proved(ctx, provedTime))
	}, b.proved(ctx, provedTime)
}
