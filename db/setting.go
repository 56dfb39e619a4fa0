package db

import (
	"fmt"
	"strings"

	"xmlcurld/db/table"
)

// Setting is one param or variable of FreeSWITCH.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Expand bool   `json:"expand"` // $${name} in Value is for FreeSWITCH to replace
}

// NodeSetting is one setting of a node, with where it stands in the document.
type NodeSetting struct {
	Kind string // param or variable
	Setting
	Mark string // of a value that rows only refer to: stands for it where it may not stand
}

// nodeRow is the row of a node.
type nodeRow struct {
	LocalIP     string    `json:"local_ip"`
	ExternalIP  string    `json:"external_ip"`
	Settings    []Setting `json:"settings"`     // of the core
	EventSocket []Setting `json:"event_socket"` // of mod_event_socket, or where its password is
	Reference   string    `json:"reference"`    // to the password
	Key         string    `json:"key"`          // of the password's mark
}

// node returns a node's row, empty if there is none.
func (b *Rulebook) node(rows table.Rows, name string) (*nodeRow, error) {
	text, err := rows.Row(table.Node, name)
	if err != nil || text == nil {
		return new(nodeRow), err
	}
	n, err := b.nodes.read(text)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", name, err)
	}
	return n, nil
}

// addNodeSettings adds what a node has in a table of settings to all, by name: the node's own replaces what is common.
func addNodeSettings(all map[string]Setting, rows table.Rows, of, node string) error {
	return rows.Each(of, node+table.Separator, func(key string, value []byte) error {
		name := strings.TrimPrefix(key, node+table.Separator)
		expand, text, _ := strings.Cut(string(value), table.Separator)
		all[name] = Setting{name, text, expand == "t"}
		return nil
	})
}

// commonAndOwn are the names under which a node's rows stand, those of all nodes first. Twice the same is no harm.
func commonAndOwn(node string) []string { return []string{table.Common, node} }
