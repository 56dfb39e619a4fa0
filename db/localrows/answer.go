package localrows

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// question is one whose answer is kept as it is: an operation and its arguments, of which the node is the first.
type question string

// questionOf returns what node asks: Common where the answer is the same for all nodes. It returns false for a question that
// cannot be kept: no name holds the db.Separator, but what a phone sends may.
func questionOf(operation, node string, args ...string) (question, bool) {
	parts := append([]string{operation, node}, args...)
	for _, part := range parts {
		if strings.Contains(part, db.Separator) {
			return "", false
		}
	}
	return question(strings.Join(parts, db.Separator)), true
}

// node returns who asks q.
func (q question) node() string {
	_, args, _ := strings.Cut(string(q), db.Separator)
	node, _, _ := strings.Cut(args, db.Separator)
	return node
}

// keptOperation is a kind of question whose answers are kept: the tables that they are made of, and how it is asked.
type keptOperation struct {
	relations []string
	ask       func(ctx context.Context, s *db.Store, args []string) (any, error)
}

const (
	ofDirectory = "tenant context domain domain_param domain_variable domain_user domain_user_param domain_user_variable "
	ofSofia     = "node tenant domain sofia_param sip_profile sip_profile_param sip_profile_domain sip_profile_alias"
	ofTrunks    = "gateway gateway_param gateway_variable"
)

var keptOperations = map[string]keptOperation{
	"acl": {db.ACLTables,
		func(ctx context.Context, s *db.Store, args []string) (any, error) { return s.ACLRuns(ctx, args[0]) }},
	"credentials": {strings.Fields("node_credential"),
		func(ctx context.Context, s *db.Store, _ []string) (any, error) { return s.Credentials(ctx) }},
	"document": {strings.Fields("node document"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Document(ctx, args[0], args[1], args[2])
		}},
	"event_socket": {strings.Fields("node event_socket_param"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.EventSocketRows(ctx, args[0])
		}},
	"modules": {strings.Fields("node module"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) { return s.Modules(ctx, args[0]) }},
	"sofia": {strings.Fields(ofSofia),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Sofia(ctx, args[0], "", "")
		}},
	"switch": {strings.Fields("node switch_param switch_variable"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) { return s.Switch(ctx, args[0]) }},
	"domain": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Domain(ctx, args[0], args[1])
		}},
	"users": {strings.Fields(ofDirectory + "domain_group domain_group_user"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Users(ctx, args[0], args[1])
		}},
	"networks": {strings.Fields(ofDirectory),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Networks(ctx, args[0], args[1])
		}},
	"group": {strings.Fields(ofDirectory + "domain_group domain_group_user"),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.Group(ctx, args[0], args[1], args[2])
		}},
	"user_gateways": {strings.Fields(ofDirectory + ofTrunks),
		func(ctx context.Context, s *db.Store, args []string) (any, error) {
			return s.UserGateways(ctx, args[0], args[1], args[2])
		}},
}

// operation takes q apart.
func (q question) operation() (operation keptOperation, args []string) {
	parts := strings.Split(string(q), db.Separator)
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
func (r *reader) readAnswer(ctx context.Context, q question) error {
	operation, args := q.operation()
	if operation.ask == nil {
		r.edits[disk.At(ofAnswers, string(q))] = nil // of another version of this program
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
	r.edits[disk.At(ofAnswers, string(q))] = r.texts[alike]
	return nil
}

// ownListsOfQuery tells of each node whether entries of access lists are its alone.
const ownListsOfQuery = `
SELECT name, EXISTS (SELECT FROM acl_entry WHERE node = name AND node <> '*')
FROM node
WHERE name <> '*'`

// alike is one of the questions that have the same answer as q. Ten thousand entries of access lists that fifty nodes have
// in common are read once, and once more for those that have no row.
func (r *reader) alike(ctx context.Context, q question) (question, error) {
	node, lists := strings.CutPrefix(string(q), "acl"+db.Separator)
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

func (r *reader) readOwnLists(ctx context.Context) error {
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
func kept[T any](l *Store, operation, node string, args ...string) (answer T, err error) {
	err = l.look(func(v view) error {
		answer, err = keptIn[T](l, v, operation, node, args...)
		return err
	})
	return answer, err
}

func keptIn[T any](l *Store, v view, operation, node string, args ...string) (answer T, err error) {
	if node != db.Common && v.Get(db.NodeTable, node) == nil {
		node = noNode
	}
	q, ok := questionOf(operation, node, args...)
	text := v.Get(ofAnswers, string(q))
	if !ok || text == nil || l.forgotten[q] || l.tooOld(l.waiting[q]) {
		return answer, errNotHeld
	}
	reader, err := gzip.NewReader(bytes.NewReader(text))
	if err == nil {
		err = json.NewDecoder(reader).Decode(&answer)
	}
	if err != nil {
		return answer, fmt.Errorf("the local rows' answer to %s: %w", operation, err)
	}
	return answer, nil
}

// ACL implements db.Source.
func (l *Store) ACL(_ context.Context, node string) (db.Answer[db.ACL], error) {
	runs, err := kept[db.Answer[[]db.ACLRun]](l, "acl", node)
	if err != nil {
		return db.Answer[db.ACL]{}, err
	}
	return db.Answer[db.ACL]{Value: db.NewACL(runs.Value), NodeKnown: runs.NodeKnown}, nil
}

// Credentials implements db.Source.
func (l *Store) Credentials(context.Context) ([]db.Credential, error) {
	return kept[[]db.Credential](l, "credentials", db.Common)
}

// Document implements db.Source.
func (l *Store) Document(_ context.Context, node, section, name string) (db.Answer[db.Document], error) {
	return kept[db.Answer[db.Document]](l, "document", node, section, name)
}

// EventSocket implements db.Source. A password that a row refers to is not held, but read when it is asked for.
func (l *Store) EventSocket(_ context.Context, node string) (a db.Answer[[]db.NodeSetting], err error) {
	rows, err := kept[db.Answer[[]db.EventSocketRow]](l, "event_socket", node)
	if err != nil {
		return a, err
	}
	return db.Answer[[]db.NodeSetting]{Value: l.store.EventSocketSettings(rows.Value), NodeKnown: rows.NodeKnown}, nil
}

// Modules implements db.Source.
func (l *Store) Modules(_ context.Context, node string) (db.Answer[[]db.Module], error) {
	return kept[db.Answer[[]db.Module]](l, "modules", node)
}

// Switch implements db.Source.
func (l *Store) Switch(_ context.Context, node string) (db.Answer[[]db.NodeSetting], error) {
	return kept[db.Answer[[]db.NodeSetting]](l, "switch", node)
}

// Domain implements db.Source.
func (l *Store) Domain(_ context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	return l.domains(node, "domain", db.Common, domain)
}

// Users implements db.Source.
func (l *Store) Users(_ context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	return l.domains(node, "users", db.Common, domain)
}

// Networks implements db.Source.
func (l *Store) Networks(_ context.Context, node, domain string) (db.Answer[[]db.Domain], error) {
	return l.domains(node, "networks", db.Common, domain)
}

// Group implements db.Source.
func (l *Store) Group(_ context.Context, node, domain, name string) (db.Answer[[]db.Domain], error) {
	return l.domains(node, "group", db.Common, domain, name)
}

// UserGateways implements db.Source.
func (l *Store) UserGateways(_ context.Context, node, domain, profile string) (db.Answer[[]db.Domain], error) {
	return l.domains(node, "user_gateways", node, domain, profile)
}

// domains returns an answer about domains that is kept for asker: node itself, or Common.
func (l *Store) domains(node, operation, asker string, args ...string) (a db.Answer[[]db.Domain], err error) {
	err = l.look(func(v view) error {
		if v.unread.table("node") {
			return errNotHeld
		}
		a, err = keptIn[db.Answer[[]db.Domain]](l, v, operation, asker, args...)
		a.NodeKnown = v.Get(db.NodeTable, node) != nil
		return err
	})
	return a, err
}
