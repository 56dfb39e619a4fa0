package db

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// host is one Postgres server of those that the database URL names: a primary or a standby, which may change its part.
type host struct {
	name     string // host:port
	pool     *pgxpool.Pool
	breakers sync.Map // of each operation: *breaker
	role     atomic.Pointer[role]
}

// role is what a host was at the last look.
type role struct {
	answers bool
	standby bool
	behind  time.Duration // the age of what a standby shows
}

// hosts are all of them, the one to be asked first first.
type hosts struct {
	all   []*host
	order atomic.Pointer[[]*host]
}

// openHosts makes a pool for each host of config, which nobody has connected to yet.
func openHosts(ctx context.Context, config *pgxpool.Config) (*hosts, error) {
	h := &hosts{}
	for _, own := range hostConfigs(config) {
		pool, err := pgxpool.NewWithConfig(ctx, own)
		if err != nil {
			h.close()
			return nil, err
		}
		one := &host{name: hostName(own.ConnConfig.Host, own.ConnConfig.Port), pool: pool}
		one.role.Store(&role{answers: true})
		h.all = append(h.all, one)
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

func (h *hosts) close() {
	for _, one := range h.all {
		one.pool.Close()
	}
}

// best is the host to be asked what need not be asked elsewhere if it fails.
func (h *hosts) best() *host { return (*h.order.Load())[0] }

const (
	roleTime  = time.Second // for one look at a host, and from one look to the next
	roleQuery = `
SELECT
	pg_is_in_recovery(),
	CASE
		WHEN NOT pg_is_in_recovery() THEN 0
		WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
		ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
	END::float8`
)

// watch looks at every host once a second until ctx is done: one that was promoted comes first, one that is away last.
func (h *hosts) watch(ctx context.Context) {
	tick := time.NewTicker(roleTime)
	defer tick.Stop()
	for {
		var looks sync.WaitGroup
		for _, one := range h.all {
			looks.Go(func() { one.look(ctx) })
		}
		looks.Wait()
		h.sort()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *host) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, roleTime)
	defer cancel()
	var now role
	var behind float64
	err := h.pool.QueryRow(ctx, roleQuery).Scan(&now.standby, &behind)
	now.answers = err == nil
	now.behind = time.Duration(behind * float64(time.Second))
	h.role.Store(&now)
}

// sort puts primaries first, then standbys as fresh as they are, and those that do not answer last; equal ones stand as
// they do in the URL.
func (h *hosts) sort() {
	order := slices.Clone(h.all)
	slices.SortStableFunc(order, func(a, b *host) int {
		x, y := a.role.Load(), b.role.Load()
		return cmp.Or(compareBool(!x.answers, !y.answers), compareBool(x.standby, y.standby),
			cmp.Compare(x.behind.Truncate(roleTime), y.behind.Truncate(roleTime)))
	})
	h.order.Store(&order)
}

// errNotAsked is the reason when every host failed lately and none has answered since.
var errNotAsked = errors.New("the database did not answer lately, and is tried again in the background")

// tried is how long a question must have been with a host at least for its silence to tell something of the host.
const tried = 50 * time.Millisecond

// onHosts asks the hosts in their order until one answers, each for its share of the time that ctx leaves. A host that
// fails a question of an operation is not asked that operation again before it has answered the same question in the
// background.
func onHosts[T any](ctx context.Context, s *Store, operation string, ask func(context.Context, *pgxpool.Pool) (T, error)) (T, error) {
	var none T
	err := errNotAsked
	order := *s.hosts.order.Load()
	for i, h := range order {
		b := h.breaker(operation)
		if b.open.Load() {
			continue
		}
		var value T
		start := time.Now()
		value, err = askWithin(ctx, share(ctx, len(order)-i), h.pool, ask)
		if err == nil || !unavailable(err) {
			s.heard()
			return value, err
		}
		if ctx.Err() != nil && (errors.Is(ctx.Err(), context.Canceled) || time.Since(start) < tried) {
			return none, err // this is about who asked
		}
		b.trip(s, func(ctx context.Context) error {
			_, err := ask(ctx, h.pool)
			return err
		})
		if ctx.Err() != nil {
			break
		}
	}
	return none, err
}

// heard takes note that a host answers.
func (s *Store) heard() { s.answered.Store(time.Now().UnixNano()) }

// share is what a host may take of the time that is left, 0 for all of it.
func share(ctx context.Context, hosts int) time.Duration {
	deadline, limited := ctx.Deadline()
	if hosts < 2 || !limited {
		return 0
	}
	return max(time.Until(deadline)/time.Duration(hosts), time.Millisecond)
}

func askWithin[T any](ctx context.Context, limit time.Duration, pool *pgxpool.Pool,
	ask func(context.Context, *pgxpool.Pool) (T, error),
) (T, error) {
	if limit > 0 {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = limited
	}
	value, err := ask(ctx, pool)
	if err != nil && lost(err) && ctx.Err() == nil {
		pool.Reset() // the others have most likely gone the same way
		value, err = ask(ctx, pool)
	}
	return value, err
}
