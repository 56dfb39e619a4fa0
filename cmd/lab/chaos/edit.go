//go:build linux

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/internal/pace"
)

const (
	editPause   = 150 * time.Millisecond
	editTimeout = time.Second
	editing     = "chaos, editing" // application_name
)

// edit is a statement, and what it is about: a number, a user, or a document.
type edit struct{ statement, about string }

// edits are the kinds of them. The n-th edit changes its row to what it never was before, or switches it off or on.
var edits = []func(n int, chance *rand.Rand) edit{
	func(_ int, chance *rand.Rand) edit {
		number := hotNumber(chance)
		return edit{fmt.Sprintf(`UPDATE number SET enabled = NOT enabled WHERE number = '%s'`, number), number}
	},
	func(n int, chance *rand.Rand) edit {
		number := hotNumber(chance)
		return edit{fmt.Sprintf(`UPDATE number SET tenant = 't%04d', display_name = 'Line %d' WHERE number = '%s'`,
			1+chance.IntN(size.Tenants), n, number), number}
	},
	func(n int, chance *rand.Rand) edit {
		number := hotNumber(chance)
		return edit{fmt.Sprintf(`UPDATE number SET extension = CASE extension WHEN 'inbound' THEN 'elsewhere' ELSE 'inbound' END,
			forward_number = '+272%08d' WHERE number = '%s'`, n, number), number}
	},
	func(n int, chance *rand.Rand) edit {
		domain := hotDomain(chance)
		return edit{fmt.Sprintf(`UPDATE domain_user SET password = 'secret-%d' WHERE domain = '%s' AND id = '%s'`,
			n, domain, userID), userID + "@" + domain}
	},
	func(_ int, chance *rand.Rand) edit {
		domain := hotDomain(chance)
		return edit{fmt.Sprintf(`UPDATE domain_user SET enabled = NOT enabled WHERE domain = '%s' AND id = '%s'`,
			domain, userID), userID + "@" + domain}
	},
	func(n int, _ *rand.Rand) edit {
		return edit{fmt.Sprintf(`UPDATE gateway SET password = 'secret-%d', proxy = 'sip%d.carrier.example' WHERE name = 'gw00000'`,
			n, n), sofiaConf}
	},
	func(n int, _ *rand.Rand) edit {
		return edit{fmt.Sprintf(`INSERT INTO acl_entry (list, cidr) VALUES ('carriers', '12.%d.%d.0/24')`, n/256%256, n%256), aclConf}
	},
	func(int, *rand.Rand) edit { return edit{`DELETE FROM acl_entry WHERE cidr <<= '12.0.0.0/8'`, aclConf} },
}

func hotNumber(chance *rand.Rand) string { return world.Number(chance.IntN(hotNumbers)) }
func hotDomain(chance *rand.Rand) string { return world.Domain(chance.IntN(hotUsers)) }

// editor edits the world while it can, and takes down in the truth what is right from then on.
type editor struct {
	primary   *address
	truth     *truth
	questions []*question
	about     map[string][]*question // by what an edit is about
	chance    *rand.Rand
	cancel    context.CancelFunc
	running   sync.WaitGroup
	turn      sync.Mutex // one edit with all that belongs to it
	commits   int
}

func startEditor(primary *address, t *truth, questions []*question, seed uint64) *editor {
	ctx, cancel := context.WithCancel(context.Background())
	e := &editor{primary: primary, truth: t, questions: questions, about: byRow(questions), chance: rand.New(rand.NewPCG(seed, 2)), cancel: cancel}
	e.running.Go(func() { e.run(ctx) })
	return e
}

// byRow is questions by what an edit may be about. All of sofia.conf is one.
func byRow(questions []*question) map[string][]*question {
	about := map[string][]*question{}
	for _, q := range questions {
		row := q.about
		if strings.HasPrefix(row, sofiaConf) {
			row = sofiaConf
		}
		about[row] = append(about[row], q)
	}
	return about
}

func (e *editor) run(ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		e.turn.Lock()
		e.make(ctx, edits[e.chance.IntN(len(edits))](n, e.chance))
		e.turn.Unlock()
		pace.Sleep(ctx, editPause)
	}
}

func (e *editor) stop() {
	if e != nil {
		e.cancel()
		e.running.Wait()
	}
}

// rest keeps the editor from editing while f runs.
func (e *editor) rest(f func() error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	return f()
}

// undo keeps the editor from editing while f takes back edits, any of them, and takes down what is right from then on.
func (e *editor) undo(ctx context.Context, f func() error) error {
	return e.rest(func() error {
		began := time.Now()
		if err := f(); err != nil {
			return err
		}
		ended := time.Now()
		answers, err := consult(ctx, e.primary.get(), e.questions)
		if err == nil {
			e.truth.learn(e.questions, answers, began, ended)
		}
		return err
	})
}

// make makes an edit. One that fails may have been committed all the same, or be committed yet: its connection is ended,
// and then what holds is seen.
func (e *editor) make(ctx context.Context, an edit) {
	questions := e.about[an.about]
	began := time.Now()
	failed := e.execute(an.statement)
	ended := time.Now()
	known := failed == nil
	if known {
		e.commits++
	}
	for {
		if failed == nil {
			var answers []digest
			if answers, failed = e.consult(questions); failed == nil {
				e.truth.learn(questions, answers, began, ended)
				return
			}
		}
		if pace.Sleep(ctx, editPause); ctx.Err() != nil {
			return
		}
		if failed = e.execute(endFormer); !known {
			ended = time.Now()
		}
	}
}

// endFormer ends what an edit left behind that was given up.
const endFormer = `
	SELECT pg_terminate_backend(pid, 500)
	FROM pg_stat_activity
	WHERE application_name = '` + editing + `' AND pid <> pg_backend_pid()`

func (e *editor) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), editTimeout)
	defer cancel()
	config, err := pgx.ParseConfig(e.primary.get())
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = editing
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func (e *editor) consult(questions []*question) ([]digest, error) {
	ctx, cancel := context.WithTimeout(context.Background(), editTimeout)
	defer cancel()
	return consult(ctx, e.primary.get(), questions)
}
