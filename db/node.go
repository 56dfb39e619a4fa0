package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
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
	UsersSeen    string    // the snapshot up to which changes of users were applied; empty: none, or too long ago
	ReadAt       time.Time // by the database's clock, before it was
}

// userChangesKept is how long user_change is kept, and usersSeenKept how long a switch may be away to be given only those.
const (
	userChangesKept = `interval '25 hours'`
	usersSeenKept   = `interval '24 hours'`
)

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
	coalesce(CASE WHEN s.users_seen_at > now() - ` + usersSeenKept + ` THEN s.users_seen::text END, '') AS users_seen,
	statement_timestamp() AS read_at
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
	AND n.name = coalesce($1, n.name)
ORDER BY n.name`

// Nodes returns every node that has a row of its own.
func (s *Store) Nodes(ctx context.Context) ([]Node, error) {
	return s.nodes(ctx, "nodes", nil)
}

func (s *Store) nodes(ctx context.Context, operation string, name any) ([]Node, error) {
	nodes, err := collect[Node](ctx, s, operation, nodesQuery, name)
	for i := range nodes {
		if n := &nodes[i]; n.Reference != "" {
			if n.Password, err = s.secrets.Resolve(n.Reference); err != nil {
				n.Fault, err = err.Error(), nil
			}
		}
	}
	return nodes, err
}

// Node returns the node name, or false if it has no row.
func (s *Store) Node(ctx context.Context, name string) (Node, bool, error) {
	nodes, err := s.nodes(ctx, "node", name)
	if err != nil || len(nodes) == 0 {
		return Node{}, false, err
	}
	return nodes[0], true, nil
}

// NodeState is what is known of a switch.
type NodeState struct {
	Node            string     `json:"node"`
	Server          string     `json:"server"`
	Reachable       bool       `json:"reachable"`
	Pending         []string   `json:"pending"`
	PendingSince    *time.Time `json:"pending_since"`
	RestartRequired []string   `json:"restart_required"`
	LastError       string     `json:"last_error"`
	LookedAt        *time.Time `json:"looked_at"`  // the last look at everything saw all that was committed before; nil: none yet
	CheckedAt       *time.Time `json:"checked_at"` // nil: nobody has looked yet
	Unattended      bool       `json:"unattended"` // no server has told anything of it for a while
}

// unattended is how old what is known of a node may be: servers tell more than twice in that time.
const unattended = `interval '75 seconds'`

const nodeStatesQuery = `
SELECT
	n.name AS node,
	coalesce(s.server, '') AS server,
	coalesce(s.reachable, false) AS reachable,
	coalesce(s.pending, '{}') AS pending,
	s.pending_since,
	coalesce(s.restart_required, '{}') AS restart_required,
	coalesce(s.last_error, '') AS last_error,
	s.looked_at,
	s.checked_at,
	coalesce(s.checked_at < now() - ` + unattended + `, true) AS unattended
FROM node n
LEFT JOIN node_state s ON s.node = n.name
WHERE n.name <> '*'
ORDER BY n.name`

// NodeStates returns what is known of every node that has a row of its own.
func (s *Store) NodeStates(ctx context.Context) ([]NodeState, error) {
	return collect[NodeState](ctx, s, "node_states", nodeStatesQuery)
}

// AskForLook has the servers look at every node and everything, and returns the database's time: a look that begins later
// sees all that is committed by now.
func (s *Store) AskForLook(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.pool.QueryRow(ctx, `SELECT clock_timestamp() FROM pg_notify('xmlcurld', '`+Wait+`')`).Scan(&now)
	return now, translate("ask for a look", err)
}

const saveNodeStateQuery = `
INSERT INTO node_state AS s (
	node, server, reachable, pending, pending_since, restart_required, last_error,
	event_socket_address, event_socket_password, modules, users_seen, users_seen_at, looked_at, checked_at
)
SELECT
	n.name, @server, @reachable, @pending,
	CASE WHEN cardinality(@pending::text[]) > 0 THEN now() END,
	@restart_required, @last_error,
	nullif(@address, ''), nullif(@password, ''), @modules,
	nullif(@users_seen, '')::pg_snapshot, CASE WHEN @users_seen <> '' THEN now() END, @looked_at, now()
FROM node n
WHERE n.name = @node
ON CONFLICT (node) DO UPDATE SET
	server = excluded.server,
	reachable = excluded.reachable,
	pending = excluded.pending,
	pending_since = CASE WHEN cardinality(excluded.pending) > 0 THEN coalesce(s.pending_since, now()) END,
	restart_required = excluded.restart_required,
	last_error = excluded.last_error,
	event_socket_address = coalesce(excluded.event_socket_address, s.event_socket_address),
	event_socket_password = CASE WHEN NOT @forget THEN coalesce(excluded.event_socket_password, s.event_socket_password) END,
	modules = excluded.modules,
	users_seen = coalesce(excluded.users_seen, s.users_seen),
	users_seen_at = coalesce(excluded.users_seen_at, s.users_seen_at),
	looked_at = coalesce(excluded.looked_at, s.looked_at),
	checked_at = now()
RETURNING pending_since`

// SaveNodeState keeps what is known of a switch, with n's TookAddress, TookPassword, Modules and UsersSeen; what is empty
// of these but the modules stays as it was, and so does LookedAt when it is nil. A password that stands in no row is not
// kept, and one that was before it is forgotten once the switch takes the other. It returns since when something is
// pending.
func (s *Store) SaveNodeState(ctx context.Context, state NodeState, n Node) (since *time.Time, err error) {
	defer s.metrics.observe("save_node_state", time.Now())
	modules := append([]string{}, n.Modules...)
	rows, err := s.pool.Query(ctx, saveNodeStateQuery, pgx.NamedArgs{
		"node": state.Node, "server": state.Server, "reachable": state.Reachable, "pending": state.Pending,
		"restart_required": state.RestartRequired, "last_error": state.LastError, "looked_at": state.LookedAt,
		"address": n.TookAddress, "password": n.storable(), "forget": n.Reference != "" && n.TookPassword == n.Password, "users_seen": n.UsersSeen, "modules": modules,
	})
	if err != nil {
		return nil, translate("save the state of a node", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[*time.Time])
	if err != nil || len(all) == 0 {
		return nil, translate("save the state of a node", err)
	}
	return all[0], nil
}

// storable is TookPassword, unless that is a secret that rows only refer to.
func (n Node) storable() string {
	if n.Reference != "" {
		return ""
	}
	return n.TookPassword
}

// GatewayRevision is a gateway that a node should run.
type GatewayRevision struct {
	Name     string
	Profile  string
	Revision string // what the switch gives back as its variable xmlcurld_revision
	OfUser   bool   // it comes with a user of the directory, not with the profile
	Fault    string `db:"-"` // why its password cannot be read: it is not told to any switch, and stays where it is
}

// gatewayRow is a GatewayRevision before its password is read.
type gatewayRow struct {
	GatewayRevision
	Reference string
	Key       string
}

const gatewayRevisionsQuery = `
SELECT
	g.name,
	g.profile,
	g.revision::text AS revision,
	g.domain IS NOT NULL AS of_user,
	coalesce(g.password_from, '') AS reference,
	g.revision_key::text AS key
FROM gateway g
JOIN sip_profile p ON p.name = g.profile AND p.enabled AND p.node IN ('*', $1)
LEFT JOIN tenant t ON t.name = g.tenant
WHERE g.enabled
	AND g.node IN ('*', $1)
	AND coalesce(t.enabled, true)
	AND (g.domain IS NULL OR EXISTS (
		SELECT
		FROM domain_user u
		JOIN domain d ON d.name = u.domain AND d.enabled
		JOIN tenant dt ON dt.name = d.tenant AND dt.enabled
		JOIN sip_profile_domain pd ON pd.profile = g.profile AND pd.name IN (d.name, 'all') AND pd.parse
		WHERE u.domain = g.domain AND u.id = g.user_id AND u.enabled
	))
ORDER BY g.name`

// GatewayRevisions returns the gateways that node should run.
func (s *Store) GatewayRevisions(ctx context.Context, node string) ([]GatewayRevision, error) {
	rows, err := collect[gatewayRow](ctx, s, "gateway_revisions", gatewayRevisionsQuery, node)
	if err != nil {
		return nil, err
	}
	all := make([]GatewayRevision, 0, len(rows))
	for _, row := range rows {
		if row.Reference != "" {
			_, mark, err := s.resolve(row.Reference, row.Key)
			if err != nil {
				row.Fault = err.Error()
			}
			row.Revision = marked(row.Revision, mark)
		}
		all = append(all, row.GatewayRevision)
	}
	return all, nil
}
