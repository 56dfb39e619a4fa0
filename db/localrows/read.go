package localrows

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/pg"
	"xmlcurld/internal/pace"
)

// changesSeen is how long local rows may be away to be brought up to date by what changed, which is kept for db.ChangesKept.
const changesSeen = 24 * time.Hour

// change is a row that changed.
type change struct {
	Relation string
	Scope    string // context or domain
	Key      string // empty: any row of the table
}

// everything reports whether more changed than is read row by row. The tables without keys are small, or not held
// but for the answers to questions about them.
func (c change) everything() bool {
	switch c.Relation {
	case "number", "extension", "tenant", "domain", "domain_param", "domain_variable",
		"domain_user", "domain_user_param", "domain_user_variable":
		return c.Key == ""
	}
	return false
}

const changesQuery = `
SELECT DISTINCT relation, scope, coalesce(key, '') AS key
FROM (SELECT $1::pg_snapshot AS seen) m` + db.ChangesUnseen

// changes returns what the file does not show yet.
func (r *reader) changes(ctx context.Context) ([]change, error) {
	return pg.Rows(ctx, r.tx, pgx.RowToStructByPos[change], changesQuery, r.was.Snapshot)
}

// read reads the rows that changed.
func (r *reader) read(ctx context.Context, news []change) error {
	r.edits = make(map[disk.Place][]byte)
	by := make(map[string][]change)
	for _, n := range news {
		by[n.Relation] = append(by[n.Relation], n)
	}
	if err := r.readDialplan(ctx, by); err != nil {
		return err
	}
	if err := r.readGateways(ctx, by); err != nil {
		return err
	}
	return r.readUsers(ctx, by)
}

// chunk is how many rows are written at a time when everything is read.
const chunk = 20_000

// readAll writes everything to the file fresh, in no hurry: others wait for their calls.
func (r *reader) readAll(ctx context.Context, fresh *disk.File, questions []question) error {
	r.file, r.edits = fresh, make(map[disk.Place][]byte)
	if err := r.readDialplan(ctx, map[string][]change{"node": {{}}, "context": {{}}}); err != nil {
		return err
	}
	for _, table := range append(slices.Clone(callTables), gatewayTable) {
		if err := r.stream(ctx, table); err != nil {
			return err
		}
	}
	if err := r.streamUsers(ctx); err != nil {
		return err
	}
	for _, q := range questions {
		if err := r.readAnswer(ctx, q); err != nil {
			return err
		}
	}
	if err := r.write(); err != nil {
		return err
	}
	text, err := r.now.text()
	if err != nil {
		return err
	}
	return fresh.Finish(text)
}

// stream writes all rows of table.
func (r *reader) stream(ctx context.Context, table table) error {
	return r.each(ctx, shareAll, table.query, nil, func(key string, value []byte) error {
		r.edits[disk.At(table.relation, key)] = value
		return r.writeSome()
	})
}

// writeSome writes what was read, once it is much.
func (r *reader) writeSome() error {
	if len(r.edits) < chunk {
		return nil
	}
	return r.write()
}

// turn is a stretch of many rows that are read, before a time that is left to calls. PostgreSQL is never far ahead: it waits
// for who reads.
type turn struct {
	share time.Duration // of calls, when one is the turn's
	rows  int
	began time.Time
}

const (
	turnRows  = 100                  // at least: a few are read at once, however slowly
	turnTime  = 4 * time.Millisecond // at least
	shareSome = 1                    // what changed must not be in doubt for long
	shareAll  = 2                    // two thirds of a processor are the calls'
)

// rest counts rows that were read, and ends the turn if it was long enough.
func (t *turn) rest(ctx context.Context, rows int) error {
	if t.began.IsZero() { // to wait for the first row is no part of it
		t.began = time.Now()
	}
	t.rows += rows
	if took := time.Since(t.began); t.rows >= turnRows && took >= turnTime {
		pace.Sleep(ctx, t.share*took)
		t.rows, t.began = 0, time.Now()
	}
	return ctx.Err()
}

// write writes what was read so far straight to the file.
func (r *reader) write() error {
	err := r.file.Write(r.edits)
	clear(r.edits)
	return err
}

// each calls keep with every row of query, which has two columns and is planned for the tables as they are. It reads them in
// turns, with share of them in between.
func (r *reader) each(ctx context.Context, share time.Duration, query string, args []any, keep func(key string, value []byte) error) error {
	rows, err := r.tx.Query(ctx, query, append([]any{pg.PlannedAnew}, args...)...)
	if err != nil {
		return err
	}
	var key string
	var value []byte
	t := turn{share: share}
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		if err := keep(key, value); err != nil {
			return err
		}
		return t.rest(ctx, 1)
	})
	return err
}

// putJSON keeps value under key.
func (r *reader) putJSON(bucket, key string, value any) error {
	text, err := json.Marshal(value)
	r.edits[disk.At(bucket, key)] = text
	return err
}

// replace makes values, by their keys, all that bucket holds.
func (r *reader) replace(bucket string, values map[string][]byte) error {
	return r.file.View(func(v disk.View) error {
		for key, there := range v.Keys(bucket, "") {
			if _, stays := values[key]; there && !stays {
				r.edits[disk.At(bucket, key)] = nil
			}
		}
		for key, value := range values {
			r.edits[disk.At(bucket, key)] = value
		}
		return nil
	})
}
