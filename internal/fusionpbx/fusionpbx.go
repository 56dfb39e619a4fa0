// Package fusionpbx reads a FusionPBX database. It makes the tree that FusionPBX tells its switch, and has it imported as any other.
package fusionpbx

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/importer"
	"xmlcurld/internal/rowset"
)

// Options say whose rows are read, and where they go.
type Options struct {
	importer.Options // without a Tenant, each domain gets one of its name

	Host    string            // the name of the machine whose rows are read besides those for all machines
	Globals map[string]string // what only the switch knows, as local_ip_v4
}

// Read makes rows of the FusionPBX database that conn is connected to. Places are a table and what people call its row. The error
// says so if it is no such database.
func Read(ctx context.Context, conn *pgx.Conn, options Options) (*importer.Result, error) {
	f, tree, err := read(ctx, conn, options)
	if err != nil {
		return nil, err
	}
	in := options.Options
	if in.Tenant == "" {
		in.Tenants = f.tenants
	}
	result := importer.Import(tree, in)
	result.Set.Rows = append(f.tenantRows(), result.Set.Rows...)
	result.Left = append(f.left, result.Left...)
	return result, nil
}

// Tree returns what FusionPBX tells its switch, to be compared with what a server would tell it.
func Tree(ctx context.Context, conn *pgx.Conn, options Options) (*conftree.Tree, error) {
	_, tree, err := read(ctx, conn, options)
	return tree, err
}

// read makes the tree that FusionPBX tells its switch.
func read(ctx context.Context, conn *pgx.Conn, options Options) (f *fusion, tree *conftree.Tree, err error) {
	f = &fusion{
		Options: options, ctx: ctx, known: make(map[string]*importer.Left), domains: make(map[string]*domain),
		settings: make(map[[3]string]string), tenants: make(map[*conftree.Element]string),
	}
	readOnly := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, conn, readOnly, func(tx pgx.Tx) error {
		f.tx = tx
		tree, err = f.tree()
		return err
	})
	return f, tree, err
}

// fusion is a database while it is read.
type fusion struct {
	Options
	ctx      context.Context
	tx       pgx.Tx
	columns  map[string][]string  // of each table
	settings map[[3]string]string // by domain, category and subcategory
	domains  map[string]*domain   // those that are switched on, by uuid
	tenants  map[*conftree.Element]string
	left     []*importer.Left
	known    map[string]*importer.Left // those of left, by what and why
}

// domain is a domain that is switched on.
type domain struct {
	uuid, name, tenant string
	off                bool
}

// tree is what FusionPBX tells its switch.
func (f *fusion) tree() (*conftree.Tree, error) {
	if err := f.recognize(); err != nil {
		return nil, err
	}
	if err := f.readSettings(); err != nil {
		return nil, err
	}
	if err := f.readDomains(); err != nil {
		return nil, err
	}
	configuration, err := f.configuration()
	if err != nil {
		return nil, err
	}
	dialplan, err := f.dialplan()
	if err != nil {
		return nil, err
	}
	directory, err := f.directory()
	if err != nil {
		return nil, err
	}
	variables, err := f.variables()
	if err != nil {
		return nil, err
	}
	if err := f.features(); err != nil {
		return nil, err
	}
	document := &conftree.Element{Name: "document", Children: []*conftree.Element{configuration, dialplan, directory}}
	return conftree.Made(document, variables, f.Globals)
}

var notInLabel = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func (f *fusion) readDomains() error {
	rows, err := f.read("v_domains")
	for _, r := range rows {
		d := &domain{r["domain_uuid"], strings.ToLower(r["domain_name"]), "", !r.on("domain_enabled")}
		d.tenant = strings.Trim(notInLabel.ReplaceAllString(d.name, "-"), ".-")
		d.tenant = d.tenant[:min(len(d.tenant), 63)]
		f.domains[d.uuid] = d
		if d.off {
			f.leave(place("v_domains", d.name), "domain "+d.name+" with its users and dialplans", "it is switched off", "Switch it on in FusionPBX, and import again.")
		}
	}
	return err
}

// inUse are the domains that are switched on, by name.
func (f *fusion) inUse() []*domain {
	all := slices.SortedFunc(maps.Values(f.domains), func(a, b *domain) int { return strings.Compare(a.name, b.name) })
	return slices.DeleteFunc(all, func(d *domain) bool { return d.off })
}

// tenantRows are the tenants of the domains.
func (f *fusion) tenantRows() (all []*rowset.Row) {
	if f.Tenant != "" {
		return nil
	}
	var set rowset.Set
	for _, d := range f.inUse() {
		set.Add("tenant", place("v_domains", d.name).String(), rowset.C("name", d.tenant))
	}
	return set.Rows
}

// leave tells of something that rows do not say, once for each reason.
func (f *fusion) leave(at conftree.Place, what, reason, do string) {
	key := what + "\x00" + reason
	if l := f.known[key]; l != nil {
		l.Times++
		return
	}
	l := &importer.Left{Place: at, What: what, Reason: reason, Do: do, Times: 1}
	f.known[key] = l
	f.left = append(f.left, l)
}

// here reports whether a row is for the machine whose rows are read. It tells of one that is for another.
func (f *fusion) here(at conftree.Place, r row, column string) bool {
	host := r[column]
	if host == "" || host == f.Host {
		return true
	}
	f.leave(at, "what is for machine "+host+" alone", "the rows of one machine are read, besides those for all", "Import again with the name of that machine.")
	return false
}

func place(table, name string) conftree.Place { return conftree.Place{File: table + " " + name} }

// element makes an element of pairs of an attribute's name and its value.
func element(at conftree.Place, name string, attrs ...string) *conftree.Element {
	e := &conftree.Element{Place: at, Name: name}
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs = append(e.Attrs, conftree.Attr{Name: attrs[i], Value: attrs[i+1]})
	}
	return e
}

// add appends children.
func add(e *conftree.Element, children ...*conftree.Element) *conftree.Element {
	e.Children = append(e.Children, children...)
	return e
}

func param(at conftree.Place, name, value string) *conftree.Element {
	return element(at, "param", "name", name, "value", value)
}

// plain is a value as FusionPBX tells it: without any $. Few values go to its switch as they stand.
func (f *fusion) plain(at conftree.Place, name, value string) string {
	if !strings.Contains(value, "$") {
		return value
	}
	f.leave(at, "$ in "+name, "FusionPBX leaves it out of what it tells its switch, and so do the rows", "Nothing, unless it was meant to arrive.")
	return strings.ReplaceAll(value, "$", "")
}
