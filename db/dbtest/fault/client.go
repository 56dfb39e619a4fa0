package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

// Exhaust takes every connection that a role without privileges can get, those that it has too, and whatever becomes free
// until release is called. It returns when there is none.
func (s *Server) Exhaust(ctx context.Context, role string) (release func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	exhausted := make(chan error, 1)
	var storm sync.WaitGroup
	say := func(err error) {
		select {
		case exhausted <- err:
		default: // nobody listens any more
		}
	}
	storm.Go(func() { say(s.take(ctx, role, func() { say(nil) })) })
	return func() { cancel(); storm.Wait() }, <-exhausted
}

// take takes connections until ctx ends, and says each time that there is none.
func (s *Server) take(ctx context.Context, role string, exhausted func()) error {
	var taken []*pgx.Conn
	defer func() {
		for _, conn := range taken {
			_ = conn.Close(context.Background())
		}
	}()
	owner, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	taken = append(taken, owner)
	for alone := 0; ctx.Err() == nil; { // looks: somebody who is just coming in is not seen at once
		conn, err := s.connectAs(ctx, role)
		if err == nil {
			taken, alone = append(taken, conn), 0
			continue
		}
		var said *pgconn.PgError
		if !errors.As(err, &said) || said.Code != "53300" { // too_many_connections
			return err
		}
		var others int
		if err := owner.QueryRow(ctx, cutOthers(role)).Scan(&others); err != nil {
			return err
		}
		if others > 0 { // their places are up for grabs, and they come again at once
			alone = 0
			continue
		}
		if alone++; alone >= 5 {
			exhausted()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
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

// cutOthers ends all connections of role but the stranger's, and counts them.
func cutOthers(role string) string {
	return `
		SELECT count(pg_terminate_backend(pid))
		FROM pg_stat_activity
		WHERE usename = '` + role + `' AND application_name <> '` + stranger + `'`
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
