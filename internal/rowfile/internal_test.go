package rowfile

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// FuzzValue has each value come back from a file as it was.
func FuzzValue(f *testing.F) {
	for _, text := range []string{
		"", " ", "+27123456789", "007", "true", "null", "~", "a: b", "# a", "a\nb", "a\n", "\n a\n\n", "  a\n b", "a \nb\t", "a\r\nb", "\ta", "- a", "'", "\"",
		"(unchanged)", "[1,2)", "{a}", "\u0085", "\u2028", "\ufeff", "é\n\u00a0", "<<", "=", "2026-12-01", "1e3", "0x1f", "a\n#b\n", "\n", "!a", "*a", "&a", "%a", "@a", "`a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return // PostgreSQL holds no such text
		}
		list := node(yaml.SequenceNode, "")
		list.Content = []*yaml.Node{valueNode(text, false), valueNode([]any{text, text}, true)}
		m := node(yaml.MappingNode, "")
		m.Content = []*yaml.Node{node(yaml.ScalarNode, "a"), list, node(yaml.ScalarNode, "b"), valueNode(text, false)}
		var file bytes.Buffer
		encoder := yaml.NewEncoder(&file)
		encoder.SetIndent(2)
		if err := encoder.Encode(m); err != nil {
			t.Fatal(err)
		}
		var back yaml.Node
		if err := yaml.Unmarshal(file.Bytes(), &back); err != nil {
			t.Fatalf("%q: %v\n%s", text, err, file.String())
		}
		content := back.Content[0].Content
		for _, n := range []*yaml.Node{content[1].Content[0], content[3]} {
			if got, err := parseValue(n); err != nil || got != text {
				t.Fatalf("%q: got %q, %v\n%s", text, got, err, file.String())
			}
		}
		if got, err := parseValue(content[1].Content[1]); err != nil || !equal(got, []any{text, text}) {
			t.Fatalf("%q: got %q, %v\n%s", text, got, err, file.String())
		}
	})
}
