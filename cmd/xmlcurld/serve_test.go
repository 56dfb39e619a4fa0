package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/localpg"
)

const aclForm = "hostname=vm&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf"

func TestServe(t *testing.T) {
	t.Parallel()
	p := boot(t, "--database-url", dbtest.DemoURL(t))

	p.awaitReady(t, http.StatusOK, "ready")
	if status, body := p.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d %s", status, body)
	}
	status, body, err := p.post(captured(t, "call-to-known-number.jsonl", "dialplan"))
	if err != nil || status != http.StatusOK || !strings.Contains(body, `<extension name="twilio.inbound"`) {
		t.Errorf("a call: %d %v %s", status, err, body)
	}
	_, metrics := p.get("/metrics")
	for _, name := range []string{"xmlcurld_build_info{", "go_goroutines ", "process_resident_memory_bytes ", `section="dialplan"`} {
		if !strings.Contains(metrics, name) {
			t.Errorf("/metrics has no %s", name)
		}
	}
	if code, _, stderr := runOnce(t, nil, "healthcheck", "--admin-listen", strings.TrimPrefix(p.admin, "http://")); code != exitOK {
		t.Errorf("healthcheck: exit %d %s", code, stderr)
	}
}

func TestServeAsksForCredentials(t *testing.T) {
	t.Parallel()
	p := boot(t, "--database-url", dbtest.DemoURL(t), "--config", write(t, "settings.yaml", "credentials: switch:hidden\n"))
	if status, _, err := p.post(aclForm); err != nil || status != http.StatusUnauthorized {
		t.Errorf("without credentials: %d %v", status, err)
	}
	request, err := http.NewRequest(http.MethodPost, p.xml, strings.NewReader(aclForm))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("switch", "hidden")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("with credentials: %s", response.Status)
	}
	if strings.Contains(p.stdout+p.stderr.String(), "hidden") {
		t.Error("the password was printed")
	}
	if !strings.Contains(p.stdout, "curl -u switch -d ") {
		t.Errorf("the hint does not log in: %s", p.stdout)
	}
}

func TestServeFromAPrivateServer(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	p := boot(t, "--demo", "--data-dir", dir, "--demo-rtp-port", "20000-20010")
	p.awaitReady(t, http.StatusOK, "")
	if code, document, stderr := runOnce(t, nil, "render", "post_load_switch.conf", "--data-dir", dir); code != exitOK ||
		!strings.Contains(document, `value="20010"`) {
		t.Errorf("render beside it: exit %d %s %s", code, stderr, document)
	}
	if code, _, stderr := runOnce(t, nil, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", dir); code != exitFault ||
		!strings.Contains(stderr, localpg.ErrRunning.Error()) {
		t.Errorf("a second one: exit %d %s", code, stderr)
	}
	p.shutDown(t)
	if strings.Contains(boot(t, "--demo", "--data-dir", dir).stderr.String(), "loaded the demo world") {
		t.Error("the demo was loaded again into a database that has it")
	}
}

// One that had a database of its own at first made the data_dir, and must not have shut PostgreSQL's account out of it.
func TestAPrivateServerInADataDirThatWasUsed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), "xmlcurld")
	boot(t, "--database-url", dbtest.URL(t), "--data-dir", dir).shutDown(t)
	if copied, err := os.Stat(filepath.Join(dir, "rows")); err != nil || copied.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the local rows: %v %v", copied, err)
	}
	boot(t, "--demo", "--data-dir", dir).awaitReady(t, http.StatusOK, "")
}

func startCluster(t *testing.T, dir string) *localpg.Cluster {
	t.Helper()
	c, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func TestDatabaseIsAwayAtStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	once := startCluster(t, dir)
	url := once.URL(localpg.Superuser)
	if err := once.Stop(); err != nil {
		t.Fatal(err)
	}
	p := boot(t, "--database-url", url, "--migrate", "--demo")
	p.awaitReady(t, http.StatusServiceUnavailable, "")
	startCluster(t, dir)
	p.awaitReady(t, http.StatusOK, "")
}

func TestReadinessFollowsTheSchema(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	p := boot(t, "--database-url", url)
	p.awaitReady(t, http.StatusServiceUnavailable, "run xmlcurld migrate")
	if code, _, stderr := runOnce(t, nil, "migrate", "--database-url", url); code != exitOK {
		t.Fatalf("migrate: exit %d %s", code, stderr)
	}
	p.awaitReady(t, http.StatusOK, "")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	p.awaitReady(t, http.StatusServiceUnavailable, "install the newer one")
	if status, _, err := p.post(aclForm); err != nil || status != http.StatusOK {
		t.Errorf("an old server goes on serving: %d %v", status, err)
	}
}

// A request that is under way when the signal comes gets its answer; until then the program says that it is leaving.
func TestDrain(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	p := boot(t, "--database-url", url, "--deadline", "15s")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE acl_list`); err != nil { // the question waits
		t.Fatal(err)
	}
	answered := make(chan int)
	go func() {
		status, _, _ := p.post(aclForm)
		answered <- status
	}()
	dbtest.AwaitBlocked(t, url)
	p.stop()
	p.awaitReady(t, http.StatusServiceUnavailable, "shutting down")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way: %d", status)
	}
	p.shutDown(t)
}

// Whoever got a connection before the program stopped listening gets an answer on it.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	url, call := dbtest.DemoURL(t), captured(t, "call-to-known-number.jsonl", "dialplan")
	p := boot(t, "--database-url", url)
	p.awaitReady(t, http.StatusOK, "")
	var answered atomic.Int64
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() {
			for {
				status, _, err := p.post(call)
				switch {
				case err == nil && status == http.StatusOK:
					answered.Add(1)
				case errors.Is(err, syscall.ECONNREFUSED):
					return
				default:
					t.Errorf("%d %v", status, err)
				}
			}
		})
	}
	for answered.Load() < 200 {
		runtime.Gosched()
	}
	p.stop()
	callers.Wait()
	p.shutDown(t)
}

// As a process of its own: SIGTERM takes the private server down too, and the exit code is 0.
func TestSignal(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	command := serveCommand(os.Args[0], "--data-dir", dir)
	command.Env = append(os.Environ(), asProgram+"=1")
	p := spawn(t, command)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres/data/postmaster.pid")); !os.IsNotExist(err) {
		t.Errorf("the private server is still there: %v", err)
	}
}

// The private server is reached whatever libpq's programs are told of others.
func TestLibpqEnvironment(t *testing.T) {
	t.Parallel()
	command := serveCommand(os.Args[0], "--data-dir", folder(t), "--demo")
	command.Env = append(os.Environ(), asProgram+"=1", "PGSERVICE=nobodys", "PGSERVICEFILE=/nowhere", "PGOPTIONS=-c nonsense=1",
		"PGSSLMODE=verify-full", "PGHOST=192.0.2.1", "PGPORT=1", "PGUSER=nobody", "PGDATABASE=nothing", "PGCONNECT_TIMEOUT=junk",
		"PGTARGETSESSIONATTRS=standby", "PGPASSFILE=/nowhere")
	p := spawn(t, command)
	p.awaitReady(t, http.StatusOK, "")
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.stderr)
	}
}

// With few descriptors the server waits until some are free, and goes on: it neither ends nor spins.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	serve := serveCommand(os.Args[0], "--data-dir", t.TempDir())
	command := exec.Command("sh", append([]string{"-c", `ulimit -n 60 && exec "$@"`, "sh"}, serve.Args...)...)
	command.Env = append(os.Environ(), asProgram+"=1", "XMLCURLD_DATABASE_URL="+dbtest.DemoURL(t))
	p := spawn(t, command)
	p.awaitReady(t, http.StatusOK, "")
	var idle []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "http://"), "/xml"))
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	for _, c := range idle {
		_ = c.Close()
	}
	deadline := time.Now().Add(patience)
	for {
		status, _, err := p.post("hostname=fs1&section=configuration&key_value=acl.conf")
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer after the connections are gone: %d, %v: %s", status, err, p.stderr)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A caller that closes its side of the connection behind its request gets the answer: it may well be reading.
func TestHalfClosingCaller(t *testing.T) {
	t.Parallel()
	p := boot(t, "--database-url", dbtest.DemoURL(t))
	for name, pause := range map[string]bool{"all at once": false, "the body later": true} {
		c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "http://"), "/xml"))
		if err != nil {
			t.Fatal(err)
		}
		header := fmt.Sprintf("POST /xml HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", len(aclForm))
		if pause {
			_, _ = io.WriteString(c, header)
			runtime.Gosched()
			_, _ = io.WriteString(c, aclForm)
		} else {
			_, _ = io.WriteString(c, header+aclForm)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(answer), "200 OK") || !strings.Contains(string(answer), `<list name="domains"`) {
			t.Errorf("%s: %v, %.200s", name, err, answer)
		}
		_ = c.Close()
	}
}
