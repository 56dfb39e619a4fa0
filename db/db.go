// Package db asks Postgres what FreeSWITCH should be told. It knows rows and no XML; a file of it goes with each file
// of package sections, and holds the row types beside the queries that fill them.
package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// ErrUnavailable says that Postgres cannot be asked now: it is away, starting, full, or too slow for the deadline.
var ErrUnavailable = errors.New("database unavailable")

// session is what each connection sets. The queries are few, prepared, and find their rows by index whatever the
// parameters are.
var session = map[string]string{
	"application_name": "xmlcurld",
	"plan_cache_mode":  "force_generic_plan", // planning for the parameters costs more than the whole query
	"random_page_cost": "1.1",                // or a batch of lookups is taken for reason to read a table whole
	"jit":              "off",
}

// Common is the name of the row in table node that holds what is common to all nodes.
const Common = "*"

// Store asks one database. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	metrics *metrics
	routes  batch[Call, Route]
	users   batch[userName, directory]

	extensions extensionReader
}

// Open makes a Store for url (postgres://… or keywords) and registers its metrics. It does not connect: a database
// that is away answers ErrUnavailable until it is back. The error is about url itself.
func Open(ctx context.Context, url string, reg prometheus.Registerer) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", withoutSecret(err))
	}
	for name, value := range session {
		config.ConnConfig.RuntimeParams[name] = value
	}
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	// A lone call after a quiet time must not wait for a ping first: scan asks again when the connection turns out dead.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	s := &Store{pool: pool, metrics: newMetrics()}
	s.routes.start(s.askRoutes)
	s.users.start(s.askUsers)
	if err := s.metrics.register(reg, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("register the database's metrics: %w", err)
	}
	return s, nil
}

// Beside returns a Store on the same database with a few connections of its own, to be closed by itself: whoever asks it
// takes none from those who answer calls.
func (s *Store) Beside(ctx context.Context) (*Store, error) {
	config := s.pool.Config()
	config.MinConns, config.MaxConns = 0, 2
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	beside := &Store{pool: pool, metrics: s.metrics}
	beside.routes.start(beside.askRoutes)
	beside.users.start(beside.askUsers)
	return beside, nil
}

// Close waits until all questions are answered and closes every connection.
func (s *Store) Close() {
	s.routes.stop()
	s.users.stop()
	s.pool.Close()
}

// Ping asks the database whether it answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate("ping", s.pool.Ping(ctx))
}

// collect runs one query in one round trip and returns its rows, each as a T by the names of its columns.
func collect[T any](ctx context.Context, s *Store, operation, query string, args ...any) ([]T, error) {
	return scan(ctx, s, pgx.RowToStructByName[T], operation, query, args...)
}

// scan is collect for a query of many rows or many times a second: what reads a row is given.
func scan[T any](ctx context.Context, s *Store, row pgx.RowToFunc[T], operation, query string, args ...any) ([]T, error) {
	defer s.metrics.observe(operation, time.Now())
	values, err := ask(ctx, s.pool, row, query, args)
	if err != nil && lost(err) && ctx.Err() == nil {
		s.pool.Reset() // the others have most likely gone the same way
		values, err = ask(ctx, s.pool, row, query, args)
	}
	return values, translate(operation, err)
}

func ask[T any](ctx context.Context, pool *pgxpool.Pool, row pgx.RowToFunc[T], query string, args []any) ([]T, error) {
	rows, err := pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}

// lost reports whether a connection that was thought to live was found dead: Postgres was restarted, or told it to go.
func lost(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code == "57P01" // admin_shutdown
	}
	var refused *pgconn.ConnectError
	return unavailable(err) && !errors.As(err, &refused) && !pgconn.Timeout(err)
}

// translate is the one place that turns the driver's errors into this package's.
func translate(operation string, err error) error {
	if err == nil {
		return nil
	}
	if unavailable(err) {
		return fmt.Errorf("%s: %w: %w", operation, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func unavailable(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &refused) || errors.As(err, &network) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	if scan := (pgx.ScanArgError{}); errors.As(err, &scan) {
		return false // a row came, and is not what the program takes it for
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return true // the connection broke in the middle
	}
	switch said.Code[:2] {
	case "08", // connection exception
		"53", // insufficient resources
		"57", // operator intervention: shutdown, crash, still starting
		"58": // system error
		return true
	}
	return said.Code == "42P01" || said.Code == "42703" // no such table or column: the schema is not migrated
}

// withoutSecret keeps the password of a URL that cannot be parsed out of the error.
func withoutSecret(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("write it as postgres://user:password@host:5432/database")
	}
	return err
}
