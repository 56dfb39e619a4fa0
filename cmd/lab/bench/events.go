//go:build linux

package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// event is something that happened once while calls came by the clock.
type event struct {
	name           string
	calls          load.Sample
	took           time.Duration // from the start, or from COMMIT, until the local rows were up to date
	lost, outdated int           // calls
	bars           []report.Bar
}

// happening lets an event happen to s, or to another server on its database.
type happening func(b *bench, ctx context.Context, s testbed.Server) (event, error)

// events happen after the rounds, which they would disturb.
var events = []struct {
	name   string
	happen happening
}{
	{"first load", (*bench).loadFirst},
	{"bulk transaction", (*bench).changeMany},
}

const (
	// eventCalls is how many calls come in a second: as on a busy day.
	eventCalls = 200
	// manyNumbers is how many a bulk transaction changes, if there are so many.
	manyNumbers = 200_000
	// Changed numbers are asked for by so many at once, each with a pause after an answer, and so often at least.
	askers, askPause, askLeast = 4, 20 * time.Millisecond, 50
)

// measureEvents lets each wanted event happen to this build, and to the other one if there is one.
func (b *bench) measureEvents(ctx context.Context) error {
	for _, e := range events {
		if !b.options.only.MatchString(e.name) {
			continue
		}
		own, err := b.measureEvent(ctx, e.name, b.large, e.happen)
		if err != nil {
			return err
		}
		b.events = append(b.events, own)
		if b.options.against == "" {
			continue
		}
		other, err := b.measureEvent(ctx, e.name+byOther, b.other, e.happen)
		if err != nil {
			return err
		}
		other.bars = nil
		b.events = append(b.events, other)
	}
	return nil
}

func (b *bench) measureEvent(ctx context.Context, name string, s testbed.Server, happen happening) (event, error) {
	rig.Progress("%s", name)
	e, err := happen(b, ctx, s)
	if err != nil {
		return e, fmt.Errorf("%s: %w", name, err)
	}
	e.name = name
	return e, nil
}

// steady is a load of calls on s by the clock, which may be refused.
func (b *bench) steady(ctx context.Context, s testbed.Server) (load.Question, *load.Load, error) {
	call, err := load.Call(b.options.sizes)
	if err != nil {
		return call, nil, err
	}
	if _, err := call.AskFirst(ctx, s.Address, b.options.sizes); err != nil {
		return call, nil, err
	}
	l := call.Load(s.Address, b.options.sizes, load.WaitingLimit)
	l.PerSecond, l.Refusable = eventCalls, true
	return call, l, nil
}

// loadFirst starts another server of the build of s on its database, with no data folder, and calls it until it has its local
// rows.
func (b *bench) loadFirst(ctx context.Context, s testbed.Server) (event, error) {
	const name = "xmlcurld-first"
	if err := os.RemoveAll(b.DataDir(name)); err != nil {
		return event{}, err
	}
	began := time.Now()
	first, err := b.Start(ctx, s.Binary, name, s.URL)
	if err != nil {
		return event{}, err
	}
	defer first.Process.Stop()
	_, l, err := b.steady(ctx, first)
	if err != nil {
		return event{}, err
	}
	var e event
	outcomes, err := l.RunThrough(func() error {
		err := first.AwaitRows(ctx, began)
		e.took = time.Since(began)
		return err
	})
	e.calls, e.lost = outcomes[0].Sample(), outcomes[0].Lost()
	e.bars = []report.Bar{
		mostOnce("first load: from the start to local rows", e.took.Seconds(), 20, "s"),
		mostOnce("first load: p99 of calls meanwhile", e.calls.P99, 20, "ms"),
	}
	return e, err
}

// changeMany changes many numbers in one transaction, while calls come, and asks for some of them until the local rows are
// up to date again.
func (b *bench) changeMany(ctx context.Context, s testbed.Server) (e event, err error) {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return e, err
	}
	defer func() { _ = conn.Close(ctx) }()
	call, l, err := b.steady(ctx, s)
	if err != nil {
		return e, err
	}
	changed := b.options.sizes
	changed.Numbers = min(changed.Numbers, manyNumbers)
	word, failed := time.Now().Format("1504"), 0 // another one than a run before has left, if that was ended
	outcomes, err := l.RunThrough(load.Pass(b.options.duration), func() error {
		if err := rename(ctx, conn, word, changed.Numbers); err != nil {
			return err
		}
		committed := time.Now()
		var err error
		e.outdated, failed, err = askChanged(ctx, call, s.Address, changed, "="+word+" ", func() error {
			err := s.AwaitRows(ctx, committed)
			e.took = time.Since(committed)
			return err
		})
		return err
	})
	if err != nil {
		return e, err
	}
	e.calls, e.lost = outcomes[1].Sample(), outcomes[1].Lost()+failed
	e.bars = []report.Bar{
		mostOnce("bulk transaction: longest wait of a call, from BEGIN until the local rows are up to date", e.calls.Longest, 50, "ms"),
		mostOnce("bulk transaction: outdated answers from COMMIT on", float64(e.outdated), 0, ""),
	}
	if b.options.dir == "" {
		return e, nil
	}
	// A world that is kept is left as it was.
	if err := rename(ctx, conn, "Line", changed.Numbers); err != nil {
		return e, err
	}
	_, err = conn.Exec(ctx, `VACUUM (FREEZE, ANALYZE) number`)
	return e, err
}

// rename changes the first count numbers in one transaction. Answers keep their length: word has the four characters of the
// one before.
func rename(ctx context.Context, conn *pgx.Conn, word string, count int) error {
	_, err := conn.Exec(ctx, `
		UPDATE number
		SET display_name = $1 || right(display_name, 9)
		WHERE context = 'public'
			AND number < $2`, word, world.Number(count))
	return err
}

// askChanged asks about some of the changed numbers over and over while current runs, and returns how many answers did not
// hold shown, and how many calls were not answered.
func askChanged(ctx context.Context, call load.Question, address string, changed world.Sizes, shown string, current func() error) (outdated, failed int, err error) {
	var asking sync.WaitGroup
	var old, none atomic.Int64
	var over atomic.Bool
	for i := range askers {
		asking.Go(func() {
			for asked := 0; asked < askLeast || !over.Load(); asked++ {
				answer, err := call.Ask(ctx, address, changed, i)
				switch {
				case err != nil:
					none.Add(1)
				case !bytes.Contains(answer, []byte(shown)):
					old.Add(1)
				}
				time.Sleep(askPause)
			}
		})
	}
	err = current()
	over.Store(true)
	asking.Wait()
	return int(old.Load()), int(none.Load()), err
}

// mostOnce is the bar of what was measured once.
func mostOnce(what string, is, limit float64, unit string) report.Bar {
	return report.Bar{
		What: what, Must: strings.TrimSpace(fmt.Sprintf("at most %.4g %s", limit, unit)),
		Is: strings.TrimSpace(fmt.Sprintf("%.4g %s", is, unit)), Reached: is <= limit,
	}
}

// writeEvents writes a line for each event.
func (b *bench) writeEvents(out *strings.Builder) {
	if len(b.events) == 0 {
		return
	}
	fmt.Fprintf(out, "| once, with %d calls a second | s to local rows | answers | p50 ms | p99 ms | longest ms | lost | outdated |\n", eventCalls)
	out.WriteString("| --- | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, e := range b.events {
		fmt.Fprintf(out, "| %s | %.2f | %d | %.2f | %.2f | %.2f | %d | %d |\n",
			e.name, e.took.Seconds(), e.calls.Answers, e.calls.P50, e.calls.P99, e.calls.Longest, e.lost, e.outdated)
	}
	out.WriteString("\n")
}
