package fault_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db/dbtest/fault"
)

const (
	moment   = 300 * time.Millisecond // for what a server that hangs is not going to answer
	patience = 20 * time.Second       // for what one that lives answers, on a machine that is busy too
)

// newPair starts a pair with a table of one word, and a role that owns it.
func newPair(t *testing.T) *fault.Pair {
	t.Helper()
	p, stop, err := fault.StartTempPair(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	execute(t, p.Primary, `CREATE ROLE guest LOGIN; CREATE TABLE word AS SELECT 'first' AS word; GRANT ALL ON word TO guest`)
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func execute(t *testing.T, s *fault.Server, statements string) {
	t.Helper()
	if err := s.Execute(t.Context(), "postgres", statements); err != nil {
		t.Fatal(err)
	}
}

// guest connects to s as somebody without privileges.
func guest(t *testing.T, s *fault.Server, within time.Duration) (*pgx.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	config, err := pgx.ParseConfig(s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.User = "guest"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
	}
	return conn, err
}

func mustConnect(t *testing.T, s *fault.Server) *pgx.Conn {
	t.Helper()
	conn, err := guest(t, s, patience)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func word(t *testing.T, conn *pgx.Conn, within time.Duration) (word string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return word, conn.QueryRow(ctx, `SELECT word FROM word`).Scan(&word)
}

func wantWord(t *testing.T, s *fault.Server, want string) {
	t.Helper()
	if got, err := word(t, mustConnect(t, s), patience); got != want {
		t.Errorf("the word is %q (%v), want %q", got, err, want)
	}
}

func code(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return ""
}

func TestKill(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	conn := mustConnect(t, p.Primary)
	execute(t, p.Primary, `UPDATE word SET word = 'second'`)
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Primary.Kill()
	if got, err := word(t, conn, patience); err == nil || code(err) != "" {
		t.Errorf("a killed server says %q, %v", got, err)
	}
	wantWord(t, p.Standby, "second")
	if err := p.Primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Primary, "second") // nothing that was committed is lost
	execute(t, p.Primary, `UPDATE word SET word = 'third'`)
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Standby, "third")
}

func TestPutBack(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	if err := p.Primary.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Primary, "first")
	execute(t, p.Primary, `UPDATE word SET word = 'lost'`)
	if err := p.Primary.PutBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Primary, "first")
	p.Standby.Kill()
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Standby, "first")
}

func TestFill(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	if err := p.Primary.Fill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Primary.Execute(t.Context(), "postgres", `UPDATE word SET word = 'lost'`); err == nil {
		t.Error("a full server writes")
	}
	select {
	case <-p.Primary.Done():
	case <-time.After(patience):
		t.Error("a server that cannot write its log lives")
	}
	wantWord(t, p.Standby, "first")
	p.Primary.Kill()
	if err := p.Primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, p.Primary, `UPDATE word SET word = 'written'`)
	wantWord(t, p.Primary, "written")
}

func TestPromote(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	url := p.URL("guest", "postgres")
	execute(t, p.Primary, `UPDATE word SET word = 'second'`)
	if err := p.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Primary, "second")
	execute(t, p.Primary, `UPDATE word SET word = 'third'`)
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Standby, "third")
	if again := p.URL("guest", "postgres"); again != url {
		t.Errorf("the addresses changed from %s to %s", url, again)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if got, err := word(t, conn, patience); got != "third" {
		t.Errorf("by the URL of both the word is %q (%v)", got, err)
	}
	p.Primary.Freeze()
	if err := p.Primary.Stop(); err != nil {
		t.Errorf("stop of a frozen server: %v", err)
	}
}

// What happens to one pair that lives through it.
func TestLivedThrough(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, test := range map[string]func(*testing.T, *fault.Pair){
		"connections": testConnections, "refused writes": testRefusedWrites, "lock": testLock, "freeze": testFreeze,
	} {
		t.Run(name, func(t *testing.T) { test(t, p) })
	}
}

func testConnections(t *testing.T, p *fault.Pair) {
	conn := mustConnect(t, p.Primary)
	if err := p.Primary.Cut(t.Context(), "guest"); err != nil {
		t.Fatal(err)
	}
	if _, err := word(t, conn, patience); err == nil {
		t.Error("a connection lives on")
	}
	conn = mustConnect(t, p.Primary)
	release, err := p.Primary.Exhaust(t.Context(), "guest")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := word(t, conn, patience); err == nil {
		t.Error("a connection lives on")
	}
	if _, err := guest(t, p.Primary, patience); code(err) != "53300" {
		t.Errorf("no connection is left, and a new one gets %v", err)
	}
	release()
	deadline := time.Now().Add(patience)
	for {
		_, err := guest(t, p.Primary, patience)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("connections were given back, and a new one gets %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func testRefusedWrites(t *testing.T, p *fault.Pair) {
	for _, refuse := range []bool{true, false} {
		if err := p.Primary.RefuseWrites(t.Context(), refuse); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(patience)
		for { // the postmaster hears of it a moment later
			_, err := mustConnect(t, p.Primary).Exec(t.Context(), `UPDATE word SET word = word`)
			if refused := code(err) == "25006"; refused == refuse {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("refuse %v: %v", refuse, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func testLock(t *testing.T, p *fault.Pair) {
	unlock, err := p.Primary.Lock(t.Context(), "postgres", "word")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Servers() {
		if got, err := word(t, mustConnect(t, s), moment); err == nil || strings.Contains(got, "first") {
			t.Errorf("a locked table gives %q, %v", got, err)
		}
	}
	unlock()
	wantWord(t, p.Primary, "first")
	if err := p.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantWord(t, p.Standby, "first")
}

func testFreeze(t *testing.T, p *fault.Pair) {
	for _, s := range p.Servers() {
		conn := mustConnect(t, s)
		s.Freeze()
		if got, err := word(t, conn, moment); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a frozen server says %q, %v", got, err)
		}
		if _, err := guest(t, s, moment); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a frozen server greets with %v", err)
		}
		s.Thaw()
		wantWord(t, s, "first")
	}
}
