package schema_test

import (
	"context"
	"testing"

	"xmlcurld/db/dbtest"
)

// A tenant's number is the tenant's in every form in which a carrier writes it.
func TestNumberHasOneOwner(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	const refused = true
	insert := func(number string) string {
		return `INSERT INTO number (number, tenant, extension, forward_number) VALUES ('` + number + `', 'acme', 'transfer', '1')`
	}
	for _, tc := range []struct {
		name, statement string
		refused         bool
	}{
		{"bare beside plus", insert("27123456789"), refused},
		{"00 beside plus", insert("0027123456789"), refused},
		{"plus beside bare", `UPDATE number SET number = '27123456789' WHERE number = '+27123456789'; ` + insert("+27123456789"), refused},
		{"00 beside bare", `UPDATE number SET number = '27123456789' WHERE number = '+27123456789'; ` + insert("0027123456789"), refused},
		{"bare beside 00", `UPDATE number SET number = '0027123456789' WHERE number = '+27123456789'; ` + insert("27123456789"), refused},
		{"plus beside 00", `UPDATE number SET number = '0027123456789' WHERE number = '+27123456789'; ` + insert("+27123456789"), refused},
		{"moved to another tenant", `INSERT INTO number (number, tenant, extension) VALUES ('27123456789', 'vumi', 'twilio.inbound');
			UPDATE number SET tenant = 'acme', extension = 'transfer', forward_number = '1' WHERE number = '27123456789'`, refused},
		{"both in one statement", `INSERT INTO number (number, tenant, extension, forward_number) VALUES ('+27990000000', 'vumi', 'transfer', '1'), ('27990000000', 'acme', 'transfer', '1')`, refused},
		{"of the same tenant", `INSERT INTO number (number, tenant, extension) VALUES ('27123456789', 'vumi', 'twilio.inbound'), ('0027123456789', 'vumi', 'twilio.inbound')`, false},
		{"another number", insert("27123456780"), false},
		{"an extension", insert("1001") + "; " + insert("001001"), false},
		{"in a context that knows no other form", `UPDATE context SET number_forms = '{plus}' WHERE name = 'public'; ` + insert("27123456789") + "; " + insert("0027123456789"), false},
		{"in a context that knows one other form", `UPDATE context SET number_forms = '{plus,bare}' WHERE name = 'public'; ` + insert("0027123456789"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if fault := said(t, conn, tc.statement); (fault != nil) != tc.refused {
				t.Errorf("%s: %v", tc.statement, fault)
			}
		})
	}
}

// Of a template's new action and a number without what it asks for one is refused, whichever comes first, although
// neither transaction sees the other's row.
func TestTemplateAndNumberRace(t *testing.T) {
	t.Parallel()
	const (
		action = `INSERT INTO action (extension, position, application, data) VALUES ('template', 1, 'log', '%{display_name}')`
		number = `INSERT INTO number (number, tenant, extension) VALUES ('+27990000000', 'acme', 'template')`
		others = `INSERT INTO context_extension (context, extension) VALUES ('public', 'template')`
		unused = `UPDATE context SET not_found_extension = 'template' WHERE name = 'public'`
	)
	for name, order := range map[string][2]string{
		"the action first":  {action, number},
		"the number first":  {number, action},
		"the context first": {others, action},
		"and last":          {action, others},
		"not found first":   {unused, action},
		"not found last":    {action, unused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkOneIsRefused(t, `INSERT INTO extension (name) VALUES ('template')`, order)
		})
	}
}

// So it is with a number that two tenants take in two forms.
func TestNumberFormsRace(t *testing.T) {
	t.Parallel()
	const (
		plus = `INSERT INTO number (number, tenant, extension) VALUES ('+27990000000', 'vumi', 'twilio.inbound')`
		bare = `INSERT INTO number (number, tenant, extension, forward_number) VALUES ('27990000000', 'acme', 'transfer', '1')`
	)
	for name, order := range map[string][2]string{"plus first": {plus, bare}, "bare first": {bare, plus}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkOneIsRefused(t, `SELECT`, order)
		})
	}
}

// checkOneIsRefused sends two statements in two transactions: the second waits until the first is committed, and is
// refused then.
func checkOneIsRefused(t *testing.T, before string, order [2]string) {
	t.Helper()
	url := dbtest.DemoURL(t)
	dbtest.Execute(t, url, before)
	first, second, third := dbtest.Connect(t, url), dbtest.Connect(t, url), dbtest.Connect(t, url)
	tx, err := first.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), order[0]); err != nil {
		t.Fatalf("%s: %v", order[0], err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := second.Exec(context.WithoutCancel(t.Context()), order[1])
		done <- err
	}()
	dbtest.Await(t, "the second statement waits", func() bool {
		var waits bool
		err := third.QueryRow(t.Context(), `SELECT coalesce(wait_event_type = 'Lock', false) FROM pg_stat_activity WHERE pid = $1`, second.PgConn().PID()).Scan(&waits)
		return err == nil && waits
	})
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Errorf("both were taken: %s; %s", order[0], order[1])
	}
}
