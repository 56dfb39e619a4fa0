package pg

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// host is one Postgres server of those that the database URL names: a primary or a standby, which may change its part.
type host struct {
	name      string        // host:port
	calls     *pgxpool.Pool // for numbers and users
	documents *pgxpool.Pool // for all else
	moments   *pgxpool.Pool // one connection, which waits for no call and which no call waits for
	breakers  sync.Map      // of each operation: *breaker
	role      atomic.Pointer[role]
	led       atomic.Pointer[ledTo]
	looking   sync.Mutex // who waits for a look
}

// hosts are all of them, the one to be asked first first.
type hosts struct {
	all     []*host
	order   atomic.Pointer[[]*host]
	sorting sync.Mutex
	seen    sightings
}

// openHosts makes a pool for each host of config, which nobody has connected to yet.
func openHosts(ctx context.Context, config *pgxpool.Config) *hosts {
	h := &hosts{}
	h.seen.start()
	for _, own := range hostConfigs(config) {
		one := newHost(own)
		own.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return h.connected(ctx, one, conn) }
		own.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return one.leadsThere(conn), nil }
		one.open(ctx, own)
		h.all = append(h.all, one)
	}
	h.order.Store(&h.all)
	return h
}

// hostConfigs takes config apart: the driver itself would change hosts only when it connects. A host may be listed more
// than once, with and without TLS.
func hostConfigs(config *pgxpool.Config) []*pgxpool.Config {
	c := config.ConnConfig
	ways := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	var configs []*pgxpool.Config
	for _, way := range ways {
		leads := func(to *pgxpool.Config) bool { return to.ConnConfig.Host == way.Host && to.ConnConfig.Port == way.Port }
		if i := slices.IndexFunc(configs, leads); i >= 0 {
			configs[i].ConnConfig.Fallbacks = append(configs[i].ConnConfig.Fallbacks, way)
			continue
		}
		own := config.Copy()
		own.ConnConfig.Host, own.ConnConfig.Port, own.ConnConfig.TLSConfig = way.Host, way.Port, way.TLSConfig
		own.ConnConfig.Fallbacks = nil
		configs = append(configs, own)
	}
	return configs
}

func newHost(config *pgxpool.Config) *host {
	h := &host{name: net.JoinHostPort(config.ConnConfig.Host, strconv.Itoa(int(config.ConnConfig.Port)))}
	h.role.Store(&role{answers: true})
	return h
}

// newPool makes a pool, which has not connected yet.
func newPool(ctx context.Context, config *pgxpool.Config) *pgxpool.Pool {
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		panic(err) // it would be for a config without room for a connection, which is refused when it is read
	}
	return pool
}

// open makes the pools, for which config is the calls' but for what byIndex sets.
func (h *host) open(ctx context.Context, config *pgxpool.Config) {
	calls := config.Copy()
	maps.Copy(calls.ConnConfig.RuntimeParams, byIndex)
	h.calls = newPool(ctx, calls)
	documents := calls.Copy()
	documents.MinConns, documents.MinIdleConns = 0, 0
	h.documents = newPool(ctx, documents)
	config = config.Copy()
	config.MaxConns = 1
	h.moments = newPool(ctx, config)
}

func (h *hosts) close() {
	for _, one := range h.all {
		for _, pool := range []*pgxpool.Pool{one.calls, one.documents, one.moments} {
			if pool != nil {
				pool.Close()
			}
		}
	}
}

// best is the host to be asked what need not be asked elsewhere if it fails.
func (h *hosts) best() *host { return (*h.order.Load())[0] }

// errNotAsked is the reason when every host failed lately and none has answered since.
var errNotAsked = errors.New("the database did not answer lately, and is tried again in the background")

// tried is how long a question must have been with a host at least for its silence to tell something of the host.
const tried = 50 * time.Millisecond

// onHosts asks the hosts in their order until one answers, each for its share of the time that ctx leaves. A host
// that shows less than was seen already is not asked: what was switched off stays off. One that fails a question of an
// operation is not asked that operation again before it has answered the same question in the background.
func onHosts[T any](ctx context.Context, d *DB, operation string, q question[T]) ([]T, Freshness, error) {
	err := errNotAsked
	order := *d.hosts.order.Load()
	for i, h := range order {
		b := h.breaker(operation)
		if b.open.Load() {
			continue
		}
		limit := share(ctx, len(order)-i)
		if !d.hosts.shows(ctx, h, limit) {
			err = ErrOutdated
			continue
		}
		start := time.Now()
		var rows []T
		rows, err = askWithin(ctx, limit, h, q)
		if err == nil || !Unavailable(err) {
			d.NoteAnswer(time.Now())
			return rows, h.freshness(start), err
		}
		if errors.Is(err, ErrOutdated) {
			continue
		}
		if ctx.Err() != nil && (errors.Is(ctx.Err(), context.Canceled) || time.Since(start) < tried) {
			break // this is about who asked
		}
		b.trip(d, func(ctx context.Context) error {
			_, err := q.ask(ctx, h)
			return err
		})
		if ctx.Err() != nil {
			break
		}
	}
	return nil, Freshness{}, err
}

// freshness is how old an answer of h may be that was asked for at start.
func (h *host) freshness(start time.Time) Freshness {
	now := h.role.Load()
	lag := now.lag()
	if led := h.led.Load(); led != nil && led.at.After(start) {
		lag = max(lag, led.role.lag())
	}
	if lag > freshTime {
		return Freshness{lag, ErrLagging, now.wal, now.standby}
	}
	return Freshness{Host: now.wal, Standby: now.standby}
}

// share is what a host may take of the time that is left, 0 for all of it.
func share(ctx context.Context, hosts int) time.Duration {
	deadline, limited := ctx.Deadline()
	if hosts < 2 || !limited {
		return 0
	}
	return max(time.Until(deadline)/time.Duration(hosts), time.Millisecond)
}

func askWithin[T any](ctx context.Context, limit time.Duration, h *host, q question[T]) ([]T, error) {
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	rows, err := q.ask(ctx, h)
	if err != nil && Lost(err) && ctx.Err() == nil {
		q.pool(h).Reset() // the others have most likely gone the same way
		return q.ask(ctx, h)
	}
	return rows, err
}
