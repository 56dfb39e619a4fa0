package db

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db/table"
)

// Module is a module to load.
type Module struct {
	Name string // mod_sofia
}

// Modules returns the modules that node loads, in order.
func (b *Rulebook) Modules(ctx context.Context, node string) (Answer[[]Module], error) {
	return ask(ctx, b, table.ForModules.About(node), func(rows table.Rows) ([]Module, error) {
		type row struct {
			Position int
			Enabled  bool
		}
		all := make(map[string]row)
		for _, of := range commonAndOwn(node) {
			err := rows.Each(table.Module, of+table.Separator, func(key string, value []byte) error {
				name, r := strings.TrimPrefix(key, of+table.Separator), row{}
				if err := json.Unmarshal(value, &r); err != nil {
					return fmt.Errorf("module %s: %w", name, err)
				}
				all[name] = r
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		maps.DeleteFunc(all, func(_ string, r row) bool { return !r.Enabled })
		var modules []Module
		for _, name := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
			return cmp.Or(cmp.Compare(all[a].Position, all[b].Position), strings.Compare(a, b))
		}) {
			modules = append(modules, Module{name})
		}
		return modules, nil
	})
}

// Switch returns node's settings for post_load_switch.conf: its own columns, and its rows of switch_param and switch_variable.
func (b *Rulebook) Switch(ctx context.Context, node string) (Answer[[]NodeSetting], error) {
	return ask(ctx, b, table.ForSwitch.About(node), func(rows table.Rows) ([]NodeSetting, error) {
		params, variables := make(map[string]Setting), make(map[string]Setting)
		for _, of := range commonAndOwn(node) {
			n, err := b.node(rows, of)
			if err != nil {
				return nil, err
			}
			for _, s := range n.Settings {
				params[s.Name] = s
			}
			if err := addNodeSettings(params, rows, table.SwitchParam, of); err != nil {
				return nil, err
			}
			if err := addNodeSettings(variables, rows, table.SwitchVariable, of); err != nil {
				return nil, err
			}
		}
		return append(inOrder("param", params), inOrder("variable", variables)...), nil
	})
}

// inOrder are settings by name.
func inOrder(kind string, settings map[string]Setting) (all []NodeSetting) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, NodeSetting{Kind: kind, Setting: settings[name]})
	}
	return all
}

// EventSocket returns node's settings for event_socket.conf. A password that cannot be read is none, and each access list has
// a setting of its own.
func (b *Rulebook) EventSocket(ctx context.Context, node string) (Answer[[]NodeSetting], error) {
	password := new(nodeRow) // of whose the password is
	a, err := ask(ctx, b, table.ForEventSocket.About(node), func(rows table.Rows) ([]NodeSetting, error) {
		password = new(nodeRow)
		all := make(map[string]Setting)
		for _, of := range commonAndOwn(node) {
			n, err := b.node(rows, of)
			if err != nil {
				return nil, err
			}
			for _, s := range n.EventSocket {
				if all[s.Name] = s; s.Name == "password" {
					password = n
				}
			}
			if err := addNodeSettings(all, rows, table.EventSocketParam, of); err != nil {
				return nil, err
			}
		}
		return inOrder("param", all), nil
	})
	if err != nil {
		return a, err
	}
	a.Value = b.withPassword(a.Value, password)
	return a, nil
}

func (b *Rulebook) withPassword(settings []NodeSetting, of *nodeRow) (all []NodeSetting) {
	for _, s := range settings {
		switch {
		case s.Name == "apply-inbound-acl":
			for _, list := range strings.Fields(s.Value) {
				s.Value = list
				all = append(all, s)
			}
			continue
		case s.Name == "password" && of.Reference != "":
			var err error
			if s.Value, s.Mark, err = b.resolve(of.Reference, of.Key); err != nil {
				continue
			}
		}
		all = append(all, s)
	}
	return all
}
