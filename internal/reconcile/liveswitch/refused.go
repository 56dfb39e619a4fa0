package liveswitch

import (
	"context"
	"strings"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
)

const (
	// restAtFirst and restAtMost bound the time between two tries to start a gateway that the switch refuses.
	restAtFirst = 2 * time.Second
	restAtMost  = time.Minute
	// asksWhy is of how many refused gateways the reasons are looked for in one look.
	asksWhy = 5
	// logLag is how long after a command its lines of the log may come, and maxReason the bytes of them that are shown.
	logLag    = time.Second
	maxReason = 300
)

// refused is a gateway that the switch did not start.
type refused struct {
	as     string // the gateway's revision, and its profile's, in which it was refused
	reason string
	rest   time.Duration
	retry  time.Time
}

// resting returns stale without the gateways that the switch refused lately, as they and their profiles are now. FreeSWITCH
// refuses a gateway for what the gateway and its profile say, so the next try would most likely end as the last.
func (sw *Switch) resting(ctx context.Context, stale []db.GatewayRevision, found *Findings) ([]db.GatewayRevision, error) {
	was := sw.refused
	if sw.refused = make(map[string]*refused); len(stale) == 0 {
		return nil, nil
	}
	profiles, err := sw.profileRevisions(ctx, stale)
	if err != nil {
		return nil, err
	}
	var due []db.GatewayRevision
	for _, g := range stale {
		r := was[g.Name]
		if as := g.Revision + " " + profiles[g.Profile]; r == nil || r.as != as {
			r = &refused{as: as}
		}
		sw.refused[g.Name] = r
		if time.Now().Before(r.retry) {
			sw.pendingGateway(g.Name, r.reason, found)
		} else {
			due = append(due, g)
		}
	}
	return due, nil
}

// profileRevisions are what the rows say of the profiles of some, and what the switch took of it.
func (sw *Switch) profileRevisions(ctx context.Context, some []db.GatewayRevision) (map[string]string, error) {
	sofia, err := sw.rows.Sofia(ctx, sw.name, "", "")
	if err != nil {
		return nil, err
	}
	took, err := sw.sofiaParts(ctx)
	if err != nil {
		return nil, err
	}
	want, revisions := fingerprint.Sofia(sofia.Value, "", "", false), make(map[string]string)
	for _, g := range some {
		address, settings := g.Profile+"/address", g.Profile+"/settings"
		revisions[g.Profile] = strings.Join([]string{want[address], want[settings], took[address], took[settings]}, " ")
	}
	return revisions, nil
}

// restRefused notes which gateways were refused, finds out why, and has each rest twice as long as before. When the command
// itself fails, the switch got no answer to its question: that is not the gateway's doing, and is tried again at the next look.
func (sw *Switch) restRefused(ctx context.Context, left []db.GatewayRevision, found *Findings) error {
	for i, g := range left {
		r := sw.refused[g.Name]
		if i < asksWhy {
			failed, reason, err := sw.whyRefused(ctx, g)
			if err != nil {
				return err
			}
			if failed {
				for _, g := range left[i:] {
					delete(sw.refused, g.Name)
					sw.pendingGateway(g.Name, reason, found)
				}
				return nil
			}
			r.reason = reason
		}
		r.rest = min(max(2*r.rest, restAtFirst), restAtMost)
		r.retry = time.Now().Add(r.rest)
		sw.pendingGateway(g.Name, r.reason, found)
	}
	return nil
}

func (sw *Switch) pendingGateway(name, reason string, found *Findings) {
	what := "gateway " + name
	if reason != "" {
		what += ": " + reason
		sw.Refusal = what
	}
	found.Pending = append(found.Pending, what)
}

// whyRefused starts a gateway once more and returns what the switch says to it: in its reply, when the command failed, or,
// where that is +OK all the same, in the errors that the function that reads gateways logs meanwhile.
func (sw *Switch) whyRefused(ctx context.Context, g db.GatewayRevision) (failed bool, reason string, err error) {
	sw.logged = nil
	if err := sw.conn.LogErrors(ctx, true); err != nil {
		return false, "", lostError{err}
	}
	err = sw.startOnce(ctx, g.Profile, []db.GatewayRevision{g})
	refusal := refusedBy(err)
	if err != nil && refusal == nil {
		return false, "", err
	}
	if refusal == nil {
		// The lines come from a thread of their own, along with the replies to later commands.
		_, err = sw.await(ctx, logLag, func() (bool, error) {
			_, err := sw.ask(ctx, "uptime", "s")
			return len(sw.logged) > 0, err
		})
		if err != nil {
			return false, "", err
		}
	}
	if err := sw.conn.LogErrors(ctx, false); err != nil {
		return false, "", lostError{err}
	}
	switch {
	case refusal != nil:
		return true, brief(refusal.Reply), nil //nolint:nilerr // the refusal is the answer
	case len(sw.logged) == 0:
		return false, "the switch does not start it and logs no reason", nil
	}
	return false, brief(strings.Join(sw.logged, "; ")), nil
}

// brief is text on one line, of a bounded length.
func brief(text string) string {
	text = oneLine(text)
	return text[:min(len(text), maxReason)]
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// errorText is a line of the log without the time and the place that it begins with.
func errorText(line string) string {
	_, placed, _ := strings.Cut(line, "[ERR] ")
	_, text, ok := strings.Cut(placed, " ")
	if !ok {
		return line
	}
	return strings.TrimPrefix(text, "ERROR: ")
}
