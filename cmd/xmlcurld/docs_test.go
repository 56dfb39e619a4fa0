package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/localrows"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/endpoint"
	"xmlcurld/internal/nodeauth"
	"xmlcurld/internal/reconcile"
	"xmlcurld/internal/secretref"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// documentation is every page that an operator or a contributor reads.
func documentation(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("pages %v, %v", pages, err)
	}
	for i, page := range pages {
		pages[i] = filepath.Join("docs", filepath.Base(page))
	}
	return append(pages, "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
}

// docsTable returns the names in the first column of the table of docs/page that is headed heading.
func docsTable(t *testing.T, page, heading string) []string {
	t.Helper()
	_, rest, found := strings.Cut(readFromRoot(t, "docs/"+page), "\n| "+heading+" |")
	if !found {
		t.Fatalf("docs/%s has no table headed %q", page, heading)
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var names []string
	for _, row := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		first := strings.Split(row, "|")[1]
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(first, -1) {
			names = append(names, name[1])
		}
	}
	slices.Sort(names)
	return names
}

func TestDocsListTheSettings(t *testing.T) {
	t.Parallel()
	var want []string
	for _, s := range settings() {
		want = append(want, s.key)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, docsTable(t, "operation.md", "setting")); diff != "" {
		t.Errorf("settings (-code +docs):\n%s", diff)
	}
	text := readFromRoot(t, "docs/operation.md")
	for _, s := range settings() {
		preset := "`" + s.preset + "`"
		if s.preset == "" {
			preset = ""
		}
		row := "| `" + s.key + "` | " + preset + " | " + s.about + " |"
		if s.key != "data_dir" && !strings.Contains(text, row) { // the preset of data_dir depends on who runs this
			t.Errorf("docs/operation.md does not say: %s", row)
		}
	}
}

func TestDocsListTheVerbs(t *testing.T) {
	t.Parallel()
	var want []string
	for _, v := range verbs {
		want = append(want, v.name)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, docsTable(t, "operation.md", "verb")); diff != "" {
		t.Errorf("verbs (-code +docs):\n%s", diff)
	}
}

func TestDocsListTheDocuments(t *testing.T) {
	t.Parallel()
	text := readFromRoot(t, "docs/schema.md")
	contents := sections.New(nil, nil)
	for name := range contents.Configuration {
		if !strings.Contains(text, "| configuration | `"+name+"` |") {
			t.Errorf("the table of documents in docs/schema.md lacks %s", name)
		}
	}
	for name := range contents.Sections {
		if !regexp.MustCompile(`\n\| [a-z, ]*` + name).MatchString(text) {
			t.Errorf("the table of documents in docs/schema.md lacks section %s", name)
		}
	}
}

func TestDocsListTheTables(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `
		SELECT table_name::text
		FROM information_schema.tables
		WHERE table_schema = 'public' AND table_name !~ '^goose|_[0-9_]+$'`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, docsTable(t, "schema.md", "table")); diff != "" {
		t.Errorf("tables (-schema +docs):\n%s", diff)
	}
}

func TestDocsListTheMetrics(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(metricNames(t), docsTable(t, "operation.md", "metric")); diff != "" {
		t.Errorf("metrics (-code +docs):\n%s", diff)
	}
}

// metricNames are all of the program's own metrics.
func metricNames(t *testing.T) []string {
	t.Helper()
	registry := prometheus.NewRegistry()
	store, err := table.Open(t.Context(), dbtest.URL(t), registry)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	answers := xmlcurl.NewServer(xmlcurl.Options{Handler: sections.New(db.NewRulebook(store, nil), nil), Registerer: registry})
	served, err := endpoint.Serve("127.0.0.1:0", answers, endpoint.Guard{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = served.Close(context.Background()) }()
	state := switchstate.New(db.NewRulebook(store, nil), store)
	nodeauth.New(state, slog.New(slog.DiscardHandler), registry)
	reconcile.New(state, reconcile.Options{Log: slog.New(slog.DiscardHandler), Registerer: registry})
	secretref.New(secretref.Options{Registerer: registry})
	newExpiry(registry)
	kept, err := localrows.Open(store, t.TempDir(), 0, slog.New(slog.DiscardHandler), registry)
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
	return slices.Compact(want)
}

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.+)$`)
	metric     = regexp.MustCompile(`\bxmlcurld_[a-z_]+\b`)
	variable   = regexp.MustCompile(`\b(?:XMLCURLD?|BOOTSTRAP)_[A-Z0-9_]+\b`)
	notMetrics = []string{"xmlcurld_operator", "xmlcurld_revision"} // a role; a variable of gateways
)

// The README is read from top to bottom by people who do not know yet whether they want this.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	const most = 150
	if lines := strings.Count(readFromRoot(t, "README.md"), "\n"); lines > most {
		t.Errorf("%d lines, at most %d: the rest belongs in docs/", lines, most)
	}
}

// Links within the documentation lead somewhere.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	for _, page := range documentation(t) {
		for _, to := range link.FindAllStringSubmatch(readFromRoot(t, page), -1) {
			if strings.Contains(to[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(to[1], "#")
			file = filepath.Join(filepath.Dir(page), file)
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(readFromRoot(t, file)), anchor) {
				t.Errorf("%s: %s has no heading for #%s", page, file, anchor)
			}
		}
	}
}

// anchors are what a page's headings are called in links.
func anchors(text string) []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		words := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(h[1]), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}

// Metrics and variables of the environment that are mentioned anywhere exist.
func TestDocsNames(t *testing.T) {
	t.Parallel()
	known := append(metricNames(t), notMetrics...)
	known = append(known, configVariable)
	for _, s := range settings() {
		known = append(known, s.variable())
		if s.secret {
			known = append(known, s.variable()+fileSuffix)
		}
	}
	bootstrapped := readFromRoot(t, bootstrap+"/conf/environment.xml") + readFromRoot(t, bootstrap+"/entrypoint.sh")
	known = append(known, variable.FindAllString(bootstrapped, -1)...)
	for _, page := range documentation(t) {
		text := readFromRoot(t, page)
		for _, name := range append(metric.FindAllString(text, -1), variable.FindAllString(text, -1)...) {
			if !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) { // of a histogram
				t.Errorf("%s mentions %s, which does not exist", page, name)
			}
		}
	}
}

var (
	place     = regexp.MustCompile("`([a-z/_]+/[a-z_]+\\.go)`(?:,\\s+`(\\w+)`)?")
	folderRow = regexp.MustCompile("(?m)^\\| ((?:`[a-z/-]+`(?:, )?)+) \\|")
)

// Files that are named exist and hold what is named with them: `db/batch.go`, `answer`.
func TestDocsPlaces(t *testing.T) {
	t.Parallel()
	for _, page := range documentation(t) {
		for _, p := range place.FindAllStringSubmatch(readFromRoot(t, page), -1) {
			content, err := os.ReadFile(filepath.Join(root, p[1]))
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if p[2] != "" && !regexp.MustCompile(`(?m)^(func|type) (\(.*?\) )?`+p[2]+`\b`).Match(content) {
				t.Errorf("%s: %s has no %s", page, p[1], p[2])
			}
		}
	}
}

// Every package has its line in the table of rooms.
func TestDocsListThePackages(t *testing.T) {
	t.Parallel()
	text := readFromRoot(t, "docs/architecture.md")
	var listed []string
	for _, row := range folderRow.FindAllStringSubmatch(text, -1) {
		listed = append(listed, strings.Split(strings.ReplaceAll(row[1], "`", ""), ", ")...)
	}
	var want []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		sources, err := filepath.Glob(filepath.Join(path, "*.go"))
		if len(sources) > 0 && filepath.Base(path) != "e2e" {
			want = append(want, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(listed)
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("packages (-code +docs/architecture.md):\n%s", diff)
	}
}
