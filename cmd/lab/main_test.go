//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"xmlcurld/cmd/lab/bench"
	"xmlcurld/cmd/lab/calls"
	"xmlcurld/cmd/lab/changes"
	"xmlcurld/cmd/lab/chaos"
	"xmlcurld/cmd/lab/edits"
	"xmlcurld/cmd/lab/overload"
	"xmlcurld/cmd/lab/report"
)

// The pages have a place for what -write puts there.
func TestDocsTakeTheResults(t *testing.T) {
	t.Parallel()
	for _, page := range []struct{ name, kind string }{
		{"benchmarks.md", bench.Results}, {"benchmarks.md", overload.Results}, {"benchmarks.md", calls.Results},
		{"benchmarks.md", edits.Results}, {"benchmarks.md", changes.Results}, {"failure.md", chaos.Results},
	} {
		content, err := os.ReadFile(filepath.Join("../../docs", page.name))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), page.name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := report.Replace(file, page.kind, "new\n"); err != nil {
			t.Error(err)
		}
	}
}
