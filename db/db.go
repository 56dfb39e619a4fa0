// Package db asks Postgres what FreeSWITCH should be told. It knows rows and no XML; a file of it goes with each file
// of package sections, and holds the row types beside the queries that fill them.
package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/internal/pace"
)

// ErrUnavailable says that Postgres cannot be asked now: it is away, starting, full, or too slow for the deadline.
var ErrUnavailable = errors.New("database unavailable")

// settled is what each connection sets against what its role or database may have set: every wait has a deadline of this
// program's, and what is written and read is written one way.
var settled = map[string]string{
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "0",
	"standard_conforming_strings":         "on",
	"default_transaction_isolation":       "read committed",
	"client_encoding":                     "UTF8",
	"DateStyle":                           "ISO",
	"bytea_output":                        "hex",
	"extra_float_digits":                  "1",
}

// session is what each connection of a Store sets as well. The queries are few, prepared, and planned once, whatever the
// parameters are.
var session = map[string]string{
	"application_name": "xmlcurld",
	"plan_cache_mode":  "force_generic_plan", // planning for the parameters costs more than a lookup
	"random_page_cost": "1.1",                // or to look some rows up is taken for reason to read a table whole
	"jit":              "off",
	// All that a server writes is what it knows of the switches, which it finds out again: no edit waits for the disk.
	"synchronous_commit": "off",
}

// byIndex is what the connections for calls set as well. A query is planned for what the tables hold then, which may be a
// few rows. To read those whole, and to compare each with each, is right, and is too slow for calls when thousands were
// added, until Postgres analyzes the tables, a minute later or more. So each row of a call is found by index however few
// there are; its queries put OFFSET 0 where Postgres might compare the rows of a subquery with others instead.
var byIndex = map[string]string{
	"enable_seqscan":   "off",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
	"enable_material":  "off",
	"enable_memoize":   "off",
}

// plannedAnew comes before the arguments of a query that reads many rows: it is planned each time, for as many as there are.
const plannedAnew = pgx.QueryExecModeCacheDescribe

// Common is the name of the row in table node that holds what is common to all nodes.
const Common = "*"

// Store asks one database, on whichever of its hosts answers. It is safe for concurrent use.
type Store struct {
	hosts   *hosts        // who answers questions
	pool    *pgxpool.Pool // to the primary, for what is written and listened to
	metrics *metrics
	secrets Secrets
	routes  batch[Call, Route]
	users   batch[userName, directory]
	lists   batch[string, string] // node: the revision of its access lists

	lastLists *atomic.Pointer[listsRead] // that were read for revisions

	nodeRows  batch[string, *Node]
	nodeSaves batch[nodeSave, *time.Time]

	extensions extensionReader
	copied     atomic.Pointer[Copy] // told what is asked for
	tx         pgx.Tx               // not nil: everything is asked in it

	answered      atomic.Int64  // when a host answered last, in ns
	tripped       atomic.Int64  // when a breaker tripped last, in ns
	behindAnswers atomic.Uint64 // answers that were not today's
	behind        atomic.Int64  // how old the last of them was, in ns

	life  context.Context
	die   context.CancelFunc
	works sync.WaitGroup
}

// Open makes a Store for url (postgres://… or keywords, with as many hosts as there are) and registers its metrics. It
// does not connect: a database that is away answers ErrUnavailable until it is back. The error is about url itself.
func Open(ctx context.Context, url string, reg prometheus.Registerer) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", withoutSecret(err))
	}
	maps.Copy(config.ConnConfig.RuntimeParams, settled)
	maps.Copy(config.ConnConfig.RuntimeParams, session)
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	// A lone call after a quiet time must not wait for a ping first: a question is asked again when the connection turns
	// out dead.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	all, err := openHosts(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	s := newStore(all, newMetrics())
	if s.pool, err = primary(ctx, all, config); err != nil {
		s.Close()
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	if err := s.metrics.register(reg, all); err != nil {
		s.Close()
		return nil, fmt.Errorf("register the database's metrics: %w", err)
	}
	s.works.Go(func() { all.watch(s.life) }) // also a single one: it may be a standby, or a balancer before several
	return s, nil
}

// primary is a pool to the one host that takes writes; of a single host, whatever it is.
func primary(ctx context.Context, all *hosts, config *pgxpool.Config) (*pgxpool.Pool, error) {
	if len(all.all) == 1 {
		return all.all[0].documents, nil
	}
	config = config.Copy()
	config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	return pgxpool.NewWithConfig(ctx, config)
}

func newStore(all *hosts, m *metrics) *Store {
	s := &Store{hosts: all, metrics: m, secrets: noSecrets{}, lastLists: new(atomic.Pointer[listsRead])}
	s.life, s.die = context.WithCancel(context.Background())
	s.routes.start(s.askRoutes)
	s.users.start(func(ctx context.Context, names []userName) ([]directory, error) { return s.askUsers(ctx, names) })
	s.lists.start(s.askACLRevisions)
	s.nodeRows.start(s.askNodes)
	s.nodeSaves.start(s.saveNodeStates)
	return s
}

// Beside returns a Store on the same database with a few connections of its own, to be closed by itself: whoever asks it
// takes none from those who answer calls. It asks the primary only.
func (s *Store) Beside(ctx context.Context) (*Store, error) {
	config := s.pool.Config()
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, 2
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	only := &host{name: hostName(config.ConnConfig.Host, config.ConnConfig.Port), calls: pool, documents: pool}
	only.role.Store(&role{answers: true})
	all := &hosts{all: []*host{only}}
	all.seen.start()
	all.order.Store(&all.all)
	beside := newStore(all, s.metrics)
	beside.pool, beside.secrets, beside.lastLists = pool, s.secrets, s.lastLists
	return beside, nil
}

// within returns s as it sees the database in tx: nothing else is asked by it, and it is not to be closed.
func (s *Store) within(tx pgx.Tx) *Store {
	return &Store{metrics: s.metrics, secrets: s.secrets, tx: tx}
}

// Close waits until all questions are answered and closes every connection.
func (s *Store) Close() {
	s.routes.stop()
	s.users.stop()
	s.lists.stop()
	s.nodeRows.stop()
	s.nodeSaves.stop()
	s.die()
	s.works.Wait()
	s.hosts.close()
	if s.pool != nil {
		s.pool.Close()
	}
}

// Ping asks the database whether it answers.
func (s *Store) Ping(ctx context.Context) error {
	return translate("ping", s.hosts.best().calls.Ping(ctx))
}

// collect runs one query in one round trip and returns its rows, each as a T by the names of its columns.
func collect[T any](ctx context.Context, s *Store, operation, query string, args ...any) ([]T, error) {
	return scan(ctx, s, pgx.RowToStructByName[T], operation, query, args...)
}

// scan is collect for a query of many rows: what reads a row is given.
func scan[T any](ctx context.Context, s *Store, row pgx.RowToFunc[T], operation, query string, args ...any) ([]T, error) {
	return askAny(ctx, s, (*host).forDocuments, inTurns(row), operation, query, args)
}

// lookup is scan for numbers and users: who calls waits for a connection with no document, and each row is found by index.
func lookup[T any](ctx context.Context, s *Store, row pgx.RowToFunc[T], operation, query string, args ...any) ([]T, error) {
	return askAny(ctx, s, (*host).forCalls, row, operation, query, args)
}

// askAny asks within the transaction of s, or any of the hosts.
func askAny[T any](ctx context.Context, s *Store, pool poolOf, row pgx.RowToFunc[T], operation, query string, args []any) ([]T, error) {
	defer s.metrics.observe(operation, time.Now())
	if s.tx != nil {
		values, err := ask(ctx, s.tx, row, query, args)
		return values, translate(operation, err)
	}
	values, err := onHosts(ctx, s, operation, pool, func(ctx context.Context, from querier) ([]T, error) {
		return ask(ctx, from, row, query, args)
	})
	return values, translate(operation, err)
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func ask[T any](ctx context.Context, from querier, row pgx.RowToFunc[T], query string, args []any) ([]T, error) {
	rows, err := from.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, row)
}

// inTurns reads rows with a rest after some of them. Postgres is never far ahead: it waits for who reads.
func inTurns[T any](row pgx.RowToFunc[T]) pgx.RowToFunc[T] {
	var t pace.Turn
	return func(r pgx.CollectableRow) (T, error) {
		t.Rest()
		return row(r)
	}
}

// lost reports whether a connection that was thought to live was found dead, Postgres having been restarted or having told it
// to go, or is good for nothing that it has prepared.
func lost(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "57P01", // admin_shutdown
			"57P02", // crash_shutdown: of another connection, and all were ended for it
			"57P05", // idle_session_timeout
			// What the connection had prepared is of tables that were restored since, or of another server behind a balancer.
			"0A000", // the cached plan would have another result type
			"26000", // no such prepared statement
			"42P05", // there is one already
			"XX000": // a type of the plan is gone
			return true
		}
		return false
	}
	var refused *pgconn.ConnectError
	return unavailable(err) && !errors.As(err, &refused) && !pgconn.Timeout(err) && !errors.Is(err, errOutdated)
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
		"40", // transaction rollback: a deadlock with a migration, or a standby that had to replay over what was read
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
