package nodes

import (
	"context"
	"strings"
)

// limits sets what fsctl can set on a running switch, and reads it back.
func (n *node) limits(ctx context.Context) (findings, error) {
	var found findings
	rows, err := n.rows.Switch(ctx, n.name)
	if err != nil {
		return found, err
	}
	for _, row := range rows {
		var right bool
		switch row.Name {
		case "max-sessions":
			right, err = n.fsctl(ctx, "max_sessions", row.Value, "max sessions: "+row.Value)
		case "sessions-per-second":
			right, err = n.fsctl(ctx, "sps", row.Value, "sessions per second: "+row.Value)
		case "api-expansion":
			word := map[string]string{"true": "on", "false": "off"}[row.Value]
			right, err = n.fsctl(ctx, "api_expansion", word, "api_expansion is "+word)
		case "loglevel":
			right, err = n.setLoglevel(ctx, row.Value)
		default:
			continue
		}
		if err != nil {
			return found, err
		}
		if !right {
			found.pending = append(found.pending, row.Name)
		}
	}
	return found, nil
}

// fsctl sets one thing unless its reply without a value says that it is set.
func (n *node) fsctl(ctx context.Context, name, value, set string) (bool, error) {
	reply, err := n.ask(ctx, "fsctl", name)
	if err != nil || saysOK(reply, set) {
		return err == nil, err
	}
	if err := n.command(ctx, "fsctl", name, value); err != nil {
		return false, err
	}
	reply, err = n.ask(ctx, "fsctl", name)
	return saysOK(reply, set), err
}

// setLoglevel sets the log level unless it was set to that: fsctl loglevel without a value, which could ask for it,
// switches logging off. The reply tells the level that is in force.
func (n *node) setLoglevel(ctx context.Context, level string) (bool, error) {
	if n.loglevel == level {
		return true, nil
	}
	reply, err := n.ask(ctx, "fsctl", "loglevel", level)
	if err != nil || !saysOK(strings.ToLower(reply), "log level: "+level) {
		return false, err
	}
	n.loglevel = level
	return true, nil
}

// saysOK reports whether reply says +OK and then the words, as words.
func saysOK(reply, words string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(reply)), "+ok "+words)
	return ok && (rest == "" || strings.HasPrefix(rest, " "))
}
