package booted

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"xmlcurld/internal/eventsocket"
	"xmlcurld/internal/sandbox"
)

// Subjects are what the switches are asked about.
type Subjects struct {
	Modules   []string
	Profiles  []string
	Gateways  []string
	Lists     []string // access lists
	Addresses []string // each is looked up in each list
	Users     []User
	Variables []string // global ones
}

// User is a user, and what is asked of it.
type User struct {
	ID, Domain        string
	Params, Variables []string
}

// question is a command, and how its reply is read: into parts that can be compared, by name.
type question struct {
	kind    string
	command string
	read    func(body string) map[string]string
}

func (s *Subjects) questions() (all []question) {
	ask := func(kind string, read func(string) map[string]string, words ...string) {
		// A name that cannot be said over the event socket is compared in the documents only.
		if eventsocket.Command(words).Check() == nil {
			all = append(all, question{kind, strings.Join(words, " "), read})
		}
	}
	// The table behind show modules is written some time after a module was loaded.
	for _, name := range s.Modules {
		ask("modules", whole, "module_exists", name)
	}
	for _, name := range s.Profiles {
		ask("SIP profiles", leaves, "sofia", "xmlstatus", "profile", name)
	}
	for _, name := range s.Gateways {
		ask("gateways", leaves, "sofia", "xmlstatus", "gateway", name)
	}
	for _, list := range s.Lists {
		for _, address := range s.Addresses {
			ask("addresses in access lists", whole, "acl", address, list)
		}
	}
	for _, u := range s.Users {
		id := u.ID + "@" + u.Domain
		ask("users", whole, "user_exists", "id", u.ID, u.Domain)
		for _, name := range u.Params {
			ask("parameters of users", whole, "user_data", id, "param", name)
		}
		for _, name := range u.Variables {
			ask("variables of users", whole, "user_data", id, "var", name)
		}
	}
	for _, name := range s.Variables {
		ask("global variables", whole, "global_getvar", name)
	}
	return all
}

func (s *Subjects) commands() (all []string) {
	for _, q := range s.questions() {
		all = append(all, q.command)
	}
	return all
}

// await is what both switches make after they are ready.
func (s *Subjects) await() map[string]string {
	all := make(map[string]string)
	for _, name := range s.Profiles {
		all["sofia xmlstatus profile "+name] = "<profile-info>"
	}
	return all
}

// compare reads the replies of both.
func (s *Subjects) compare(tree, server []sandbox.Reply) (Result, error) {
	r := Result{Compared: make(map[string]int), Differences: []Difference{}}
	questions := s.questions()
	if len(tree) != len(questions) || len(server) != len(questions) {
		return r, fmt.Errorf("%d and %d replies to %d commands", len(tree), len(server), len(questions))
	}
	for n, q := range questions {
		r.Compared[q.kind]++
		a, b := q.read(tree[n].Body), q.read(server[n].Body)
		for _, name := range slices.Sorted(maps.Keys(merged(a, b))) {
			if a[name] != b[name] {
				r.Differences = append(r.Differences, Difference{q.command, name, a[name], b[name]})
			}
		}
	}
	return r, nil
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func whole(body string) map[string]string { return map[string]string{"": strings.TrimSpace(body)} }

// volatile are elements of a status that tell of this moment, not of the configuration.
var volatile = []string{"calls-in", "calls-out", "failed-calls-in", "failed-calls-out", "registrations", "ping", "pingtime", "pinging",
	"pingcount", "pingmin", "pingmax", "uptime-usec", "next", "freq", "state", "status", "call-id"}

// leaves are the texts of an XML document's elements that have nothing but text, by path.
func leaves(body string) map[string]string {
	all := make(map[string]string)
	var path []string
	var text string
	leaf := false
	d := xml.NewDecoder(strings.NewReader(body))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it says ISO-8859-1 and is UTF-8
	for {
		token, err := d.Token()
		switch t := token.(type) {
		case xml.StartElement:
			path, text, leaf = append(path, t.Name.Local), "", true
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			if name := strings.Join(path, "/"); leaf && !slices.Contains(volatile, path[len(path)-1]) {
				all[name] = strings.TrimSpace(text)
			}
			path, leaf = path[:len(path)-1], false
		}
		switch {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			return whole(body)
		}
	}
}
