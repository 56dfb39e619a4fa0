package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Cut ends all connections of role, as an operator, a pooler or a firewall does.
func (s *Server) Cut(ctx context.Context, role string) error {
	return s.Execute(ctx, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '`+role+`'`)
}

// RefuseWrites makes all transactions read-only, as those who host databases do when a disk is almost full; with refuse
// false it takes that back. Transactions of connections that are there are refused from their next on.
func (s *Server) RefuseWrites(ctx context.Context, refuse bool) error {
	setting := `ALTER SYSTEM RESET default_transaction_read_only`
	if refuse {
		setting = `ALTER SYSTEM SET default_transaction_read_only = on`
	}
	for _, statement := range []string{setting, `SELECT pg_reload_conf()`} {
		if err := s.Execute(ctx, "postgres", statement); err != nil {
			return err
		}
	}
	return nil
}

// Exhaust takes every connection that a role without privileges can get, cutting off its own first, and returns what
// gives them back.
func (s *Server) Exhaust(ctx context.Context, role string) (release func(), err error) {
	var taken []*pgx.Conn
	release = func() {
		for _, conn := range taken {
			_ = conn.Close(context.Background())
		}
	}
	full := time.Time{}
	for { // until there has been none to take for a while, in which those that were cut off would have come back
		conn, err := s.connectAs(ctx, role)
		if err == nil {
			taken, full = append(taken, conn), time.Time{}
			continue
		}
		var said *pgconn.PgError
		if !errors.As(err, &said) || said.Code != "53300" { // too_many_connections
			return release, err
		}
		if full.IsZero() {
			full = time.Now()
			if err := s.cutOthers(ctx, role); err != nil {
				return release, err
			}
		}
		if time.Since(full) > 50*time.Millisecond {
			return release, nil
		}
	}
}

const stranger = "stranger"

func (s *Server) connectAs(ctx context.Context, role string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	config.User = role
	config.RuntimeParams["application_name"] = stranger
	return pgx.ConnectConfig(ctx, config)
}

func (s *Server) cutOthers(ctx context.Context, role string) error {
	return s.Execute(ctx, "postgres", `
		SELECT pg_terminate_backend(pid)
		FROM pg_stat_activity
		WHERE usename = '`+role+`' AND application_name <> '`+stranger+`'`)
}

// Lock locks a table against everybody, readers too, as a migration by hand does, and returns what lets it go. The
// standby replays the lock.
func (s *Server) Lock(ctx context.Context, database, table string) (unlock func(), err error) {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = conn.Close(context.Background()) } // which ends the transaction
	if _, err := conn.Exec(ctx, `BEGIN; LOCK TABLE `+table+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		unlock()
		return nil, fmt.Errorf("lock %s: %w", table, err)
	}
	return unlock, nil
}
