package db

import (
	"context"

	"xmlcurld/db/pg"
)

// Source is where rows come from: Postgres, or the local mirror of it. Every method returns ErrUnavailable when the rows
// cannot be had. What is not there is no error: the value is empty.
type Source interface {
	// Route returns what is to be done with a call.
	Route(ctx context.Context, call Call) (Answer[Route], error)
	// User returns domain with the one user who has name as id or number_alias, whatever its case. No domain: there is no
	// such user, or it, its domain or its tenant is off.
	User(ctx context.Context, node, domain, name string) (Answer[[]Domain], error)
	// Domain returns domain without its users.
	Domain(ctx context.Context, node, domain string) (Answer[[]Domain], error)
	// Users returns domain, or all domains if it is empty, each with all its users and groups.
	Users(ctx context.Context, node, domain string) (Answer[[]Domain], error)
	// Networks returns domain with those of its users who have a cidr.
	Networks(ctx context.Context, node, domain string) (Answer[[]Domain], error)
	// Group returns domain with the users of its group name, in the order in which they ring. No Users: there is no such
	// group, or nobody in it.
	Group(ctx context.Context, node, domain, name string) (Answer[[]Domain], error)
	// UserGateways returns domain, or all domains if it is empty, each with those of its users who have a gateway in
	// profile.
	UserGateways(ctx context.Context, node, domain, profile string) (Answer[[]Domain], error)
	// ACL returns all access lists for node.
	ACL(ctx context.Context, node string) (Answer[ACL], error)
	// Credentials returns those of all nodes.
	Credentials(ctx context.Context) ([]Credential, error)
	// Document returns the document name of section for node. A Body that is empty says that none is stored.
	Document(ctx context.Context, node, section, name string) (Answer[Document], error)
	// EventSocket returns node's settings for event_socket.conf. A password that cannot be read is none.
	EventSocket(ctx context.Context, node string) (Answer[[]NodeSetting], error)
	// Modules returns the modules that node loads, in order.
	Modules(ctx context.Context, node string) (Answer[[]Module], error)
	// Sofia returns sofia.conf for node. A profile narrows it to that profile, with all its gateways; a gateway as well, to
	// that one, or to all when it is FreeSWITCH's _all_, and to nothing else of the profile. Without a profile there are no
	// gateways: FreeSWITCH does not read them then.
	Sofia(ctx context.Context, node, profile, gateway string) (Answer[Sofia], error)
	// Switch returns node's settings for post_load_switch.conf.
	Switch(ctx context.Context, node string) (Answer[[]NodeSetting], error)
}

// Answer is what the rows say to one question, and what is known of that.
type Answer[T any] struct {
	Value     T
	NodeKnown bool         // the node that asks has a row of its own
	Freshness pg.Freshness `json:"-"`
}
