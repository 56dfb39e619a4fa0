package fakeswitch

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Switch is a FreeSWITCH as far as a keeper sees it: it fetches its documents over HTTP as FreeSWITCH does, and answers
// the commands of an event socket as FreeSWITCH was seen to. What is exported but Name is read and changed within Set.
type Switch struct {
	Name string // switchname

	Server     string // URL of xmlcurld
	Password   string // of the event socket
	Modules    map[string]bool
	Lists      map[string]bool   // access lists
	Limits     map[string]string // by their names for fsctl
	Profiles   map[string]bool
	Gateways   map[string]Gateway
	Variables  map[string]string            // global ones
	Advertised map[string]map[string]string // by profile and name the parameters in force; sip-port is what it tells, not where it listens
	Zones      map[string]bool              // time zones
	Documents  map[string]string            // by name what a module runs with: the whole answer that it was loaded with
	Registered []string                     // phones: profile/user@domain
	Channels   []Channel
	Faults     Faults

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	started  time.Time
	commands map[string]int
	log      []string
	unasked  map[net.Conn]string // what comes along with the next reply
	logging  map[net.Conn]bool
	events   map[net.Conn]bool
}

// Faults are what goes wrong with a switch.
type Faults struct {
	Unsupported string // it refuses gateways with this register-transport, and tells its log only
	Silent      bool   // it takes commands and says nothing
	Fetches     int    // so many of its fetches get nothing
	DieAt       string // it hangs up in the middle of the reply to the command that begins so
	DoesNotLoad string // a module
	Refusal     string // what it says to load of that; empty: what FreeSWITCH says
}

// Gateway is one that a switch has. A killed one is still listed, once.
type Gateway struct {
	Profile, Revision, State string
	Password                 string
	Killed                   bool
}

// Channel is one side of a call that is up.
type Channel struct {
	UUID      string `json:"uuid"`
	Direction string `json:"direction"` // inbound or outbound
	Name      string `json:"name"`
	Caller    string `json:"cid_num"`
	Called    string `json:"dest"`
	Gateway   string `json:"-"` // that it came in by, or leaves by
}

// NewSwitch returns a switch that is off. Its event socket is at a loopback address that Port tells; Off closes it.
func NewSwitch(name, server string) (*Switch, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Switch{
		Name: name, Server: server, listener: l, conns: map[net.Conn]bool{}, commands: map[string]int{},
		unasked: map[net.Conn]string{}, logging: map[net.Conn]bool{}, events: map[net.Conn]bool{},
	}
	go s.accept(l)
	return s, nil
}

// Port is that of the event socket.
func (s *Switch) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Connections tells how many have the event socket open.
func (s *Switch) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Told returns the last commands.
func (s *Switch) Told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log[max(0, len(s.log)-20):])
}

// Log returns all commands, in order.
func (s *Switch) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Boot starts the switch anew, with nothing but what it fetches.
func (s *Switch) Boot() {
	s.hangUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = time.Now()
	s.Password = "ClueCon"
	s.Modules, s.Lists, s.Limits = map[string]bool{}, map[string]bool{}, map[string]string{}
	s.Profiles, s.Gateways, s.Registered = map[string]bool{}, map[string]Gateway{}, nil
	s.Variables, s.Advertised = map[string]string{}, map[string]map[string]string{}
	s.Zones, s.Documents = map[string]bool{}, map[string]string{} // timezones.conf is read before there is anybody to ask
	if d, err := s.fetch("post_load_modules.conf"); err == nil {
		for _, load := range d.Loads {
			s.Modules[load.Module] = true
			s.readDocument(load.Module)
		}
	}
	if s.Modules["mod_sofia"] {
		s.loadSofia()
	}
	if d, err := s.fetch("event_socket.conf"); err == nil && value(d.Settings, "password") != "" {
		s.Password = value(d.Settings, "password")
	}
	s.ReloadACL()
	if d, err := s.fetch("post_load_switch.conf"); err == nil {
		s.Limits["max_sessions"] = value(d.Settings, "max-sessions")
		s.Limits["sps"] = value(d.Settings, "sessions-per-second")
	}
}

// Off ends the switch.
func (s *Switch) Off() {
	_ = s.listener.Close()
	s.hangUp()
}

func (s *Switch) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Set changes the switch under its lock.
func (s *Switch) Set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Commands returns how often each command was run.
func (s *Switch) Commands() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.commands)
}

// Did returns how often a command was run, by its first words.
func (s *Switch) Did(words string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for command, times := range s.commands {
		if strings.HasPrefix(command, words) {
			n += times
		}
	}
	return n
}

func (s *Switch) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.Set(func() { s.conns[c] = true })
		go s.serve(c)
	}
}

func (s *Switch) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.Set(func() {
			delete(s.conns, c)
			delete(s.unasked, c)
			delete(s.logging, c)
			delete(s.events, c)
		})
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
			s.Set(func() { authenticated = line == "auth "+s.Password })
			if !authenticated {
				fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
				return
			}
			fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
		case authenticated && (line == "event plain MODULE_LOAD" || line == "log err" || line == "nolog"):
			s.Set(func() {
				s.events[c] = s.events[c] || strings.HasPrefix(line, "event")
				s.logging[c] = line == "log err"
			})
			fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: +OK\n\n")
		case authenticated && strings.HasPrefix(line, "api "):
			if !s.reply(c, strings.TrimPrefix(line, "api ")) {
				return
			}
		default:
			return
		}
	}
}

// tell says something unasked to those connections that want it. As on the real switch it comes after the reply to what
// caused it.
func (s *Switch) tell(who map[net.Conn]bool, header, body string) {
	for c, wants := range who {
		if wants {
			s.unasked[c] += fmt.Sprintf("Content-Length: %d\n%s\n\n%s", len(body), header, body)
		}
	}
}

// reply runs a command and reports whether the connection goes on.
func (s *Switch) reply(c net.Conn, command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Faults.Silent {
		return true
	}
	s.commands[command]++
	s.log = append(s.log, command)
	early := s.unasked[c]
	delete(s.unasked, c)
	body := s.run(strings.Fields(command))
	reply := early + fmt.Sprintf("Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body)
	if at := s.Faults.DieAt; at != "" && strings.HasPrefix(command, at) {
		s.Faults.DieAt = ""
		fmt.Fprint(c, reply[:len(reply)-1])
		return false
	}
	_, err := io.WriteString(c, reply)
	return err == nil
}
