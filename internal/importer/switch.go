package importer

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

// node adds the row of the node: columns of switch.conf and event_socket.conf, and the rows of other settings.
func (in *importer) node() {
	columns := []rowset.Column{rowset.C("name", in.options.Node)}
	from := in.configuration("switch.conf")
	if from == nil {
		from = in.configuration("event_socket.conf")
	}
	rest, more := in.switchSettings()
	sockets, restSockets := in.eventSocket()
	columns = append(append(columns, more...), sockets...)
	if len(columns) > 1 || in.options.Node != everyNode {
		place := conftree.Place{File: conftree.Root, Line: 1}
		if from != nil {
			place = from.Place
		}
		in.Set.Add("node", place.String(), columns...)
	}
	for _, s := range rest {
		s.name = strings.ToLower(s.name)
		in.addSetting("switch_param", s, in.ofNode()...)
	}
	for _, s := range restSockets {
		in.addSetting("event_socket_param", s, in.ofNode()...)
	}
}

// beforeAsking are settings of switch.conf that FreeSWITCH takes before it can ask.
var beforeAsking = regexp.MustCompile(`^(core-(db|non-sqlite).*|auto-create-schemas|auto-clear-sql|switchname)$`)

// switchSettings are the settings of the core that have a column, and the others.
func (in *importer) switchSettings() (rest []setting, columns []rowset.Column) {
	var all []setting
	for _, document := range []string{"switch.conf", "post_load_switch.conf"} {
		e := in.configuration(document)
		if e == nil {
			continue
		}
		for _, child := range e.Children {
			what := "<" + child.Name + "> in " + document
			switch child.Name {
			case "settings", "variables":
			case "cli-keybindings", "default-ptimes", "interface-allowlist":
				if len(child.Children) > 0 {
					in.leave(child, what, "FreeSWITCH takes it before it asks this server", "Put it into the bootstrap's switch.conf.")
				}
			default:
				in.unread(child, what)
			}
		}
		later := in.settings(e, "settings", "param")
		all = append(beside(later, all), later...)
	}
	var low, high setting
	for _, s := range all {
		value := in.expand(s.Element, s.value)
		what := fmt.Sprintf("%s=%q", s.name, s.value)
		switch name := strings.ToLower(s.name); {
		case beforeAsking.MatchString(name):
			in.leave(s.Element, what, "FreeSWITCH takes it before it asks this server", "Put it into the bootstrap's switch.conf.")
		case name == "rtp-start-port":
			low = s
		case name == "rtp-end-port":
			high = s
		case name == "max-sessions", name == "sessions-per-second":
			if n, err := strconv.Atoi(value); err != nil || n < 1 {
				in.leave(s.Element, what, "FreeSWITCH ignores a limit that is not 1 or more", "Write a number.")
			} else {
				in.fixed(s.Element, s.name, s.value)
				columns = append(columns, rowset.C(strings.ReplaceAll(name, "-", "_"), n))
			}
		case name == "loglevel":
			if level := levelOf(value); level == "" {
				in.leave(s.Element, what, "it is not a log level", "Write console, alert, crit, err, warning, notice, info or debug.")
			} else {
				in.fixed(s.Element, s.name, s.value)
				columns = append(columns, rowset.C("loglevel", level))
			}
		case name == "api-expansion":
			columns = append(columns, rowset.C("api_expansion", hunt.IsTrue(value)))
		default:
			rest = append(rest, s)
		}
	}
	return rest, append(columns, in.rtpPorts(low, high)...)
}

// rtpPorts is the column of the range of ports. FreeSWITCH's own is from 16384 to 32768.
func (in *importer) rtpPorts(low, high setting) []rowset.Column {
	if low.Element == nil && high.Element == nil {
		return nil
	}
	port := func(s setting, preset int) int {
		if s.Element == nil {
			return preset
		}
		n, _ := strconv.Atoi(in.fixed(s.Element, s.name, s.value))
		return n
	}
	at := low.Element
	if at == nil {
		at = high.Element
	}
	first, last := port(low, 16384), port(high, 32768)
	if first < 1024 || last > 65535 || last <= first {
		in.leave(at, fmt.Sprintf("RTP ports %d to %d", first, last), "a range lies within 1024 and 65535 and has two ports", "Set rtp_port of table node.")
		return nil
	}
	return []rowset.Column{rowset.C("rtp_port", fmt.Sprintf("[%d,%d]", first, last))}
}

// levels are FreeSWITCH's log levels by number.
var levels = []string{"console", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func levelOf(text string) string {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < len(levels) {
		return levels[n]
	}
	text = strings.ToLower(text)
	if slices.Contains(levels, text) {
		return text
	}
	return ""
}

// eventSocket are the settings of the event socket that have a column, and the others.
func (in *importer) eventSocket() (columns []rowset.Column, rest []setting) {
	settings := in.configuration("event_socket.conf").Child("settings")
	var lists []string
	last := map[string]setting{}
	var names []string
	for _, p := range settings.All("param") {
		name := p.Attr("name")
		if strings.EqualFold(name, "apply-inbound-acl") {
			if list := in.fixed(p, name, p.Attr("value")); list != "" {
				lists = append(lists, list)
			}
			continue
		}
		if before, ok := last[name]; ok {
			in.leave(before.Element, "param "+name, "it stands twice, and FreeSWITCH takes the later one, in "+p.String(), "Delete it.")
		} else {
			names = append(names, name)
		}
		last[name] = setting{p, name, p.Attr("value")}
	}
	for _, name := range names {
		s := last[name]
		value := in.expand(s.Element, s.value)
		what := fmt.Sprintf("%s=%q of the event socket", name, s.value)
		switch name {
		case "listen-ip":
			if address, err := netip.ParseAddr(value); err != nil {
				in.leave(s.Element, what, "the column holds an address", "Set event_socket_ip of table node.")
			} else {
				in.fixed(s.Element, what, s.value)
				columns = append(columns, rowset.C("event_socket_ip", address.String()))
			}
		case "listen-port":
			if n, err := strconv.Atoi(value); err != nil || n < 1 || n > 65535 {
				in.leave(s.Element, what, "it is not a port", "Set event_socket_port of table node.")
			} else {
				in.fixed(s.Element, what, s.value)
				columns = append(columns, rowset.C("event_socket_port", n))
			}
		case "password":
			if !secret.MatchString(value) || strings.Contains(value, "${") || strings.Contains(value, "<!") {
				in.leave(s.Element, "password of the event socket", "the server cannot carry it", "Set event_socket_password of table node.")
			} else {
				columns = append(columns, rowset.C("event_socket_password", in.fixed(s.Element, "password of the event socket", s.value)))
			}
		default:
			rest = append(rest, s)
		}
	}
	return append(columns, in.socketLists(settings, lists)...), rest
}

// ownList is the name of an access list that FreeSWITCH makes itself.
var ownList = regexp.MustCompile(`^(rfc6598|rfc1918|wan|wan_v6|wan_v4|any_v6|any_v4|nat|loopback|localnet)\.auto$`)

// socketLists is the column of the lists that let peers of the event socket in.
func (in *importer) socketLists(settings *conftree.Element, lists []string) []rowset.Column {
	if len(lists) == 0 {
		return nil
	}
	known := in.acls()
	for _, list := range lists {
		network, err := netip.ParsePrefix(list)
		is := func(e *conftree.Element) bool { return in.expand(e, e.Attr("name")) == list }
		if ownList.MatchString(list) || slices.ContainsFunc(known, is) || err == nil && network.Addr().Is4() && network == network.Masked() {
			continue
		}
		in.leave(settings, fmt.Sprintf("apply-inbound-acl=%q of the event socket", list), "there is no such access list, so FreeSWITCH lets nobody in; the row is left as it was",
			"Set event_socket_acl of table node.")
		return nil
	}
	return []rowset.Column{rowset.C("event_socket_acl", strings.Join(lists, " "))}
}

// globals adds the global variables, in the order in which they are set. One that is set again has its last value.
func (in *importer) globals() {
	last := map[string]*conftree.Variable{}
	var names []string
	for i := range in.tree.Variables {
		v := &in.tree.Variables[i]
		name := strings.ToLower(v.Name)
		if last[name] == nil {
			names = append(names, name)
		}
		last[name] = v
	}
	for _, name := range names {
		in.global(last[name])
	}
	for _, document := range []string{"switch.conf", "post_load_switch.conf"} {
		if e := in.configuration(document); e != nil {
			for _, s := range in.settings(e, "variables", "variable") {
				if last[strings.ToLower(s.name)] == nil {
					in.addSetting("switch_variable", s, in.ofNode()...)
				} else {
					in.leave(s.Element, "variable "+s.name, "a directive of the tree sets it too", "Set it once.")
				}
			}
		}
	}
}

func (in *importer) global(v *conftree.Variable) {
	at := &conftree.Element{Place: v.Place}
	what := fmt.Sprintf("variable %s, by %s", v.Name, v.Command)
	switch {
	case v.Command != "set":
		in.leave(at, what, "only the switch can find out its value",
			fmt.Sprintf(`Write <X-PRE-PROCESS cmd=%q data="%s=%s"/> into a file that the bootstrap's freeswitch.xml includes.`, v.Command, v.Name, v.Value))
		return
	case !setName.MatchString(v.Name):
		in.leave(at, what, "no variable can have this name", "Name it with letters, digits, dots, dashes and underscores.")
		return
	case notInXML.MatchString(v.Value):
		in.leave(at, what, "it holds a control character, which XML cannot carry", "Leave it out.")
		return
	}
	value, expand := v.Value, at.Refers(v.Value)
	if running, _ := in.tree.Expand(nil, v.Value); expand && strings.ReplaceAll(running, "${", "%{") != strings.ReplaceAll(v.Holds, "${", "%{") {
		value, expand = v.Holds, false
	}
	column := rowset.C("value", value)
	if value == "" {
		column.Value = rowset.Empty
	}
	columns := append(in.ofNode(), rowset.C("name", v.Name), column)
	in.Set.Add("switch_variable", v.String(), withTrue(columns, "expand", expand)...)
}
