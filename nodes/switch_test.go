package nodes_test

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// simulated is a switch as far as a keeper sees it: it fetches its documents over HTTP as FreeSWITCH does, and answers
// the commands of an event socket as FreeSWITCH was seen to.
type simulated struct {
	name, server string // switchname; URL of xmlcurld

	mu         sync.Mutex
	listener   net.Listener
	conns      map[net.Conn]bool
	password   string
	started    time.Time
	modules    map[string]bool
	lists      map[string]bool
	limits     map[string]string
	profiles   map[string]bool
	gateways   map[string]gateway
	registered []string // profile/user@domain
	commands   map[string]int
	faults     faults
	log        []string
}

// faults are what goes wrong with a switch.
type faults struct {
	silent      bool   // it takes commands and says nothing
	fetches     int    // so many of its fetches get nothing
	dieAt       string // it hangs up in the middle of the reply to the command that begins so
	doesNotLoad string // a module
}

type gateway struct {
	profile, revision, state string
	password                 string
	killed                   bool
}

// document is what a switch reads of an answer.
type document struct {
	Lists []struct {
		Name string `xml:"name,attr"`
	} `xml:"section>configuration>network-lists>list"`
	Loads []struct {
		Module string `xml:"module,attr"`
	} `xml:"section>configuration>modules>load"`
	Settings []param `xml:"section>configuration>settings>param"`
	Profiles []struct {
		Name     string `xml:"name,attr"`
		Gateways []struct {
			Name      string  `xml:"name,attr"`
			Params    []param `xml:"param"`
			Variables []param `xml:"variable"`
		} `xml:"gateways>gateway"`
	} `xml:"section>configuration>profiles>profile"`
}

type param struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

func value(params []param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// newSwitch is a switch that is off. Its event socket will be at address.
func newSwitch(t testing.TB, name, server string) (s *simulated, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = &simulated{name: name, server: server, listener: l, conns: map[net.Conn]bool{}, commands: map[string]int{}}
	port = l.Addr().(*net.TCPAddr).Port
	t.Cleanup(s.off)
	go s.accept(l)
	return s, port
}

// boot starts the switch anew, with nothing but what it fetches.
func (s *simulated) boot(t testing.TB) {
	t.Helper()
	s.hangUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = time.Now()
	s.password = "ClueCon"
	s.modules, s.lists, s.limits = map[string]bool{}, map[string]bool{}, map[string]string{}
	s.profiles, s.gateways, s.registered = map[string]bool{}, map[string]gateway{}, nil
	if d, err := s.fetch("post_load_modules.conf"); err == nil {
		for _, load := range d.Loads {
			s.modules[load.Module] = true
		}
	}
	if s.modules["mod_sofia"] {
		s.loadSofia()
	}
	if d, err := s.fetch("event_socket.conf"); err == nil && value(d.Settings, "password") != "" {
		s.password = value(d.Settings, "password")
	}
	s.reloadACL()
	if d, err := s.fetch("post_load_switch.conf"); err == nil {
		s.limits["max_sessions"] = value(d.Settings, "max-sessions")
		s.limits["sps"] = value(d.Settings, "sessions-per-second")
	}
}

// off ends the switch.
func (s *simulated) off() {
	_ = s.listener.Close()
	s.hangUp()
}

func (s *simulated) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// set changes the switch under its lock.
func (s *simulated) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// did returns how often a command was run, by its first words.
func (s *simulated) did(words string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for command, times := range s.commands {
		if strings.HasPrefix(command, words) {
			n += times
		}
	}
	return n
}

func (s *simulated) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.set(func() { s.conns[c] = true })
		go s.serve(c)
	}
}

func (s *simulated) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.set(func() { delete(s.conns, c) })
	}()
	lines := bufio.NewReader(c)
	fmt.Fprint(c, "Content-Type: auth/request\n\n")
	authenticated := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "":
		case strings.HasPrefix(line, "auth "):
			s.set(func() { authenticated = line == "auth "+s.password })
			if !authenticated {
				fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
				return
			}
			fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
		case authenticated && strings.HasPrefix(line, "api "):
			if !s.reply(c, strings.TrimPrefix(line, "api ")) {
				return
			}
		default:
			return
		}
	}
}

// reply runs a command and reports whether the connection goes on.
func (s *simulated) reply(c net.Conn, command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.silent {
		return true
	}
	s.commands[command]++
	s.log = append(s.log, command)
	body := s.run(strings.Fields(command))
	reply := fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body)
	if at := s.faults.dieAt; at != "" && strings.HasPrefix(command, at) {
		s.faults.dieAt = ""
		fmt.Fprint(c, reply[:len(reply)-1])
		return false
	}
	_, err := io.WriteString(c, reply)
	return err == nil
}

func (s *simulated) run(words []string) string {
	argument := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "switchname":
		return s.name
	case "status":
		return "UP 0 years\nFreeSWITCH (Version 1.11.3) is ready\n"
	case "uptime":
		return fmt.Sprintf("%d\n", int(time.Since(s.started).Seconds()))
	case "module_exists":
		return fmt.Sprint(s.modules[argument(1)])
	case "load":
		return s.load(argument(1))
	case "unload":
		if argument(1) == "mod_say_en" {
			return "-ERR unloading module [Module is not unloadable]\n"
		}
		delete(s.modules, argument(1))
		return "+OK\n"
	case "fsctl":
		return s.fsctl(argument(1), argument(2))
	case "acl":
		return fmt.Sprint(s.lists[argument(2)])
	case "reloadacl":
		s.reloadACL()
		return "+OK acl reloaded\n"
	case "xml_flush_cache":
		return "+OK cleared 1 entry\n"
	case "sofia_gateway_data":
		if g, ok := s.gateways[argument(1)]; ok && !g.killed {
			return g.revision
		}
		return "-ERR no reply\n"
	case "sofia":
		if !s.modules["mod_sofia"] {
			break
		}
		if argument(1) == "xmlstatus" {
			return s.xmlstatus(words[2:])
		}
		return s.profile(argument(2), argument(3), argument(4))
	}
	return "-ERR " + words[0] + " Command not found!\n"
}

func (s *simulated) load(module string) string {
	if s.faults.doesNotLoad == module {
		return "+OK Reloading XML\n-ERR [module load file routine returned an error]\n"
	}
	s.modules[module] = true
	if module == "mod_sofia" {
		s.loadSofia()
	}
	return "+OK Reloading XML\n+OK\n"
}

func (s *simulated) fsctl(name, value string) string {
	if value != "" {
		s.limits[name] = value
	}
	switch name {
	case "max_sessions":
		return "+OK max sessions: " + s.limits[name] + "\n"
	case "sps":
		return "+OK sessions per second: " + s.limits[name] + "\n"
	case "loglevel":
		return "+OK log level: " + strings.ToUpper(value) + " [6]\n"
	}
	return "+OK\n"
}

func (s *simulated) reloadACL() {
	s.lists = map[string]bool{}
	if d, err := s.fetch("acl.conf"); err == nil {
		for _, list := range d.Lists {
			s.lists[list.Name] = true
		}
	}
}

func (s *simulated) loadSofia() {
	d, err := s.fetch("sofia.conf")
	if err != nil {
		return
	}
	for _, p := range d.Profiles {
		s.startProfile(p.Name)
	}
}

func (s *simulated) startProfile(name string) {
	if d, err := s.fetch("sofia.conf", "profile", name); err == nil && len(d.Profiles) == 1 {
		s.profiles[name] = true
		s.addGateways(d)
	}
}

// addGateways adds what is not there. What is, it leaves as it is, changed or not.
func (s *simulated) addGateways(d document) {
	for _, p := range d.Profiles {
		for _, g := range p.Gateways {
			if there, ok := s.gateways[g.Name]; ok && !there.killed {
				continue
			}
			state := "NOREG"
			if value(g.Params, "register") == "true" {
				state = "REGED"
			}
			s.gateways[g.Name] = gateway{profile: p.Name, revision: value(g.Variables, "xmlcurld_revision"), state: state, password: value(g.Params, "password")}
		}
	}
}

func (s *simulated) profile(profile, verb, name string) string {
	g, there := s.gateways[name]
	there = there && !g.killed
	switch verb {
	case "start":
		if _, err := s.fetch("sofia.conf", "profile", profile, "reconfig", "true"); err != nil {
			return "-ERR\n"
		}
		s.startProfile(profile)
	case "rescan", "startgw":
		fields := []string{"profile", profile, "reconfig", "true"}
		if verb == "startgw" {
			fields = append(fields, "gateway", name)
		}
		d, err := s.fetch("sofia.conf", fields...)
		if err != nil {
			return "-ERR cannot open sofia.conf\n"
		}
		s.addGateways(d)
	case "killgw":
		if !there {
			return "-ERR no such gateway.\n"
		}
		g.killed = true
		s.gateways[name] = g
	case "unregister":
		if there {
			g.state = "NOREG"
			s.gateways[name] = g
		}
	case "flush_inbound_reg":
		s.registered = slices.DeleteFunc(s.registered, func(r string) bool { return r == profile+"/"+name })
	}
	return "Reload XML [Success]\n+OK complete\n"
}

func (s *simulated) xmlstatus(words []string) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n")
	switch {
	case len(words) == 0:
		b.WriteString("<profiles>")
		for name := range s.profiles {
			fmt.Fprintf(&b, "<profile><name>%s</name><state>RUNNING (0)</state></profile>", name)
		}
		b.WriteString("</profiles>")
	case words[0] == "gateway" && len(words) == 1:
		b.WriteString("<gateways>")
		for name, g := range s.gateways {
			fmt.Fprintf(&b, "<gateway><name>%s</name><profile>%s</profile><state>%s</state></gateway>", name, g.profile, g.state)
			if g.killed { // for the last time
				delete(s.gateways, name)
			}
		}
		b.WriteString("</gateways>")
	case words[0] == "gateway":
		if g, ok := s.gateways[words[1]]; !ok || g.killed {
			return "Invalid Gateway!\n"
		}
		fmt.Fprintf(&b, "<gateway><profile>%s</profile></gateway>", s.gateways[words[1]].profile)
	default:
		b.WriteString("<profile><registrations>")
		for _, r := range s.registered {
			if user, ok := strings.CutPrefix(r, words[1]+"/"); ok {
				fmt.Fprintf(&b, "<registration><user>%s</user></registration>", user)
			}
		}
		b.WriteString("</registrations></profile>")
	}
	return b.String()
}

var errNotFound = errors.New("not found")

// fetch asks as mod_xml_curl does.
func (s *simulated) fetch(name string, fields ...string) (d document, err error) {
	if s.faults.fetches > 0 {
		s.faults.fetches--
		return d, errNotFound
	}
	form := "hostname=" + s.name + "&section=configuration&tag_name=configuration&key_name=name&key_value=" + name
	for i := 0; i < len(fields); i += 2 {
		form += "&" + fields[i] + "=" + url.QueryEscape(fields[i+1])
	}
	response, err := http.Post(s.server, "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		return d, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "not found") {
		return d, errNotFound
	}
	return d, xml.Unmarshal(body, &d)
}
