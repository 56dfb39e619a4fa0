package linear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// edit is a version that is being made.
type edit struct {
	object  *object
	version int64
}

// way is how a transaction makes versions.
type way struct {
	name    string
	share   int              // of the commits, among the other ways'
	fits    func(*kind) bool // nil: all
	empties bool             // it empties a table
	make    func(r *trial, conn *pgx.Conn, edits []edit) error
}

// ways are all there are. The first one is the plainest.
var ways = []way{
	{name: "one transaction", share: 100, make: makeAll},
	{name: "held open", share: 8, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
		if _, err := conn.Exec(r.ctx, `SELECT pg_current_xact_id()`); err != nil { // it begins before others that commit first
			return err
		}
		r.letOthersCommit()
		if err := makeAll(r, conn, edits); err != nil {
			return err
		}
		r.letOthersCommit()
		return nil
	}},
	{name: "savepoint rolled back", share: 10, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
		for _, e := range edits {
			if _, err := conn.Exec(r.ctx, `SAVEPOINT before`); err != nil {
				return err
			}
			if err := makeAll(r, conn, []edit{e.never()}); err != nil {
				return err
			}
			if _, err := conn.Exec(r.ctx, `ROLLBACK TO SAVEPOINT before`); err != nil {
				return err
			}
		}
		return makeAll(r, conn, edits)
	}},
	{name: "after one rolled back", share: 6, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
		for _, e := range edits {
			if err := makeAll(r, conn, []edit{e.never()}); err != nil {
				return err
			}
		}
		if _, err := conn.Exec(r.ctx, `ROLLBACK; BEGIN`); err != nil {
			return err
		}
		return makeAll(r, conn, edits)
	}},
	{name: "serializable", share: 6, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
		if _, err := conn.Exec(r.ctx, `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE`); err != nil {
			return err
		}
		return makeAll(r, conn, edits)
	}},
	{name: "replica", share: 4, fits: func(k *kind) bool { return k.replays }, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
		if _, err := conn.Exec(r.ctx, `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		for _, e := range edits {
			if err := e.make(r.ctx, conn, 0); err != nil {
				return err
			}
		}
		return nil
	}},
}

// never is a version of the object that no answer may show.
func (e edit) never() edit { return edit{e.object, e.version + 7777} }

// make makes the version in one of the kind's writes.
func (e edit) make(ctx context.Context, conn *pgx.Conn, which int) error {
	sql, lines := e.object.write(e.version, which)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return err
	}
	if lines == "" {
		return nil
	}
	_, err := conn.PgConn().CopyFrom(ctx, strings.NewReader(lines), `COPY number (context, number, tenant, extension, display_name) FROM STDIN`)
	return err
}

func makeAll(r *trial, conn *pgx.Conn, edits []edit) error {
	for _, e := range edits {
		if err := e.make(r.ctx, conn, rand.IntN(len(e.object.kind.writes))); err != nil {
			return err
		}
	}
	return nil
}

// refill makes edits in a transaction that empties table and puts its rows back.
func refill(r *trial, conn *pgx.Conn, table string, edits []edit) error {
	before := rand.IntN(2) == 0
	// Nobody's edit may be lost by it, and nobody waits for long behind who waits for the lock.
	if _, err := conn.Exec(r.ctx, fmt.Sprintf(`SET LOCAL lock_timeout = %d; LOCK TABLE %s; SET LOCAL lock_timeout = 0`, 20+rand.IntN(300), table)); err != nil {
		return err
	}
	if before {
		if err := makeAll(r, conn, edits); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(r.ctx, fmt.Sprintf(`
		CREATE TEMPORARY TABLE refilled ON COMMIT DROP AS SELECT * FROM %[1]s;
		TRUNCATE %[1]s;
		INSERT INTO %[1]s OVERRIDING SYSTEM VALUE SELECT * FROM refilled`, table)); err != nil || before {
		return err
	}
	return makeAll(r, conn, edits)
}

// letOthersCommit returns when some others have committed, or could not for a while.
func (r *trial) letOthersCommit() {
	enough := r.commits.Load() + []int64{1, 10, 50}[rand.IntN(3)]
	for until := time.Now().Add(200 * time.Millisecond); r.commits.Load() < enough && time.Now().Before(until); {
		if !r.pause() {
			return
		}
	}
}

// write makes versions until done.
func (r *trial) write(done func() bool) error {
	conn, err := r.connect()
	for err == nil && !done() {
		w := r.aWay()
		objects := r.pick(w)
		if len(objects) == 0 {
			break
		}
		if err = r.commit(conn, w, objects); conn.IsClosed() && r.ctx.Err() == nil {
			if conn, err = r.connect(); err == nil {
				err = r.commitBegun(conn, &ways[0], objects, time.Now()) // COMMIT may have come through or not
			}
		}
		for _, o := range objects {
			o.writing.Unlock()
		}
	}
	if conn != nil {
		_ = conn.Close(context.WithoutCancel(r.ctx))
	}
	if r.ctx.Err() == nil {
		return err
	}
	return nil
}

// connect connects a writer, for which the database may be away as long as it is made unavailable.
func (r *trial) connect() (*pgx.Conn, error) {
	for {
		conn, err := pgx.Connect(r.ctx, r.url)
		if err == nil || r.unavailable.Load()%2 == 0 {
			return conn, err
		}
		if !r.pause() {
			return nil, err
		}
	}
}

func (r *trial) aWay() *way {
	sum := 0
	for i := range ways {
		sum += ways[i].share
	}
	n := rand.IntN(sum)
	for i := range ways {
		if n -= ways[i].share; n < 0 {
			return &ways[i]
		}
	}
	return &ways[0]
}

// pick locks one object to make a version of, or some, in this way.
func (r *trial) pick(w *way) (objects []*object) {
	most := []int{1, 1, 1, 3}[rand.IntN(4)]
	for len(objects) < most {
		o := r.objects[rand.IntN(len(r.objects))]
		if w.fits != nil && !w.fits(o.kind) || o.kind.bulk || o.kind.seldom && rand.IntN(10) > 0 {
			continue
		}
		switch {
		case o.writing.TryLock():
			objects = append(objects, o)
		case len(objects) > 0 || !r.pause(): // who holds that one may wait for these
			return objects
		}
	}
	return objects
}

// commit makes another version of each of objects, in way w.
func (r *trial) commit(conn *pgx.Conn, w *way, objects []*object) error {
	for _, o := range objects {
		o.begin()
	}
	return r.commitBegun(conn, w, objects, time.Now())
}

// commitBegun is commit for versions that were begun.
func (r *trial) commitBegun(conn *pgx.Conn, w *way, objects []*object, begun time.Time) error {
	edits := make([]edit, len(objects))
	for i, o := range objects {
		edits[i] = edit{o, o.started.Load()}
	}
	for {
		asked, err := r.transaction(conn, w, edits)
		if again(err) && r.ctx.Err() == nil {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s, of %v: %w", w.name, objects, err)
		}
		now := time.Now()
		for _, e := range edits {
			e.object.end(made{version: e.version, how: w.name, begun: begun, asked: asked, commits: now})
		}
		r.commits.Add(1)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ways[w.name]++
		return nil
	}
}

// again reports whether a transaction fell victim to another one, or waited for a lock, and is to be made again.
func again(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && (said.Code == "40001" || said.Code == "40P01" || said.Code == "55P03")
}

// transaction makes edits in way w, and returns when COMMIT was asked for.
func (r *trial) transaction(conn *pgx.Conn, w *way, edits []edit) (asked time.Time, err error) {
	// The others would wait for a table that is emptied, and that for rows of theirs. To one that sees an earlier moment
	// PostgreSQL shows the table empty.
	if w.empties {
		r.emptying.Lock()
		defer r.emptying.Unlock()
	} else {
		r.emptying.RLock()
		defer r.emptying.RUnlock()
	}
	if _, err := conn.Exec(r.ctx, `BEGIN`); err != nil {
		return asked, err
	}
	if err := w.make(r, conn, edits); err != nil {
		_, failed := conn.Exec(r.ctx, `ROLLBACK`)
		return asked, errors.Join(err, failed)
	}
	asked = time.Now()
	said, err := conn.Exec(r.ctx, `COMMIT`)
	if err == nil && said.String() != "COMMIT" {
		err = fmt.Errorf("COMMIT is answered by %s", said)
	}
	return asked, err
}
