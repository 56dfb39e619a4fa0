package liveswitch

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// limit is what fsctl can set on a running switch.
type limit struct {
	name    string
	own     string // what FreeSWITCH has by itself
	command string // of fsctl, which without a value says what is set; empty: none does
	said    string // before the value
}

var limits = []limit{
	{"max-sessions", "1000", "max_sessions", "max sessions: "},
	{"sessions-per-second", "30", "sps", "sessions per second: "},
	{"api-expansion", "true", "api_expansion", "api_expansion is "},
	{"loglevel", "debug", "", ""},
}

// fsctlWords are what fsctl calls values.
var fsctlWords = map[string]string{"true": "on", "false": "off"}

// Limits sets what fsctl can set on a running switch, and reads it back. What the rows set and set no more becomes
// FreeSWITCH's own again; what they never set is left alone.
func (sw *Switch) Limits(ctx context.Context, found *Findings) error {
	rows, err := sw.rows.Switch(ctx, sw.name)
	if err != nil {
		return err
	}
	want := make(map[string]string)
	for _, row := range rows.Value {
		want[row.Name] = row.Value
	}
	known := []string{}
	for _, l := range limits {
		value, set := want[l.name]
		if !set && !slices.Contains(sw.Row.Limits, l.name) {
			continue
		}
		if !set {
			value = l.own
		}
		right, err := sw.limit(ctx, l, value)
		if err != nil {
			return err
		}
		if !right {
			found.Pending = append(found.Pending, l.name)
		}
		if set || !right {
			known = append(known, l.name)
		}
	}
	sw.Row.Limits = known
	return nil
}

// limit sets a limit unless the switch says that it is set, and reports whether the switch has it then.
func (sw *Switch) limit(ctx context.Context, l limit, value string) (bool, error) {
	if l.command == "" {
		return sw.setLoglevel(ctx, value)
	}
	word := cmp.Or(fsctlWords[value], value)
	reply, err := sw.ask(ctx, "fsctl", l.command)
	if err != nil || saysOK(reply, l.said+word) {
		return err == nil, err
	}
	if err := sw.command(ctx, "fsctl", l.command, word); err != nil {
		return false, err
	}
	reply, err = sw.ask(ctx, "fsctl", l.command)
	return saysOK(reply, l.said+word), err
}

// setLoglevel sets the log level unless it was set to that: fsctl loglevel without a value, which could ask for it,
// switches logging off. The reply tells the level that is in force.
func (sw *Switch) setLoglevel(ctx context.Context, level string) (bool, error) {
	if sw.loglevel == level {
		return true, nil
	}
	reply, err := sw.ask(ctx, "fsctl", "loglevel", level)
	if err != nil || !saysOK(strings.ToLower(reply), "log level: "+level) {
		return false, err
	}
	sw.loglevel = level
	return true, nil
}

// saysOK reports whether reply says +OK and then the words, as words.
func saysOK(reply, words string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(reply)), "+ok "+words)
	return ok && (rest == "" || strings.HasPrefix(rest, " "))
}
