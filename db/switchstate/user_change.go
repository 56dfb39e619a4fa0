package switchstate

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// UserChange is a name of a user whom a switch has to forget.
type UserChange struct {
	Domain     string
	Name       string // its id or its alias; empty: any user of any domain
	Unregister bool   // its registration as well
}

const snapshotQuery = `
SELECT
	pg_current_snapshot()::text,
	$1 <> '' AND pg_snapshot_xmax(nullif($1, '')::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())`

// userChangesQuery asks for the users whom a switch may hold, and who changed since snapshot $1. The registration of one ends
// who has another password, or is another under the same name. Users who are off or gone are left to strangersQuery. Of many
// that changed at once only that is noted, and of what changed long ago nothing, $2: then all users are looked at.
const userChangesQuery = `
WITH unseen AS MATERIALIZED (
	SELECT relation, scope, key
	FROM (SELECT $1::pg_snapshot AS seen) m` + table.ChangesUnseen + `
		AND (existed OR relation IN ('domain_param', 'domain_variable', 'domain_user_param', 'domain_user_variable'))
)
SELECT domain, name, bool_or(unregister) AS unregister
FROM (
	SELECT '' AS domain, '' AS name, false AS unregister
	WHERE $2 OR EXISTS (
		SELECT
		FROM unseen
		WHERE relation IN ('domain', 'domain_param', 'domain_variable')
			OR relation IN ('domain_user', 'domain_user_param', 'domain_user_variable') AND key IS NULL
			OR relation = 'tenant' AND EXISTS (
				SELECT
				FROM domain d
				JOIN tenant t ON t.name = d.tenant
				WHERE NOT t.enabled
					AND t.name = coalesce(key, t.name)
			)
	)
	UNION ALL
	SELECT scope, unnest(ARRAY[key, number_alias]), relation = 'domain_user' AND ` + newPassword + `
	FROM unseen
	LEFT JOIN domain_user u ON u.domain = scope AND u.id = key
	WHERE relation IN ('domain_user', 'domain_user_param', 'domain_user_variable')
	UNION ALL
	SELECT domain, unnest(ARRAY[id, number_alias]), true
	FROM domain_user
	WHERE ($2 OR EXISTS (SELECT FROM unseen WHERE relation = 'domain_user' AND key IS NULL))
		AND ` + newPassword + `
) c
WHERE name IS NOT NULL
GROUP BY domain, name
ORDER BY domain, name`

// newPassword: a transaction that the present snapshot cannot have seen was another cluster's, from which the database was
// restored. It would count as unseen again and again. The transaction that asks is not in its own snapshot.
const newPassword = `coalesce(NOT pg_visible_in_snapshot(password_xid, $1)
	AND (password_xid < pg_snapshot_xmax(pg_current_snapshot()) OR password_xid = pg_current_xact_id_if_assigned()), false)`

// UserChanges returns the changes that the snapshot since did not show, and the snapshot to ask with the next time. When
// not all of them are noted any more, or with since empty or from another database's life (it was restored from a dump), any
// user may have changed. In the first case it is known all the same who has another password.
func (r *Rows) UserChanges(ctx context.Context, since string, noted bool) (changes []UserChange, seen string, err error) {
	err = r.atOneMoment(ctx, "user changes", func(ctx context.Context, tx pgx.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, snapshotQuery, since).Scan(&seen, &known); err != nil {
			return err
		}
		if !known {
			changes = []UserChange{{}}
			return nil
		}
		changes, err = pg.Rows(ctx, tx, pgx.RowToStructByName[UserChange], userChangesQuery, since, !noted)
		return err
	})
	return changes, seen, err
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
func (r *Rows) Strangers(ctx context.Context, registrations []Registration) ([]Registration, error) {
	var names, domains []string
	for _, one := range registrations {
		names, domains = append(names, one.User), append(domains, one.Domain)
	}
	return collect[Registration](ctx, r, "strangers", strangersQuery, pg.PlannedAnew, names, domains)
}

// ofAnotherCluster are the changes that came with a dump: a row that can be seen, of a transaction that is yet to come.
const ofAnotherCluster = ` OR xid >= pg_snapshot_xmax(pg_current_snapshot())`

// ForgetChanges deletes the changes that are too old to be told one by one, and those of the cluster that the database was
// restored from.
func (s *Store) ForgetChanges(ctx context.Context) error {
	return s.pg.Exec(ctx, "forget_changes", `DELETE FROM change WHERE at < now() - `+table.ChangesKept+ofAnotherCluster)
}
