package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Moment is one moment of a database, as one transaction sees it.
type Moment struct {
	Tx      pgx.Tx
	Standby bool
	WAL     WALPosition // where the host was just before
	InStep  time.Time   // what the host shows is not older than this, by this machine's clock

	hosts *hosts
	host  *host
}

// Outdated reports whether the moment shows less than was seen elsewhere.
func (m *Moment) Outdated() bool { return m.hosts.outdated(m.host) }

// AtOneMoment calls read with a transaction of the host that is asked first. It has a connection of its own, which waits
// for no call and which no call waits for.
func (d *DB) AtOneMoment(ctx context.Context, read func(ctx context.Context, m *Moment) error) error {
	h := d.hosts.best()
	conn, err := h.moments.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	now, err := look(ctx, conn) // before the moment, which therefore shows all of it
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	host := now.after(h.role.Load())
	return read(ctx, &Moment{tx, host.standby, host.wal, host.inStepAt, d.hosts, h})
}

// Remember takes note that a primary was seen at p, unless something newer was.
func (d *DB) Remember(p WALPosition) { d.hosts.seen.remember(p) }
