package db

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db/table"
)

// Sofia is sofia.conf, or as much of it as was asked for.
type Sofia struct {
	Params   []Setting // of all profiles
	Profiles []Profile
}

// Profile is a SIP profile.
type Profile struct {
	Name     string
	Params   []Setting
	Aliases  []string
	Domains  []ProfileDomain
	Gateways []Gateway
}

// ProfileDomain is a domain that a profile looks up in the directory when it starts.
type ProfileDomain struct {
	Name  string `json:"name"`
	Alias bool   `json:"alias"`
	Parse bool   `json:"parse"`
}

// Gateway is a gateway, of a profile or of a user of the directory.
type Gateway struct {
	Name     string
	Settings []GatewaySetting // only to be read
}

// GatewaySetting is a param or a variable of a gateway.
type GatewaySetting struct {
	Kind string `json:"kind"` // param or variable
	Setting
	Direction string `json:"direction"` // of a variable: inbound, outbound or both
}

// RevisionVariable is the gateway's variable that holds its revision, which the switch gives back. It is for incoming
// calls, so that no carrier is told of it.
const RevisionVariable = "xmlcurld_revision"

// profileRow is a profile with what stands in its tables for all nodes.
type profileRow struct {
	name    string
	Node    string `json:"node"`
	Enabled bool   `json:"enabled"`
	Params  []struct {
		Node string `json:"node"`
		Setting
	} `json:"params"`
	Aliases []string        `json:"aliases"`
	Domains []ProfileDomain `json:"domains"`
}

// gatewayRow is a gateway with what decides whether a node has it. A password that the row refers to is not in it.
type gatewayRow struct {
	Name      string           `json:"name"`
	Profile   string           `json:"profile"`
	Node      string           `json:"node"`
	Tenant    string           `json:"tenant"` // empty: the operator's
	Domain    string           `json:"domain"` // of the user that it comes with; empty: it comes with the profile
	User      string           `json:"user"`
	Columns   [6]string        `json:"columns"` // the values of gatewayColumns
	Revision  string           `json:"revision"`
	Reference string           `json:"reference"` // to the password; empty: it is among Columns
	Key       string           `json:"key"`       // of the password's mark
	Settings  []GatewaySetting `json:"settings"`
	all       []GatewaySetting // with the columns
}

// gatewayColumns are the params that are columns of table gateway.
var gatewayColumns = [6]string{"username", "password", "proxy", "realm", "register", "caller-id-in-from"}

const passwordColumn = 1

// Sofia returns sofia.conf for node. A profile narrows it to that profile, with all its gateways; a gateway as well, to
// that one, or to all when it is table.AllGateways, and to nothing else of the profile. Without a profile there are no gateways:
// FreeSWITCH does not read them then.
func (b *Rulebook) Sofia(ctx context.Context, node, profile, gateway string) (Answer[Sofia], error) {
	var gateways [][]*gatewayRow // by profile
	profile, gateway = table.Fold(profile), table.Fold(gateway)
	a, err := ask(ctx, b, table.ForSofia.About(node, profile, gateway), func(rows table.Rows) (sofia Sofia, err error) {
		gateways = nil
		params := make(map[string]Setting)
		for _, of := range commonAndOwn(node) {
			if err := addNodeSettings(params, rows, table.SofiaParam, of); err != nil {
				return sofia, err
			}
		}
		for _, s := range inOrder("param", params) {
			sofia.Params = append(sofia.Params, s.Setting)
		}
		profiles, err := profilesOf(rows, node)
		if err != nil {
			return sofia, err
		}
		for _, p := range profiles {
			if profile != "" && table.Fold(p.name) != profile {
				continue
			}
			own, err := b.profile(rows, node, p, gateway == "")
			if err != nil {
				return sofia, err
			}
			sofia.Profiles = append(sofia.Profiles, own)
			var some []*gatewayRow
			if profile+gateway != "" {
				if some, err = b.gateways(rows, node, p.name, gateway); err != nil {
					return sofia, err
				}
			}
			gateways = append(gateways, some)
		}
		return sofia, nil
	})
	for i := range a.Value.Profiles {
		a.Value.Profiles[i].Gateways = b.withSecrets(gateways[i])
	}
	return a, err
}

// profilesOf are those that node has, by name.
func profilesOf(rows table.Rows, node string) (profiles []profileRow, err error) {
	err = rows.Each(table.Profile, "", func(name string, row []byte) error {
		p := profileRow{name: name}
		if err := json.Unmarshal(row, &p); err != nil {
			return fmt.Errorf("profile %s: %w", name, err)
		}
		if p.Enabled && isOf(p.Node, node) {
			profiles = append(profiles, p)
		}
		return nil
	})
	return profiles, err
}

// isOf reports whether a row of a node is one of node's.
func isOf(row, node string) bool { return row == table.Common || row == node }

// profile is what node has of a profile, without its gateways.
func (b *Rulebook) profile(rows table.Rows, node string, row profileRow, withParams bool) (p Profile, err error) {
	p.Name, p.Aliases = row.name, row.Aliases
	for _, d := range row.Domains {
		domain, err := b.domain(rows, d.Name)
		if err != nil {
			return p, err
		}
		if domain == nil || domain.on {
			p.Domains = append(p.Domains, d)
		}
	}
	if withParams {
		p.Params, err = b.profileParams(rows, node, row)
	}
	return p, err
}

// profileParams are the params of a profile, by name: the node's own rows, or else the node's own address, or else the common
// rows, or else the common address.
func (b *Rulebook) profileParams(rows table.Rows, node string, row profileRow) ([]Setting, error) {
	byName := make(map[string][]Setting)
	for _, of := range commonAndOwn(node) {
		n, err := b.node(rows, of)
		if err != nil {
			return nil, err
		}
		for _, address := range []Setting{
			{Name: "sip-ip", Value: n.LocalIP}, {Name: "rtp-ip", Value: n.LocalIP},
			{Name: "ext-sip-ip", Value: n.ExternalIP}, {Name: "ext-rtp-ip", Value: n.ExternalIP},
		} {
			if address.Value != "" {
				byName[address.Name] = []Setting{address}
			}
		}
		replaced := make(map[string]bool)
		for _, s := range row.Params {
			if s.Node != of {
				continue
			}
			if !replaced[s.Name] {
				replaced[s.Name], byName[s.Name] = true, nil
			}
			byName[s.Name] = append(byName[s.Name], s.Setting)
		}
	}
	var params []Setting
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		params = append(params, byName[name]...)
	}
	return params, nil
}

// gateways are those of a profile that node has, and that come with it: all, or the one whose name is only.
func (b *Rulebook) gateways(rows table.Rows, node, profile, only string) (some []*gatewayRow, err error) {
	all, err := b.trunksOf(rows, profile, only)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.Domain != "" || !isOf(g.Node, node) {
			continue
		}
		off, err := g.off(rows)
		if err != nil {
			return nil, err
		}
		if !off {
			some = append(some, g)
		}
	}
	return some, nil
}

// trunksOf are all gateways of a profile, or the one whose name is only.
func (b *Rulebook) trunksOf(rows table.Rows, profile, only string) (some []*gatewayRow, err error) {
	if only == "" || only == table.AllGateways {
		all, err := b.allGateways(rows)
		for _, g := range all {
			if g.Profile == profile {
				some = append(some, g)
			}
		}
		return some, err
	}
	row, err := rows.Row(table.Gateway, only)
	if err != nil || row == nil {
		return nil, err
	}
	g, err := readGateway(only, row)
	if err != nil || g.Profile != profile {
		return nil, err
	}
	return []*gatewayRow{g}, nil
}

// allGateways are those of all nodes and profiles, by name.
func (b *Rulebook) allGateways(rows table.Rows) (all []*gatewayRow, err error) {
	version := rows.Version(table.Gateway)
	if all, ok := b.trunks.recall("", version); ok {
		return all, nil
	}
	err = rows.Each(table.Gateway, "", func(name string, row []byte) error {
		g, err := readGateway(name, row)
		all = append(all, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *gatewayRow) int { return strings.Compare(a.Name, b.Name) })
	b.trunks.keep("", version, all)
	return all, nil
}

func readGateway(name string, row []byte) (*gatewayRow, error) {
	g := new(gatewayRow)
	if err := json.Unmarshal(row, g); err != nil {
		return nil, fmt.Errorf("gateway %s: %w", name, err)
	}
	g.all = g.settings()
	return g, nil
}

// settings are the gateway's columns, its params and variables, and its revision.
func (g *gatewayRow) settings() (all []GatewaySetting) {
	for i, value := range g.Columns {
		if value != "" {
			all = append(all, GatewaySetting{Kind: "param", Setting: Setting{Name: gatewayColumns[i], Value: value}})
		}
	}
	all = append(all, g.Settings...)
	revision := Setting{Name: RevisionVariable, Value: g.Revision}
	return append(all, GatewaySetting{Kind: "variable", Setting: revision, Direction: "inbound"})
}

// off reports whether the gateway's tenant is switched off.
func (g *gatewayRow) off(rows table.Rows) (bool, error) {
	if g.Tenant == "" {
		return false, nil
	}
	return tenantOff(rows, g.Tenant)
}

// withSecrets returns gateways with the passwords that rows refer to, and with their marks behind the revisions. One whose
// password cannot be read is left out: its carrier would refuse it.
func (b *Rulebook) withSecrets(rows []*gatewayRow) (all []Gateway) {
	for _, g := range rows {
		if g.Reference == "" {
			all = append(all, Gateway{g.Name, g.all})
			continue
		}
		password, mark, err := b.resolve(g.Reference, g.Key)
		if err != nil {
			continue
		}
		with := *g
		with.Columns[passwordColumn], with.Revision = password, g.Revision+"."+mark
		all = append(all, Gateway{g.Name, with.settings()})
	}
	return all
}

// GatewayRevision is a gateway that a node should run.
type GatewayRevision struct {
	Name     string
	Profile  string
	Revision string // what the switch gives back as its variable RevisionVariable
	OfUser   bool   // it comes with a user of the directory, not with the profile
	Fault    string // why its password cannot be read: it is not told to any switch, and stays where it is
}

// GatewayRevisions returns the gateways that node should run, by name.
func (b *Rulebook) GatewayRevisions(ctx context.Context, node string) ([]GatewayRevision, error) {
	a, err := ask(ctx, b, table.ForGateways.About(node), func(rows table.Rows) (some []*gatewayRow, err error) {
		profiles, err := profilesOf(rows, node)
		if err != nil {
			return nil, err
		}
		all, err := b.allGateways(rows)
		if err != nil {
			return nil, err
		}
		for _, g := range all {
			runs, err := b.runs(rows, node, profiles, g)
			if err != nil {
				return nil, err
			}
			if runs {
				some = append(some, g)
			}
		}
		return some, nil
	})
	revisions := make([]GatewayRevision, 0, len(a.Value))
	for _, g := range a.Value {
		r := GatewayRevision{Name: g.Name, Profile: g.Profile, Revision: g.Revision, OfUser: g.Domain != ""}
		if g.Reference != "" {
			_, mark, err := b.resolve(g.Reference, g.Key)
			if r.Revision += "." + mark; err != nil {
				r.Revision, r.Fault = g.Revision, err.Error()
			}
		}
		revisions = append(revisions, r)
	}
	return revisions, err
}

// runs reports whether node runs a gateway in one of its profiles. A user's comes with the user, in a profile that parses
// the user's domain.
func (b *Rulebook) runs(rows table.Rows, node string, profiles []profileRow, g *gatewayRow) (bool, error) {
	i := slices.IndexFunc(profiles, func(p profileRow) bool { return p.name == g.Profile })
	if i < 0 || !isOf(g.Node, node) {
		return false, nil
	}
	if off, err := g.off(rows); err != nil || off || g.Domain == "" {
		return !off, err
	}
	parsed := slices.ContainsFunc(profiles[i].Domains, func(d ProfileDomain) bool { return d.Parse && (d.Name == g.Domain || d.Name == "all") })
	domain, err := b.domain(rows, g.Domain)
	if err != nil || !parsed || domain == nil || !domain.on {
		return false, err
	}
	user, err := rows.Row(table.User, g.Domain+table.Separator+g.User)
	return user != nil, err
}
