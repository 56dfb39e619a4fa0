package linear_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rewrite is a step that makes another version of the bulk, by one of its writes.
func rewrite(which int) step {
	return step{"bulk", func(r *trial) error {
		return r.commitSome(isBulk, way{name: "bulk", make: func(r *trial, conn *pgx.Conn, edits []edit) error {
			return edits[0].make(r.ctx, conn, which)
		}})
	}}
}

func isBulk(k *kind) bool { return k.bulk }

// truncate is a step that empties a table and fills it again, in a transaction that makes a version of an object with
// rows there.
func truncate(table string) step {
	return step{"TRUNCATE " + table, func(r *trial) error {
		there := func(k *kind) bool { return slices.Contains(strings.Fields(k.truncates), table) }
		return r.commitSome(there, way{name: "TRUNCATE", empties: true, make: func(r *trial, conn *pgx.Conn, edits []edit) error {
			return refill(r, conn, table, edits)
		}})
	}}
}

// truncates are all such steps.
func truncates() (steps []step) {
	tables := make(map[string]bool)
	for k := range kinds {
		for _, table := range strings.Fields(kinds[k].truncates) {
			tables[table] = true
		}
	}
	for table := range tables {
		steps = append(steps, truncate(table))
	}
	return steps
}

// commitSome makes a version of an object whose kind fits, in way w.
func (r *trial) commitSome(fits func(*kind) bool, w way) error {
	conn, err := pgx.Connect(r.ctx, r.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(r.ctx)) }()
	some := slices.DeleteFunc(slices.Clone(r.objects), func(o *object) bool { return !fits(o.kind) })
	return r.commitAlone(conn, &w, some[rand.IntN(len(some))])
}

func (r *trial) commitAlone(conn *pgx.Conn, w *way, o *object) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	return r.commit(conn, w, []*object{o})
}

// restart is a step that starts a server anew, on the local rows that it left behind while others went on.
func restart(which int) step {
	return step{"restart", func(r *trial) error {
		s := r.servers[which]
		s.asked.Lock()
		defer s.asked.Unlock()
		s.stop()
		s.stop = func() {}
		r.letOthersCommit()
		return s.start()
	}}
}
