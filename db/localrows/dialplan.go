package localrows

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// The rows that a call needs, as the local rows holds them: by the same rules as routeQuery joins them, so that a change of one
// row is a change of one value, however many numbers it is about.

const nodesCopyQuery = `
SELECT name, ''::bytea
FROM node
WHERE name <> '*'`

// table is a table that is read row by row: its rows as keys and values, and what narrows them to some keys.
type table struct{ relation, bucket, query, some string }

// dialplanTables joins the values of a number by a byte that none of them holds.
var dialplanTables = []table{
	{"tenant", ofTenants, `
		SELECT name, convert_to(enabled::text, 'UTF8')
		FROM tenant
		WHERE true`, ` AND name = ANY ($1)`},
	{"extension", ofExtensions, `
		SELECT name, convert_to(json_build_object('tenant', tenant, 'compiled', compiled::text)::text, 'UTF8')
		FROM extension
		WHERE true`, ` AND name = ANY ($1)`},
	{"number", ofNumbers, `
		SELECT
			context || E'\x1f' || number,
			convert_to(concat_ws(E'\x1f',
				tenant, extension, coalesce(address, ''), coalesce(forward_number, ''), coalesce(display_name, '')), 'UTF8')
		FROM number
		WHERE enabled`, ` AND (context, number) IN (SELECT * FROM unnest($1::text[], $2::text[]))`},
}

const separator = "\x1f"

// contextCopy is a context with what stands in it for numbers that nobody has.
type contextCopy struct {
	Name        string   `json:"name"`
	Tenant      *string  `json:"tenant"`
	NumberForms []string `json:"number_forms"`
	Extensions  []string `json:"extensions"`
	Before      []string `json:"before"` // of Extensions: what a call to a number gets before the number's own
	After       []string `json:"after"`  // and what it gets behind that
	NotFound    *string  `json:"not_found"`
}

const contextsQuery = `
SELECT
	lower(c.name),
	convert_to(json_build_object(
		'name', c.name,
		'tenant', c.tenant,
		'number_forms', c.number_forms,
		'extensions', ARRAY(
			SELECT x.extension
			FROM context_extension x
			WHERE x.context = c.name AND x.enabled
			ORDER BY x.position, x.extension
		),
		'before', ARRAY(
			SELECT x.extension
			FROM context_extension x
			JOIN extension e ON e.name = x.extension
			WHERE x.context = c.name AND x.enabled AND NOT x.after_number AND e.continue
			ORDER BY x.position, x.extension
		),
		'after', ARRAY(
			SELECT x.extension
			FROM context_extension x
			WHERE x.context = c.name AND x.enabled AND x.after_number
			ORDER BY x.position, x.extension
		),
		'not_found', c.not_found_extension
	)::text, 'UTF8')
FROM context c`

// readDialplan reads what changed of what a call needs.
func (r *reader) readDialplan(ctx context.Context, by map[string][]change) error {
	if len(by["node"]) > 0 {
		if err := r.readTable(ctx, ofNodes, nodesCopyQuery); err != nil {
			return err
		}
	}
	if len(by["context"])+len(by["context_extension"]) > 0 {
		if err := r.readTable(ctx, ofContexts, contextsQuery); err != nil {
			return err
		}
	}
	for _, table := range dialplanTables {
		if err := r.readRows(ctx, table, by[table.relation]); err != nil {
			return err
		}
	}
	return nil
}

// readTable reads a whole table, a small one.
func (r *reader) readTable(ctx context.Context, bucket, query string) error {
	values := make(map[string][]byte)
	err := r.each(ctx, shareSome, query, nil, func(key string, value []byte) error {
		values[key] = value
		return nil
	})
	if err != nil {
		return err
	}
	return r.replace(bucket, values)
}

// readRows reads the rows that changed; those that are gone are deleted.
func (r *reader) readRows(ctx context.Context, table table, news []change) error {
	if len(news) == 0 {
		return nil
	}
	var keys, scopes []string
	for _, n := range news {
		key := n.Key
		if n.Scope != "" {
			key = n.Scope + separator + n.Key
			scopes = append(scopes, n.Scope)
		}
		keys = append(keys, n.Key)
		r.edits[disk.At(table.bucket, key)] = nil
	}
	args := []any{keys}
	if scopes != nil {
		args = []any{scopes, keys}
	}
	return r.each(ctx, shareSome, table.query+table.some, args, func(key string, value []byte) error {
		r.edits[disk.At(table.bucket, key)] = value
		return nil
	})
}

// Route implements db.Source.
func (l *Store) Route(_ context.Context, call db.Call) (a db.Answer[db.Route], err error) {
	err = l.look(func(v disk.View) error {
		if l.doubtsTable("node") {
			return errNotHeld
		}
		a.NodeKnown = v.Get(ofNodes, call.Node) != nil
		a.Value, err = l.route(v, call)
		return err
	})
	return a, err
}

func (l *Store) route(v disk.View, call db.Call) (db.Route, error) {
	var r db.Route
	if l.doubtsTable("context") || l.doubtsTable("context_extension") {
		return r, errNotHeld
	}
	text := v.Get(ofContexts, db.Fold(call.Context))
	if text == nil {
		return r, nil
	}
	var room contextCopy
	if err := json.Unmarshal(text, &room); err != nil {
		return r, fmt.Errorf("the local rows' context %s: %w", call.Context, err)
	}
	if room.Tenant != nil {
		if on, err := l.tenantEnabled(v, *room.Tenant); err != nil || !on {
			return r, err
		}
	}
	r.Context = room.Name
	for _, number := range room.numbers(call.Number) {
		if found, err := l.called(v, &r, &room, number); err != nil || found {
			return r, err
		}
	}
	return r, l.notCalled(v, &r, &room)
}

// numbers are those that dialled may mean, the likelier one first.
func (room *contextCopy) numbers(dialled string) (numbers []string) {
	takes := func(form string) bool { return slices.Contains(room.NumberForms, form) }
	form := "bare"
	if strings.HasPrefix(dialled, "00") {
		form = "00"
	}
	if !strings.HasPrefix(dialled, "+") || takes("plus") {
		numbers = append(numbers, dialled)
	}
	if other := db.E164(dialled); other != "" && takes(form) {
		numbers = append(numbers, other)
	}
	return numbers
}

// called fills r in if somebody has number in room.
func (l *Store) called(v disk.View, r *db.Route, room *contextCopy, number string) (bool, error) {
	if l.doubts(change{"number", room.Name, number}) {
		return false, errNotHeld
	}
	text := v.Get(ofNumbers, room.Name+separator+number)
	if text == nil {
		return false, nil
	}
	fields := bytes.Split(text, []byte(separator))
	if len(fields) != 5 {
		return false, fmt.Errorf("the local rows' number %s: %d fields", number, len(fields))
	}
	n := db.Number{Number: number, Tenant: string(fields[0]), Address: string(fields[2]), ForwardNumber: string(fields[3]),
		DisplayName: string(fields[4])}
	if room.Tenant != nil && *room.Tenant != n.Tenant {
		return false, nil
	}
	if on, err := l.tenantEnabled(v, n.Tenant); err != nil || !on {
		return false, err
	}
	e, ok, err := l.extension(v, string(fields[1]), &n.Tenant)
	if err != nil || !ok {
		return false, err
	}
	own := string(fields[1])
	if err := l.everyCall(v, r, room, room.Before, own); err != nil {
		return false, err
	}
	r.Called, r.Own, r.Extensions = &n, len(r.Extensions), append(r.Extensions, e)
	return true, l.everyCall(v, r, room, room.After, own)
}

// everyCall adds names to r, extensions that a call gets in room beside a number's own.
func (l *Store) everyCall(v disk.View, r *db.Route, room *contextCopy, names []string, own string) error {
	return l.addExtensions(v, r, room, slices.DeleteFunc(names, func(name string) bool { return name == own }))
}

// notCalled fills r in with what room has for a number that nobody has.
func (l *Store) notCalled(v disk.View, r *db.Route, room *contextCopy) error {
	if err := l.addExtensions(v, r, room, room.Extensions); err != nil || room.NotFound == nil {
		return err
	}
	e, ok, err := l.extension(v, *room.NotFound, room.Tenant)
	if ok {
		r.NotFound = e
	}
	return err
}

func (l *Store) addExtensions(v disk.View, r *db.Route, room *contextCopy, names []string) error {
	for _, name := range names {
		e, ok, err := l.extension(v, name, room.Tenant)
		if err != nil {
			return err
		}
		if ok {
			r.Extensions = append(r.Extensions, e)
		}
	}
	return nil
}

// extension returns the extension name, unless it is of a tenant other than tenant.
func (l *Store) extension(v disk.View, name string, tenant *string) (*db.Extension, bool, error) {
	if l.doubts(change{"extension", "", name}) {
		return nil, false, errNotHeld
	}
	var row struct {
		Tenant   *string `json:"tenant"`
		Compiled string  `json:"compiled"`
	}
	text := v.Get(ofExtensions, name)
	if text == nil {
		return nil, false, nil
	}
	if err := json.Unmarshal(text, &row); err != nil {
		return nil, false, fmt.Errorf("the local rows' extension %s: %w", name, err)
	}
	if row.Tenant != nil && (tenant == nil || *tenant != *row.Tenant) {
		return nil, false, nil
	}
	e, err := l.extensions.Read(row.Compiled)
	return e, err == nil, err
}

func (l *Store) tenantEnabled(v disk.View, name string) (bool, error) {
	if l.doubts(change{"tenant", "", name}) {
		return false, errNotHeld
	}
	return string(v.Get(ofTenants, name)) == "true", nil
}

// look calls f with the local rows as it is, if it may answer at all.
func (l *Store) look(f func(v disk.View) error) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if _, usable := l.age(); !usable {
		return errNotHeld
	}
	return notHeld(l.file.View(f))
}

// notHeld is err, which says that the local rows cannot answer where its file is damaged.
func notHeld(err error) error {
	if damage := (*disk.Damage)(nil); errors.As(err, &damage) {
		return fmt.Errorf("%w: %w", errNotHeld, err)
	}
	return err
}
