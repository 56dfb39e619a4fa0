package schema

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Ports is a range of ports, both ends included. The zero value is none.
type Ports struct{ First, Last int32 }

// LoadDemo executes the SQL of the demo world if the database at url holds nothing of anybody's yet, and says whether
// it did. Its node row gets the RTP ports, if there are any, and as many sessions as there are even ones. Of several programs
// that try at once, one loads it.
func LoadDemo(ctx context.Context, url, demo string, rtp Ports) (loaded bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, fmt.Errorf("load demo: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		loaded, err = loadDemo(ctx, tx, demo, rtp)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("load demo: %w", err)
	}
	return loaded, nil
}

func loadDemo(ctx context.Context, tx pgx.Tx, demo string, rtp Ports) (bool, error) {
	const (
		lock  = `LOCK TABLE tenant IN SHARE ROW EXCLUSIVE MODE`
		empty = `
			SELECT NOT EXISTS (SELECT FROM tenant)
			   AND NOT EXISTS (SELECT FROM sip_profile)
			   AND NOT EXISTS (SELECT FROM module)`
		ports = `
			UPDATE node SET rtp_port = int4range($1, $2, '[]'), max_sessions = greatest(1, $2::integer / 2 - ($1::integer + 1) / 2 + 1)
			WHERE name = '*'`
	)
	if _, err := tx.Exec(ctx, lock); err != nil {
		return false, err
	}
	var free bool
	if err := tx.QueryRow(ctx, empty).Scan(&free); err != nil || !free {
		return false, err
	}
	if _, err := tx.Exec(ctx, demo); err != nil { // no arguments: the simple protocol, which takes many statements
		return false, err
	}
	if rtp == (Ports{}) {
		return true, nil
	}
	_, err := tx.Exec(ctx, ports, rtp.First, rtp.Last)
	return true, err
}
