package liveswitch

import (
	"context"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/eventsocket"
)

// restartModules cannot be unloaded without ending calls, or this conversation.
var restartModules = map[string]bool{"mod_sofia": true, "mod_event_socket": true, "mod_xml_curl": true, "mod_commands": true}

// Modules loads what is missing and unloads what the rows had and have no more. Modules that the rows never named, such
// as the bootstrap's loggers, are left alone.
func (sw *Switch) Modules(ctx context.Context, found *Findings) error {
	rows, err := sw.rows.Modules(ctx, sw.name)
	if err != nil {
		return err
	}
	want := []string{}
	for _, m := range rows.Value {
		if m.Name != "" {
			want = append(want, m.Name)
		}
	}
	former := slices.DeleteFunc(slices.Clone(sw.Row.Modules), func(m string) bool { return slices.Contains(want, m) })
	all := slices.Concat(want, former)
	loaded, err := sw.loaded(ctx, all)
	if err != nil {
		return err
	}
	for _, m := range want {
		if !loaded[m] {
			if err := sw.command(ctx, "load", m); err != nil {
				return err
			}
			sw.loads[m] = time.Now()
		}
	}
	for _, m := range former {
		if loaded[m] && !sw.stays[m] {
			if err := sw.unload(ctx, m); err != nil {
				return err
			}
		}
	}
	if loaded, err = sw.loaded(ctx, all); err != nil {
		return err
	}
	sw.Row.Modules = want
	for _, m := range want {
		if !loaded[m] {
			found.Pending = append(found.Pending, "load "+m)
		}
	}
	for _, m := range former {
		if loaded[m] {
			sw.Row.Modules = append(sw.Row.Modules, m)
			if sw.stays[m] {
				found.Restart = append(found.Restart, "unload "+m)
			} else {
				found.Pending = append(found.Pending, "unload "+m)
			}
		}
	}
	return nil
}

// unload unloads a module, or notes that it stays: some cannot be unloaded at all. One that calls use goes when they end.
func (sw *Switch) unload(ctx context.Context, module string) error {
	_, err := sw.ask(ctx, "unload", module)
	refusal := refusedBy(err)
	if refusal == nil {
		return err
	}
	sw.stays[module] = !strings.Contains(strings.ToLower(refusal.Reply), "in use")
	return nil
}

// loaded asks which of modules are.
func (sw *Switch) loaded(ctx context.Context, modules []string) (map[string]bool, error) {
	var commands []eventsocket.Command
	for _, m := range modules {
		commands = append(commands, eventsocket.Command{"module_exists", m})
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	loaded := make(map[string]bool)
	for i, reply := range replies {
		loaded[modules[i]] = strings.TrimSpace(reply.Body) == "true"
	}
	return loaded, nil
}
