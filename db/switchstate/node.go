package switchstate

import (
	"context"
	"time"
)

// Node is a switch as its keeper sees it: its row, and what was known of it at the last look.
type Node struct {
	Name         string
	Address      string    // of its event socket, host:port; empty: it has none
	Password     string    // of its event socket
	Reference    string    // where Password is, if it does not stand in the row
	Fault        string    `db:"-"` // why Password cannot be read from there
	TookAddress  string    // where it answered last; it may still be there
	TookPassword string    // what it took last; it may still want that
	Modules      []string  // that the rows had
	Limits       []string  // that the rows set
	UsersSeen    string    // the snapshot up to which changes of users were applied; empty: none
	UsersNoted   bool      // what changed after that is noted still
	ReadAt       time.Time // by the database's clock, before it was
	Refers       bool      // secrets are in files, which change without a notice
	FetchedAt    time.Time // by the database's clock, when the switch fetched a document last; zero: never
}

// usersSeenKept is how long a switch may be away to be given only the users that changed. It is less than table.ChangesKept.
const usersSeenKept = `interval '24 hours'`

const nodesQuery = `
SELECT
	n.name,
	CASE
		WHEN n.event_socket_address ~ ':[0-9]+$' THEN n.event_socket_address
		WHEN n.event_socket_address IS NOT NULL THEN n.event_socket_address || ':8021'
		WHEN family(x.ip) = 6 THEN '[' || host(x.ip) || ']:' || x.port
		ELSE coalesce(host(x.ip) || ':' || x.port, '')
	END AS address,
	coalesce(x.password, '') AS password,
	coalesce(x.reference, '') AS reference,
	coalesce(s.event_socket_address, '') AS took_address,
	coalesce(s.event_socket_password, '') AS took_password,
	coalesce(s.modules, '{}') AS modules,
	coalesce(s.limits, '{}') AS limits,
	coalesce(s.users_seen::text, '') AS users_seen,
	coalesce(s.users_seen_at > now() - ` + usersSeenKept + `, false) AS users_noted,
	statement_timestamp() AS read_at,
	x.reference IS NOT NULL OR EXISTS (SELECT FROM gateway WHERE password_from IS NOT NULL) AS refers,
	coalesce((SELECT max(at) FROM node_fetch f WHERE f.node = n.name), '0001-01-01 00:00:00Z') AS fetched_at
FROM node n
JOIN node c ON c.name = '*'
CROSS JOIN LATERAL (
	SELECT
		coalesce(n.event_socket_ip, c.event_socket_ip) AS ip,
		coalesce(n.event_socket_port, c.event_socket_port) AS port,
		CASE WHEN n.event_socket_password_from IS NULL THEN coalesce(n.event_socket_password, c.event_socket_password) END AS password,
		CASE WHEN n.event_socket_password IS NULL THEN coalesce(n.event_socket_password_from, c.event_socket_password_from) END AS reference
) x
LEFT JOIN node_state s ON s.node = n.name
WHERE n.name <> '*'
	AND ($1::text[] IS NULL OR n.name = ANY($1))
ORDER BY n.name`

// Nodes returns the nodes of some names that have a row of their own; without names, all that do.
func (r *Rows) Nodes(ctx context.Context, names ...string) ([]Node, error) {
	nodes, err := collect[Node](ctx, r, "nodes", nodesQuery, names)
	for i := range nodes {
		if n := &nodes[i]; n.Reference != "" {
			if n.Password, err = r.Resolve(n.Reference); err != nil {
				n.Fault, err = err.Error(), nil
			}
		}
	}
	return nodes, err
}
