// Package plan tells what an edit would do before it is made, and makes exactly that.
package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db/pg"
	"xmlcurld/internal/sqlfile"
)

// Edit is what is to be done in one transaction.
type Edit struct {
	Statements []Statement `json:"statements"`
	Reason     string      `json:"reason"` // why; the history keeps it
}

// Statement is one statement of an edit.
type Statement struct {
	SQL  string `json:"sql"`
	Args []any  `json:"-"`    // for $1, $2, … in SQL
	Line int    `json:"line"` // where it begins in its file; 0: it is of none
}

// Read reads a file of SQL.
func Read(r io.Reader) (e Edit, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return e, err
	}
	statements, err := sqlfile.Parse(string(text))
	for _, s := range statements {
		e.Statements = append(e.Statements, Statement{SQL: s.SQL, Line: s.Line})
	}
	if err == nil && len(statements) == 0 {
		err = errors.New("there is no statement in it")
	}
	return e, err
}

// Done is a statement that was executed.
type Done struct {
	Line int    `json:"line"`
	Tag  string `json:"tag"` // as psql shows it: UPDATE 3
}

// Warning is what PostgreSQL said of a statement besides.
type Warning struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// StatementError is a statement that failed. Nothing of its edit is done.
type StatementError struct {
	Line int
	Err  error
}

func (e *StatementError) Unwrap() error { return e.Err }

func (e *StatementError) Error() string {
	where := ""
	if e.Line > 0 {
		where = fmt.Sprintf("line %d: ", e.Line)
	}
	failed := new(pgconn.PgError)
	if !errors.As(e.Err, &failed) {
		return where + e.Err.Error()
	}
	text := where + failed.Severity + ":  " + failed.Message
	if failed.Detail != "" {
		text += "\nDETAIL:  " + failed.Detail
	}
	if failed.Hint != "" {
		text += "\nHINT:  " + failed.Hint
	}
	return text + "\nNothing is changed."
}

// lockTime is how long a statement waits for what another transaction holds.
const lockTime = 5 * time.Second

// connection is one on which edits are tried or made.
type connection struct {
	*pgx.Conn
	line     int // of the statement that is being executed
	warnings []Warning
}

// connect connects to the host that takes writes.
func connect(ctx context.Context, url, application string) (*connection, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	c := new(connection)
	maps.Copy(config.RuntimeParams, pg.Settled)
	config.RuntimeParams["application_name"] = application
	config.RuntimeParams["jit"] = "off"              // it takes longer than what it is for
	config.RuntimeParams["work_mem"] = "64MB"        // of many rows it sorts what has changed
	config.RuntimeParams["random_page_cost"] = "1.1" // as for the server's own questions: rows are looked up
	config.ConnectTimeout = 5 * time.Second
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.Severity == "WARNING" {
			c.warnings = append(c.warnings, Warning{c.line, n.Message, n.Hint})
		}
	}
	c.Conn, err = pgx.ConnectConfig(ctx, config)
	return c, err
}

func (c *connection) close() { _ = c.Close(context.Background()) }

// run executes the statements of an edit in tx, c's own.
func (c *connection) run(ctx context.Context, tx pgx.Tx, e Edit) (done []Done, err error) {
	_, err = tx.Exec(ctx, `SELECT set_config('lock_timeout', $1, true), set_config('xmlcurld.reason', $2, true)`,
		fmt.Sprint(lockTime.Milliseconds()), e.Reason)
	if err != nil {
		return nil, err
	}
	for _, s := range e.Statements {
		c.line = s.Line
		tag, err := c.execute(ctx, s)
		if err != nil {
			return nil, &StatementError{s.lineOf(err), err}
		}
		if status := c.PgConn().TxStatus(); status != 'T' {
			return nil, &StatementError{s.Line, errors.New("this statement ended the transaction. What it and those before it did may be committed: look")}
		}
		done = append(done, Done{s.Line, tag})
		if rowsOnly.MatchString(tag) {
			continue
		}
		if err := readable(ctx, tx); err != nil {
			return nil, &StatementError{s.Line, err}
		}
	}
	c.line = 0
	if err := readable(ctx, tx); err != nil {
		return nil, &StatementError{0, err}
	}
	// What has been put off until the commit is checked now. Then this program reads, whatever role and schema the edit took on.
	for _, sql := range []string{`SET CONSTRAINTS ALL IMMEDIATE`, `RESET SESSION AUTHORIZATION`, `RESET ROLE`, `RESET search_path`} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return nil, &StatementError{0, err}
		}
	}
	return done, nil
}

// rowsOnly matches what PostgreSQL says to statements that lock rows and no tables, whatever functions they call.
var rowsOnly = regexp.MustCompile(`^(INSERT|UPDATE|DELETE|MERGE) `)

// readable fails if tx has locked a table against those who read it, as TRUNCATE does: a call would wait until the plan is made.
func readable(ctx context.Context, tx pgx.Tx) error {
	var name string
	err := tx.QueryRow(ctx, `
		SELECT relation::regclass::text
		FROM pg_locks
		WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = 'AccessExclusiveLock'
			AND relation IN (SELECT tgrelid FROM pg_trigger WHERE tgname = 'record_insert')
		LIMIT 1`).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("this locks table %s against everybody who reads it, for as long as the plan takes. Write DELETE instead of TRUNCATE, "+
			"and make a change of the schema with psql.\nNothing is changed", name)
	}
	return err
}

// execute executes one statement by the extended protocol, in which PostgreSQL takes one only.
func (c *connection) execute(ctx context.Context, s Statement) (tag string, err error) {
	if len(s.Args) > 0 {
		done, err := c.Exec(ctx, s.SQL, s.Args...)
		return done.String(), err
	}
	done, err := c.PgConn().ExecParams(ctx, s.SQL, nil, nil, nil, nil).Close()
	return done.String(), err
}

// lineOf is where PostgreSQL found err.
func (s *Statement) lineOf(err error) int {
	failed := new(pgconn.PgError)
	if s.Line == 0 || !errors.As(err, &failed) || failed.Position < 1 {
		return s.Line
	}
	before := []rune(s.SQL)
	before = before[:min(len(before), int(failed.Position)-1)]
	return s.Line + strings.Count(string(before), "\n")
}
