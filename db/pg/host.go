package pg

import (
	"context"
	"errors"
	"maps"
	"net"
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
func openHosts(ctx context.Context, config *pgxpool.Config) (*hosts, error) {
	h := &hosts{}
	h.seen.start()
	configs := hostConfigs(config)
	for _, own := range configs {
		one := &host{name: hostName(own.ConnConfig.Host, own.ConnConfig.Port)}
		one.role.Store(&role{answers: true})
		own.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return h.connected(ctx, one, conn) }
		own.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return one.leadsThere(conn), nil }
		h.all = append(h.all, one)
		if err := one.open(ctx, own); err != nil {
			h.close()
			return nil, err
		}
	}
	h.order.Store(&h.all)
	return h, nil
}

// hostConfigs takes config apart: the driver itself would change hosts only when it connects. A host may be listed more
// than once, with and without TLS.
func hostConfigs(config *pgxpool.Config) []*pgxpool.Config {
	type place struct {
		host string
		port uint16
	}
	c := config.ConnConfig
	ways := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	var places []place
	of := make(map[place][]*pgconn.FallbackConfig)
	for _, w := range ways {
		p := place{w.Host, w.Port}
		if of[p] == nil {
			places = append(places, p)
		}
		of[p] = append(of[p], w)
	}
	configs := make([]*pgxpool.Config, len(places))
	for i, p := range places {
		own := config.Copy()
		first := of[p][0]
		own.ConnConfig.Host, own.ConnConfig.Port, own.ConnConfig.TLSConfig = p.host, p.port, first.TLSConfig
		own.ConnConfig.Fallbacks = of[p][1:]
		configs[i] = own
	}
	return configs
}

func hostName(name string, port uint16) string {
	return net.JoinHostPort(name, strconv.Itoa(int(port)))
}

// poolOf is one of a host's pools.
type poolOf func(*host) *pgxpool.Pool

func (h *host) forCalls() *pgxpool.Pool { return h.calls }

func (h *host) forDocuments() *pgxpool.Pool { return h.documents }

// open makes the pools, for which config is the calls' but for what byIndex sets.
func (h *host) open(ctx context.Context, config *pgxpool.Config) (err error) {
	calls := config.Copy()
	maps.Copy(calls.ConnConfig.RuntimeParams, byIndex)
	if h.calls, err = pgxpool.NewWithConfig(ctx, calls); err != nil {
		return err
	}
	documents := calls.Copy()
	documents.MinConns, documents.MinIdleConns = 0, 0
	if h.documents, err = pgxpool.NewWithConfig(ctx, documents); err != nil {
		return err
	}
	config = config.Copy()
	config.MaxConns = 1
	h.moments, err = pgxpool.NewWithConfig(ctx, config)
	return err
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
func (d *DB) onHosts(ctx context.Context, operation string, pool poolOf, q question, read reader) (Freshness, error) {
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
		err = askWithin(ctx, limit, pool(h), q, read)
		if err == nil || !Unavailable(err) {
			d.NoteAnswer(time.Now())
			return h.freshness(start), err
		}
		if errors.Is(err, ErrOutdated) {
			continue
		}
		if ctx.Err() != nil && (errors.Is(ctx.Err(), context.Canceled) || time.Since(start) < tried) {
			return Freshness{}, err // this is about who asked
		}
		b.trip(d, func(ctx context.Context) error { return q.ask(ctx, pool(h), drop) })
		if ctx.Err() != nil {
			break
		}
	}
	return Freshness{}, err
}

// drop reads an answer that nobody waits for any more. It must not touch what read writes: whoever asked has that.
func drop(rows pgx.Rows) error {
	rows.Close()
	return rows.Err()
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

func askWithin(ctx context.Context, limit time.Duration, pool *pgxpool.Pool, q question, read reader) error {
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	err := q.ask(ctx, pool, read)
	if err != nil && Lost(err) && ctx.Err() == nil {
		pool.Reset() // the others have most likely gone the same way
		err = q.ask(ctx, pool, read)
	}
	return err
}
