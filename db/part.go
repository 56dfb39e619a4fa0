package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/internal/pace"
)

// Parts are what of a document takes effect together, by name, each with its revision: what it is, where that is short,
// and otherwise a hash of it. A switch that fetched a part in today's revision has what the rows say today.
type Parts map[string]string

// aclRevision is the name of a list that stands in acl.conf for the revision of all the others.
func aclRevision(entries []ACLEntry) string {
	hash, line := sha256.New(), make([]byte, 0, 256)
	var t pace.Turn
	for i := range entries {
		t.Rest()
		e := &entries[i]
		line = append(append(line[:0], e.List...), ' ')
		line = append(strconv.AppendBool(line, e.DefaultAllow), ' ')
		line = append(strconv.AppendBool(line, e.Allow), ' ')
		line = append(e.CIDR.AppendTo(line), ' ')
		line = append(append(append(append(line, e.Domain...), ' '), e.Networks...), ' ')
		line = append(strconv.AppendInt(line, int64(e.PortMin), 10), '-')
		line = append(strconv.AppendInt(line, int64(e.PortMax), 10), '\n')
		hash.Write(line)
	}
	return "xmlcurld." + hex.EncodeToString(hash.Sum(nil)[:8])
}

// ACLParts are the parts of acl.conf.
func ACLParts(acl ACL) Parts { return Parts{"": acl.Revision} }

// ModuleParts are the parts of post_load_modules.conf.
func ModuleParts(modules []Module) Parts {
	var names []string
	for _, m := range modules {
		names = append(names, m.Name)
	}
	return Parts{"": strings.Join(names, " ")}
}

// SwitchParts are the parts of post_load_switch.conf. What fsctl can set on a running switch is a part of its own.
func SwitchParts(settings []NodeSetting) Parts {
	var ports string
	var limits, rest []string
	for _, s := range settings {
		switch s.Name {
		case "rtp-start-port":
			ports = s.Value + ports
		case "rtp-end-port":
			ports += "-" + s.Value
		case "max-sessions", "sessions-per-second", "loglevel", "api-expansion":
			limits = append(limits, fmt.Sprintf("%q %q", s.Name, s.Value))
		default:
			if s.Kind == "" {
				continue // there is none at all
			}
			rest = append(rest, fmt.Sprintf("%q %q %q %t", s.Kind, s.Name, s.Value, s.Expand))
		}
	}
	return Parts{"RTP ports": ports, "limits": hashOf(limits), "settings": hashOf(rest)}
}

// EventSocketParts are the parts of event_socket.conf.
func EventSocketParts(settings []NodeSetting) Parts {
	var lines []string
	for _, s := range settings {
		if s.Mark != "" {
			s.Value = s.Mark
		}
		if s.Kind != "" {
			lines = append(lines, settingLine(s.Setting))
		}
	}
	return Parts{"": hashOf(lines)}
}

// A document that is stored as XML has three parts, with one revision: the last fetch that was for the whole document
// (its part has no name), TakenPart, and OnePart for a question about one thing, such as one queue.
//
// A fetch is not a take: mod_voicemail fetches its document again for a profile that it does not know, and goes on with
// those that it has. So TakenPart is the first fetch since the switch started. It is replaced by Store.Took only, which
// says that the module was loaded again.
const (
	TakenPart = "taken"
	OnePart   = "one"
)

// DocumentParts are the parts of a document that is stored as XML, as it was asked for: whole, or about one thing. One that
// is not stored has an empty revision.
func DocumentParts(d Document, whole bool) Parts {
	revision := ""
	if d.Body != "" {
		sum := sha256.Sum256([]byte(d.Body))
		revision = fmt.Sprintf("%x %t", sum[:8], d.Expand)
	}
	if !whole {
		return Parts{OnePart: revision}
	}
	return Parts{"": revision, TakenPart: revision}
}

// resetParams are the parameters that a rescan takes back when they are left out. It leaves all others as they were.
var resetParams = []string{"apply-inbound-acl", "apply-nat-acl", "apply-register-acl", "apply-proxy-acl", "rtp-ip",
	"max-calls", "shutdown-on-fail"}

// Listens reports whether a parameter of a profile says where it listens, and how: its sockets are bound when it starts. A
// rescan binds none anew, but takes the values all the same and tells everyone the new address; one that is left out keeps
// its value.
func Listens(param string) bool {
	switch param {
	case "sip-ip", "sip-port", "bind-params", "ws-binding", "wss-binding":
		return true
	case "tls-always-nat": // about contacts, and taken at a rescan
		return false
	}
	return strings.HasPrefix(param, "tls")
}

// AddressChanges names the parameters in which two revisions of a part /address differ, in order. Of an address and a port
// it gives both values, of the others, which are there as hashes, the name only.
func AddressChanges(has, want string) []string {
	before, after := addressParams(has), addressParams(want)
	names := slices.Sorted(maps.Keys(after))
	for name := range before {
		if _, both := after[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var changes []string
	for _, name := range names {
		switch {
		case before[name] == after[name] || !Listens(name):
		case name == "sip-ip" || name == "sip-port":
			changes = append(changes, name+" "+cmp.Or(before[name], "none")+" -> "+cmp.Or(after[name], "none"))
		default:
			changes = append(changes, name)
		}
	}
	return changes
}

// addressParams splits a revision of a part /address into values by name.
func addressParams(revision string) map[string]string {
	values := make(map[string]string)
	for _, word := range strings.Fields(revision) {
		name, value, _ := strings.Cut(word, "=")
		values[name] = strings.TrimSpace(values[name] + " " + value)
	}
	return values
}

// ProfileParts are the parts of sofia.conf that are about one profile: where it listens, its settings, its gateways, and
// the names of what a rescan would not take back.
func ProfileParts(profile *Profile) Parts {
	var address, kept, settings []string
	for _, s := range profile.Params {
		switch {
		case s.Name == "sip-ip" || s.Name == "sip-port":
			address = append(address, s.Name+"="+s.Value)
		case Listens(s.Name): // a passphrase may be among them
			sum := sha256.Sum256([]byte(s.Value))
			address = append(address, fmt.Sprintf("%s=%x", s.Name, sum[:4]))
		default:
			settings = append(settings, settingLine(s))
			if !slices.Contains(resetParams, s.Name) {
				kept = append(kept, s.Name)
			}
		}
	}
	settings = append(settings, fmt.Sprintf("%q %v", profile.Aliases, profile.Domains))
	for _, alias := range profile.Aliases {
		kept = append(kept, "alias:"+alias)
	}
	for _, domain := range profile.Domains {
		kept = append(kept, "domain:"+domain.Name)
	}
	return Parts{
		profile.Name + "/address":  strings.Join(address, " "),
		profile.Name + "/settings": hashOf(settings),
		profile.Name + "/gateways": gatewaysRevision(profile.Gateways),
		profile.Name + "/kept":     strings.Join(kept, " "),
	}
}

// gatewaysRevision is a hash of the gateways' names and revisions.
func gatewaysRevision(gateways []Gateway) string {
	var lines []string
	for _, g := range gateways {
		for _, s := range g.Settings {
			if s.Name == RevisionVariable {
				lines = append(lines, g.Name+" "+s.Value)
			}
		}
	}
	return hashOf(lines)
}

// RescanVariable is the switch's global variable that the keeper sets for the time of a rescan. A profile that is asked for
// to reconfigure it has $${RescanVariable} before the name of each parameter that Listens: with the variable set FreeSWITCH
// does not know the name and ignores it. A start sends the very same question, and has to get all parameters; the switch is
// the only one who knows which of the two it does.
const RescanVariable = "xmlcurld_rescan"

// SofiaParts are the parts of sofia.conf as it was asked for. A profile that was asked for to reconfigure it goes on
// listening where it is, and keeps what is left out; its /address and /kept are not among the parts then, but /also is,
// to be added to what it kept.
func SofiaParts(sofia Sofia, profile, gateway string, reconfigure bool) Parts {
	if gateway != "" {
		return nil
	}
	parts := Parts{"all profiles": globalRevision(sofia)}
	for i := range sofia.Profiles {
		p := &sofia.Profiles[i]
		for name, revision := range ProfileParts(p) {
			switch {
			case profile == "" && name == p.Name+"/gateways": // they come with the question for the profile
			case reconfigure && name == p.Name+"/address":
			case reconfigure && name == p.Name+"/kept":
				parts[p.Name+"/also"] = revision
			default:
				parts[name] = revision
			}
		}
	}
	return parts
}

func globalRevision(sofia Sofia) string {
	var lines []string
	for _, s := range sofia.Params {
		lines = append(lines, settingLine(s))
	}
	return hashOf(lines)
}

// hashOf is a short hash of lines; of none, none.
func hashOf(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}

func settingLine(s Setting) string { return fmt.Sprintf("%q %q %t", s.Name, s.Value, s.Expand) }

// StartParts returns what node can take only when it starts, by document and part, as the rows say it now.
func (s *Store) StartParts(ctx context.Context, node string) (map[string]string, error) {
	all, err := s.coreParts(ctx, node)
	delete(all, "post_load_switch.conf limits") // fsctl sets them
	return all, err
}

// coreParts are the parts of post_load_switch.conf and event_socket.conf.
func (s *Store) coreParts(ctx context.Context, node string) (map[string]string, error) {
	settings, err := s.Switch(ctx, node)
	if err != nil {
		return nil, err
	}
	socket, err := s.EventSocket(ctx, node)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	addParts(all, "post_load_switch.conf", SwitchParts(settings))
	addParts(all, "event_socket.conf", EventSocketParts(socket))
	return all, nil
}

func addParts(all map[string]string, document string, parts Parts) {
	for part, revision := range parts {
		all[strings.TrimSpace(document+" "+part)] = revision
	}
}

// AllParts returns the parts of every document that node fetches when it starts, by document and part, as the rows say
// them now.
func (s *Store) AllParts(ctx context.Context, node string) (map[string]string, error) {
	all, err := s.coreParts(ctx, node)
	if err != nil {
		return nil, err
	}
	modules, err := s.Modules(ctx, node)
	if err != nil {
		return nil, err
	}
	addParts(all, "post_load_modules.conf", ModuleParts(modules))
	acl, err := s.ACL(ctx, node)
	if err != nil {
		return nil, err
	}
	addParts(all, "acl.conf", ACLParts(acl))
	sofia, err := s.Sofia(ctx, node, "", "")
	if err != nil {
		return nil, err
	}
	addParts(all, "sofia.conf", Parts{"all profiles": globalRevision(sofia)})
	for i := range sofia.Profiles {
		name := sofia.Profiles[i].Name
		whole, err := s.Sofia(ctx, node, name, "")
		if err != nil {
			return nil, err
		}
		for j := range whole.Profiles {
			parts := ProfileParts(&whole.Profiles[j])
			delete(parts, name+"/kept") // it tells what was, not what is
			addParts(all, "sofia.conf", parts)
		}
	}
	return all, nil
}

const documentRevisionsQuery = `
SELECT DISTINCT ON (name)
	name,
	left(encode(sha256(convert_to(body::text, 'UTF8')), 'hex'), 16) || ' ' || expand AS revision
FROM document
WHERE section = 'configuration'
	AND node IN ('*', $1)
ORDER BY name, node = '*'`

// DocumentRevisions returns the revisions of the configuration documents that are stored as XML for node, by name.
func (s *Store) DocumentRevisions(ctx context.Context, node string) (map[string]string, error) {
	type row struct{ Name, Revision string }
	rows, err := collect[row](ctx, s, "document_revisions", documentRevisionsQuery, node)
	revisions := make(map[string]string, len(rows))
	for _, r := range rows {
		revisions[r.Name] = r.Revision
	}
	return revisions, err
}
