package localrows

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

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

// dialplanTables joins the values of a number, and of an extension, by a byte that none of them holds.
var dialplanTables = []table{
	{"tenant", ofTenants, `
		SELECT name, convert_to(enabled::text, 'UTF8')
		FROM tenant
		WHERE true`, ` AND name = ANY ($1)`},
	{"extension", ofExtensions, `
		SELECT name, convert_to(concat_ws(E'\x1f', coalesce(tenant, ''), compiled::text), 'UTF8')
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

// roomReader reads contexts, each text once.
type roomReader struct {
	mu   sync.Mutex
	seen map[string]*contextCopy
}

// roomsKept bounds how many texts are kept.
const roomsKept = 1000

func (r *roomReader) read(text []byte) (*contextCopy, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if room, ok := r.seen[string(text)]; ok {
		return room, nil
	}
	room := new(contextCopy)
	if err := json.Unmarshal(text, room); err != nil {
		return nil, err
	}
	if r.seen == nil || len(r.seen) >= roomsKept {
		r.seen = make(map[string]*contextCopy)
	}
	r.seen[string(text)] = room
	return room, nil
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
	err = l.look(func(v view) error {
		a, err = v.route(call)
		return err
	})
	return a, err
}

func (v view) route(call db.Call) (a db.Answer[db.Route], err error) {
	if v.unread.table("node") || v.unread.table("context") || v.unread.table("context_extension") {
		return a, errNotHeld
	}
	a.NodeKnown = v.Get(ofNodes, call.Node) != nil
	r := &a.Value
	text := v.Get(ofContexts, db.Fold(call.Context))
	if text == nil {
		return a, nil
	}
	room, err := v.local.rooms.read(text)
	if err != nil {
		return a, fmt.Errorf("the local rows' context %s: %w", call.Context, err)
	}
	if room.Tenant != nil {
		if on, err := v.tenantEnabled(*room.Tenant); err != nil || !on {
			return a, err
		}
	}
	r.Context = room.Name
	for _, number := range room.numbers(call.Number) {
		if found, err := v.called(r, room, number); err != nil || found {
			return a, err
		}
	}
	return a, v.notCalled(r, room)
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
func (v view) called(r *db.Route, room *contextCopy, number string) (bool, error) {
	if v.unread[change{"number", room.Name, number}] {
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
	if on, err := v.tenantEnabled(n.Tenant); err != nil || !on {
		return false, err
	}
	e, ok, err := v.extension(string(fields[1]), &n.Tenant)
	if err != nil || !ok {
		return false, err
	}
	own := string(fields[1])
	if err := v.everyCall(r, room, room.Before, own); err != nil {
		return false, err
	}
	r.Called, r.Own, r.Extensions = &n, len(r.Extensions), append(r.Extensions, e)
	return true, v.everyCall(r, room, room.After, own)
}

// everyCall adds names to r, extensions that a call gets in room beside a number's own.
func (v view) everyCall(r *db.Route, room *contextCopy, names []string, own string) error {
	return v.addExtensions(r, room, names, own)
}

// notCalled fills r in with what room has for a number that nobody has.
func (v view) notCalled(r *db.Route, room *contextCopy) error {
	if err := v.addExtensions(r, room, room.Extensions, ""); err != nil || room.NotFound == nil {
		return err
	}
	e, ok, err := v.extension(*room.NotFound, room.Tenant)
	if ok {
		r.NotFound = e
	}
	return err
}

// addExtensions adds names to r, but for that of the number's own extension.
func (v view) addExtensions(r *db.Route, room *contextCopy, names []string, own string) error {
	for _, name := range names {
		if name == own {
			continue
		}
		e, ok, err := v.extension(name, room.Tenant)
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
func (v view) extension(name string, tenant *string) (*db.Extension, bool, error) {
	if v.unread[change{"extension", "", name}] {
		return nil, false, errNotHeld
	}
	text := v.Get(ofExtensions, name)
	if text == nil {
		return nil, false, nil
	}
	own, compiled, _ := bytes.Cut(text, []byte(separator))
	if len(own) > 0 && (tenant == nil || *tenant != string(own)) {
		return nil, false, nil
	}
	e, err := v.local.extensions.ReadBytes(compiled)
	return e, err == nil, err
}

func (v view) tenantEnabled(name string) (bool, error) {
	if v.unread[change{"tenant", "", name}] {
		return false, errNotHeld
	}
	return string(v.Get(ofTenants, name)) == "true", nil
}
