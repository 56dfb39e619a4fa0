package localrows

import (
	"context"
	"errors"

	"xmlcurld/db"
	"xmlcurld/db/pg"
)

// fallback asks the database, and the local rows when the database does not answer, or answers with a fault. The local rows may answer
// even when the time for the database is over: it needs next to none. What neither can answer is the database's fault.
type fallback struct {
	primary *db.Store
	local   *Store
}

// Fallback returns a Source that answers from primary while it can, and from l, marked with its age, while it cannot. What
// nodes ask primary is what l keeps answers to.
func Fallback(primary *db.Store, l *Store) db.Source { return fallback{primary, l} }

// or returns the answer of the local rows if err says that the database has none.
func or[T any](ctx context.Context, f fallback, answer db.Answer[T], err error, kept func() (db.Answer[T], error)) (db.Answer[T], error) {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more
		return answer, err
	}
	age, _ := f.local.Age()
	other, missing := kept()
	if missing != nil {
		return answer, err
	}
	other.Freshness = pg.Freshness{Age: age, Reason: err}
	return other, nil
}

// Route implements db.Source.
func (f fallback) Route(ctx context.Context, call db.Call) (db.Answer[db.Route], error) {
	a, err := f.primary.Route(ctx, call)
	return or(ctx, f, a, err, func() (db.Answer[db.Route], error) { return f.local.Route(ctx, call) })
}

// User implements db.Source.
func (f fallback) User(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.User(ctx, node, domain, name)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.User(ctx, node, domain, name) })
}

// Domain implements db.Source.
func (f fallback) Domain(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Domain(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "domain", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Domain(ctx, node, domain) })
}

// Users implements db.Source.
func (f fallback) Users(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Users(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "users", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Users(ctx, node, domain) })
}

// Networks implements db.Source.
func (f fallback) Networks(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Networks(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "networks", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Networks(ctx, node, domain) })
}

// Group implements db.Source.
func (f fallback) Group(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Group(ctx, node, domain, name)
	f.local.noteDomains(a.Value, true, "group", domain, name)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Group(ctx, node, domain, name) })
}

// UserGateways implements db.Source.
func (f fallback) UserGateways(ctx context.Context, node, domain, profile string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.UserGateways(ctx, node, domain, profile)
	f.asked(err, a.NodeKnown, "user_gateways", node, domain, profile)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.UserGateways(ctx, node, domain, profile) })
}

// ACL implements db.Source.
func (f fallback) ACL(ctx context.Context, node string) (db.Answer[db.ACL], error) {
	a, err := f.primary.ACL(ctx, node)
	f.asked(err, a.NodeKnown, "acl", node)
	return or(ctx, f, a, err, func() (db.Answer[db.ACL], error) { return f.local.ACL(ctx, node) })
}

// Credentials implements db.Source.
func (f fallback) Credentials(ctx context.Context) ([]db.Credential, error) {
	all, err := f.primary.Credentials(ctx)
	f.asked(err, true, "credentials", db.Common)
	if err == nil {
		return all, nil
	}
	if kept, missing := f.local.Credentials(ctx); missing == nil {
		return kept, nil
	}
	return nil, err
}

// Document implements db.Source.
func (f fallback) Document(ctx context.Context, node, section, name string) (db.Answer[db.Document], error) {
	a, err := f.primary.Document(ctx, node, section, name)
	f.asked(err, a.NodeKnown, "document", node, section, name)
	return or(ctx, f, a, err, func() (db.Answer[db.Document], error) { return f.local.Document(ctx, node, section, name) })
}

// EventSocket implements db.Source.
func (f fallback) EventSocket(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error) {
	a, err := f.primary.EventSocket(ctx, node)
	f.asked(err, a.NodeKnown, "event_socket", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.NodeSetting], error) { return f.local.EventSocket(ctx, node) })
}

// Modules implements db.Source.
func (f fallback) Modules(ctx context.Context, node string) (db.Answer[[]db.Module], error) {
	a, err := f.primary.Modules(ctx, node)
	f.asked(err, a.NodeKnown, "modules", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Module], error) { return f.local.Modules(ctx, node) })
}

// Sofia implements db.Source.
func (f fallback) Sofia(ctx context.Context, node, profile, gateway string) (db.Answer[db.Sofia], error) {
	a, err := f.primary.Sofia(ctx, node, profile, gateway)
	f.asked(err, a.NodeKnown, "sofia", node)
	return or(ctx, f, a, err, func() (db.Answer[db.Sofia], error) { return f.local.Sofia(ctx, node, profile, gateway) })
}

// Switch implements db.Source.
func (f fallback) Switch(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error) {
	a, err := f.primary.Switch(ctx, node)
	f.asked(err, a.NodeKnown, "switch", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.NodeSetting], error) { return f.local.Switch(ctx, node) })
}

// asked tells the local rows what was asked, if it was answered.
func (f fallback) asked(err error, nodeKnown bool, operation, node string, args ...string) {
	if err == nil {
		f.local.note(nodeKnown, operation, node, args...)
	}
}
