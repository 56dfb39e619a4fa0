package localrows

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/pg"
)

// A user is held as the answer to a question for it, with its domain's part.

// userKey is a user of a domain.
type userKey struct{ Domain, ID string }

func (k userKey) String() string { return k.Domain + db.Separator + k.ID }

const domainsOfQuery = `
SELECT d.name
FROM domain d
WHERE d.tenant = ANY ($1)
	OR d.name = ANY ($2)`

const usersOfQuery = `
SELECT domain, id
FROM domain_user
WHERE domain = ANY ($1)`

const allUsersQuery = `
SELECT domain, id
FROM domain_user
WHERE enabled
ORDER BY domain, id`

// readUsers reads the users that changed, and those of domains and tenants that did.
func (r *reader) readUsers(ctx context.Context, by map[string][]change) error {
	changed, err := r.changedUsers(ctx, by)
	if err != nil || len(changed) == 0 {
		return err
	}
	keys := make([]userKey, 0, len(changed))
	for key := range changed {
		keys = append(keys, key)
	}
	if err := r.forgetUsers(keys); err != nil {
		return err
	}
	return r.askUsers(ctx, keys)
}

func (r *reader) changedUsers(ctx context.Context, by map[string][]change) (map[userKey]bool, error) {
	users := make(map[userKey]bool)
	for _, relation := range []string{"domain_user", "domain_user_param", "domain_user_variable"} {
		for _, n := range by[relation] {
			users[userKey{n.Scope, n.Key}] = true
		}
	}
	var tenants, names []string
	for _, n := range by["tenant"] {
		tenants = append(tenants, n.Key)
	}
	for _, relation := range []string{"domain", "domain_param", "domain_variable"} {
		for _, n := range by[relation] {
			names = append(names, n.Key)
		}
	}
	if len(tenants)+len(names) == 0 {
		return users, nil
	}
	domains, err := pg.Rows(ctx, r.tx, pgx.RowTo[string], domainsOfQuery, tenants, names)
	if err != nil {
		return nil, err
	}
	domains = append(domains, names...) // one that is gone has users in the local rows
	found, err := pg.Rows(ctx, r.tx, pgx.RowToStructByPos[userKey], usersOfQuery, domains)
	if err != nil {
		return nil, err
	}
	for _, key := range found {
		users[key] = true
	}
	return users, r.file.View(func(v disk.View) error {
		for _, domain := range domains {
			for key := range v.Keys(ofUsers, domain+db.Separator) {
				_, id, _ := strings.Cut(key, db.Separator)
				users[userKey{domain, id}] = true
			}
		}
		return nil
	})
}

// forgetUsers deletes users with their aliases.
func (r *reader) forgetUsers(keys []userKey) error {
	return r.file.View(func(v disk.View) error {
		for _, key := range keys {
			r.edits[disk.At(ofUsers, key.String())] = nil
			domain, ok, err := userIn(v, key)
			if err != nil {
				return err
			}
			if ok && domain.Users[0].NumberAlias != "" {
				r.edits[disk.At(ofAliases, userKey{key.Domain, domain.Users[0].NumberAlias}.String())] = nil
			}
		}
		return nil
	})
}

// askUsers asks for users as a call would.
func (r *reader) askUsers(ctx context.Context, keys []userKey) error {
	for len(keys) > 0 {
		some := keys[:min(len(keys), pg.BatchSize)]
		keys = keys[len(some):]
		names := make([]db.UserName, len(some))
		for i, key := range some {
			names[i] = db.UserName{Domain: key.Domain, Name: key.ID}
		}
		answers, err := r.rows.AskUsers(ctx, names)
		if err != nil {
			return err
		}
		for i, answer := range answers {
			if err := r.putUser(some[i], answer.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// putUser keeps the answer for key, unless it is about another user, who has that for an alias.
func (r *reader) putUser(key userKey, answer []db.Domain) error {
	if len(answer) == 0 || answer[0].Users[0].ID != key.ID {
		return nil
	}
	if alias := answer[0].Users[0].NumberAlias; alias != "" {
		r.edits[disk.At(ofAliases, userKey{key.Domain, alias}.String())] = []byte(key.ID)
	}
	return r.putJSON(ofUsers, key.String(), answer[0])
}

// streamUsers writes all users.
func (r *reader) streamUsers(ctx context.Context) error {
	keys, err := pg.Rows(ctx, r.tx, pgx.RowToStructByPos[userKey], allUsersQuery)
	if err != nil {
		return err
	}
	t := turn{share: shareAll, began: time.Now()}
	for len(keys) > 0 {
		some := keys[:min(len(keys), pg.BatchSize)]
		keys = keys[len(some):]
		if err := r.askUsers(ctx, some); err != nil {
			return err
		}
		if err := r.writeSome(); err != nil {
			return err
		}
		if err := t.rest(ctx, len(some)); err != nil {
			return err
		}
	}
	return nil
}

// User implements db.Source.
func (l *Store) User(_ context.Context, node, domain, name string) (a db.Answer[[]db.Domain], err error) {
	err = l.look(func(v view) error {
		a, err = v.user(node, domain, name)
		return err
	})
	return a, err
}

func (v view) user(node, domain, name string) (a db.Answer[[]db.Domain], err error) {
	key := userKey{db.Fold(domain), db.Fold(name)}
	if v.unread.table("node") || v.unread.user(key) {
		return a, errNotHeld
	}
	a.NodeKnown = v.Get(db.NodeTable, node) != nil
	found, ok, err := userIn(v.View, key)
	if id := v.Get(ofAliases, key.String()); err == nil && !ok && id != nil {
		key.ID = string(id)
		found, ok, err = userIn(v.View, key)
	}
	if ok {
		a.Value = []db.Domain{found}
	}
	return a, err
}

func userIn(v disk.View, key userKey) (d db.Domain, ok bool, err error) {
	text := v.Get(ofUsers, key.String())
	if text == nil {
		return db.Domain{}, false, nil
	}
	if err := json.Unmarshal(text, &d); err != nil || len(d.Users) != 1 {
		return db.Domain{}, false, fmt.Errorf("the local rows' user %s of %s: not one user: %w", key.ID, key.Domain, err)
	}
	return d, true, nil
}
