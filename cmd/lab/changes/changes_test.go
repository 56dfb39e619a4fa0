//go:build linux

package changes

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/history"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// measured is a bench that measured something.
func measured(question, own time.Duration) *bench {
	b := &bench{subjects: allSubjects(world.Small), loads: allLoads()}
	for _, s := range b.subjects {
		s.times = []time.Duration{question}
	}
	for _, l := range b.loads {
		l.own, l.other = []time.Duration{own}, []time.Duration{7 * time.Second}
	}
	return b
}

// Every bar can be missed, and each of its own kind.
func TestBars(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		bench  *bench
		missed int
	}{
		"all reached":               {measured(50*ms, 10*time.Second), 0},
		"history and explain":       {measured(51*ms, 10*time.Second), 5},
		"and plans of one row":      {measured(301*ms, 10*time.Second), 9},
		"and plans of many rows":    {measured(5001*ms, 10*time.Second), 11},
		"numbers are loaded slowly": {measured(50*ms, 10001*ms), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			missed := 0
			for _, bar := range tc.bench.bars() {
				if !bar.Reached {
					missed++
				}
			}
			if missed != tc.missed {
				t.Errorf("%d bars are missed, want %d: %+v", missed, tc.missed, tc.bench.bars())
			}
		})
	}
}

// Each number has as many changes in the history as any other, by as many edits.
func TestHistory(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const numbers = 40
	sizes := world.Sizes{Tenants: 1, Numbers: 1, Users: 1, Nodes: 1}
	for _, sql := range append([]string{sizes.SQL()}, historySQL(3*numbers, numbers)...) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%v: %s", err, sql)
		}
	}
	for _, n := range []int{1, 17, numbers - 1} {
		changes, err := history.List(t.Context(), conn, history.Filter{Table: "number", Key: world.Number(n), Limit: historyLimit})
		if err != nil {
			t.Fatal(err)
		}
		edits := make(map[int64]bool)
		for _, c := range changes {
			edits[c.Edit] = true
		}
		if len(changes) != 3 || len(edits) != 3 {
			t.Errorf("number %d has %d changes by %d edits, want 3 by 3", n, len(changes), len(edits))
		}
	}
	// More numbers are loaded beside those that are there.
	o := options{sizes: sizes}
	done, err := conn.Exec(t.Context(), `INSERT INTO number (`+numberColumns+`)`+o.numbersSQL())
	if err != nil || done.RowsAffected() != 1 {
		t.Errorf("loaded %d numbers, error %v", done.RowsAffected(), err)
	}
}
