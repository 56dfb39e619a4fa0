package db

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// listsRead are the access lists that were read last for their revisions: of nodes that have entries of their own, and of
// all others as Common.
type listsRead struct {
	at       time.Time
	snapshot string // that shows no more than any of them does
	lists    map[string]ACL
}

// ACLTables are those that access lists are made of.
var ACLTables = []string{"node", "tenant", "acl_list", "acl_entry", "domain", "domain_user"}

// listsKept is how long lists that were read may be the answer, as long as they have not changed. It is short, so that a database
// that lost its last transactions has not got as far again.
const listsKept = time.Second

// sinceListsQuery tells of node $1 whether entries are its alone, and whether anything changed that lists are made of, and
// that snapshot $2 does not show.
const sinceListsQuery = `
SELECT
	` + nodeKnown + `,
	EXISTS (SELECT FROM acl_entry WHERE node = $1 AND node <> '*'),
	EXISTS (
		SELECT
		FROM (SELECT $2::pg_snapshot AS seen) m` + ChangesUnseen + `
			AND relation = ANY ($3)
	)`

// lastACL returns the lists that were read last, unless they are too old, or others today.
func (s *Store) lastACL(ctx context.Context, node string) (a Answer[ACL], current bool, err error) {
	last := s.lastLists.Load()
	if last == nil || time.Since(last.at) > listsKept {
		return a, false, nil
	}
	type since struct{ nodeKnown, own, changed bool }
	answer, fresh, err := pg.Scan(ctx, s.from, func(row pgx.CollectableRow) (n since, err error) {
		err = row.Scan(&n.nodeKnown, &n.own, &n.changed)
		return n, err
	}, "acl_changes", sinceListsQuery, node, last.snapshot, ACLTables)
	if err != nil || answer[0].changed {
		return a, false, err
	}
	of := Common
	if answer[0].own {
		of = node
	}
	acl, current := last.lists[of]
	return Answer[ACL]{acl, answer[0].nodeKnown, fresh}, current, nil
}

// ownListsQuery tells which of nodes $1 have entries that are theirs alone, and which moment shows that.
const ownListsQuery = Moment + `
SELECT
	ARRAY(SELECT DISTINCT node::text FROM acl_entry WHERE node = ANY ($1) AND node <> '*'),
	` + SnapshotSeen + `
FROM r`

// ACLRevision returns the revision of node's access lists. Questions for many nodes read what they have in common once.
func (s *Store) ACLRevision(ctx context.Context, node string) (string, error) {
	return s.lists.Ask(ctx, node)
}

func (s *Store) askACLRevisions(ctx context.Context, nodes []string) (revisions []string, err error) {
	defer s.pg.Observe("acl_revisions", time.Now())
	err = pgx.BeginTxFunc(ctx, s.pg.Primary(), pgx.TxOptions{BeginQuery: beginTurns}, func(tx pgx.Tx) error {
		revisions, err = s.readLists(ctx, tx, nodes)
		return err
	})
	return revisions, pg.Translate("access lists", err)
}

// readLists reads the lists of nodes at one moment, and returns their revisions.
func (s *Store) readLists(ctx context.Context, tx pgx.Tx, nodes []string) ([]string, error) {
	read := &listsRead{at: time.Now(), lists: make(map[string]ACL)}
	var own []string
	if err := tx.QueryRow(ctx, ownListsQuery, nodes).Scan(&own, &read.snapshot); err != nil {
		return nil, err
	}
	revisions := make([]string, len(nodes))
	for i, node := range nodes {
		if !slices.Contains(own, node) {
			node = Common
		}
		if _, known := read.lists[node]; !known {
			runs, err := readACL(ctx, tx, node)
			if err != nil {
				return nil, err
			}
			read.lists[node] = NewACL(runs)
		}
		revisions[i] = read.lists[node].Revision
	}
	s.lastLists.Store(read)
	return revisions, nil
}

// turnEntries is how many entries are read at a time for a revision: less than a ms of a processor. Whoever needs that one would
// wait for a query for ten thousand until it had had its slice of some ms. With fewer at a time it takes longer than it helps.
const turnEntries = 2000

// beginTurns begins a transaction that sees one moment, and in which a turn looks at its own entries only, even where it is
// planned while there are a few.
const beginTurns = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off`

// aclTurnQuery asks for runs of the $3 plain entries after $2, and aclOthersQuery for all lists without their plain entries.
const (
	aclTurnQuery = `
SELECT list, action = 'allow', node = '*', array_agg(cidr), array_agg(id)
FROM (
	SELECT list, action, node, cidr, id` + aclPlainEntries + `
		AND id > $2
	ORDER BY id
	LIMIT $3
) e
GROUP BY list, node, action`

	aclOthersQuery = aclLists + aclOtherRuns + aclOfLists
)

// readACL reads the lists of node in turns.
func readACL(ctx context.Context, tx pgx.Tx, node string) ([]ACLRun, error) {
	all, err := pg.Rows(ctx, tx, scanACLRun(new(bool)), aclOthersQuery, node)
	if err != nil {
		return nil, err
	}
	lists := make(map[string]*ACLRun)
	for i := range all {
		lists[all[i].List] = &all[i]
	}
	var plain []ACLRun
	for last, read := int64(0), turnEntries; read == turnEntries; {
		runs, err := pg.Rows(ctx, tx, scanACLTurn, aclTurnQuery, node, last, turnEntries)
		if err != nil {
			return nil, err
		}
		read = 0
		for i := range runs {
			run := &runs[i]
			run.DefaultAllow = lists[run.List].DefaultAllow
			read, last = read+len(run.IDs), max(last, slices.Max(run.IDs))
		}
		plain = append(plain, runs...)
	}
	return append(withoutEmpty(all, plain), plain...), nil
}

func scanACLTurn(row pgx.CollectableRow) (r ACLRun, err error) {
	err = row.Scan(&r.List, &r.Allow, &r.Common, &r.CIDRs, &r.IDs)
	return r, err
}

// withoutEmpty leaves out of some what says that a list holds none, where others are entries of it.
func withoutEmpty(some, others []ACLRun) []ACLRun {
	held := make(map[string]bool)
	for i := range others {
		held[others[i].List] = true
	}
	return slices.DeleteFunc(some, func(r ACLRun) bool { return len(r.IDs) == 0 && held[r.List] })
}
