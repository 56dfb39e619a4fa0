package localrows

import (
	"context"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// table is a table that is read row by row: its rows as keys and values, and what narrows them to some keys.
type table struct{ relation, query, some string }

// callTables are those that are read row by row, of which there may be many.
var callTables = []table{
	{db.TenantTable, db.TenantRow + ` WHERE true`, ` AND name = ANY ($1)`},
	{db.ExtensionTable, db.ExtensionRow + ` WHERE true`, ` AND name = ANY ($1)`},
	{db.NumberTable, db.NumberRow + ` FROM number WHERE enabled`, ` AND (context, number) IN (SELECT * FROM unnest($1::text[], $2::text[]))`},
}

// readDialplan reads what changed of what a call needs.
func (r *reader) readDialplan(ctx context.Context, by map[string][]change) error {
	if len(by["node"]) > 0 {
		if err := r.readTable(ctx, db.NodeTable, db.NodeRow); err != nil {
			return err
		}
	}
	if len(by["context"])+len(by["context_extension"]) > 0 {
		if err := r.readTable(ctx, db.ContextTable, db.ContextRow+` FROM context`); err != nil {
			return err
		}
	}
	for _, table := range callTables {
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
			key = n.Scope + db.Separator + n.Key
			scopes = append(scopes, n.Scope)
		}
		keys = append(keys, n.Key)
		r.edits[disk.At(table.relation, key)] = nil
	}
	args := []any{keys}
	if scopes != nil {
		args = []any{scopes, keys}
	}
	return r.each(ctx, shareSome, table.query+table.some, args, func(key string, value []byte) error {
		r.edits[disk.At(table.relation, key)] = value
		return nil
	})
}

// Route implements db.Source.
func (l *Store) Route(_ context.Context, call db.Call) (a db.Answer[db.Route], err error) {
	err = l.look(func(v view) error {
		a, err = l.rules.Route(v, call)
		return err
	})
	return a, err
}
