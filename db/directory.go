package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db/table"
)

// Domain is a domain of the directory, with as much of it as was asked for.
type Domain struct {
	Name       string
	DialString string
	Context    string
	Cacheable  int // milliseconds; 0: not at all
	Params     []Setting
	Variables  []Setting
	Users      []User
	Groups     []Group // where all users were asked for
}

// Group is a group of a domain's users.
type Group struct {
	Name  string   `json:"name"`
	Users []string `json:"users"` // ids, in the order in which they ring
}

// User is a user of a domain.
type User struct {
	ID             string
	NumberAlias    string
	Password       string // of the secrets one answer about one user holds all, and one about many none
	A1Hash         string
	VMPassword     string
	CallerIDName   string
	CallerIDNumber string
	CIDR           string // networks, separated by commas
	NoLogin        bool   // nobody knows a password
	Body           string // further elements as XML, in an answer about one user
	ExpandBody     bool
	Params         []Setting
	Variables      []Setting
	Gateways       []Gateway
}

// domainRow is the row of a domain.
type domainRow struct {
	Name       string    `json:"name"`
	Tenant     string    `json:"tenant"`
	Enabled    bool      `json:"enabled"`
	DialString string    `json:"dial_string"`
	Context    string    `json:"context"`
	Cacheable  int       `json:"cacheable"`
	Params     []Setting `json:"params"`
	Variables  []Setting `json:"variables"`
}

// domainIn is a domain with what other rows say of it.
type domainIn struct {
	*domainRow
	on bool // neither it nor its tenant is switched off
}

// domain returns the domain of a name, nil if there is none.
func (b *Rulebook) domain(rows table.Rows, name string) (*domainIn, error) {
	text, err := rows.Row(table.Domain, name)
	if err != nil || text == nil {
		return nil, err
	}
	return b.domainOf(rows, name, text)
}

func (b *Rulebook) domainOf(rows table.Rows, name string, text []byte) (*domainIn, error) {
	row, err := b.domains.read(text)
	if err != nil {
		return nil, fmt.Errorf("domain %s: %w", name, err)
	}
	off, err := tenantOff(rows, row.Tenant)
	return &domainIn{row, row.Enabled && !off}, err
}

// answer is the domain without its users. They call in no other tenant's context, whatever the triggers let through.
func (b *Rulebook) answer(rows table.Rows, row *domainRow) (d Domain, err error) {
	d = Domain{Name: row.Name, DialString: row.DialString, Cacheable: row.Cacheable, Params: row.Params, Variables: row.Variables}
	if row.Context == "" {
		return d, nil
	}
	others, err := b.othersContext(rows, row, row.Context)
	if !others {
		d.Context = row.Context
	}
	return d, err
}

// othersContext reports whether a context is another tenant's than the domain.
func (b *Rulebook) othersContext(rows table.Rows, row *domainRow, name string) (bool, error) {
	room, err := b.context(rows, name)
	return room != nil && room.Tenant != nil && *room.Tenant != row.Tenant, err
}

// user reads a user's row, without the variables that may not stand beside the domain.
func (b *Rulebook) user(rows table.Rows, of *domainRow, id string, row []byte) (u User, err error) {
	fields := strings.Split(string(row), table.Separator)
	if len(fields) < table.UserColumns || (len(fields)-table.UserColumns)%4 != 0 {
		return u, fmt.Errorf("user %s@%s: %d fields", id, of.Name, len(fields))
	}
	u = User{
		ID: id, NumberAlias: fields[0], Password: fields[1], A1Hash: fields[2], VMPassword: fields[3],
		CallerIDName: fields[4], CallerIDNumber: fields[5], CIDR: fields[6],
		NoLogin: fields[7] == "f", Body: fields[8], ExpandBody: fields[9] == "t",
	}
	for rest := fields[table.UserColumns:]; len(rest) > 0; rest = rest[4:] {
		s := Setting{rest[1], rest[2], rest[3] == "t"}
		if rest[0] == "param" {
			u.Params = append(u.Params, s)
			continue
		}
		if table.Fold(s.Name) == "user_context" {
			others, err := b.othersContext(rows, of, s.Value)
			if err != nil {
				return u, err
			}
			if others {
				continue
			}
		}
		u.Variables = append(u.Variables, s)
	}
	return u, nil
}

// withoutSecrets is u as an answer about many users has it.
func (u User) withoutSecrets() User {
	u.Password, u.A1Hash, u.VMPassword, u.Body = "", "", "", ""
	return u
}

// User returns domain with the one user who has name as id or number_alias, whatever its case. No domain: there is no
// such user, or it, its domain or its tenant is off.
func (b *Rulebook) User(ctx context.Context, node, domain, name string) (Answer[[]Domain], error) {
	domain, name = table.Fold(domain), table.Fold(name)
	return ask(ctx, b, table.ForUser.About(node, domain, name), func(rows table.Rows) ([]Domain, error) {
		of, err := b.domain(rows, domain)
		if err != nil || of == nil || !of.on {
			return nil, err
		}
		id := name
		row, err := rows.Row(table.User, domain+table.Separator+id)
		if err == nil && row == nil {
			id, row, err = userByAlias(rows, domain, name)
		}
		if err != nil || row == nil {
			return nil, err
		}
		d, err := b.answer(rows, of.domainRow)
		if err != nil {
			return nil, err
		}
		u, err := b.user(rows, of.domainRow, id, row)
		d.Users = []User{u}
		return []Domain{d}, err
	})
}

func userByAlias(rows table.Rows, domain, alias string) (id string, row []byte, err error) {
	text, err := rows.Row(table.AliasIndex, domain+table.Separator+alias)
	if err != nil || text == nil {
		return "", nil, err
	}
	id = string(text)
	row, err = rows.Row(table.User, domain+table.Separator+id)
	return id, row, err
}

// some answers a question about a domain, or about all domains if it is empty: those that are on, each filled in by fill, after
// gather had a look at the rows, if there is one.
func (b *Rulebook) some(ctx context.Context, q table.Question, domain string, gather func(rows table.Rows) error,
	fill func(rows table.Rows, of *domainRow, d *Domain) error) (Answer[[]Domain], error) {
	return ask(ctx, b, q, func(rows table.Rows) (all []Domain, err error) {
		if gather != nil {
			if err := gather(rows); err != nil {
				return nil, err
			}
		}
		add := func(name string, text []byte) error {
			of, err := b.domainOf(rows, name, text)
			if err != nil || !of.on {
				return err
			}
			d, err := b.answer(rows, of.domainRow)
			if err != nil {
				return err
			}
			err = fill(rows, of.domainRow, &d)
			all = append(all, d)
			return err
		}
		if domain == "" {
			return all, rows.Each(table.Domain, "", add)
		}
		text, err := rows.Row(table.Domain, domain)
		if err == nil && text != nil {
			err = add(domain, text)
		}
		return all, err
	})
}

// Domain returns domain without its users.
func (b *Rulebook) Domain(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	domain = table.Fold(domain)
	return b.some(ctx, table.ForDomain.About(node, domain), domain, nil, func(table.Rows, *domainRow, *Domain) error { return nil })
}

// Users returns domain, or all domains if it is empty, each with all its users and groups.
func (b *Rulebook) Users(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	domain = table.Fold(domain)
	return b.some(ctx, table.ForUsers.About(node, domain), domain, nil, func(rows table.Rows, of *domainRow, d *Domain) (err error) {
		if err := b.eachUser(rows, of, d); err != nil {
			return err
		}
		there := make(map[string]bool, len(d.Users))
		for i := range d.Users {
			there[d.Users[i].ID] = true
		}
		groups, err := groupsOf(rows, of.Name)
		for _, g := range groups {
			g.Users = slices.DeleteFunc(g.Users, func(id string) bool { return !there[id] })
			if len(g.Users) > 0 {
				d.Groups = append(d.Groups, g)
			}
		}
		return err
	})
}

// eachUser adds all users of a domain to it.
func (b *Rulebook) eachUser(rows table.Rows, of *domainRow, d *Domain) error {
	return rows.Each(table.User, of.Name+table.Separator, func(key string, row []byte) error {
		u, err := b.user(rows, of, strings.TrimPrefix(key, of.Name+table.Separator), row)
		d.Users = append(d.Users, u.withoutSecrets())
		return err
	})
}

// groupsOf are the groups of a domain, by name, with users who may be switched off.
func groupsOf(rows table.Rows, domain string) ([]Group, error) {
	text, err := rows.Row(table.Group, domain)
	if err != nil || text == nil {
		return nil, err
	}
	var groups []Group
	if err := json.Unmarshal(text, &groups); err != nil {
		return nil, fmt.Errorf("groups of %s: %w", domain, err)
	}
	return groups, nil
}

// Networks returns domain with those of its users who have a cidr, and of each nothing but that.
func (b *Rulebook) Networks(ctx context.Context, node, domain string) (Answer[[]Domain], error) {
	domain = table.Fold(domain)
	return b.some(ctx, table.ForNetworks.About(node, domain), domain, nil, func(rows table.Rows, of *domainRow, d *Domain) error {
		d.Params, d.Variables = nil, nil
		return rows.Each(table.NetworkIndex, of.Name+table.Separator, func(key string, networks []byte) error {
			d.Users = append(d.Users, User{ID: strings.TrimPrefix(key, of.Name+table.Separator), CIDR: string(networks)})
			return nil
		})
	})
}

// Group returns domain with the users of its group name, in the order in which they ring. No Users: there is no such
// group, or nobody in it.
func (b *Rulebook) Group(ctx context.Context, node, domain, name string) (Answer[[]Domain], error) {
	domain, name = table.Fold(domain), table.Fold(name)
	return b.some(ctx, table.ForGroup.About(node, domain, name), domain, nil, func(rows table.Rows, of *domainRow, d *Domain) error {
		if name == table.EveryUsersGroup {
			return b.eachUser(rows, of, d)
		}
		groups, err := groupsOf(rows, of.Name)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if table.Fold(g.Name) == name {
				return b.usersOf(rows, of, d, g.Users)
			}
		}
		return nil
	})
}

// usersOf adds the users with ids to a domain, but for those who are switched off.
func (b *Rulebook) usersOf(rows table.Rows, of *domainRow, d *Domain, ids []string) error {
	for _, id := range ids {
		row, err := rows.Row(table.User, of.Name+table.Separator+id)
		if err != nil {
			return err
		}
		if row == nil {
			continue
		}
		u, err := b.user(rows, of, id, row)
		if err != nil {
			return err
		}
		d.Users = append(d.Users, u.withoutSecrets())
	}
	return nil
}

// UserGateways returns domain, or all domains if it is empty, each with those of its users who have a gateway in
// profile.
func (b *Rulebook) UserGateways(ctx context.Context, node, domain, profile string) (Answer[[]Domain], error) {
	domain = table.Fold(domain)
	var all map[string][]*gatewayRow
	gather := func(rows table.Rows) (err error) {
		all, err = b.usersGateways(rows, node, profile)
		return err
	}
	return b.some(ctx, table.ForUserGateways.About(node, domain, profile), domain, gather, func(rows table.Rows, of *domainRow, d *Domain) error {
		gateways, ids := make(map[string][]Gateway), []string(nil)
		for _, g := range all[of.Name] {
			ids = append(ids, g.User)
			gateways[g.User] = append(gateways[g.User], Gateway{g.Name, g.all})
		}
		slices.Sort(ids)
		d.Params, d.Variables = nil, nil
		if err := b.usersOf(rows, of, d, slices.Compact(ids)); err != nil {
			return err
		}
		for i := range d.Users {
			u := &d.Users[i]
			u.Params, u.Variables, u.Gateways = nil, nil, gateways[u.ID]
		}
		return nil
	})
}

// usersGateways are those of a profile that node has, and that come with users, by domain.
func (b *Rulebook) usersGateways(rows table.Rows, node, profile string) (map[string][]*gatewayRow, error) {
	all, err := b.allGateways(rows)
	if err != nil {
		return nil, err
	}
	byDomain := make(map[string][]*gatewayRow)
	for _, g := range all {
		if g.Domain == "" || g.Profile != profile || !isOf(g.Node, node) {
			continue
		}
		off, err := g.off(rows)
		if err != nil {
			return nil, err
		}
		if !off {
			byDomain[g.Domain] = append(byDomain[g.Domain], g)
		}
	}
	return byDomain, nil
}
