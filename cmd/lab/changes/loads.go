//go:build linux

package changes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
)

// load is a way to load numbers, and how long it took in each round.
type load struct {
	name       string
	make       func(ctx context.Context, b *bench, conn *pgx.Conn) error
	own, other []time.Duration
}

const (
	// database is what numbers are loaded into.
	database      = "loaded"
	numberColumns = `context, number, tenant, extension, forward_number, display_name`
)

// numbersSQL reads the numbers that the large world has and the small one lacks.
func (o options) numbersSQL() string {
	return fmt.Sprintf(`
		SELECT 'public', '+271' || to_char(n, 'FM00000000'), 't' || to_char(n %% %d + 1, 'FM0000'), 'inbound',
			'+272' || to_char(n, 'FM00000000'), 'Line ' || to_char(n, 'FM00000000')
		FROM generate_series(1, %d) n`, o.sizes.Tenants, o.sizes.Numbers)
}

func allLoads() []*load {
	return []*load{
		{name: "INSERT", make: func(ctx context.Context, b *bench, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `INSERT INTO number (`+numberColumns+`)`+b.options.numbersSQL())
			return err
		}},
		{name: "COPY", make: func(ctx context.Context, b *bench, conn *pgx.Conn) error {
			_, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(b.copied), `COPY number (`+numberColumns+`) FROM STDIN`)
			return err
		}},
	}
}

// measureLoads loads numbers in every round in each way, by turns into the world of this build and of the other one. The
// build that comes first changes from round to round.
func (b *bench) measureLoads(ctx context.Context) error {
	if b.options.loads == 0 {
		return nil
	}
	if err := b.readNumbers(ctx); err != nil {
		return err
	}
	own, other := world.OwnTables(), world.Tables{}
	if b.options.against != "" {
		var err error
		if other, err = world.TablesOf(b.options.against); err != nil {
			return err
		}
	}
	for r := range b.options.loads {
		rig.Progress("loads, round %d of %d", r+1, b.options.loads)
		for _, l := range b.loads {
			turns := []struct {
				tables world.Tables
				times  *[]time.Duration
			}{{own, &l.own}, {other, &l.other}}
			if b.options.against == "" {
				turns = turns[:1]
			}
			for i := range turns {
				turn := turns[(i+r)%len(turns)]
				took, err := b.measureLoad(ctx, l, turn.tables)
				if err != nil {
					return fmt.Errorf("load by %s: %w", l.name, err)
				}
				*turn.times = append(*turn.times, took)
			}
		}
	}
	return nil
}

// readNumbers reads what COPY is to load.
func (b *bench) readNumbers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, b.full)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var rows bytes.Buffer
	_, err = conn.PgConn().CopyTo(ctx, &rows, `COPY (`+b.options.numbersSQL()+`) TO STDOUT`)
	b.copied = rows.Bytes()
	return err
}

// measureLoad loads numbers into a copy of the small world, and returns how long it took until they were committed.
func (b *bench) measureLoad(ctx context.Context, l *load, in world.Tables) (took time.Duration, err error) {
	url, err := world.Copy(ctx, b.Cluster, b.few(), in, database)
	if err != nil {
		return 0, err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	// Neither pays for what was written before.
	if _, err := conn.Exec(ctx, `CHECKPOINT`); err != nil {
		return 0, err
	}
	began := time.Now()
	err = l.make(ctx, b, conn)
	return time.Since(began), err
}
