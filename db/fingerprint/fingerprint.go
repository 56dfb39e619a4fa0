// Package fingerprint tells what of a document takes effect together on a switch, and which state that is in: so what a switch
// fetched or runs can be compared with what the rows say.
package fingerprint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db"
)

// Parts are what of a document takes effect together, by name, each with its revision: what it is, where that is short,
// and otherwise a hash of it. A switch that fetched a part in today's revision has what the rows say today.
type Parts map[string]string

// ACL are the parts of acl.conf.
func ACL(acl db.ACL) Parts { return Parts{"": acl.Revision} }

// Modules are the parts of post_load_modules.conf.
func Modules(modules []db.Module) Parts {
	var names []string
	for _, m := range modules {
		names = append(names, m.Name)
	}
	return Parts{"": strings.Join(names, " ")}
}

// Switch are the parts of post_load_switch.conf. What fsctl can set on a running switch is a part of its own.
func Switch(settings []db.NodeSetting) Parts {
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
			rest = append(rest, fmt.Sprintf("%q %q %q %t", s.Kind, s.Name, s.Value, s.Expand))
		}
	}
	return Parts{"RTP ports": ports, "limits": hashOf(limits), "settings": hashOf(rest)}
}

// EventSocket are the parts of event_socket.conf.
func EventSocket(settings []db.NodeSetting) Parts {
	var lines []string
	for _, s := range settings {
		if s.Mark != "" {
			s.Value = s.Mark
		}
		lines = append(lines, settingLine(s.Setting))
	}
	return Parts{"": hashOf(lines)}
}

// A document that is stored as XML has three parts, with one revision: the last fetch that was for the whole document
// (its part has no name), TakenPart, and OnePart for a question about one thing, such as one queue.
//
// A fetch is not a take: mod_voicemail fetches its document again for a profile that it does not know, and goes on with
// those that it has. So TakenPart is the first fetch since the switch started. It is replaced by switchstate.Store.Took only, which
// says that the module was loaded again.
const (
	TakenPart = "taken"
	OnePart   = "one"
)

// Document are the parts of a document that is stored as XML, as it was asked for: whole, or about one thing. One that
// is not stored has an empty revision.
func Document(d db.Document, whole bool) Parts {
	revision := d.Revision()
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
	either := maps.Clone(before)
	maps.Copy(either, after)
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(either)) {
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

// Profile are the parts of sofia.conf that are about one profile: where it listens, its settings, its gateways, and
// the names of what a rescan would not take back.
func Profile(profile *db.Profile) Parts {
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
func gatewaysRevision(gateways []db.Gateway) string {
	var lines []string
	for _, g := range gateways {
		for _, s := range g.Settings {
			if s.Name == db.RevisionVariable {
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

// Sofia are the parts of sofia.conf as it was asked for. A profile that was asked for to reconfigure it goes on
// listening where it is, and keeps what is left out; its /address and /kept are not among the parts then, but /also is,
// to be added to what it kept.
func Sofia(sofia db.Sofia, profile, gateway string, reconfigure bool) Parts {
	if gateway != "" {
		return nil
	}
	parts := Parts{"all profiles": Global(sofia)}
	for i := range sofia.Profiles {
		p := &sofia.Profiles[i]
		for name, revision := range Profile(p) {
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

// Global is the revision of what sofia.conf says about all profiles.
func Global(sofia db.Sofia) string {
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

func settingLine(s db.Setting) string { return fmt.Sprintf("%q %q %t", s.Name, s.Value, s.Expand) }
