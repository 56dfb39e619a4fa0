//go:build linux

package chaos

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// Every edit changes what all nodes are told, and questions are told apart by what they are about.
func TestEditsChangeAnswers(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	if err := fillWorld(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	asked, err := newQuestions()
	if err != nil {
		t.Fatal(err)
	}
	about, chance := byRow(asked.all()), rand.New(rand.NewPCG(1, 1))
	for n, newEdit := range edits {
		e := newEdit(n, chance)
		questions := about[e.about]
		before, err := consult(t.Context(), url, questions)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), e.statement); err != nil {
			t.Fatalf("%s: %v", e.statement, err)
		}
		after, err := consult(t.Context(), url, questions)
		if err != nil {
			t.Fatal(err)
		}
		changed := map[string]bool{}
		for i, q := range questions {
			if after[i] != before[i] {
				changed[q.node] = true
			}
		}
		if len(changed) != size.Nodes {
			t.Errorf("%s: changes what %d of %d nodes are told of %s", e.statement, len(changed), size.Nodes, e.about)
		}
	}
	names := map[string]bool{}
	all := slices.Concat(asked.all(), asked.never)
	for _, q := range all {
		names[q.name()] = true
	}
	if len(names) != len(all) {
		t.Errorf("%d questions have %d names", len(all), len(names))
	}
}
