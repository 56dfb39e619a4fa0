package liveswitch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/db/switchstate"
	"xmlcurld/internal/eventsocket"
)

// In a dry run the switch is asked all that the keeper asks, and told nothing. What it would be told is noted, and taken to have
// worked.

// socket is an event socket.
type socket interface {
	Pipeline(ctx context.Context, commands ...eventsocket.Command) ([]eventsocket.Reply, error)
	Subscribe(ctx context.Context, events ...string) error
	LogErrors(ctx context.Context, on bool) error
	Close() error
}

// questions are the commands that change nothing on a switch: the words that each begins with, and how many more it may have.
var questions = []struct {
	words string
	more  int
}{
	{"acl", 2}, {"fsctl api_expansion", 0}, {"fsctl max_sessions", 0}, {"fsctl sps", 0}, {"module_exists", 1}, {"show channels", 2},
	{"sofia status", 3}, {"sofia_gateway_data", 3}, {"status", 0}, {"strftime_tz", 2}, {"switchname", 0}, {"uptime", 1}, {"uuid_getvar", 2},
}

// onlyAsks reports whether a command changes nothing on a switch.
func onlyAsks(c eventsocket.Command) bool {
	for _, q := range questions {
		words := strings.Fields(q.words)
		if len(c) >= len(words) && slices.Equal(c[:len(words)], words) {
			return len(c) <= len(words)+q.more
		}
	}
	return false
}

// onlyAsking is an event socket of which only questions reach the switch.
type onlyAsking struct {
	conn  *eventsocket.Conn
	noted []eventsocket.Command // instead of being sent
}

// Pipeline implements socket.
func (s *onlyAsking) Pipeline(ctx context.Context, commands ...eventsocket.Command) ([]eventsocket.Reply, error) {
	var asked []eventsocket.Command
	for _, c := range commands {
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("event socket: %w", err)
		}
		if onlyAsks(c) {
			asked = append(asked, c)
		}
	}
	var answers []eventsocket.Reply
	if len(asked) > 0 {
		var err error
		if answers, err = s.conn.Pipeline(ctx, asked...); err != nil {
			return nil, err
		}
	}
	replies := make([]eventsocket.Reply, len(commands))
	for i, c := range commands {
		if !onlyAsks(c) {
			s.noted = append(s.noted, c)
			replies[i].Body = worked(c)
			continue
		}
		if replies[i], answers = answers[0], answers[1:]; c[0] == "acl" && s.supposes(readsLists) {
			replies[i].Body = "true"
		}
	}
	return replies, nil
}

// worked is what the switch says to a command that does what it should.
func worked(c eventsocket.Command) string {
	if c[0] == "fsctl" && c[1] == "loglevel" {
		return "+OK log level: " + c[2]
	}
	return "+OK"
}

// Subscribe implements socket: nothing is heard.
func (s *onlyAsking) Subscribe(context.Context, ...string) error { return nil }

// LogErrors implements socket: nothing is refused.
func (s *onlyAsking) LogErrors(context.Context, bool) error { return nil }

// Close implements socket.
func (s *onlyAsking) Close() error { return s.conn.Close() }

func (s *onlyAsking) supposes(effect func(eventsocket.Command) bool) bool {
	return slices.ContainsFunc(s.noted, effect)
}

func readsLists(c eventsocket.Command) bool { return c[0] == "reloadacl" }

// readsXML reports whether a command has the switch read anew what it reads at the event RELOADXML.
func readsXML(c eventsocket.Command) bool {
	switch c[0] {
	case "load", "reloadacl", "reloadxml":
		return true
	}
	return readsProfile(c) != "" || onProfile(c, "startgw") != ""
}

// readsProfile is the profile that a command has read its settings and its new gateways, if it does.
func readsProfile(c eventsocket.Command) string {
	if onProfile(c, "rescan") != "" || onProfile(c, "start") != "" {
		return c[2]
	}
	return ""
}

// onProfile returns the last word of a command that does something to a profile, or to what is on it; empty: it is another.
func onProfile(c eventsocket.Command, verb string) string {
	if len(c) < 4 || c[0] != "sofia" || c[1] != "profile" || c[3] != verb {
		return ""
	}
	return c[len(c)-1]
}

// From has the switch compared with other rows from now on, as one that was just met.
func (sw *Switch) From(rows *switchstate.Rows) { sw.rows, sw.loglevel = rows, "" }

// Greets reports whether a command is sent to a switch that is met, whether or not anything differs there: what it sets cannot
// be asked for.
func Greets(command string) bool { return strings.HasPrefix(command, "fsctl loglevel ") }

// Noted returns the commands of a dry run since it was called last, in the order in which they would be sent.
func (sw *Switch) Noted() (commands []string) {
	for _, c := range sw.noted() {
		commands = append(commands, c.String())
	}
	if s, dry := sw.conn.(*onlyAsking); dry {
		s.noted = nil
	}
	return commands
}

// Ends returns which gateways, and whose registrations, some commands end.
func Ends(commands []string) (gateways, registrations []string) {
	for _, c := range commands {
		words := strings.Fields(c)
		if gateway := onProfile(words, "killgw"); gateway != "" {
			gateways = append(gateways, gateway)
		}
		if user := onProfile(words, "flush_inbound_reg"); user != "" {
			registrations = append(registrations, user)
		}
	}
	return gateways, registrations
}

func (sw *Switch) noted() []eventsocket.Command {
	if s, dry := sw.conn.(*onlyAsking); dry {
		return s.noted
	}
	return nil
}

// supposesReload reports whether the switch is taken to have read anew what it reads at the event RELOADXML.
func (sw *Switch) supposesReload() bool { return slices.ContainsFunc(sw.noted(), readsXML) }

// supposeFetches adds to what the switch took of sofia.conf what it is taken to have.
func (sw *Switch) supposeFetches(ctx context.Context, took fingerprint.Parts) error {
	noted := sw.noted()
	if len(noted) == 0 {
		return nil
	}
	sofia, err := sw.rows.Sofia(ctx, sw.name, "", "")
	if err != nil {
		return err
	}
	want := fingerprint.Sofia(sofia.Value, "", "", true)
	for _, c := range noted {
		if profile := readsProfile(c); profile != "" {
			for _, part := range []string{"all profiles", profile + "/settings"} {
				took[part] = want[part]
			}
		}
	}
	return nil
}

// supposeRuns takes the gateways that are not in doubt for right: of many, asking each takes a switch seconds.
func (sw *Switch) supposeRuns(want []db.GatewayRevision) {
	if !sw.options.Dry {
		return
	}
	for _, g := range want {
		if !sw.options.InDoubt(g) {
			sw.runs[g.Name] = g.Revision
		}
	}
}

// withoutRescanned returns stale without the gateways that are taken to have come when their profile was rescanned.
func (sw *Switch) withoutRescanned(stale []db.GatewayRevision, has []gatewayStatus) []db.GatewayRevision {
	noted := sw.noted()
	if len(noted) == 0 {
		return stale
	}
	there, rescanned := setOf(has, gatewayStatus.name), setOf(noted, readsProfile)
	return slices.DeleteFunc(stale, func(g db.GatewayRevision) bool { return rescanned[g.Profile] && !there[g.Name] })
}
