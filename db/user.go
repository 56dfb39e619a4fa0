package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// userName is whom a user lookup is about.
type userName struct{ node, domain, name string }

// userRow is the answer to a user lookup.
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
	Settings       []userSetting
}

// userSetting is a setting of a user or of its domain.
type userSetting struct {
	Kind string `json:"kind"` // domain_param, domain_variable, user_param, user_variable
	Setting
}

// userQuery asks about many users at once.
const userQuery = `
SELECT
	q.question,
	EXISTS (SELECT FROM node WHERE name = q.node AND name <> '*') AS node_known,
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
	(
		SELECT json_agg(s ORDER BY s.name)
		FROM (
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
		) s
	) AS settings
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS q (node, domain, name, question)
LEFT JOIN LATERAL (
	SELECT d.name, d.tenant, d.dial_string, d.cacheable, ` + ownContext + `
	FROM domain d
	JOIN tenant t ON t.name = d.tenant
	LEFT JOIN context c ON c.name = d.context
	WHERE d.name = lower(q.domain)
		AND d.enabled
		AND t.enabled
) d ON true
LEFT JOIN LATERAL (
	SELECT *
	FROM (
		SELECT u.*, 1 AS rank
		FROM domain_user u
		WHERE u.domain = d.name AND u.id = lower(q.name)
		UNION ALL
		SELECT u.*, 2
		FROM domain_user u
		WHERE u.domain = d.name AND u.number_alias = lower(q.name)
	) u
	WHERE u.enabled
	ORDER BY u.rank
	LIMIT 1
) u ON true`

// User returns domain with the one user who has name as id or number_alias, whatever its case, in one round trip or a
// share of one. No domain: there is no such user, or it, its domain or its tenant is off.
func (s *Store) User(ctx context.Context, node, domain, name string) (d []Domain, nodeKnown bool, err error) {
	answer, err := s.users.answer(ctx, userName{node, domain, name})
	return answer.domains, answer.nodeKnown, err
}

func (s *Store) askUsers(ctx context.Context, names []userName) ([]directory, error) {
	n := len(names)
	columns := make([]string, 3*n) // of the questions: node, domain, name
	for i, name := range names {
		columns[i], columns[n+i], columns[2*n+i] = name.node, name.domain, name.name
	}
	rows, err := scan(ctx, s, scanUser, "user", userQuery, columns[:n], columns[n:2*n], columns[2*n:])
	if err != nil {
		return nil, err
	}
	answers := make([]directory, len(names))
	for i := range rows {
		row := &rows[i]
		answer := &answers[row.Question-1]
		answer.nodeKnown = row.NodeKnown
		if row.ID != "" {
			answer.domains = []Domain{row.tree()}
		}
	}
	return answers, nil
}

func scanUser(row pgx.CollectableRow) (r userRow, err error) {
	err = row.Scan(&r.Question, &r.NodeKnown, &r.Domain, &r.DialString, &r.Context, &r.Cacheable, &r.ID, &r.NumberAlias,
		&r.Password, &r.A1Hash, &r.VMPassword, &r.CallerIDName, &r.CallerIDNumber, &r.CIDR,
		&r.Settings)
	return r, err
}

func (row *userRow) tree() Domain {
	user := User{
		ID: row.ID, NumberAlias: row.NumberAlias, Password: row.Password, A1Hash: row.A1Hash, VMPassword: row.VMPassword,
		CallerIDName: row.CallerIDName, CallerIDNumber: row.CallerIDNumber, CIDR: row.CIDR,
	}
	d := Domain{Name: row.Domain, DialString: row.DialString, Context: row.Context, Cacheable: row.Cacheable}
	for _, s := range row.Settings {
		switch s.Kind {
		case "domain_param":
			d.Params = append(d.Params, s.Setting)
		case "domain_variable":
			d.Variables = append(d.Variables, s.Setting)
		case "user_param":
			user.Params = append(user.Params, s.Setting)
		case "user_variable":
			user.Variables = append(user.Variables, s.Setting)
		}
	}
	d.Users = []User{user}
	return d
}
