package localrows_test

import (
	"context"
	"fmt"
	"sync"

	"xmlcurld/db"
	"xmlcurld/db/table"
)

// told are the answers to many questions, by the question.
type told map[string]any

func (t told) add(what string, answer any, err error) {
	if err != nil {
		answer = err.Error()
	}
	t[what] = answer
}

// together asks questions at once, so that they share round trips.
func (t told) together(questions map[string]func() (any, error)) {
	var asking sync.WaitGroup
	var mu sync.Mutex
	for what, ask := range questions {
		asking.Go(func() {
			answer, err := ask()
			mu.Lock()
			defer mu.Unlock()
			t.add(what, answer, err)
		})
	}
	asking.Wait()
}

// calls asks for numbers in all the forms in which they may be dialled, and in all contexts.
func (t told) calls(ctx context.Context, rows table.Source) {
	r := rules(rows)
	questions := make(map[string]func() (any, error))
	for _, context := range []string{"public", "PUBLIC", "acme", "vumi", "nowhere", ""} {
		for _, digits := range []string{"27123456789", "27210000000", "27990000000", "27000000000", "1000", "1001", "9", "*97", "x\x1fy"} {
			for _, form := range []string{"", "+", "00"} {
				call := db.Call{Node: "fs1", Context: context, Number: form + digits}
				questions[fmt.Sprintf("%q", call)] = func() (any, error) { return r.Route(ctx, call) }
			}
		}
	}
	t.together(questions)
}

func (t told) users(ctx context.Context, rows table.Source) {
	r := rules(rows)
	questions := make(map[string]func() (any, error))
	for _, domain := range []string{"acme.example", "ACME.example", "beta.example", "nowhere.example", ""} {
		for _, name := range []string{"1000", "1001", "1003", "2000", "2001", "nobody", "NEW", ""} {
			questions["user "+name+"@"+domain] = func() (any, error) { return r.User(ctx, "fs1", domain, name) }
		}
	}
	t.together(questions)
}

func (t told) documents(ctx context.Context, rows table.Source) {
	r := rules(rows)
	credentials, err := r.Credentials(ctx)
	t.add("credentials", credentials, err)
	acl, err := r.ACL(ctx, "gone")
	t.add("gone acl", acl, err)
	for _, node := range []string{"fs1", "fs2", "unknown"} {
		acl, err := r.ACL(ctx, node)
		t.add(node+" acl", acl, err)
		modules, err := r.Modules(ctx, node)
		t.add(node+" modules", modules, err)
		settings, err := r.Switch(ctx, node)
		t.add(node+" switch", settings, err)
		settings, err = r.EventSocket(ctx, node)
		t.add(node+" event socket", settings, err)
		document, err := r.Document(ctx, node, "configuration", "ivr.conf")
		t.add(node+" ivr.conf", document, err)
		for _, profile := range []string{"", "external", "internal", "new"} {
			sofia, err := r.Sofia(ctx, node, profile, "")
			t.add(node+" sofia "+profile, sofia, err)
		}
		for _, gateway := range []string{"_all_", "twilio", "OWN", "nobody"} {
			sofia, err := r.Sofia(ctx, node, "external", gateway)
			t.add(node+" sofia external "+gateway, sofia, err)
		}
		sofia, err := r.Sofia(ctx, node, "", "own")
		t.add(node+" sofia own", sofia, err)
		const domain = "acme.example"
		d, err := r.Domain(ctx, node, domain)
		t.add(node+" domain", d, err)
		d, err = r.Users(ctx, node, domain)
		t.add(node+" users", d, err)
		d, err = r.Networks(ctx, node, domain)
		t.add(node+" networks", d, err)
		d, err = r.Group(ctx, node, domain, "sales")
		t.add(node+" group", d, err)
		for _, domain := range []string{domain, "", "nowhere.example"} {
			d, err = r.UserGateways(ctx, node, domain, "internal")
			t.add(node+" gateways "+domain, d, err)
		}
	}
}

func ask(ctx context.Context, r table.Source) told {
	t := told{}
	t.calls(ctx, r)
	t.users(ctx, r)
	t.documents(ctx, r)
	return t
}
