package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/diff"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/mask"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// Document is what changes in what some nodes are told.
type Document struct {
	Document string   `json:"document"` // acl.conf, or what was asked about
	Nodes    []string `json:"nodes"`    // whose change is the same; * is any that has no rows of its own, and empty are all
	Diff     string   `json:"diff"`     // unified, of the document as the switch gets it, with marks for secrets
	Left     int      `json:"left"`     // lines of Diff that are left out behind it
}

// diffLines is how many lines of one difference are shown.
const diffLines = 200

// asked is one document to be asked for.
type asked struct {
	name    string
	form    func(node string) *form.Form
	ofNode  bool // not every node gets the same
	columns bool // what it says of a node may stand in table node
}

// ofColumns are the configuration documents with values from columns of table node.
var ofColumns = []string{"event_socket.conf", "post_load_switch.conf", "sofia.conf"}

// nobody is a number that no table holds.
const nobody = "nobody"

// questions are all documents that may change. Those that no changed row is in are found out when they are rendered.
func questions(ctx context.Context, rows *changed, sides ...*side) (all []asked, err error) {
	for _, name := range slices.Sorted(maps.Keys(sides[0].contents.Configuration)) {
		all = append(all, asked{name, func(node string) *form.Form { return form.Configuration(node, name) }, true, slices.Contains(ofColumns, name)})
	}
	for _, t := range rows.first {
		more, err := questionsAbout(ctx, t, sides)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// questionsAbout are the documents about one thing.
func questionsAbout(ctx context.Context, t thing, sides []*side) (all []asked, err error) {
	p := t.parts()
	every := func(name string, f *form.Form) []asked {
		return []asked{{name: name, form: func(string) *form.Form { return f }}}
	}
	switch t.kind {
	case "number":
		return every(fmt.Sprintf("number %s in context %s", p[1], p[0]), form.Call(table.Common, p[0], p[1])), nil
	case "context":
		return every("a number that nobody has in context "+p[0], form.Call(table.Common, p[0], nobody)), nil
	case "user":
		return every(fmt.Sprintf("user %s@%s", p[1], p[0]), form.Register(table.Common, p[1], p[0])), nil
	case "domain":
		return every("domain "+p[0], form.Domain(table.Common, p[0]).With("domain", p[0])), nil
	case "group":
		return every(fmt.Sprintf("group %s@%s", p[1], p[0]), form.Domain(table.Common, p[0]).With("domain", p[0]).With("group", p[1])), nil
	case "document":
		return []asked{{name: p[0] + " " + p[1], ofNode: true, form: func(node string) *form.Form {
			switch f := form.Section(node, p[0]); p[0] {
			case "languages":
				return f.With("lang", p[1])
			case "chatplan":
				return f.With("context", p[1])
			case "channels":
				return f.With("purpose", p[1])
			default:
				return form.Configuration(node, p[1])
			}
		}}}, nil
	case "gateway":
		return questionsAboutGateway(ctx, p[0], sides)
	}
	return nil, nil
}

// questionsAboutGateway are those by which switches get a gateway: with its profile, or with a user.
func questionsAboutGateway(ctx context.Context, name string, sides []*side) (all []asked, err error) {
	var seen []string
	for _, s := range sides {
		var profile string
		var domain *string
		err := s.tx.QueryRow(ctx, `SELECT profile, domain FROM gateway WHERE name = $1`, name).Scan(&profile, &domain)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		where := "gateway " + name + " of profile " + profile
		f := func(node string) *form.Form {
			return form.Configuration(node, "sofia.conf").With("profile", profile).With("gateway", name)
		}
		if domain != nil {
			where = "gateways of " + *domain + " for profile " + profile
			f = func(node string) *form.Form {
				return form.Domain(node, *domain).With("purpose", "gateways").With("profile", profile)
			}
		}
		if !slices.Contains(seen, where) {
			seen = append(seen, where)
			all = append(all, asked{where, f, true, false})
		}
	}
	return all, nil
}

// side is the rows without the edit, or with it.
type side struct {
	tx       pgx.Tx
	contents *xmlcurl.Mux
	watch    *watch
	own      map[string][]string // nodes with rows of their own, by table
	nodes    []string
}

// newSide sees what tx sees.
func newSide(ctx context.Context, tx pgx.Tx, secrets db.Secrets) (*side, error) {
	s := &side{tx: tx, own: make(map[string][]string)}
	var err error
	if s.nodes, err = pg.Rows(ctx, tx, pgx.RowTo[string], `SELECT name FROM node WHERE name <> '*' ORDER BY name`); err != nil {
		return nil, err
	}
	s.own["node"] = s.nodes
	with, err := pg.Rows(ctx, tx, pgx.RowTo[string], `
		SELECT relname::text
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND attname = 'node'
		WHERE relname = ANY ($1) AND pg_table_is_visible(c.oid)`, table.Noted())
	if err != nil {
		return nil, err
	}
	for _, name := range with {
		s.own[name], err = pg.Rows(ctx, tx, pgx.RowTo[string], `SELECT node FROM `+pgx.Identifier{name}.Sanitize()+` WHERE node <> '*' GROUP BY node`)
		if err != nil {
			return nil, err
		}
	}
	s.watch = &watch{rows: table.SeenBy(tx, s.nodes)}
	s.contents = sections.New(db.NewRulebook(s.watch, secrets), nil)
	return s, nil
}

// watch is a Source that knows what it was asked last.
type watch struct {
	rows   *table.Seen
	asked  *table.Question
	asking bool // nothing else is wanted
}

var errAsked = errors.New("nothing but the question is wanted")

// Read implements table.Source.
func (w *watch) Read(ctx context.Context, q table.Question, answer func(table.Rows) error) (pg.Freshness, error) {
	if w.asked = &q; w.asking {
		return pg.Freshness{}, errAsked
	}
	return w.rows.Read(ctx, q, answer)
}

// question is what rows are asked for a document, nil if it is none.
func (s *side) question(ctx context.Context, a asked) (*table.Question, error) {
	s.watch.asked, s.watch.asking = nil, true
	defer func() { s.watch.asking = false }()
	if _, err := s.render(ctx, a, table.Common); err != nil && !errors.Is(err, errAsked) {
		return nil, err
	}
	return s.watch.asked, nil
}

// mayDiffer reports whether a document is made of rows that the edit changed.
func mayDiffer(ctx context.Context, a asked, touched map[string]bool, before, after *side) (bool, error) {
	q, err := after.question(ctx, a)
	if err != nil || q == nil {
		return false, err
	}
	for name := range touched {
		if q.Reads(name) {
			same, err := after.watch.rows.Same(ctx, before.watch.rows, *q)
			return !same, err
		}
	}
	return false, nil
}

// render is a document as a node gets it: nothing if it is not found, and a comment in its place if it cannot be made.
func (s *side) render(ctx context.Context, a asked, node string) ([]byte, error) {
	request, err := xmlcurl.ParseRequest([]byte(a.form(node).String()))
	if err != nil {
		return nil, err
	}
	document, err := xmlcurl.Render(ctx, s.contents, request)
	failed := new(pgconn.PgError)
	switch {
	case err == nil:
		return document, nil
	case errors.Is(err, xmlcurl.ErrNotFound):
		return nil, nil
	case errors.Is(err, errAsked), errors.Is(err, xmlcurl.ErrUnavailable), errors.As(err, &failed), ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	return fmt.Appendf(nil, "<!-- %s: %v -->\n", a.name, err), nil
}

// differs are the nodes to whom a question may be answered otherwise than to one without rows of its own.
func (s *side) differs(a asked) (nodes []string) {
	for name, own := range s.own {
		if s.watch.asked.Reads(name) && (name != "node" || a.columns) {
			nodes = append(nodes, own...)
		}
	}
	return nodes
}

// documents are what changes in what nodes are told, from one side to the other.
func documents(ctx context.Context, rows *changed, before, after *side, masker *mask.Masker) ([]Document, error) {
	all := []Document{}
	list, err := questions(ctx, rows, before, after)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		differs, err := mayDiffer(ctx, a, rows.touched, before, after)
		if err != nil {
			return nil, err
		}
		if !differs {
			continue
		}
		some, err := compared(ctx, a, before, after, masker)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// compared is what changes in one document, node by node.
func compared(ctx context.Context, a asked, before, after *side, masker *mask.Masker) (all []Document, err error) {
	add := func(node string) error {
		var old []byte
		failed := make(chan error, 1)
		go func() {
			var err error
			old, err = before.render(ctx, a, node)
			failed <- err
		}()
		changed, err := after.render(ctx, a, node)
		if err := cmp.Or(<-failed, err); err != nil {
			return err
		}
		text, left := difference(a.name, old, changed, masker)
		if i := slices.IndexFunc(all, func(d Document) bool { return d.Diff == text }); i >= 0 {
			all[i].Nodes = append(all[i].Nodes, node)
		} else {
			all = append(all, Document{a.name, []string{node}, text, left})
		}
		return nil
	}
	if err := add(table.Common); err != nil {
		return nil, err
	}
	if a.ofNode {
		own := append(before.differs(a), after.differs(a)...)
		for _, node := range merged(before.nodes, after.nodes) {
			if !slices.Contains(own, node) {
				i := slices.IndexFunc(all, func(d Document) bool { return slices.Contains(d.Nodes, table.Common) })
				all[i].Nodes = append(all[i].Nodes, node)
			} else if err := add(node); err != nil {
				return nil, err
			}
		}
	} else {
		all[0].Nodes = []string{}
	}
	return slices.DeleteFunc(all, func(d Document) bool { return d.Diff == "" }), nil
}

// merged are all of both, in order, each once.
func merged(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// revision matches what this server adds to documents for itself.
var revision = regexp.MustCompile(`(?m)^<(variable|list) name="xmlcurld[_.].*\n`)

// difference is what changes in a document. Revisions are left out beside other changes, which they always come with.
func difference(name string, before, after []byte, masker *mask.Masker) (text string, left int) {
	if string(before) == string(after) {
		return "", 0
	}
	before, after = masker.Document(before), masker.Document(after)
	if a, b := revision.ReplaceAll(before, nil), revision.ReplaceAll(after, nil); string(a) != string(b) {
		before, after = a, b
	}
	_, text, _ = strings.Cut(string(diff.Diff(name, before, name, after)), "\n")
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > diffLines {
		left = len(lines) - 1 - diffLines
		text = strings.Join(lines[:diffLines], "")
	}
	return text, left
}
