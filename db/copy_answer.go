package db

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// question is one whose answer is kept as it is: an operation and its arguments, of which the node is the first.
type question string

// questionOf returns what node asks: Common where the answer is the same for all nodes. It returns false for a question that
// cannot be kept: no name holds the separator, but what a phone sends may.
func questionOf(operation, node string, args ...string) (question, bool) {
	parts := append([]string{operation, node}, args...)
	for _, part := range parts {
		if strings.Contains(part, separator) {
			return "", false
		}
	}
	return question(strings.Join(parts, separator)), true
}

// node returns who asks q.
func (q question) node() string {
	_, args, _ := strings.Cut(string(q), separator)
	node, _, _ := strings.Cut(args, separator)
	return node
}

// keptOperation is a kind of question whose answers are kept: the tables that they are made of, and how it is asked.
type keptOperation struct {
	relations []string
	ask       func(ctx context.Context, s *Store, args []string) (any, error)
}

// keepDomains is an answer about domains. It is the same for all nodes, whether they are known or not.
func keepDomains(d []Domain, _ bool, err error) (any, error) { return d, err }

const (
	ofDirectory = "tenant context domain domain_param domain_variable domain_user domain_user_param domain_user_variable "
	ofSofia     = "node tenant domain sofia_param sip_profile sip_profile_param sip_profile_domain sip_profile_alias"
	ofTrunks    = "gateway gateway_param gateway_variable"
)

var keptOperations = map[string]keptOperation{
	"acl": {strings.Fields("node tenant acl_list acl_entry domain domain_user"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.askACL(ctx, args[0]) }},
	"credentials": {strings.Fields("node_credential"),
		func(ctx context.Context, s *Store, _ []string) (any, error) { return s.Credentials(ctx) }},
	"document": {strings.Fields("node document"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return s.Document(ctx, args[0], args[1], args[2])
		}},
	"event_socket": {strings.Fields("node event_socket_param"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return s.eventSocketRows(ctx, args[0])
		}},
	"modules": {strings.Fields("node module"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.Modules(ctx, args[0]) }},
	"sofia": {strings.Fields(ofSofia),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return s.Sofia(ctx, args[0], "", "")
		}},
	"switch": {strings.Fields("node switch_param switch_variable"),
		func(ctx context.Context, s *Store, args []string) (any, error) { return s.Switch(ctx, args[0]) }},
	"domain": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Domain(ctx, args[0], args[1]))
		}},
	"users": {strings.Fields(ofDirectory + "domain_group domain_group_user"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Users(ctx, args[0], args[1]))
		}},
	"networks": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Networks(ctx, args[0], args[1]))
		}},
	"group": {strings.Fields(ofDirectory + "domain_group domain_group_user"),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.Group(ctx, args[0], args[1], args[2]))
		}},
	"user_gateways": {strings.Fields(ofDirectory + ofTrunks),
		func(ctx context.Context, s *Store, args []string) (any, error) {
			return keepDomains(s.UserGateways(ctx, args[0], args[1], args[2]))
		}},
}

// operation takes q apart.
func (q question) operation() (operation keptOperation, args []string) {
	parts := strings.Split(string(q), separator)
	return keptOperations[parts[0]], parts[1:]
}

// concerns reports whether the answer to q is made of one of relations.
func (q question) concerns(relations map[string]bool) bool {
	operation, _ := q.operation()
	for _, r := range operation.relations {
		if relations[r] {
			return true
		}
	}
	return false
}

// readAnswer asks q, or takes the answer to a question that has the same.
func (r *copyReader) readAnswer(ctx context.Context, q question) error {
	operation, args := q.operation()
	if operation.ask == nil {
		r.edits[place{ofAnswers, string(q)}] = nil // of another version of this program
		return nil
	}
	alike, err := r.alike(ctx, q)
	if err != nil {
		return err
	}
	if r.texts[alike] == nil {
		answer, err := operation.ask(ctx, r.rows, args)
		if err != nil {
			return err
		}
		if r.texts[alike], err = packed(answer); err != nil {
			return err
		}
	}
	r.edits[place{ofAnswers, string(q)}] = r.texts[alike]
	return nil
}

// ownListsOfQuery tells of each node whether entries of access lists are its alone.
const ownListsOfQuery = `
SELECT name, EXISTS (SELECT FROM acl_entry WHERE node = name AND node <> '*')
FROM node
WHERE name <> '*'`

// alike is one of the questions that have the same answer as q. Ten thousand entries of access lists that fifty nodes have
// in common are read once, and once more for those that have no row.
func (r *copyReader) alike(ctx context.Context, q question) (question, error) {
	node, lists := strings.CutPrefix(string(q), "acl"+separator)
	if !lists {
		return q, nil
	}
	if r.ownLists == nil {
		if err := r.readOwnLists(ctx); err != nil {
			return "", err
		}
	}
	own, known := r.ownLists[node]
	if own {
		return q, nil
	}
	if _, asked := r.commonLists[known]; !asked {
		r.commonLists[known] = q
	}
	return r.commonLists[known], nil
}

func (r *copyReader) readOwnLists(ctx context.Context) error {
	rows, err := r.tx.Query(ctx, ownListsOfQuery)
	if err != nil {
		return err
	}
	var node string
	var own bool
	r.ownLists, r.commonLists = make(map[string]bool), make(map[bool]question)
	_, err = pgx.ForEachRow(rows, []any{&node, &own}, func() error {
		r.ownLists[node] = own
		return nil
	})
	return err
}

// packed is how an answer is kept: entries of lists are much alike.
func packed(answer any) ([]byte, error) {
	var text bytes.Buffer
	packer, err := gzip.NewWriterLevel(&text, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(packer).Encode(answer); err != nil {
		return nil, err
	}
	err = packer.Close()
	return text.Bytes(), err
}

// kept returns the answer to a question that was asked before.
func kept[T any](c *Copy, operation, node string, args ...string) (answer T, err error) {
	err = c.look(func(v copyView) error {
		answer, err = keptIn[T](c, v, operation, node, args...)
		return err
	})
	return answer, err
}

func keptIn[T any](c *Copy, v copyView, operation, node string, args ...string) (answer T, err error) {
	if node != Common && v.get(ofNodes, node) == nil {
		node = noNode
	}
	q, ok := questionOf(operation, node, args...)
	text := v.get(ofAnswers, string(q))
	if !ok || text == nil || c.forgotten[q] || c.tooOld(c.waiting[q]) {
		return answer, errNotCopied
	}
	reader, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		err = json.NewDecoder(reader).Decode(&answer)
	}
	if err != nil {
		return answer, fmt.Errorf("copy of an answer to %s: %w", operation, err)
	}
	return answer, nil
}

// ACL is Store.ACL, from the copy.
func (c *Copy) ACL(_ context.Context, node string) (ACL, error) {
	runs, err := kept[[]aclRun](c, "acl", node)
	if err != nil {
		return ACL{}, err
	}
	return newACL(runs), nil
}

// Credentials is Store.Credentials, from the copy.
func (c *Copy) Credentials(context.Context) ([]Credential, error) {
	return kept[[]Credential](c, "credentials", Common)
}

// Document is Store.Document, from the copy.
func (c *Copy) Document(_ context.Context, node, section, name string) (Document, error) {
	return kept[Document](c, "document", node, section, name)
}

// EventSocket is Store.EventSocket, from the copy. A password that a row refers to is not copied, but read when it is asked
// for.
func (c *Copy) EventSocket(_ context.Context, node string) ([]NodeSetting, error) {
	rows, err := kept[[]eventSocketRow](c, "event_socket", node)
	if err != nil {
		return nil, err
	}
	return c.store.eventSocket(rows), nil
}

// Modules is Store.Modules, from the copy.
func (c *Copy) Modules(_ context.Context, node string) ([]Module, error) {
	return kept[[]Module](c, "modules", node)
}

// Switch is Store.Switch, from the copy.
func (c *Copy) Switch(_ context.Context, node string) ([]NodeSetting, error) {
	return kept[[]NodeSetting](c, "switch", node)
}

// Domain is Store.Domain, from the copy.
func (c *Copy) Domain(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains(node, "domain", Common, domain)
}

// Users is Store.Users, from the copy.
func (c *Copy) Users(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains(node, "users", Common, domain)
}

// Networks is Store.Networks, from the copy.
func (c *Copy) Networks(_ context.Context, node, domain string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains(node, "networks", Common, domain)
}

// Group is Store.Group, from the copy.
func (c *Copy) Group(_ context.Context, node, domain, name string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains(node, "group", Common, domain, name)
}

// UserGateways is Store.UserGateways, from the copy.
func (c *Copy) UserGateways(_ context.Context, node, domain, profile string) (d []Domain, nodeKnown bool, err error) {
	return c.keptDomains(node, "user_gateways", node, domain, profile)
}

func (c *Copy) keptDomains(node, operation, asker string, args ...string) (d []Domain, nodeKnown bool, err error) {
	err = c.look(func(v copyView) error {
		if c.doubtsTable("node") {
			return errNotCopied
		}
		nodeKnown = v.get(ofNodes, node) != nil
		d, err = keptIn[[]Domain](c, v, operation, asker, args...)
		return err
	})
	return d, nodeKnown, err
}
