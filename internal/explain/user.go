package explain

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/table"
	"xmlcurld/internal/form"
)

// User explains whether a user can register and call, and from where.
func (e *Explainer) User(ctx context.Context, id, domain string, from netip.Addr) (*Explanation, error) {
	x := &Explanation{Question: fmt.Sprintf("user %s@%s", id, domain)}
	document, err := e.render(ctx, form.Register(e.node, id, domain))
	if err != nil {
		return nil, err
	}
	x.Found = document != nil
	folded := table.Fold(domain)
	var d struct {
		Tenant  string
		On      bool
		Context *string
	}
	err = e.tx.QueryRow(ctx, `SELECT tenant, enabled, context FROM domain WHERE name = $1`, folded).Scan(&d.Tenant, &d.On, &d.Context)
	if errors.Is(err, pgx.ErrNoRows) {
		x.refuse(fmt.Sprintf("there is no domain %s", domain))
		x.Answer = "it cannot register"
		return e.finish(x), nil
	}
	if err != nil {
		return nil, err
	}
	e.rows.note(table.Domain, folded)
	off, err := e.offTenant(ctx, d.Tenant)
	if err != nil {
		return nil, err
	}
	x.refuse(off)
	if !d.On {
		x.refuse(fmt.Sprintf("domain %s is off (domain.enabled is false)", folded))
	}
	var u struct {
		ID       string
		On       bool
		Networks []netip.Prefix
	}
	err = e.tx.QueryRow(ctx, `
		SELECT id, enabled, coalesce(cidr, '{}')
		FROM domain_user
		WHERE domain = $1 AND (id = $2 OR number_alias = $2)
		ORDER BY id <> $2
		LIMIT 1`, folded, table.Fold(id)).Scan(&u.ID, &u.On, &u.Networks)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		x.refuse(fmt.Sprintf("domain %s has no user %s", folded, id))
	case err != nil:
		return nil, err
	default:
		e.rows.note(table.User, folded+table.Separator+u.ID)
		if !u.On {
			x.refuse(fmt.Sprintf("user %s is off (domain_user.enabled is false)", u.ID))
		}
		if u.ID != table.Fold(id) {
			x.note("%s is the number_alias of user %s", id, u.ID)
		}
		networks(x, u.Networks, from)
	}
	x.Answer = "it cannot register"
	if x.Found {
		x.Answer = "it can register with its password"
		if d.Context != nil {
			x.Answer += ", and calls in context " + *d.Context
		}
	}
	return e.finish(x), nil
}

// networks says what the networks of a user mean to an address.
func networks(x *Explanation, all []netip.Prefix, from netip.Addr) {
	if len(all) == 0 {
		return
	}
	var texts []string
	for _, n := range all {
		texts = append(texts, n.String())
	}
	x.note("access lists that name the domain know it by its networks: %s", strings.Join(texts, ", "))
	if !from.IsValid() {
		return
	}
	for _, n := range all {
		if n.Contains(from.Unmap()) {
			x.note("%s is in %s", from, n)
			return
		}
	}
	x.note("%s is in none of them", from)
}

// Gateway explains whether a node has a gateway, and why not.
func (e *Explainer) Gateway(ctx context.Context, name string) (*Explanation, error) {
	x := &Explanation{Question: fmt.Sprintf("gateway %s on node %s", name, e.node)}
	var g struct {
		Name, Profile, Node    string
		Tenant, Domain, User   *string
		On, ProfileOn          bool
		ProfileNode            string
		Proxy, Username        string
		Registers, HasPassword bool
	}
	err := e.tx.QueryRow(ctx, `
		SELECT g.name, g.profile, g.node, g.tenant, g.domain, g.user_id, g.enabled, p.enabled, p.node,
			coalesce(g.proxy, ''), coalesce(g.username, ''), g.register, num_nonnulls(g.password, g.password_from) > 0
		FROM gateway g
		JOIN sip_profile p ON p.name = g.profile
		WHERE lower(g.name) = $1`, table.Fold(name)).Scan(&g.Name, &g.Profile, &g.Node, &g.Tenant, &g.Domain, &g.User, &g.On, &g.ProfileOn,
		&g.ProfileNode, &g.Proxy, &g.Username, &g.Registers, &g.HasPassword)
	if errors.Is(err, pgx.ErrNoRows) {
		x.refuse(fmt.Sprintf("there is no gateway %s", name))
		x.Answer = "the node does not have it"
		return e.finish(x), nil
	}
	if err != nil {
		return nil, err
	}
	e.rows.note(table.Gateway, g.Name)
	e.rows.note(table.Profile, g.Profile)
	if g.Domain == nil {
		if x.Found, err = e.hasGateway(ctx, g.Profile, g.Name); err != nil {
			return nil, err
		}
	}
	for _, lock := range []struct {
		is  bool
		why string
	}{
		{!g.On, "it is off (gateway.enabled is false)"},
		{!g.ProfileOn, fmt.Sprintf("profile %s is off (sip_profile.enabled is false)", g.Profile)},
		{g.Node != table.Common && g.Node != e.node, "it is node " + g.Node + "'s"},
		{g.ProfileNode != table.Common && g.ProfileNode != e.node, fmt.Sprintf("profile %s is node %s's", g.Profile, g.ProfileNode)},
	} {
		if lock.is {
			x.refuse(lock.why)
		}
	}
	if g.Tenant != nil {
		off, err := e.offTenant(ctx, *g.Tenant)
		if err != nil {
			return nil, err
		}
		x.refuse(off)
	}
	if g.Domain != nil {
		x.Found = len(x.Refused) == 0
		x.note("it comes with user %s@%s, if that is on", *g.User, *g.Domain)
	}
	x.Answer = "the node does not have it"
	if x.Found {
		x.Answer = fmt.Sprintf("profile %s has it: calls to sofia/gateway/%s go to %s", g.Profile, g.Name, e.masker.Value("gateway "+g.Name, "proxy", g.Proxy))
	} else if len(x.Refused) == 0 {
		x.refuse("its password is not to be had")
	}
	if g.Registers {
		x.note("it registers as %s", g.Username)
	}
	return e.finish(x), nil
}

func (e *Explainer) hasGateway(ctx context.Context, profile, name string) (bool, error) {
	sofia, err := e.rules.Sofia(ctx, e.node, profile, name)
	if err != nil {
		return false, err
	}
	for _, p := range sofia.Value.Profiles {
		for _, g := range p.Gateways {
			if table.Fold(g.Name) == table.Fold(name) {
				return true, nil
			}
		}
	}
	return false, nil
}
