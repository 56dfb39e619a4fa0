package schema_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db/dbtest"
)

// A word that FreeSWITCH does not know is taken, with a warning that names the nearest; one that it knows is taken in
// silence.
func TestUnknownWords(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(dbtest.DemoURL(t))
	if err != nil {
		t.Fatal(err)
	}
	var said *pgconn.Notice
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { said = n }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const mayBe = "A module that is not its own may know it."
	for _, tc := range []struct{ statement, message, hint string }{
		{`INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'inbound-codec-pref', 'PCMA')`,
			"FreeSWITCH 1.11 knows no profile parameter called inbound-codec-pref", "Did you mean inbound-codec-prefs? " + mayBe},
		{`INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'something-of-our-own', '1')`,
			"FreeSWITCH 1.11 knows no profile parameter called something-of-our-own", mayBe},
		{`INSERT INTO sip_profile_param (profile, name, value) VALUES ('internal', 'timer-t1', '500')`, "", ""},
		{`INSERT INTO action (extension, position, application, data) VALUES ('reception', 8, 'brigde', 'user/1000@acme.example')`,
			"FreeSWITCH 1.11 knows no application called brigde", "Did you mean bridge? " + mayBe},
		{`INSERT INTO action (extension, position, application) VALUES ('reception', 9, 'conference')`, "", ""},
		{`INSERT INTO condition (extension, position, field, expression) VALUES ('reception', 1, 'destination-number', '^1')`,
			"FreeSWITCH 1.11 knows no condition field called destination-number", "Did you mean destination_number? " + mayBe},
		{`INSERT INTO condition (extension, position, field, expression) VALUES ('reception', 2, '${sip_from_host}', '^1'), ('reception', 3, 'Caller_ID_Name', '^1'), ('reception', 4, NULL, NULL)`, "", ""},
	} {
		said = nil
		if _, err := conn.Exec(t.Context(), tc.statement); err != nil {
			t.Errorf("%s: %v", tc.statement, err)
		}
		switch {
		case tc.message == "" && said != nil:
			t.Errorf("%s: %s", tc.statement, said.Message)
		case tc.message != "" && (said == nil || said.Message != tc.message || said.Hint != tc.hint || said.SeverityUnlocalized != "WARNING"):
			t.Errorf("%s: %+v", tc.statement, said)
		}
	}
}
