package sections_test

import (
	"database/sql"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// world is a database of its own, and the table of contents over it.
type world struct {
	url string
	mux xmlcurl.Handler
}

// demo is the demo world after edits.
func demo(t *testing.T, edits ...string) *world {
	t.Helper()
	address := dbtest.DemoURL(t)
	w := &world{address, sections.New(dbtest.Rules(t, address), nil)}
	w.edit(t, edits...)
	return w
}

// conn is a connection of its own.
func (w *world) conn(t *testing.T) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("pgx", w.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// try executes statements on one connection, up to the first that fails.
func (w *world) try(t *testing.T, edits ...string) error {
	t.Helper()
	conn := w.conn(t)
	defer func() { _ = conn.Close() }()
	for _, edit := range edits {
		if _, err := conn.ExecContext(t.Context(), edit); err != nil {
			return fmt.Errorf("%s: %w", edit, err)
		}
	}
	return nil
}

func (w *world) edit(t *testing.T, edits ...string) {
	t.Helper()
	if len(edits) == 0 {
		return
	}
	if err := w.try(t, edits...); err != nil {
		t.Fatal(err)
	}
}

// unguarded executes statements that no trigger and no foreign key looks at.
func (w *world) unguarded(t *testing.T, edits ...string) {
	t.Helper()
	w.edit(t, append([]string{`SET session_replication_role = replica`}, edits...)...)
}

// ask returns the answer to form as lines, the elements inside of the section; nil when it is not found.
func (w *world) ask(t *testing.T, form string) []string {
	t.Helper()
	raw, err := w.render(t, form)
	if errors.Is(err, xmlcurl.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return lines(t, raw)
}

func (w *world) render(t *testing.T, form string) ([]byte, error) {
	t.Helper()
	request, err := xmlcurl.ParseRequest([]byte(form))
	if err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return xmlcurl.Render(t.Context(), w.mux, request)
}

// element is any element, as FreeSWITCH's parser would have it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// lines are the elements inside the section of answer, one a line, indented by depth: name attr=value attr=value.
func lines(t *testing.T, answer []byte) []string {
	t.Helper()
	var document element
	if err := xml.Unmarshal(answer, &document); err != nil {
		t.Fatalf("%v in\n%s", err, answer)
	}
	if len(document.Children) != 1 || document.Children[0].XMLName.Local != "section" {
		t.Fatalf("not one section in\n%s", answer)
	}
	all := []string{}
	for _, child := range document.Children[0].Children {
		all = child.lines(all, "")
	}
	return all
}

func (e element) lines(all []string, indent string) []string {
	var line strings.Builder
	line.WriteString(indent + e.XMLName.Local)
	for _, a := range e.Attrs {
		line.WriteString(" " + a.Name.Local + "=" + a.Value)
	}
	if text := strings.TrimSpace(e.Text); text != "" {
		line.WriteString(" " + text)
	}
	all = append(all, line.String())
	for _, child := range e.Children {
		all = child.lines(all, indent+" ")
	}
	return all
}

// form is a request as FreeSWITCH would send it: the five base fields as they are, the others, name=value, encoded.
func form(node, section, tag, key, value string, fields ...string) string {
	all := "hostname=" + node + "&section=" + section + "&tag_name=" + tag + "&key_name=" + key + "&key_value=" + value
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		all += "&" + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	return all
}

func conf(file string, fields ...string) string { return confOf("fs1", file, fields...) }

func confOf(node, file string, fields ...string) string {
	return form(node, "configuration", "configuration", "name", file, fields...)
}

func call(context, number string, fields ...string) string {
	fields = append(fields, "Hunt-Destination-Number="+number, "Hunt-Context="+context)
	return form("fs1", "dialplan", "", "", "", fields...)
}

// lookup is about a domain. The field domain is not added: some lookups have none.
func lookup(domain string, fields ...string) string {
	return form("fs1", "directory", "domain", "name", domain, fields...)
}

// lookupUser is what FreeSWITCH sends for one user.
func lookupUser(domain, user string, fields ...string) string {
	return lookup(domain, append(fields, "key=id", "user="+user, "domain="+domain)...)
}

func allDomains(fields ...string) string { return form("fs1", "directory", "", "", "", fields...) }

// expectation is what must stand in an answer and what must not, as parts of lines.
type expectation struct {
	want, never []string
	missing     bool // not found
}

func (e expectation) check(t *testing.T, got []string) {
	t.Helper()
	all := strings.Join(got, "\n") + "\n"
	if e.missing != (got == nil) {
		t.Errorf("not found is %v in\n%s", got == nil, all)
	}
	for _, want := range e.want {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	for _, never := range e.never {
		if strings.Contains(all, never) {
			t.Errorf("%q in\n%s", never, all)
		}
	}
}

// answer is one answer over a demo world after edits.
type answer struct {
	name  string
	edits []string
	form  string
	expectation
}

// check asks all cases; those with the same edits share a world.
func check(t *testing.T, cases []answer) {
	t.Helper()
	worlds := map[string]*world{}
	for _, tc := range cases {
		edits := strings.Join(tc.edits, ";")
		if worlds[edits] == nil {
			worlds[edits] = demo(t, tc.edits...)
		}
		w := worlds[edits]
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.check(t, w.ask(t, tc.form))
		})
	}
}

// raw looks for parts of an answer's text as it is sent.
func raw(t *testing.T, w *world, form string, want ...string) {
	t.Helper()
	answer, err := w.render(t, form)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range want {
		if !strings.Contains(string(answer), want) {
			t.Errorf("no %q in\n%s", want, answer)
		}
	}
}
