package main

import (
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/internal/nodeauth"
	"xmlcurld/internal/reconcile"
	"xmlcurld/internal/secretref"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// readmeTable returns the names in the first column of the README's table below heading.
func readmeTable(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n| "+heading+" |")
	if !found {
		t.Fatalf("the README has no table headed %q", heading)
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var names []string
	for _, row := range strings.Split(table, "\n")[2:] {
		first := strings.Split(row, "|")[1]
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			names = append(names, name[1])
		}
	}
	slices.Sort(names)
	return names
}

func TestReadmeListsTheSettings(t *testing.T) {
	t.Parallel()
	var want []string
	for _, s := range settings() {
		want = append(want, s.key)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, readmeTable(t, "setting")); diff != "" {
		t.Errorf("settings (-code +README):\n%s", diff)
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		if row := "`" + s.preset + "` | " + s.about; s.preset != "" && s.key != "data_dir" && !strings.Contains(string(text), row) {
			t.Errorf("the README does not say: %s", row)
		}
	}
}

func TestReadmeListsTheVerbs(t *testing.T) {
	t.Parallel()
	var want []string
	for _, v := range verbs {
		want = append(want, v.name)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, readmeTable(t, "verb")); diff != "" {
		t.Errorf("verbs (-code +README):\n%s", diff)
	}
}

func TestReadmeListsTheDocuments(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	contents := sections.New(nil, nil, nil).Contents
	for name := range contents.Configuration {
		if !strings.Contains(string(text), "| configuration | `"+name+"` |") {
			t.Errorf("the README's table of documents lacks %s", name)
		}
	}
	for name := range contents.Sections {
		if !regexp.MustCompile(`\n\| [a-z, ]*` + name).Match(text) {
			t.Errorf("the README's table of documents lacks section %s", name)
		}
	}
}

func TestReadmeListsTheTables(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		SELECT table_name::text
		FROM information_schema.tables
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, readmeTable(t, "table")); diff != "" {
		t.Errorf("tables (-schema +README):\n%s", diff)
	}
}

func TestReadmeListsTheMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	store, err := db.Open(t.Context(), dbtest.URL(t), registry)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	xmlcurl.NewServer(xmlcurl.Options{Handler: sections.New(store, nil, nil), Registerer: registry})
	nodeauth.New(store, slog.New(slog.DiscardHandler), registry)
	reconcile.New(store, reconcile.Options{Log: slog.New(slog.DiscardHandler), Registerer: registry})
	secretref.New(secretref.Options{Registerer: registry})
	newExpiry(registry)
	newRefused(registry)
	kept, err := store.OpenCopy(t.TempDir(), 0, slog.New(slog.DiscardHandler), registry)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	described := make(chan *prometheus.Desc, 100)
	registry.Describe(described)
	close(described)
	want := []string{"xmlcurld_build_info"}
	for d := range described {
		want = append(want, regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1])
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), readmeTable(t, "metric")); diff != "" {
		t.Errorf("metrics (-code +README):\n%s", diff)
	}
}
