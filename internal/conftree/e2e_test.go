//go:build e2e

package conftree_test

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/sandbox"
)

// TestMain is also what sandbox.Run starts within the sandbox.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sandbox.Verb {
		if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil { // a crash leaves no file in the sources
			_, _ = io.WriteString(os.Stderr, err.Error())
			os.Exit(1)
		}
		if err := sandbox.Inside(context.Background(), os.Stdin, os.Stdout); err != nil {
			_, _ = io.WriteString(os.Stderr, err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestTheSwitchReadsTheSame: FreeSWITCH makes the same of its own trees, element by element, once variables are expanded. Its
// judgement is the file that its preprocessor writes, and what it says of its root if it starts.
func TestTheSwitchReadsTheSame(t *testing.T) {
	trees := os.Getenv("FREESWITCH_CONF")
	if os.Getenv("FREESWITCH") == "" || trees == "" {
		t.Skip("set FREESWITCH to the program, and FREESWITCH_CONF to the folder conf of its sources")
	}
	var globals map[string]string
	for _, tree := range []struct {
		name   string
		starts bool
	}{
		{"minimal", true}, {"vanilla", true}, {"testing", true}, {"sbc", true},
		{"insideout", false}, // it has no root element
	} {
		t.Run(tree.name, func(t *testing.T) {
			work, replies, err := boot(t, filepath.Join(trees, tree.name))
			if tree.starts && err != nil {
				t.Logf("the switch is started again: %v", err)
				work, replies, err = boot(t, filepath.Join(trees, tree.name))
			}
			if (err == nil) != tree.starts {
				t.Fatalf("the switch starts: %t, want %t (%v)", err == nil, tree.starts, err)
			}
			if tree.starts {
				globals = given(t, replies[0].Body, work)
			}
			here := maps.Clone(globals)
			for name, value := range here {
				here[name] = strings.ReplaceAll(value, "WORK", work)
			}
			ours, err := conftree.Read(filepath.Join(work, "conf"), conftree.Options{Globals: here})
			if err != nil {
				t.Fatal(err)
			}
			want := parse(t, readFile(t, filepath.Join(work, "log", "freeswitch.xml.fsxml")))
			got := lines(ours, ours.Document, "", nil)
			if !tree.starts {
				got = got[1:] // the root that FreeSWITCH lacks
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the preprocessor (-switch +conftree):\n%s", diff)
			}
			if tree.starts {
				if diff := cmp.Diff(parse(t, replies[1].Body), got); diff != "" {
					t.Errorf("the parser (-switch +conftree):\n%s", diff)
				}
			}
			t.Logf("%d elements, %d notes", len(got), len(ours.Notes))
		})
	}
}

// boot starts a switch on a copy of a tree in the folder work. A switch may crash as it starts: it takes away the code of a
// module that does not load while a thread of it begins.
func boot(t *testing.T, tree string) (work string, replies []sandbox.Reply, err error) {
	t.Helper()
	work = t.TempDir()
	conf := filepath.Join(work, "conf")
	if err := os.CopyFS(conf, os.DirFS(tree)); err != nil {
		t.Fatal(err)
	}
	replies, err = sandbox.Run(t.Context(), sandbox.Order{
		Program: os.Getenv("FREESWITCH"), Conf: conf, Work: work, Socket: "127.0.0.1:8021", Password: "ClueCon",
		Commands: []string{"global_getvar", "xml_locate root"},
	})
	return work, replies, err
}

// given returns the variables FreeSWITCH has before it reads a file, with WORK for its folder of work.
func given(t *testing.T, variables, work string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(variables) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && (name == "hostname" || name == "sound_prefix" || strings.HasPrefix(name, "local_") || strings.HasSuffix(name, "_dir")) {
			found[name] = strings.ReplaceAll(value, work, "WORK")
		}
	}
	if len(found) < 20 {
		t.Fatalf("the switch says only %d of its variables:\n%s", len(found), variables)
	}
	return found
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines returns each element of a tree as a line: where it is, its attributes and its text.
func lines(tree *conftree.Tree, e *conftree.Element, path string, found []string) []string {
	path += "/" + e.Name
	line := path
	for _, a := range e.Attrs {
		value, _ := tree.Expand(e, a.Value)
		line += " " + a.Name + "=" + value
	}
	text, _ := tree.Expand(e, e.Text)
	found = append(found, line+" ["+strings.TrimSpace(text)+"]")
	for _, child := range e.Children {
		found = lines(tree, child, strings.TrimPrefix(path, "/document"), found)
	}
	return found
}

// blank does with white space in an attribute what XML says, and Go does not.
var blank = strings.NewReplacer("\n", " ", "\t", " ")

// parse returns the elements of an XML text as lines does, by Go's own parser, for which FreeSWITCH's text is well-formed enough.
func parse(t *testing.T, text string) (found []string) {
	t.Helper()
	decoder := xml.NewDecoder(bufio.NewReader(strings.NewReader(text)))
	decoder.Strict = false
	type open struct {
		at   int
		text string
	}
	var stack []open
	path := ""
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("what the switch reads is not XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path += "/" + token.Name.Local
			line := strings.TrimPrefix(path, "/document")
			if line == "" {
				line = path
			}
			var names []string
			for _, a := range token.Attr {
				if !slices.Contains(names, a.Name.Local) {
					line += " " + a.Name.Local + "=" + blank.Replace(a.Value)
				}
				names = append(names, a.Name.Local)
			}
			stack = append(stack, open{len(found), ""})
			found = append(found, line)
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(token)
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			found[top.at] += " [" + strings.TrimSpace(top.text) + "]"
			path = path[:strings.LastIndex(path, "/")]
		}
	}
}
