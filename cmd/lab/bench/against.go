//go:build linux

package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// serveOther makes a world for the other build of xmlcurld, by its own migrations, and starts it there. The rows are those
// of this checkout: the other build has to know their tables and columns.
func (b *bench) serveOther(ctx context.Context) (testbed.Server, error) {
	binary := b.options.against
	tables, err := world.TablesOf(binary)
	if err != nil {
		return testbed.Server{}, err
	}
	url, err := world.URL(ctx, b.Cluster, b.options.sizes, tables)
	if err != nil {
		return testbed.Server{}, err
	}
	return b.ServeWith(ctx, binary, "xmlcurld-other", url)
}

// addOther adds the other build, if there is one, under the load of q. It may answer q at another length.
func (b *bench) addOther(ctx context.Context, name string, q load.Question, inFlight int) error {
	if b.options.against == "" {
		return nil
	}
	if _, err := q.AskFirst(ctx, b.other.Address, b.options.sizes); err != nil {
		return fmt.Errorf("the other build: %s: %w", q.Name, err)
	}
	b.add(name+byOther, q, b.other, q.Load(b.other.Address, b.options.sizes, inFlight))
	return nil
}

// writeAgainst writes how this build compares with the other one: each figure divided by the other's in the same round.
func (b *bench) writeAgainst(out *strings.Builder) {
	out.WriteString("Divided by what the other build has in the same round:\n\n")
	out.WriteString("| what | answers a second | p50 | p99 | µs of server | of PostgreSQL |\n| --- | --: | --: | --: | --: | --: |\n")
	for _, s := range b.subjects {
		other := b.subject(s.name + byOther)
		if other == nil {
			continue
		}
		fmt.Fprintf(out, "| %s | %v | %v | %v | %v | %v |\n", s.name,
			s.spread(round.PerSecond, other), s.spread(p50, other), s.spread(p99, other),
			s.spread(each(ofServer), other), s.spread(each(ofPostgres), other))
	}
	out.WriteString("\n")
}

// each measures a processor time per answer, in µs.
func each(of func(round) time.Duration) func(round) float64 {
	return func(r round) float64 { return float64(of(r)) / float64(time.Microsecond) / float64(r.Answers) }
}

func ofServer(r round) time.Duration   { return r.server }
func ofPostgres(r round) time.Duration { return r.postgres }
func ofLoad(r round) time.Duration     { return r.load }

// spread is measure over all rounds of s, divided by what it is for against in the same round.
func (s *subject) spread(measure func(round) float64, against *subject) report.Spread {
	var values []float64
	for i, r := range s.rounds {
		value := measure(r)
		if against != nil {
			value /= measure(against.rounds[i])
		}
		values = append(values, value)
	}
	return report.SpreadOf(values)
}
