//go:build linux

package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// serveOther makes a world for another build of xmlcurld, by its own migrations, and starts it there. The rows are those
// of this checkout: the other build has to know their tables and columns.
func (b *base) serveOther(ctx context.Context, binary string, s sizes) (server, error) {
	in, err := schemaOf(binary)
	if err != nil {
		return server{}, err
	}
	url, err := worldURL(ctx, b.cluster, s, in)
	if err != nil {
		return server{}, err
	}
	return b.started(startServer(ctx, binary, b.dir, "xmlcurld-other", url))
}

// addOther adds the other build, if there is one, under load l. It may answer q at another length.
func (b *bench) addOther(ctx context.Context, name string, q question, l *load) error {
	if b.options.against == "" {
		return nil
	}
	answer, err := q.first(ctx, b.other.address, b.options.sizes)
	if err != nil {
		return fmt.Errorf("the other build: %s: %w", q.name, err)
	}
	l.length = len(answer)
	b.add(name+byOther, q, b.other, l)
	return nil
}

// notSlower are the bars for this build against the other one: what a call waits for may not get slower.
var notSlower = []bar{
	{"dialplan: answers a second, against the other build", 0, dialplan, dialplan + byOther, sample.perSecond, true, 0.97, ""},
	{"sip_auth: answers a second, against the other build", 0, sipAuth, sipAuth + byOther, sample.perSecond, true, 0.97, ""},
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
			s.spread(sample.perSecond, other), s.spread(p50, other), s.spread(p99, other),
			s.eachAgainst(other, func(r round) time.Duration { return r.server }),
			s.eachAgainst(other, func(r round) time.Duration { return r.postgres }))
	}
	out.WriteString("\n")
}

// eachAgainst is a processor time per answer, divided by that of other in the same round.
func (s *subject) eachAgainst(other *subject, of func(round) time.Duration) spread {
	var values []float64
	for i, r := range s.rounds {
		o := other.rounds[i]
		values = append(values, float64(of(r))/float64(r.answers)/(float64(of(o))/float64(o.answers)))
	}
	return spreadOf(values)
}

// String shows the median, with the lowest and the highest.
func (s spread) String() string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.lowest, s.highest)
}
