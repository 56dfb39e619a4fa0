package localrows

import (
	"context"
	"errors"

	"xmlcurld/db"
	"xmlcurld/db/pg"
)

// source answers calls and users from the local rows, once the database has said that those are what it holds: a question
// that costs it a few microseconds, and that all who ask at that moment share. What it has changed since they were read, and all
// other documents, it is asked for. Where it does not answer, or answers with a fault, the local rows answer what they held
// last, even when the time for the database is over: they need next to none. What neither can answer is its fault.
type source struct {
	primary *db.Store
	local   *Store
}

// NewSource returns a Source of what primary holds, and of what l held last while primary does not answer: such answers are
// marked with their age. What nodes ask primary is what l keeps answers to.
func NewSource(primary *db.Store, l *Store) db.Source { return source{primary, l} }

// current returns the answer that rows at hand give, if the database says that they are what it holds, and that of ask if it
// does not.
func current[T any](ctx context.Context, f source, local func(v view) (db.Answer[T], error), ask, held func() (db.Answer[T], error)) (db.Answer[T], error) {
	p, err := f.local.prove(ctx)
	switch {
	case err != nil: // to ask for more would only take longer
		return or(ctx, f, db.Answer[T]{}, err, held)
	case p != nil:
		var a db.Answer[T]
		if err := f.local.proved(p, func(v view) (err error) { a, err = local(v); return err }); err == nil {
			a.Freshness = p.fresh
			return a, nil
		}
	}
	a, err := ask()
	return or(ctx, f, a, err, held)
}

// or returns the answer of the local rows if err says that the database has none.
func or[T any](ctx context.Context, f source, answer db.Answer[T], err error, kept func() (db.Answer[T], error)) (db.Answer[T], error) {
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
func (f source) Route(ctx context.Context, call db.Call) (db.Answer[db.Route], error) {
	return current(ctx, f, func(v view) (db.Answer[db.Route], error) { return f.local.rules.Route(v, call) },
		func() (db.Answer[db.Route], error) { return f.primary.Route(ctx, call) },
		func() (db.Answer[db.Route], error) { return f.local.Route(ctx, call) })
}

// User implements db.Source.
func (f source) User(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error) {
	return current(ctx, f, func(v view) (db.Answer[[]db.Domain], error) { return v.user(node, domain, name) },
		func() (db.Answer[[]db.Domain], error) { return f.primary.User(ctx, node, domain, name) },
		func() (db.Answer[[]db.Domain], error) { return f.local.User(ctx, node, domain, name) })
}

// Domain implements db.Source.
func (f source) Domain(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Domain(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "domain", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Domain(ctx, node, domain) })
}

// Users implements db.Source.
func (f source) Users(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Users(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "users", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Users(ctx, node, domain) })
}

// Networks implements db.Source.
func (f source) Networks(ctx context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Networks(ctx, node, domain)
	f.local.noteDomains(a.Value, false, "networks", domain)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Networks(ctx, node, domain) })
}

// Group implements db.Source.
func (f source) Group(ctx context.Context, node, domain, name string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.Group(ctx, node, domain, name)
	f.local.noteDomains(a.Value, true, "group", domain, name)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.Group(ctx, node, domain, name) })
}

// UserGateways implements db.Source.
func (f source) UserGateways(ctx context.Context, node, domain, profile string) (db.Answer[[]db.Domain], error) {
	a, err := f.primary.UserGateways(ctx, node, domain, profile)
	f.asked(err, a.NodeKnown, "user_gateways", node, domain, profile)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Domain], error) { return f.local.UserGateways(ctx, node, domain, profile) })
}

// ACL implements db.Source.
func (f source) ACL(ctx context.Context, node string) (db.Answer[db.ACL], error) {
	a, err := f.primary.ACL(ctx, node)
	f.asked(err, a.NodeKnown, "acl", node)
	return or(ctx, f, a, err, func() (db.Answer[db.ACL], error) { return f.local.ACL(ctx, node) })
}

// Credentials implements db.Source.
func (f source) Credentials(ctx context.Context) ([]db.Credential, error) {
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
func (f source) Document(ctx context.Context, node, section, name string) (db.Answer[db.Document], error) {
	a, err := f.primary.Document(ctx, node, section, name)
	f.asked(err, a.NodeKnown, "document", node, section, name)
	return or(ctx, f, a, err, func() (db.Answer[db.Document], error) { return f.local.Document(ctx, node, section, name) })
}

// EventSocket implements db.Source.
func (f source) EventSocket(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error) {
	a, err := f.primary.EventSocket(ctx, node)
	f.asked(err, a.NodeKnown, "event_socket", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.NodeSetting], error) { return f.local.EventSocket(ctx, node) })
}

// Modules implements db.Source.
func (f source) Modules(ctx context.Context, node string) (db.Answer[[]db.Module], error) {
	a, err := f.primary.Modules(ctx, node)
	f.asked(err, a.NodeKnown, "modules", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.Module], error) { return f.local.Modules(ctx, node) })
}

// Sofia implements db.Source.
func (f source) Sofia(ctx context.Context, node, profile, gateway string) (db.Answer[db.Sofia], error) {
	a, err := f.primary.Sofia(ctx, node, profile, gateway)
	f.asked(err, a.NodeKnown, "sofia", node)
	return or(ctx, f, a, err, func() (db.Answer[db.Sofia], error) { return f.local.Sofia(ctx, node, profile, gateway) })
}

// Switch implements db.Source.
func (f source) Switch(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error) {
	a, err := f.primary.Switch(ctx, node)
	f.asked(err, a.NodeKnown, "switch", node)
	return or(ctx, f, a, err, func() (db.Answer[[]db.NodeSetting], error) { return f.local.Switch(ctx, node) })
}

// asked tells the local rows what was asked, if it was answered.
func (f source) asked(err error, nodeKnown bool, operation, node string, args ...string) {
	if err == nil {
		f.local.note(nodeKnown, operation, node, args...)
	}
}
