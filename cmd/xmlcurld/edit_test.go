package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

// editorOf is an editor that replaces a text by another each time it is opened, in turn.
func editorOf(t *testing.T, edits ...string) (variable string) {
	t.Helper()
	dir := t.TempDir()
	script := "set -e; n=$(cat " + dir + "/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > " + dir + "/n; case $n in\n"
	for i, edit := range edits {
		script += string(rune('1'+i)) + ") sed -i '" + edit + "' \"$1\";;\n"
	}
	name := filepath.Join(dir, "editor")
	if err := os.WriteFile(name, []byte(script+"esac\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "EDITOR=sh " + name
}

func TestEdit(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, test := range []struct {
		name    string
		edits   []string
		answers []string
		out     []string // in turn
		fails   string
		data    string // of the number, behind it
	}{
		{name: "nothing", edits: []string{""}, out: []string{"Nothing was changed."}, data: "Acme Reception"},
		{name: "applied", edits: []string{"s/display_name: .*/display_name: One/"}, answers: []string{"a"},
			out: []string{`display_name 'Acme Reception' -> 'One'`, "Apply, edit again, or quit?", "Applied.", "Every switch is in sync."}, data: "One"},
		{name: "edited again", edits: []string{"s/display_name: .*/display_name: Two/", "s/Two/Three/"}, answers: []string{"e", "a"},
			out: []string{"'One' -> 'Two'", "'One' -> 'Three'", "Applied."}, data: "Three"},
		{name: "quit", edits: []string{"s/display_name: .*/display_name: Four/"}, answers: []string{"q"}, fails: "not applied", data: "Three"},
		{name: "refused, and mended", edits: []string{"s/extension: .*/extension: nothing/", "s/extension: nothing/extension: reception/;s/: Three/: Five/"},
			answers: []string{"e", "a"}, out: []string{"There is no extension nothing", "Edit again, or quit?", "'Three' -> 'Five'", "Applied."}, data: "Five"},
		{name: "no YAML", edits: []string{"s/number:/number: [/"}, answers: []string{"q"}, out: []string{"yaml: "}, fails: "not applied", data: "Five"},
		{name: "an editor that fails", edits: []string{"s/("}, fails: "editor sh ", data: "Five"},
	} {
		i, out := invoked(t, url, editFlags, []string{"number", "+27210000000"}, test.answers...)
		i.environ = append(os.Environ(), editorOf(t, test.edits...))
		err := edit(t.Context(), i)
		rest := out.String()
		for _, want := range test.out {
			_, behind, found := strings.Cut(rest, want)
			if !found {
				t.Errorf("%s: no %q\n%s", test.name, want, out)
			}
			rest = behind
		}
		if err == nil && test.fails != "" || err != nil && (test.fails == "" || !strings.HasPrefix(err.Error(), test.fails)) {
			t.Errorf("%s: %v\n%s", test.name, err, out)
		}
		if err != nil {
			kept := regexp.MustCompile(`What you wrote is in (\S+)`).FindStringSubmatch(err.Error())
			if kept == nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if info, err := os.Stat(kept[1]); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", test.name, info, err)
			}
			_ = os.Remove(kept[1])
		}
		var name string
		if err := dbtest.Connect(t, url).QueryRow(t.Context(), `SELECT display_name FROM number WHERE number = '+27210000000'`).Scan(&name); err != nil || name != test.data {
			t.Errorf("%s: %s, %v, want %s", test.name, name, err, test.data)
		}
	}
}

// With --json the standard output holds the result only, in the shape of apply's.
func TestEditJSON(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	for _, test := range []struct {
		edit    string
		applied bool
	}{{"s/display_name: .*/display_name: One/", true}, {"", false}} {
		i, out := invoked(t, url, editFlags, []string{"number", "+27210000000", "--json"}, "a")
		i.environ = append(os.Environ(), editorOf(t, test.edit))
		aside := new(bytes.Buffer)
		i.stderr = aside
		if err := edit(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		var result applied
		if err := json.Unmarshal(out.Bytes()[bytes.IndexByte(out.Bytes(), '{'):], &result); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		if result.Applied != test.applied || result.InSync != test.applied || (result.Plan != nil) != test.applied {
			t.Errorf("%+v\n%s", result, out)
		}
		if test.applied && (result.Plan.Rows.Total != 1 || !strings.Contains(aside.String(), "Every switch is in sync.")) {
			t.Errorf("%s\n%s", out, aside)
		}
	}
}

// Rows that somebody else changes meanwhile are left alone.
func TestEditChangedMeanwhile(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	i, out := invoked(t, url, editFlags, []string{"number", "+27210000000"}, "e", "q")
	i.environ = append(os.Environ(), editorOf(t, "s/display_name: .*/display_name: Mine/", ""))
	answer := i.ask
	i.ask = func(ctx context.Context, question string) (string, error) {
		dbtest.Execute(t, url, `UPDATE number SET display_name = 'Theirs' WHERE number = '+27210000000'`)
		return answer(ctx, question)
	}
	if err := edit(t.Context(), i); err == nil || !strings.HasPrefix(err.Error(), "not applied\nWhat you wrote is in ") ||
		!strings.Contains(out.String(), "the rows have changed meanwhile") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEditWhat(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	if code, _, stderr := runOnce(t, nil, "edit", "--database-url", url, "tenant"); code != exitUsage || !strings.Contains(stderr, "edit what?") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if code, _, stderr := runOnce(t, nil, "edit", "--database-url", url, "tenant", "nobody"); code != exitFault || !strings.Contains(stderr, "tenant nobody: no rows") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
