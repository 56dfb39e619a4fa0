package fakeswitch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Run has an operator's command run, within Set, and returns the reply.
func (s *Switch) Run(command string) string { return s.run(strings.Fields(command)) }

// run does what a command says and returns what FreeSWITCH says to it.
func (s *Switch) run(words []string) string {
	argument := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "switchname":
		return s.Name
	case "status":
		return "UP 0 years\nFreeSWITCH (Version 1.11.3) is ready\n"
	case "uptime":
		return fmt.Sprintf("%d\n", int(time.Since(s.started).Seconds()))
	case "module_exists":
		return fmt.Sprint(s.Modules[argument(1)])
	case "load":
		return s.load(argument(1))
	case "unload":
		if argument(1) == "mod_say_en" {
			return "-ERR unloading module [Module is not unloadable]\n"
		}
		delete(s.Modules, argument(1))
		return "+OK\n"
	case "fsctl":
		return s.fsctl(argument(1), argument(2))
	case "global_setvar":
		name, value, _ := strings.Cut(argument(1), "=")
		s.Variables[name] = value
		return "+OK"
	case "reloadxml":
		s.ReloadXML()
		return "+OK [Success]\n"
	case "strftime_tz":
		if !s.Zones[argument(1)] {
			return "-ERR Invalid timezone/format\n"
		}
		return "12:34"
	case "acl":
		return fmt.Sprint(s.Lists[argument(2)])
	case "reloadacl":
		s.ReloadACL()
		return "+OK acl reloaded\n"
	case "xml_flush_cache":
		return "+OK cleared 1 entry\n"
	case "show":
		rows, _ := json.Marshal(append([]Channel{}, s.Channels...))
		return fmt.Sprintf(`{"row_count":%d,"rows":%s}`, len(s.Channels), rows)
	case "uuid_getvar":
		variable := map[string]string{"inbound": "sip_gateway", "outbound": "sip_gateway_name"}
		for _, c := range s.Channels {
			if c.UUID == argument(1) && c.Gateway != "" && variable[c.Direction] == argument(2) {
				return c.Gateway
			}
		}
		return "_undef_"
	case "sofia_gateway_data":
		if g, ok := s.Gateways[argument(1)]; ok && !g.Killed {
			return g.Revision
		}
		return "-ERR no reply\n"
	case "sofia":
		if !s.Modules["mod_sofia"] {
			break
		}
		if argument(1) == "status" {
			return s.status(words[2:])
		}
		return s.profile(argument(2), argument(3), argument(4))
	}
	return "-ERR " + words[0] + " Command not found!\n"
}

func (s *Switch) load(module string) string {
	if s.Faults.DoesNotLoad == module && s.Faults.Refusal != "" {
		return s.Faults.Refusal
	}
	if s.Faults.DoesNotLoad == module {
		return "+OK Reloading XML\n-ERR [module load file routine returned an error]\n"
	}
	s.LoadModule(module)
	if module == "mod_sofia" {
		s.loadSofia()
	}
	return "+OK Reloading XML\n+OK\n"
}

// LoadModule has the switch load a module, or load it again, within Set.
func (s *Switch) LoadModule(module string) {
	s.Modules[module] = true
	s.readDocument(module)
	s.tell(s.events, "Content-Type: text/event-plain", "Event-Name: MODULE_LOAD\ntype: application\nkey: "+module+"\n\n")
}

// readDocument has a module read its document, if it is one that does.
func (s *Switch) readDocument(module string) {
	if name := strings.TrimPrefix(module, "mod_") + ".conf"; name == "callcenter.conf" || name == "voicemail.conf" {
		if d, err := s.fetch(name); err == nil {
			s.Documents[name] = d.raw
		}
	}
}

// LookFor has a module fetch its document for something that it does not have, within Set. It goes on with what it has.
func (s *Switch) LookFor(document string, fields ...string) { _, _ = s.fetch(document, fields...) }

// ReloadXML has the switch read anew what it reads at that event, within Set.
func (s *Switch) ReloadXML() {
	s.Zones = map[string]bool{}
	if d, err := s.fetch("timezones.conf"); err == nil {
		for _, zone := range d.Zones {
			s.Zones[zone.Name] = true
		}
	}
}

func (s *Switch) fsctl(name, value string) string {
	if value != "" {
		s.Limits[name] = value
	}
	switch name {
	case "max_sessions":
		return "+OK max sessions: " + s.Limits[name] + "\n"
	case "sps":
		return "+OK sessions per second: " + s.Limits[name] + "\n"
	case "api_expansion":
		if s.Limits[name] == "off" {
			return "+OK api_expansion is off\n"
		}
		return "+OK api_expansion is on\n"
	case "loglevel":
		return "+OK log level: " + strings.ToUpper(value) + " [6]\n"
	}
	return "+OK\n"
}

// ReloadACL has the switch read its access lists anew, within Set.
func (s *Switch) ReloadACL() {
	s.Lists = map[string]bool{}
	if d, err := s.fetch("acl.conf"); err == nil {
		for _, list := range d.Lists {
			s.Lists[list.Name] = true
		}
	}
}

func (s *Switch) loadSofia() {
	d, err := s.fetch("sofia.conf")
	if err != nil {
		return
	}
	for _, p := range d.Profiles {
		s.startProfile(p.Name)
	}
}

func (s *Switch) startProfile(name string) {
	if d, err := s.fetch("sofia.conf", "profile", name); err == nil && len(d.Profiles) == 1 {
		s.Profiles[name] = true
		s.applyParams(d)
		s.addGateways(d)
	}
}

// applyParams takes the parameters that are there. The others keep their values, but for the access lists.
func (s *Switch) applyParams(d document) {
	for _, p := range d.Profiles {
		if s.Advertised[p.Name] == nil {
			s.Advertised[p.Name] = map[string]string{}
		}
		delete(s.Advertised[p.Name], "apply-inbound-acl")
		for _, param := range p.Params {
			s.Advertised[p.Name][param.Name] = param.Value
		}
	}
}

// addGateways adds what is not there. What is, it leaves as it is, changed or not.
func (s *Switch) addGateways(d document) {
	for _, p := range d.Profiles {
		for _, g := range p.Gateways {
			if there, ok := s.Gateways[g.Name]; ok && !there.Killed {
				continue
			}
			if refused := s.Faults.Unsupported; refused != "" && value(g.Params, "register-transport") == refused {
				s.tell(s.logging, "Content-Type: log/data\nLog-Level: 3\nLog-Func: parse_gateways",
					"2026-01-02 03:04:05.678901 99.00% [ERR] sofia.c:3966 ERROR: unsupported transport\n")
				continue
			}
			state := "NOREG"
			if value(g.Params, "register") == "true" {
				state = "REGED"
			}
			s.Gateways[g.Name] = Gateway{Profile: p.Name, Revision: value(g.Variables, "xmlcurld_revision"), State: state, Password: value(g.Params, "password")}
		}
	}
}

func (s *Switch) profile(profile, verb, name string) string {
	g, there := s.Gateways[name]
	there = there && !g.Killed
	switch verb {
	case "start":
		s.ReloadXML()
		d, err := s.fetch("sofia.conf", "profile", profile, "reconfig", "true")
		if err != nil {
			return "-ERR\n"
		}
		s.startProfile(profile)
		delete(s.Advertised, profile)
		s.applyParams(d)
	case "rescan", "startgw":
		s.ReloadXML()
		fields := []string{"profile", profile, "reconfig", "true"}
		if verb == "startgw" {
			fields = append(fields, "gateway", name)
		}
		d, err := s.fetch("sofia.conf", fields...)
		if err != nil {
			return "Reload XML [Success]\n-ERR cannot find config for profile " + profile + "\n"
		}
		if verb == "rescan" {
			s.applyParams(d)
		}
		s.addGateways(d)
	case "killgw":
		if !there {
			return "-ERR no such gateway.\n"
		}
		g.Killed = true
		s.Gateways[name] = g
	case "unregister":
		if there {
			g.State = "NOREG"
			s.Gateways[name] = g
		}
	case "flush_inbound_reg":
		s.Registered = slices.DeleteFunc(s.Registered, func(r string) bool { return r == profile+"/"+name })
	}
	return "Reload XML [Success]\n+OK complete\n"
}

// status writes what mod_sofia writes: of a phone whatever it sent, of a gateway whatever an operator wrote.
func (s *Switch) status(words []string) string {
	const line = "================================================================================================="
	var b strings.Builder
	switch {
	case len(words) == 0:
		fmt.Fprintf(&b, "%25s\t%s\t  %40s\t%s\n%s\n", "Name", "   Type", "Data", "State", line)
		for name := range s.Profiles {
			fmt.Fprintf(&b, "%25s\t%s\t  %40s\t%s (%d)\n", name, "profile", "sip:mod_sofia@127.0.0.1:5080", "RUNNING", 0)
		}
		fmt.Fprintf(&b, "%s\n%d profiles 0 aliases\n", line, len(s.Profiles))
	case words[0] == "gateway" && len(words) == 1:
		fmt.Fprintf(&b, "%25s\t%32s\t%s\t%9s\t%s\t%s\n%s\n", "Profile::Gateway-Name", "    Data    ", "State", "Ping Time", "IB Calls(F/T)", "OB Calls(F/T)", line)
		for _, name := range slices.Sorted(maps.Keys(s.Gateways)) {
			g := s.Gateways[name]
			fmt.Fprintf(&b, "%25s\t%32s\t%s\t%6.2f\t%d/%d\t%d/%d\n", g.Profile+"::"+name, GatewayData, g.State, 0.0, 0, 0, 0, 0)
			if g.Killed { // for the last time
				delete(s.Gateways, name)
			}
		}
		fmt.Fprintf(&b, "%s\n%d gateways: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):0/0\n", line, len(s.Gateways))
	case words[0] == "gateway":
		if g, ok := s.Gateways[words[1]]; !ok || g.Killed {
			return "Invalid Gateway!\n"
		}
		fmt.Fprintf(&b, "%s\nName    \t%s\nProfile \t%s\nScheme  \tDigest\nRealm   \t%s\n%s\n", line, words[1], s.Gateways[words[1]].Profile, GatewayData, line)
	default:
		fmt.Fprintf(&b, "\nRegistrations:\n%s\n", line)
		items := 0
		for _, r := range s.Registered {
			if user, ok := strings.CutPrefix(r, words[1]+"/"); ok {
				items++
				fmt.Fprintf(&b, "Call-ID:    \t%s\nUser:       \t%s\nContact:    \t\"\" <sip:1@192.0.2.1>\nAgent:      \t%s\nStatus:     \tRegistered(UDP)(unknown) EXP(2026-11-27 12:00:00) EXPSECS(60)\n"+
					"Ping-Status:\tReachable\nPing-Time:\t0.00\nHost:       \tvm\nIP:         \t192.0.2.1\nPort:       \t5060\nAuth-User:  \t%s\nAuth-Realm: \tx\nMWI-Account:\t%s\n\n",
					PhoneData, user, PhoneData, user, user)
			}
		}
		fmt.Fprintf(&b, "Total items returned: %d\n%s\n", items, line)
	}
	return b.String()
}

// What a phone chose for its Call-ID and its User-Agent, and an operator for a gateway: what would be markup in XML, a byte
// of Latin-1, and what looks like the switch's own columns.
const (
	PhoneData   = "<!-- </call-id> \xe9 User:       \t1002@acme.example -->"
	GatewayData = "sip:a</to><gateway>@x\t0/0\t1/1"
)
