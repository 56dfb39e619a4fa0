package switchstate

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

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

// saidOfNodes are the columns that say of a node n what was found, in s.
const saidOfNodes = `
	n.name AS node,
	coalesce(s.server, '') AS server,
	coalesce(s.reachable, false) AS reachable,
	coalesce(s.pending, '{}') AS pending,
	s.pending_since,
	coalesce(s.restart_required, '{}') AS restart_required,
	coalesce(s.last_error, '') AS last_error,`

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
SELECT` + saidOfNodes + `
	s.looked_at,
	s.checked_at,
	coalesce(s.checked_at < now() - ` + unattended + `, true)
		OR (hashtext(n.name)::bigint & 4294967295)::oid NOT IN (SELECT objid FROM claim) AS unattended
FROM node n
LEFT JOIN node_state s ON s.node = n.name
WHERE n.name <> '*'
ORDER BY n.name`

// NodeStates returns what is known of every node that has a row of its own. Only the primary knows of claims.
func NodeStates(ctx context.Context, database *pg.DB) ([]NodeState, error) {
	defer database.Observe("node_states", time.Now())
	states, err := pg.Rows(ctx, database.Primary(), pgx.RowToStructByName[NodeState], nodeStatesQuery)
	return states, pg.Translate("node_states", err)
}

// FormerNodeStates returns what was known of each node at a time, from rows as they were then: see history.Past.
// LookedAt and CheckedAt are since when that was so.
func FormerNodeStates(ctx context.Context, rows pg.Querier, at time.Time) ([]NodeState, error) {
	const query = `
SELECT` + saidOfNodes + `
	s.at AS looked_at,
	s.at AS checked_at,
	s.at IS NULL AS unattended
FROM node n
LEFT JOIN LATERAL (
	SELECT *
	FROM node_state_history
	WHERE node = n.name AND at <= $1
	ORDER BY at DESC
	LIMIT 1
) s ON true
WHERE n.name <> '*'
ORDER BY n.name`
	states, err := pg.Rows(ctx, rows, pgx.RowToStructByName[NodeState], query, at)
	return states, pg.Translate("former_node_states", err)
}

const askForLookQuery = `
SELECT at
FROM (SELECT clock_timestamp() AS at OFFSET 0) now
CROSS JOIN LATERAL pg_notify('xmlcurld', '` + table.WaitNotice + ` ' || (extract(epoch FROM at) * 1000000)::bigint) told`

// AskForLook has the servers look after every node, and returns the database's time: once a node's LookedAt is not before
// that, the look saw all that is committed by now.
func AskForLook(ctx context.Context, database *pg.DB) (time.Time, error) {
	var now time.Time
	err := database.Primary().QueryRow(ctx, askForLookQuery).Scan(&now)
	return now, pg.Translate("ask for a look", err)
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

// SaveNodeState keeps what is known of a switch, with n's TookAddress, TookPassword, Modules, Limits and UsersSeen; what is
// empty of these but the modules and the limits stays as it was, and so does LookedAt when it is nil. A password that stands
// in no row is not kept, and one that was before it is forgotten once the switch takes the other. It returns since when
// something is pending.
func (s *Store) SaveNodeState(ctx context.Context, state NodeState, n Node) (since *time.Time, err error) {
	defer s.pg.Observe("save_node_state", time.Now())
	password := n.TookPassword
	if n.Reference != "" {
		password = ""
	}
	err = s.pg.Primary().QueryRow(ctx, saveNodeStateQuery, pgx.NamedArgs{
		"node": state.Node, "server": state.Server, "reachable": state.Reachable, "pending": state.Pending,
		"restart_required": state.RestartRequired, "last_error": state.LastError, "looked_at": state.LookedAt,
		"address": n.TookAddress, "password": password, "users_seen": n.UsersSeen,
		"forget":  n.Reference != "" && n.TookPassword == n.Password,
		"modules": n.Modules, "limits": n.Limits,
	}).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) { // the node is no more
		return nil, nil
	}
	return since, pg.Translate("save_node_state", err)
}
