package reconcile

import (
	"context"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/eventsocket"
)

// restartModules cannot be unloaded without ending calls, or this conversation.
var restartModules = []string{"mod_sofia", "mod_event_socket", "mod_xml_curl", "mod_commands"}

// modules loads what is missing and unloads what the rows had and have no more. Modules that the rows never named, such
// as the bootstrap's loggers, are left alone.
func (n *node) modules(ctx context.Context) (findings, error) {
	var found findings
	rows, err := n.rows.Modules(ctx, n.name)
	if err != nil {
		return found, err
	}
	want := []string{}
	for _, m := range rows.Value {
		if m.Name != "" {
			want = append(want, m.Name)
		}
	}
	former := slices.DeleteFunc(slices.Clone(n.row.Modules), func(m string) bool { return slices.Contains(want, m) })
	loaded, err := n.loaded(ctx, append(slices.Clone(want), former...))
	if err != nil {
		return found, err
	}
	for _, m := range want {
		if !loaded[m] {
			if err := n.command(ctx, "load", m); err != nil {
				return found, err
			}
			n.loads[m] = time.Now()
		}
	}
	for _, m := range former {
		switch {
		case !loaded[m] || n.stays[m]:
		case slices.Contains(restartModules, m):
			n.stays[m] = true
		default:
			if err := n.unload(ctx, m); err != nil {
				return found, err
			}
		}
	}
	if loaded, err = n.loaded(ctx, append(slices.Clone(want), former...)); err != nil {
		return found, err
	}
	n.row.Modules = want
	for _, m := range want {
		if !loaded[m] {
			found.pending = append(found.pending, "load "+m)
		}
	}
	for _, m := range former {
		if loaded[m] {
			n.row.Modules = append(n.row.Modules, m)
			if n.stays[m] {
				found.restart = append(found.restart, "unload "+m)
			} else {
				found.pending = append(found.pending, "unload "+m)
			}
		}
	}
	return found, nil
}

// unload unloads a module, or notes that it stays: some cannot be unloaded at all. One that calls use goes when they end.
func (n *node) unload(ctx context.Context, module string) error {
	_, err := n.ask(ctx, "unload", module)
	refusal := refusedBy(err)
	if refusal == nil {
		return err
	}
	n.stays[module] = !strings.Contains(strings.ToLower(refusal.Reply), "in use")
	return nil
}

// loaded asks which of modules are.
func (n *node) loaded(ctx context.Context, modules []string) (map[string]bool, error) {
	var commands []eventsocket.Command
	for _, m := range modules {
		commands = append(commands, eventsocket.Command{"module_exists", m})
	}
	replies, err := n.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	loaded := make(map[string]bool)
	for i, reply := range replies {
		loaded[modules[i]] = strings.TrimSpace(reply.Body) == "true"
	}
	return loaded, nil
}
