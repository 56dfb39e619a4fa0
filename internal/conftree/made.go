package conftree

import "strings"

// Made returns a tree of elements that stand in no files, as a database holds them. Variables are set before the first element, in
// their order; the command of none is run. Globals are as those of Options: with them the others are told.
func Made(document *Element, set []Variable, globals map[string]string) (*Tree, error) {
	tree := &Tree{Document: document, variables: variables{given: make(map[string][]given)}}
	for name, value := range globals {
		tree.variables.set(name, value, nil)
	}
	r := &reader{Options: Options{Globals: globals}, tree: tree, parser: newParser(tree)}
	for _, v := range set {
		if v.Command == "exec-set" {
			v.Holds = r.told(v.Name)
			tree.Variables = append(tree.Variables, v)
			continue
		}
		text := v.Name + "=" + v.Value
		data, err := r.expand(v.Place, text, references(text))
		if err != nil {
			return nil, err
		}
		if err := r.variable(v.Place, v.Command, data); err != nil {
			return nil, err
		}
	}
	document.standAt(tree.variables.times)
	return tree, nil
}

func (e *Element) standAt(time int32) {
	e.set = time
	for _, child := range e.Children {
		child.standAt(time)
	}
}

// Fragment reads elements that stand in no file, all of which get the place. FreeSWITCH's preprocessor never sees them: $${ in them
// is text. What is not XML is an *Error.
func Fragment(at Place, text string) ([]*Element, error) {
	tree := new(Tree)
	p := newParser(tree)
	if err := p.add(at, expanded{text: "<fragment>" + strings.TrimSpace(text) + "</fragment>"}); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return tree.Document.Children, nil
}
