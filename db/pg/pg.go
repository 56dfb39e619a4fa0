// Package pg reaches PostgreSQL: its hosts and what each of them is at present, pools, questions that travel together, the
// notices, and the driver's errors in this program's words. It knows no table.
package pg

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/internal/pace"
)

// Settled is what each connection sets against what its role or database may have set: every wait has a deadline of this
// program's, and what is written and read is written one way.
var Settled = map[string]string{
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

// session is what each connection of a DB sets as well. The queries are few, prepared, and planned once, whatever the
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

// PlannedAnew comes before the arguments of a query that reads many rows: it is planned each time, for as many as there are.
const PlannedAnew = pgx.QueryExecModeCacheDescribe

// DB is one database, on whichever of its hosts answers. It is safe for concurrent use.
type DB struct {
	hosts   *hosts        // who answers questions
	primary *pgxpool.Pool // for what is written and listened to
	metrics *metrics

	listener *listener

	answered atomic.Int64 // when a host answered last, in ns
	tripped  atomic.Int64 // when a breaker tripped last, in ns

	life  context.Context
	die   context.CancelFunc
	works sync.WaitGroup
}

// Connect returns one connection to the first host of url that answers, for who asks one thing and ends: nobody waits until all
// hosts were looked at.
func Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	maps.Copy(config.RuntimeParams, Settled)
	for _, name := range []string{"application_name", "random_page_cost", "jit"} {
		config.RuntimeParams[name] = session[name]
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, Translate("connect", err)
}

// Open makes a DB for url (postgres://… or keywords, with as many hosts as there are) and registers its metrics. It does
// not connect: a database that is away answers ErrUnavailable until it is back. The error is about url itself.
func Open(ctx context.Context, url string, reg prometheus.Registerer) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", withoutSecret(err))
	}
	maps.Copy(config.ConnConfig.RuntimeParams, Settled)
	maps.Copy(config.ConnConfig.RuntimeParams, session)
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	// A lone call after a quiet time must not wait for a ping first: a question is asked again when the connection turns
	// out dead.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	all := openHosts(ctx, config)
	d := newDB(all, primary(ctx, all, config), newMetrics(reg, all))
	d.works.Go(func() { all.watch(d.life) }) // also a single one: it may be a standby, or a balancer before several
	return d, nil
}

func newDB(all *hosts, primary *pgxpool.Pool, m *metrics) *DB {
	d := &DB{hosts: all, primary: primary, metrics: m}
	d.listener = &listener{owner: d, ears: make(map[*ear]struct{})}
	d.life, d.die = context.WithCancel(context.Background())
	return d
}

// primary is a pool to the one host that takes writes; of a single host, whatever it is.
func primary(ctx context.Context, all *hosts, config *pgxpool.Config) *pgxpool.Pool {
	if len(all.all) == 1 {
		return all.all[0].documents
	}
	config = config.Copy()
	config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	return newPool(ctx, config)
}

// Isolated returns a DB for the same database with a few connections of its own, to be closed by itself: whoever asks it
// takes none from those who answer calls. It asks the primary only, and hears what d hears.
func (d *DB) Isolated(ctx context.Context) *DB {
	config := d.primary.Config()
	config.MinConns, config.MinIdleConns, config.MaxConns = 0, 0, 2
	only := newHost(config)
	only.calls = newPool(ctx, config)
	only.documents = only.calls
	all := &hosts{all: []*host{only}}
	all.seen.start()
	all.order.Store(&all.all)
	isolated := newDB(all, only.calls, d.metrics)
	isolated.listener = d.listener
	return isolated
}

// Close closes every connection. Nobody may ask any more.
func (d *DB) Close() {
	d.die()
	d.works.Wait()
	d.hosts.close()
	d.primary.Close()
}

// Best is a pool of the host that is asked first, for what need not be asked elsewhere if it fails.
func (d *DB) Best() *pgxpool.Pool { return d.hosts.best().calls }

// Exec executes sql on the primary.
func (d *DB) Exec(ctx context.Context, operation, sql string, args ...any) error {
	defer d.Observe(operation, time.Now())
	_, err := d.primary.Exec(ctx, sql, args...)
	return Translate(operation, err)
}

// Primary is the pool to the host that takes writes.
func (d *DB) Primary() *pgxpool.Pool { return d.primary }

// Observe counts an operation that began at start.
func (d *DB) Observe(operation string, start time.Time) {
	d.metrics.queries.WithLabelValues(operation).Observe(time.Since(start).Seconds())
}

// NoteAnswer takes note that the database answered at a time.
func (d *DB) NoteAnswer(at time.Time) { d.answered.Store(at.UnixNano()) }

// LastAnswer is when the database answered last, as far as d knows; the Unix epoch if it never did.
func (d *DB) LastAnswer() time.Time { return time.Unix(0, d.answered.Load()) }

// Freshness is how old an answer may be. The zero value says that it is current: what was committed a second before it was
// asked for is in it.
type Freshness struct {
	Age     time.Duration
	Reason  error       // nil: the answer is current
	Host    WALPosition // where the host was that gave it, when it was looked at last
	Standby bool        // it was one then
}

// Collect runs one query in one round trip and returns its rows, each as a T by the names of its columns.
func Collect[T any](ctx context.Context, d *DB, operation, query string, args ...any) ([]T, Freshness, error) {
	return Scan(ctx, d, pgx.RowToStructByName[T], operation, query, args...)
}

// Scan is Collect for a query of many rows: what reads a row is given.
func Scan[T any](ctx context.Context, d *DB, row pgx.RowToFunc[T], operation, query string, args ...any) ([]T, Freshness, error) {
	return ask(ctx, d, operation, question[T]{false, row, query, args})
}

// Lookup is Scan for numbers and users: who calls waits for a connection with no document, and each row is found by index.
func Lookup[T any](ctx context.Context, d *DB, row pgx.RowToFunc[T], operation, query string, args ...any) ([]T, Freshness, error) {
	return ask(ctx, d, operation, question[T]{true, row, query, args})
}

// question is a query with its arguments, and what reads a row of its answer.
type question[T any] struct {
	call  bool // somebody calls and waits for it
	row   pgx.RowToFunc[T]
	query string
	args  []any
}

func (q question[T]) pool(h *host) *pgxpool.Pool {
	if q.call {
		return h.calls
	}
	return h.documents
}

func (q question[T]) ask(ctx context.Context, h *host) ([]T, error) {
	row := q.row
	if !q.call {
		row = inTurns(row)
	}
	return Rows(ctx, q.pool(h), row, q.query, q.args...)
}

func ask[T any](ctx context.Context, d *DB, operation string, q question[T]) ([]T, Freshness, error) {
	defer d.Observe(operation, time.Now())
	rows, fresh, err := onHosts(ctx, d, operation, q)
	return rows, fresh, Translate(operation, err)
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Rows reads all rows of query from a transaction or a pool. Its errors are the driver's.
func Rows[T any](ctx context.Context, from Querier, row pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
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
