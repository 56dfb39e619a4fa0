package liveswitch

import (
	"context"
	"slices"
	"strings"
)

// ownLimits are what fsctl can set on a running switch, with what FreeSWITCH has by itself.
var ownLimits = []struct{ name, value string }{
	{"max-sessions", "1000"},
	{"sessions-per-second", "30"},
	{"api-expansion", "true"},
	{"loglevel", "debug"},
}

// Limits sets what fsctl can set on a running switch, and reads it back. What the rows set and set no more becomes
// FreeSWITCH's own again; what they never set is left alone.
func (sw *Switch) Limits(ctx context.Context) (Findings, error) {
	var found Findings
	rows, err := sw.rows.Switch(ctx, sw.name)
	if err != nil {
		return found, err
	}
	want := make(map[string]string)
	for _, row := range rows.Value {
		want[row.Name] = row.Value
	}
	known := []string{}
	for _, own := range ownLimits {
		value, set := want[own.name]
		if !set && !slices.Contains(sw.Row.Limits, own.name) {
			continue
		}
		if !set {
			value = own.value
		}
		right, err := sw.limit(ctx, own.name, value)
		if err != nil {
			return found, err
		}
		if !right {
			found.Pending = append(found.Pending, own.name)
		}
		if set || !right {
			known = append(known, own.name)
		}
	}
	sw.Row.Limits = known
	return found, nil
}

// limit sets one limit and reports whether the switch has it.
func (sw *Switch) limit(ctx context.Context, name, value string) (bool, error) {
	switch name {
	case "max-sessions":
		return sw.fsctl(ctx, "max_sessions", value, "max sessions: "+value)
	case "sessions-per-second":
		return sw.fsctl(ctx, "sps", value, "sessions per second: "+value)
	case "api-expansion":
		word := map[string]string{"true": "on", "false": "off"}[value]
		return sw.fsctl(ctx, "api_expansion", word, "api_expansion is "+word)
	default:
		return sw.setLoglevel(ctx, value)
	}
}

// fsctl sets one thing unless its reply without a value says that it is set.
func (sw *Switch) fsctl(ctx context.Context, name, value, set string) (bool, error) {
	reply, err := sw.ask(ctx, "fsctl", name)
	if err != nil || saysOK(reply, set) {
		return err == nil, err
	}
	if err := sw.command(ctx, "fsctl", name, value); err != nil {
		return false, err
	}
	reply, err = sw.ask(ctx, "fsctl", name)
	return saysOK(reply, set), err
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
