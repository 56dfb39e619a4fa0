package db

import "github.com/jackc/pgx/v5"

// Setting is one param or variable of FreeSWITCH.
type Setting struct {
	Name   string
	Value  string
	Expand bool // $${name} in Value is for FreeSWITCH to replace
}

// NodeSetting is one setting of a node, with where it stands in the document.
type NodeSetting struct {
	Kind string // param or variable; empty: there is none
	Setting
	Mark string // of a value that rows only refer to: stands for it where it may not stand
}

// nodeKnown is a column that tells whether the node that asks, $1, has a row of its own.
const nodeKnown = `EXISTS (SELECT FROM node WHERE name = $1 AND name <> '*') AS node_known`

// askerKnown is nodeKnown for the node of one question q of many. For EXISTS Postgres would read all nodes first.
const askerKnown = `coalesce((SELECT true FROM node WHERE name = q.node AND name <> '*'), false)`

// scanNodeSetting reads kind, name, value, expand and nodeKnown.
func scanNodeSetting(nodeKnown *bool) pgx.RowToFunc[NodeSetting] {
	return func(row pgx.CollectableRow) (s NodeSetting, err error) {
		err = row.Scan(&s.Kind, &s.Name, &s.Value, &s.Expand, nodeKnown)
		return s, err
	}
}
