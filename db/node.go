package db

import (
	"context"
	"slices"
	"strings"
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
	Limits       []string  // that the rows set
	UsersSeen    string    // the snapshot up to which changes of users were applied; empty: none, or too long ago
	ReadAt       time.Time // by the database's clock, before it was
	Refers       bool      // secrets are in files, which change without a notice
	FetchedAt    time.Time // by the database's clock, when the switch fetched a document last; zero: never
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
	coalesce(s.limits, '{}') AS limits,
	coalesce(CASE WHEN s.users_seen_at > now() - ` + usersSeenKept + ` THEN s.users_seen::text END, '') AS users_seen,
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

// Nodes returns every node that has a row of its own.
func (s *Store) Nodes(ctx context.Context) ([]Node, error) {
	return s.nodes(ctx, "nodes", nil)
}

func (s *Store) nodes(ctx context.Context, operation string, names []string) ([]Node, error) {
	nodes, err := collect[Node](ctx, s, operation, nodesQuery, names)
	for i := range nodes {
		if n := &nodes[i]; n.Reference != "" {
			if n.Password, err = s.secrets.Resolve(n.Reference); err != nil {
				n.Fault, err = err.Error(), nil
			}
		}
	}
	return nodes, err
}

// Node returns the node name, or false if it has no row. Questions about many nodes travel together.
func (s *Store) Node(ctx context.Context, name string) (Node, bool, error) {
	node, err := s.nodeRows.answer(ctx, name)
	if err != nil || node == nil {
		return Node{}, false, err
	}
	return *node, true, nil
}

func (s *Store) askNodes(ctx context.Context, names []string) ([]*Node, error) {
	rows, err := s.nodes(ctx, "node", names)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*Node, len(rows))
	for i := range rows {
		byName[rows[i].Name] = &rows[i]
	}
	nodes := make([]*Node, len(names))
	for i, name := range names {
		nodes[i] = byName[name]
	}
	return nodes, nil
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
	LookedAt        *time.Time `json:"looked_at"`  // what was committed before has been looked at; nil: nothing yet
	CheckedAt       *time.Time `json:"checked_at"` // nil: nobody has looked yet
	Unattended      bool       `json:"unattended"` // no server takes care of it, or none has told anything of it for a while
}

// unattended is how old what is known of a node may be: servers tell more than twice in that time.
const unattended = `interval '75 seconds'`

// nodeStatesQuery: a server that dies gives up its claims at once, which pg_locks shows.
const nodeStatesQuery = `
WITH claim AS MATERIALIZED (
	SELECT objid
	FROM pg_locks
	WHERE locktype = 'advisory'
		AND granted
		AND objsubid = 2
		AND classid = (hashtext('xmlcurld node')::bigint & 4294967295)::oid
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
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
	coalesce(s.checked_at < now() - ` + unattended + `, true)
		OR (hashtext(n.name)::bigint & 4294967295)::oid NOT IN (SELECT objid FROM claim) AS unattended
FROM node n
LEFT JOIN node_state s ON s.node = n.name
WHERE n.name <> '*'
ORDER BY n.name`

// NodeStates returns what is known of every node that has a row of its own. Only the primary knows of claims.
func (s *Store) NodeStates(ctx context.Context) ([]NodeState, error) {
	defer s.metrics.observe("node_states", time.Now())
	states, err := ask(ctx, s.pool, pgx.RowToStructByName[NodeState], nodeStatesQuery, nil)
	return states, translate("node_states", err)
}

const askForLookQuery = `
SELECT at
FROM (SELECT clock_timestamp() AS at OFFSET 0) now
CROSS JOIN LATERAL pg_notify('xmlcurld', '` + Wait + ` ' || (extract(epoch FROM at) * 1000000)::bigint) told`

// AskForLook has the servers look after every node, and returns the database's time: once a node's LookedAt is not before
// that, the look saw all that is committed by now.
func (s *Store) AskForLook(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.pool.QueryRow(ctx, askForLookQuery).Scan(&now)
	return now, translate("ask for a look", err)
}

const saveNodeStateQuery = `
INSERT INTO node_state AS s (
	node, server, reachable, pending, pending_since, restart_required, last_error,
	event_socket_address, event_socket_password, modules, limits, users_seen, users_seen_at, looked_at, checked_at
)
SELECT
	n.name, @server, @reachable, @pending,
	CASE WHEN cardinality(@pending::text[]) > 0 THEN now() END,
	@restart_required, @last_error,
	nullif(@address, ''), nullif(@password, ''), @modules, @limits,
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
	limits = excluded.limits,
	users_seen = coalesce(excluded.users_seen, s.users_seen),
	users_seen_at = coalesce(excluded.users_seen_at, s.users_seen_at),
	looked_at = greatest(excluded.looked_at, s.looked_at),
	checked_at = now()
RETURNING pending_since`

// nodeSave is what SaveNodeState is to keep.
type nodeSave struct {
	state NodeState
	node  Node
}

// SaveNodeState keeps what is known of a switch, with n's TookAddress, TookPassword, Modules, Limits and UsersSeen; what is
// empty of these but the modules and the limits stays as it was, and so does LookedAt when it is nil. A password that stands
// in no row is not kept, and one that was before it is forgotten once the switch takes the other. It returns since when
// something is pending. States of many switches travel together.
func (s *Store) SaveNodeState(ctx context.Context, state NodeState, n Node) (since *time.Time, err error) {
	return s.nodeSaves.answer(ctx, nodeSave{state, n})
}

// saveNodeStates saves in the order of the names, so that two servers never wait for each other.
func (s *Store) saveNodeStates(ctx context.Context, saves []nodeSave) ([]*time.Time, error) {
	defer s.metrics.observe("save_node_state", time.Now())
	order := make([]int, len(saves))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(saves[a].state.Node, saves[b].state.Node) })
	since := make([]*time.Time, len(saves))
	var batch pgx.Batch
	for _, i := range order {
		state, n := saves[i].state, saves[i].node
		batch.Queue(saveNodeStateQuery, pgx.NamedArgs{
			"node": state.Node, "server": state.Server, "reachable": state.Reachable, "pending": state.Pending,
			"restart_required": state.RestartRequired, "last_error": state.LastError, "looked_at": state.LookedAt,
			"address": n.TookAddress, "password": n.storable(), "users_seen": n.UsersSeen,
			"forget":  n.Reference != "" && n.TookPassword == n.Password,
			"modules": append([]string{}, n.Modules...), "limits": append([]string{}, n.Limits...),
		}).Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowTo[*time.Time])
			if len(all) > 0 { // or the node is no more
				since[i] = all[0]
			}
			return err
		})
	}
	err := s.pool.SendBatch(ctx, &batch).Close()
	return since, translate("save the state of nodes", err)
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
