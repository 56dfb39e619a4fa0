//go:build linux

package changes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/history"
)

const (
	// rowsOfEdit is how many rows an edit of the history changes.
	rowsOfEdit = 10
	// manyRows is how many rows a large edit changes.
	manyRows = 10_000
	// historyLimit is how many changes xmlcurld history reads by itself.
	historyLimit = 50
)

// subject is a question, and how long its answers took.
type subject struct {
	name  string
	limit float64 // ms; 0: there is no bar
	ask   func(ctx context.Context, b *bench, round int) (time.Duration, error)

	times []time.Duration
}

// allSubjects are the questions that are asked, about another row in each round.
func allSubjects(s world.Sizes) []*subject {
	number := func(i int) string { return world.Number(world.Scattered(i, s.Numbers)) }
	user := func(i int) (id, domain string) {
		u := world.Scattered(i, s.Users)
		return fmt.Sprint(1000 + u/s.Tenants), world.Domain(u % s.Tenants)
	}
	gateway := func(i int) string { return fmt.Sprintf("gw%05d", world.Scattered(i, s.Gateways)) }
	all := []*subject{
		{name: "history of a number", limit: 50, ask: func(ctx context.Context, b *bench, i int) (time.Duration, error) {
			return b.run(ctx, b.past, "", "history", "--number", number(i))
		}},
		{name: "the same, as the package reads it", limit: 50, ask: func(ctx context.Context, b *bench, i int) (time.Duration, error) {
			return b.list(ctx, number(i))
		}},
		{name: "history, the newest changes", ask: func(ctx context.Context, b *bench, _ int) (time.Duration, error) {
			return b.run(ctx, b.past, "", "history")
		}},
		{name: "history of the last hours", ask: func(ctx context.Context, b *bench, _ int) (time.Duration, error) {
			return b.run(ctx, b.past, "", "history", "--since", "36h")
		}},
	}
	edits := []struct {
		of  string
		sql func(i int) string
	}{
		{"a number", func(i int) string {
			return fmt.Sprintf(`UPDATE number SET display_name = 'Other' WHERE context = 'public' AND number = '%s'`, number(i))
		}},
		{"a user", func(i int) string {
			id, domain := user(i)
			return fmt.Sprintf(`UPDATE domain_user SET caller_id_name = 'Other' WHERE domain = '%s' AND id = '%s'`, domain, id)
		}},
		{"a gateway", func(i int) string {
			return fmt.Sprintf(`UPDATE gateway SET proxy = 'other.carrier.example' WHERE name = '%s'`, gateway(i))
		}},
		{"an ACL entry", func(i int) string {
			return fmt.Sprintf(`INSERT INTO acl_entry (list, cidr) VALUES ('carriers', '198.18.0.%d/32')`, i%256)
		}},
	}
	for _, e := range edits {
		all = append(all, asCommand("plan of "+e.of, 300, e.sql, "plan", "-"))
	}
	all = append(all,
		asCommand("the same without findings", 0, edits[len(edits)-1].sql, "plan", "--no-check", "-"),
		asCommand(fmt.Sprintf("plan of %d numbers", min(manyRows, s.Numbers)), 5000, manyNumbers, "plan", "-"),
		asCommand(fmt.Sprintf("plan of %d users", min(manyRows, s.Users)), 5000, manyUsers, "plan", "-"),
	)
	explain := func(name string, operands func(i int) []string) *subject {
		return &subject{name: "explain " + name, limit: 50, ask: func(ctx context.Context, b *bench, i int) (time.Duration, error) {
			return b.run(ctx, b.full, "", append([]string{"explain", "--node", world.Node(0)}, operands(i)...)...)
		}}
	}
	return append(all,
		explain("a number", func(i int) []string { return []string{"number", number(i)} }),
		explain("a user", func(i int) []string {
			id, domain := user(i)
			return []string{"user", id + "@" + domain}
		}),
		explain("an address", func(i int) []string {
			return []string{"--list", "carriers", "address", fmt.Sprintf("11.0.%d.1", i%64*2)}
		}),
		&subject{name: "check", ask: func(ctx context.Context, b *bench, _ int) (time.Duration, error) {
			took, err := b.run(ctx, b.full, "", "check")
			if exited, ok := errors.AsType[*exec.ExitError](err); ok && exited.ExitCode() == 1 {
				err = nil // it found something
			}
			return took, err
		}},
	)
}

func manyNumbers(int) string {
	return fmt.Sprintf(`UPDATE number SET display_name = 'Other'
		WHERE (context, number) IN (SELECT context, number FROM number ORDER BY context, number LIMIT %d)`, manyRows)
}

func manyUsers(int) string {
	return fmt.Sprintf(`UPDATE domain_user SET caller_id_name = 'Other'
		WHERE (domain, id) IN (SELECT domain, id FROM domain_user ORDER BY domain, id LIMIT %d)`, manyRows)
}

// asCommand is a command that reads SQL.
func asCommand(name string, limit float64, sql func(i int) string, args ...string) *subject {
	return &subject{name: name, limit: limit, ask: func(ctx context.Context, b *bench, i int) (time.Duration, error) {
		return b.run(ctx, b.full, sql(i), args...)
	}}
}

// run runs xmlcurld on the database at url, as an operator does, and returns the time from its start to its end.
func (b *bench) run(ctx context.Context, url, stdin string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, b.Binary, args...)
	cmd.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+url)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return took, err
}

// list reads the history of a number.
func (b *bench) list(ctx context.Context, number string) (time.Duration, error) {
	began := time.Now()
	changes, err := history.List(ctx, b.store.DB().Best(), history.Filter{Table: "number", Key: number, Limit: historyLimit})
	took := time.Since(began)
	if err == nil && len(changes) == 0 {
		err = fmt.Errorf("%s has no history", number)
	}
	return took, err
}

// historySQL fills the history with changes of numbers, spread over them and over the last 360 days: each is changed as often as
// any other, by edits that each change several. The trigger is left out that dates an edit when it is committed.
func historySQL(changes, numbers int) []string {
	edits := (changes + rowsOfEdit - 1) / rowsOfEdit
	at := fmt.Sprintf(`now() - interval '360 days' * (1 - id / %d.0)`, edits)
	inOneTransaction := fmt.Sprintf(`
		SELECT make_history_months(now() - interval '360 days', now());
		ALTER TABLE edit DISABLE TRIGGER date_edit;
		INSERT INTO edit (id, at, xid, committed_at, role, application) OVERRIDING SYSTEM VALUE
		SELECT id, %[1]s, id::text::xid8, %[1]s, 'operator', 'psql'
		FROM generate_series(1, %[3]d) id;
		ALTER TABLE edit ENABLE ALWAYS TRIGGER date_edit;
		INSERT INTO edit_row (id, edit, at, relation, key, old, new) OVERRIDING SYSTEM VALUE
		SELECT
			%[2]d::bigint * (id - 1) + r + 1, id, %[1]s, 'number', number || ' public',
			row_ || jsonb_build_object('number', number, 'display_name', 'Line ' || id - 1),
			row_ || jsonb_build_object('number', number, 'display_name', 'Line ' || id)
		FROM generate_series(1, %[3]d) id
		CROSS JOIN generate_series(0, %[2]d - 1) r
		CROSS JOIN (SELECT to_jsonb(n) AS row_ FROM number n LIMIT 1) n
		CROSS JOIN LATERAL (SELECT '+271' || to_char((%[2]d::bigint * (id - 1) + r) * %[4]d %% %[5]d, 'FM00000000') AS number) c`,
		at, rowsOfEdit, edits, world.Scattered(1, numbers), numbers)
	return []string{inOneTransaction, `VACUUM (FREEZE, ANALYZE)`, `CHECKPOINT`}
}
