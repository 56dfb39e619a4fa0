package switchstate

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/pg"
)

// UserChange is a user, or many, whom a switch has to forget.
type UserChange struct {
	Domain      string // empty: all
	UserID      string // empty: all of the domain
	NumberAlias string
	Unregister  bool // its registration as well
}

const snapshotQuery = `
SELECT
	pg_current_snapshot()::text,
	$1 <> '' AND pg_snapshot_xmax(nullif($1, '')::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())`

// A change whose number the present snapshot cannot have seen was made in another cluster, from which the database was
// restored: it would count as unseen again and again.
const userChangesQuery = `
SELECT DISTINCT
	coalesce(domain, '') AS domain,
	coalesce(user_id, '') AS user_id,
	coalesce(number_alias, '') AS number_alias,
	unregister
FROM user_change
WHERE xid >= pg_snapshot_xmin($1::pg_snapshot)
	AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)
	AND xid < pg_snapshot_xmax(pg_current_snapshot())`

// newPasswordsQuery: all users changed, and of these have other passwords, or are others under the same name.
const newPasswordsQuery = `
SELECT '' AS domain, '' AS user_id, '' AS number_alias, false AS unregister
UNION ALL
SELECT domain, id, coalesce(number_alias, ''), true
FROM domain_user
WHERE NOT pg_visible_in_snapshot(password_xid, $1::pg_snapshot)
	AND password_xid < pg_snapshot_xmax(pg_current_snapshot())`

// UserChanges returns the changes that the snapshot since did not show, and the snapshot to ask with the next time. When
// they are not noted any more that is one change of all users, and one of each whose password is another. With since empty,
// or from another database's life (it was restored from a dump), nobody knows what changed: that is one change of all
// users.
func (s *Store) UserChanges(ctx context.Context, since string, noted bool) (changes []UserChange, seen string, err error) {
	tx, err := s.pg.Primary().BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, "", pg.Translate("user changes", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var known bool
	if err := tx.QueryRow(ctx, snapshotQuery, since).Scan(&seen, &known); err != nil {
		return nil, "", pg.Translate("user changes", err)
	}
	if !known {
		return []UserChange{{}}, seen, nil
	}
	query := userChangesQuery
	if !noted {
		query = newPasswordsQuery
	}
	rows, err := tx.Query(ctx, query, since)
	if err != nil {
		return nil, "", pg.Translate("user changes", err)
	}
	changes, err = pgx.CollectRows(rows, pgx.RowToStructByName[UserChange])
	return changes, seen, pg.Translate("user changes", err)
}

// Registration is a phone that a switch knows.
type Registration struct{ User, Domain string }

const strangersQuery = `
SELECT DISTINCT r.name AS user, r.domain
FROM unnest($1::text[], $2::text[]) r (name, domain)
WHERE NOT EXISTS (
	SELECT
	FROM domain_user u
	JOIN domain d ON d.name = u.domain
	JOIN tenant t ON t.name = d.tenant
	WHERE u.domain = lower(r.domain COLLATE "C")
		AND lower(r.name COLLATE "C") IN (u.id, u.number_alias)
		AND u.enabled
		AND d.enabled
		AND t.enabled
)`

// Strangers returns those of registrations whose user does not exist or is off.
func (s *Store) Strangers(ctx context.Context, registrations []Registration) ([]Registration, error) {
	var names, domains []string
	for _, r := range registrations {
		names, domains = append(names, r.User), append(domains, r.Domain)
	}
	strangers, _, err := pg.Collect[Registration](ctx, s.pg, "strangers", strangersQuery, pg.PlannedAnew, names, domains)
	return strangers, err
}

// ofAnotherCluster are the changes that came with a dump: a row that can be seen, of a transaction that is yet to come.
const ofAnotherCluster = ` OR xid >= pg_snapshot_xmax(pg_current_snapshot())`

// ForgetChanges deletes the changes of users that every switch was given, or that are too old to be told one by one, those
// that are too old for local rows to be brought up to date by, and those of the cluster that the database was restored from.
func (s *Store) ForgetChanges(ctx context.Context) error {
	err := s.pg.Exec(ctx, "forget_changes", `DELETE FROM user_change WHERE at < now() - `+userChangesKept+ofAnotherCluster)
	if err != nil {
		return err
	}
	return s.pg.Exec(ctx, "forget_changes", `DELETE FROM change WHERE at < now() - `+db.ChangesKept+ofAnotherCluster)
}
