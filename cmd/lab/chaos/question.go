//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/testdata"
)

// kind is a kind of questions that the server answers from the same tables.
type kind int

const (
	dialplan kind = iota
	directory
	configuration
	kinds
)

// question is one that a node asks.
type question struct {
	kind  kind
	about string // the row: a number, a user, a document
	node  string
	body  string // as FreeSWITCH sends it
	first bool   // asked once only, and never before
}

// name tells questions apart.
func (q *question) name() string { return q.node + " " + q.about }

// What of the world is edited, and asked for by all nodes, is the first so many of their kind.
const (
	hotNumbers, quietNumbers, unknownNumbers = 20, 100, 20
	hotUsers, unknownUsers                   = 10, 10
)

const (
	aclConf         = "acl.conf"
	sofiaConf       = "sofia.conf"
	externalProfile = "sofia.conf of external"
	modulesConf     = "post_load_modules.conf"
	switchConf      = "post_load_switch.conf"
)

// bodies are captured requests, to be asked about others.
type bodies struct{ call, register, acl, sofia, external, modules, limits string }

func readBodies() (b bodies, err error) {
	for _, want := range []struct {
		body  *string
		file  string
		holds []string
	}{
		{&b.call, "call-to-known-number.jsonl", []string{"section=dialplan"}},
		{&b.register, "register.jsonl", []string{"action=sip_auth"}},
		{&b.acl, "reloadacl.jsonl", []string{"key_value=acl.conf"}},
		{&b.sofia, "boot.jsonl", []string{"key_value=sofia.conf"}},
		{&b.external, "boot.jsonl", []string{"key_value=sofia.conf", "&profile=external"}},
		{&b.modules, "boot.jsonl", []string{"key_value=post_load_modules.conf"}},
		{&b.limits, "boot.jsonl", []string{"key_value=post_load_switch.conf"}},
	} {
		if *want.body, err = testdata.Captured(want.file, want.holds...); err != nil {
			return b, err
		}
	}
	return b, nil
}

// ask makes a captured body a question of node. swap is old, new, old, new, …
func ask(k kind, about, node, body string, swap ...string) *question {
	swap = append(swap, "hostname=vm&", "hostname="+node+"&", "Hostname=vm&", "Hostname="+node+"&", "Switchname=vm&", "Switchname="+node+"&")
	return &question{kind: k, about: about, node: node, body: strings.NewReplacer(swap...).Replace(body)}
}

// call is about number, as +271….
func (b *bodies) ofCall(node, number string) *question {
	return ask(dialplan, number, node, b.call, "27123456789", number[1:])
}

// ofUser is about user id@domain.
func (b *bodies) ofUser(node, id, domain string) *question {
	return ask(directory, id+"@"+domain, node, b.register, "acme.example", domain, "=1000&", "="+id+"&")
}

func (b *bodies) ofDocuments(node string) []*question {
	return []*question{
		ask(configuration, aclConf, node, b.acl),
		ask(configuration, sofiaConf, node, b.sofia),
		ask(configuration, externalProfile, node, b.external),
		ask(configuration, modulesConf, node, b.modules),
		ask(configuration, switchConf, node, b.limits),
	}
}

// asked are questions that come again and again, by kind; never are those that come once.
type asked struct {
	again [kinds][]*question
	never []*question
}

func newQuestions() (*asked, error) {
	b, err := readBodies()
	if err != nil {
		return nil, err
	}
	var a asked
	add := func(q *question) { a.again[q.kind] = append(a.again[q.kind], q) }
	for n := range size.Nodes {
		node := world.Node(n)
		for i := range hotNumbers {
			add(b.ofCall(node, world.Number(i)))
		}
		for i := range hotUsers {
			add(b.ofUser(node, userID, world.Domain(i)))
		}
		for _, q := range b.ofDocuments(node) {
			add(q)
		}
	}
	for i := range quietNumbers {
		add(b.ofCall(world.Node(i%size.Nodes), world.Number(hotNumbers+i)))
	}
	for i := range unknownNumbers {
		add(b.ofCall(world.Node(i%size.Nodes), fmt.Sprintf("+279%08d", i)))
	}
	for i := range unknownUsers {
		add(b.ofUser(world.Node(i%size.Nodes), "x1000", world.Domain(i)))
	}
	for i := hotNumbers + quietNumbers; i < size.Numbers; i++ {
		q := b.ofCall(world.Node(i%size.Nodes), world.Number(i))
		q.first = true
		a.never = append(a.never, q)
	}
	return &a, nil
}

// all are the questions that come again and again.
func (a *asked) all() []*question {
	var all []*question
	for _, some := range a.again {
		all = append(all, some...)
	}
	return all
}

// pick picks a question as a switch might have it: most are calls.
func (a *asked) pick(chance *rand.Rand) *question {
	switch dice := chance.IntN(20); {
	case dice == 0 && len(a.never) > 0:
		q := a.never[0]
		a.never = a.never[1:]
		return q
	case dice < 13:
		return a.one(dialplan, chance)
	case dice < 17:
		return a.one(directory, chance)
	default:
		return a.one(configuration, chance)
	}
}

func (a *asked) one(k kind, chance *rand.Rand) *question {
	return a.again[k][chance.IntN(len(a.again[k]))]
}
