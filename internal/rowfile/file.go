package rowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"xmlcurld/internal/catalog"
)

// Unchanged stands in the place of a secret that is kept.
const Unchanged = "(unchanged)"

const head = `%s %s with all that belongs to it.
Save the file and leave the editor to see what your changes would do. Nothing is done before you say so.
A secret stands as %s: write another value to replace it. A column that is left out is NULL, in a new row what its table
says. Delete a row to delete it, write one to add it.
`

// Write writes the object as a file, without its secrets.
func (o *Object) Write(w io.Writer) error {
	document := node(yaml.MappingNode, "")
	key := node(yaml.ScalarNode, o.Table)
	key.HeadComment = fmt.Sprintf(head, o.Table, strings.Join(o.Key, " "), Unchanged) + o.tables()
	document.Content = []*yaml.Node{key, o.root.node()}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		return err
	}
	return encoder.Close()
}

// tables tells what the columns mean.
func (o *Object) tables() string {
	var b strings.Builder
	seen := make(map[*catalog.Relation]bool)
	var tell func(of *catalog.Relation, hidden []string)
	tell = func(of *catalog.Relation, hidden []string) {
		if seen[of] {
			return
		}
		seen[of] = true
		fmt.Fprintf(&b, "\n%s: %s\n", of.Name, of.About)
		for _, c := range of.Columns {
			if !slices.Contains(hidden, c.Name) {
				fmt.Fprintf(&b, "  %s: %s\n", c.Name, c.About)
			}
		}
		for _, p := range of.Parts {
			tell(p.Of, p.Columns)
		}
	}
	tell(o.root.of, nil)
	return b.String()
}

func node(kind yaml.Kind, value string) *yaml.Node { return &yaml.Node{Kind: kind, Value: value} }

// node is a row as YAML: its columns in the order of the table, then what belongs to it.
func (r *row) node() *yaml.Node {
	m := node(yaml.MappingNode, "")
	for _, c := range r.of.Columns {
		value, ok := r.values[c.Name]
		if !ok {
			continue
		}
		if secret(c.Name, r.name()) {
			value = Unchanged
		}
		m.Content = append(m.Content, node(yaml.ScalarNode, c.Name), valueNode(value, r.plain[c.Name]))
	}
	for _, p := range r.of.Parts {
		if len(r.parts[p.Of.Name]) == 0 {
			continue
		}
		list := node(yaml.SequenceNode, "")
		for _, one := range r.parts[p.Of.Name] {
			list.Content = append(list.Content, one.node())
		}
		m.Content = append(m.Content, node(yaml.ScalarNode, p.Of.Name), list)
	}
	return m
}

// name is what column name says, which tells whether column value is a secret.
func (r *row) name() string {
	name, _ := r.values["name"].(string)
	return name
}

func valueNode(value any, plain bool) *yaml.Node {
	if list, ok := value.([]any); ok {
		n := node(yaml.SequenceNode, "")
		n.Style = yaml.FlowStyle
		for _, one := range list {
			n.Content = append(n.Content, valueNode(one, false))
		}
		return n
	}
	text := value.(string)
	n := node(yaml.ScalarNode, text)
	if !plain {
		n.Tag = "!!str" // the encoder quotes what would be something else
		if strings.Contains(text, "\n") {
			n.Style = yaml.LiteralStyle
		}
	}
	return n
}

// parse reads a file that Write wrote and somebody edited.
func (o *Object) parse(content []byte) (*row, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the file does not hold a row any more")
	}
	top := document.Content[0].Content
	if len(top) != 2 || top[0].Value != o.Table {
		return nil, fmt.Errorf("the file must hold one row, below the name %s", o.Table)
	}
	return parse(o.root.of, top[1], nil)
}

// parse reads a row of the table, without the columns hidden.
func parse(of *catalog.Relation, n *yaml.Node, hidden []string) (*row, error) {
	if n.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: a row of %s is written as column: value", n.Line, of.Name)
	}
	r := &row{of: of, values: make(map[string]any), parts: make(map[string][]*row), line: n.Line}
	seen := make(map[string]bool)
	for i := 0; i < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		if seen[name] {
			return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, name)
		}
		seen[name] = true
		if p := slices.IndexFunc(of.Parts, func(p catalog.Part) bool { return p.Of.Name == name }); p >= 0 {
			if err := r.parsePart(of.Parts[p], value); err != nil {
				return nil, err
			}
			continue
		}
		if of.Column(name) == nil || slices.Contains(hidden, name) {
			return nil, fmt.Errorf("line %d: a row of %s has no %s here", n.Content[i].Line, of.Name, name)
		}
		text, err := parseValue(value)
		if err != nil {
			return nil, err
		}
		if text != nil {
			r.values[name] = text
		}
	}
	return r, nil
}

func (r *row) parsePart(p catalog.Part, list *yaml.Node) error {
	if list.Kind == yaml.ScalarNode && list.Tag == "!!null" {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: %s is a list of rows, each behind a dash", list.Line, p.Of.Name)
	}
	for _, n := range list.Content {
		one, err := parse(p.Of, n, p.Columns)
		if err != nil {
			return err
		}
		r.parts[p.Of.Name] = append(r.parts[p.Of.Name], one)
	}
	return nil
}

// parseValue is the text of a value as it is written: +27 stays +27.
func parseValue(n *yaml.Node) (any, error) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, nil
	case n.Kind == yaml.ScalarNode:
		return n.Value, nil
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for _, one := range n.Content {
			text, err := parseValue(one)
			if err != nil {
				return nil, err
			}
			list = append(list, text)
		}
		return list, nil
	}
	return nil, fmt.Errorf("line %d: this is no value", n.Line)
}

// keep puts the secrets of a row in the place of Unchanged.
func (r *row) keep(old *row) error {
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		if r.values[name] != Unchanged || !secret(name, r.name()) {
			continue
		}
		var kept any
		if old != nil {
			kept = old.values[name]
		}
		if kept == nil {
			return fmt.Errorf("line %d: %s cannot stay %s: this row is new, or had none. Write it", r.line, name, Unchanged)
		}
		r.values[name] = kept
	}
	return nil
}
