package db

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// UserName is whom a user lookup is about.
type UserName struct{ Node, Domain, Name string }

// userRow is an answer to a user lookup: the user, with one setting of it or of its domain, or with none.
type userRow struct {
	Question       int
	NodeKnown      bool
	Domain         string
	DialString     string
	Context        string
	Cacheable      int
	ID             string
	NumberAlias    string
	Password       string
	A1Hash         string
	VMPassword     string
	CallerIDName   string
	CallerIDNumber string
	CIDR           string
	Kind           string // domain_param, domain_variable, user_param, user_variable
	Setting        Setting
}

// userQuery asks about many users at once.
const userQuery = `
SELECT
	q.question,
	` + askerKnown + ` AS node_known,
	coalesce(u.domain, '') AS domain,
	coalesce(d.dial_string, '') AS dial_string,
	coalesce(d.context, '') AS context,
	coalesce(d.cacheable, 0) AS cacheable,
	coalesce(u.id, '') AS id,
	coalesce(u.number_alias, '') AS number_alias,
	coalesce(u.password, '') AS password,
	coalesce(u.a1_hash, '') AS a1_hash,
	coalesce(u.vm_password, '') AS vm_password,
	coalesce(u.caller_id_name, '') AS caller_id_name,
	coalesce(u.caller_id_number, '') AS caller_id_number,
	coalesce(array_to_string(u.cidr, ','), '') AS cidr,
	coalesce(s.kind, '') AS kind,
	coalesce(s.name, '') AS name,
	coalesce(s.value, '') AS value,
	coalesce(s.expand, false) AS expand
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS q (node, domain, name, question)
LEFT JOIN LATERAL (
	SELECT d.name, d.tenant, d.dial_string, d.cacheable, ` + ownContext + `
	FROM domain d
	LEFT JOIN LATERAL (
		SELECT tenant
		FROM context
		WHERE name = d.context
		OFFSET 0
	) c ON true
	WHERE d.name = lower(q.domain COLLATE "C")
		AND d.enabled
		AND (SELECT enabled FROM tenant WHERE name = d.tenant)
) d ON true
LEFT JOIN LATERAL (
	SELECT *
	FROM domain_user
	WHERE domain = d.name
		AND id = coalesce((
			SELECT id
			FROM domain_user
			WHERE domain = d.name AND id = lower(q.name COLLATE "C") AND enabled
		), (
			SELECT id
			FROM domain_user
			WHERE domain = d.name AND number_alias = lower(q.name COLLATE "C") AND enabled
		))
	OFFSET 0
) u ON true
LEFT JOIN LATERAL (
	SELECT 'domain_param' AS kind, name, value, expand
	FROM domain_param
	WHERE domain = u.domain
	UNION ALL
	SELECT 'domain_variable', name, value, expand
	FROM domain_variable
	WHERE domain = u.domain
	UNION ALL
	SELECT 'user_param', name, value, expand
	FROM domain_user_param
	WHERE domain = u.domain AND user_id = u.id
	UNION ALL
	SELECT 'user_variable', name, value, expand
	FROM domain_user_variable s
	WHERE domain = u.domain AND user_id = u.id AND ` + ownVariable + `
) s ON u.id IS NOT NULL`

// User implements Source, in one round trip or a share of one.
func (s *Store) User(ctx context.Context, node, domain, name string) (Answer[[]Domain], error) {
	return together(ctx, s, &s.users, s.AskUsers, UserName{node, domain, name})
}

// AskUsers is User for many, in one round trip.
func (s *Store) AskUsers(ctx context.Context, names []UserName) ([]Answer[[]Domain], error) {
	n := len(names)
	columns := make([]string, 3*n) // of the questions: node, domain, name
	for i, name := range names {
		columns[i], columns[n+i], columns[2*n+i] = name.Node, name.Domain, name.Name
	}
	args := []any{columns[:n], columns[n : 2*n], columns[2*n:]}
	if s.within { // the connection is not one of those for calls, which find each row by index
		args = manyRows(args...)
	}
	rows, fresh, err := pg.Lookup(ctx, s.from, scanUser, "user", userQuery, args...)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer[[]Domain], len(names))
	for i := range rows {
		row := &rows[i]
		answer := &answers[row.Question-1]
		answer.NodeKnown, answer.Freshness = row.NodeKnown, fresh
		if row.ID == "" {
			continue
		}
		if answer.Value == nil {
			answer.Value = []Domain{row.tree()}
		}
		answer.Value[0].addSetting(row.Kind, row.Setting)
	}
	for i := range answers {
		sortSettings(answers[i].Value)
	}
	return answers, nil
}

func scanUser(row pgx.CollectableRow) (r userRow, err error) {
	err = row.Scan(&r.Question, &r.NodeKnown, &r.Domain, &r.DialString, &r.Context, &r.Cacheable, &r.ID, &r.NumberAlias,
		&r.Password, &r.A1Hash, &r.VMPassword, &r.CallerIDName, &r.CallerIDNumber, &r.CIDR,
		&r.Kind, &r.Setting.Name, &r.Setting.Value, &r.Setting.Expand)
	return r, err
}

func (row *userRow) tree() Domain {
	user := User{
		ID: row.ID, NumberAlias: row.NumberAlias, Password: row.Password, A1Hash: row.A1Hash, VMPassword: row.VMPassword,
		CallerIDName: row.CallerIDName, CallerIDNumber: row.CallerIDNumber, CIDR: row.CIDR,
	}
	return Domain{Name: row.Domain, DialString: row.DialString, Context: row.Context, Cacheable: row.Cacheable, Users: []User{user}}
}

// addSetting adds a setting to d or to its one user.
func (d *Domain) addSetting(kind string, s Setting) {
	user := &d.Users[0]
	switch kind {
	case "domain_param":
		d.Params = append(d.Params, s)
	case "domain_variable":
		d.Variables = append(d.Variables, s)
	case "user_param":
		user.Params = append(user.Params, s)
	case "user_variable":
		user.Variables = append(user.Variables, s)
	}
}

// sortSettings orders the settings of each domain and of its one user by name.
func sortSettings(domains []Domain) {
	for i := range domains {
		domain := &domains[i]
		for _, settings := range [][]Setting{domain.Params, domain.Variables, domain.Users[0].Params, domain.Users[0].Variables} {
			slices.SortFunc(settings, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
		}
	}
}
