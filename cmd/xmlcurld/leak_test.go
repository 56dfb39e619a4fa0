package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
)

// planted are secrets in all the places that have one, each of which begins with the same word.
const planted = "plantedsecret"

// plant puts secrets into the rows.
func plant(t *testing.T, url string, eventSocket int) (hash string) {
	t.Helper()
	execute(t, url, `UPDATE node SET event_socket_password = 'plantedsecret-common', event_socket_ip = '127.0.0.1' WHERE name = '*'`)
	execute(t, url, `INSERT INTO node (name, event_socket_port, event_socket_password) VALUES ('sw1', $1, 'plantedsecret-event-socket')`, eventSocket)
	execute(t, url, `INSERT INTO node (name, event_socket_port, event_socket_password_from) VALUES ('sw2', $1, 'file:event-socket'), ('sw3', 1, 'file:broken')`, eventSocket)
	execute(t, url, `UPDATE gateway SET password = 'plantedsecret-gateway'`)
	execute(t, url, `INSERT INTO gateway (name, profile, proxy, username, password_from) VALUES
		('by-file', 'external', 'a.example', 'u', 'file:gateway'), ('by-variable', 'external', 'a.example', 'u', 'env:GATEWAY'),
		('by-nothing', 'external', 'a.example', 'u', 'file:broken')`)
	execute(t, url, `UPDATE domain_user SET password = 'plantedsecret-user', vm_password = '31415926535' WHERE password IS NOT NULL`)
	execute(t, url, `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'esl-password', 'plantedsecret-esl')`)
	return addCredential(t, url, "sw1", planted+"-node")
}

// deaf is an event socket that takes no password.
func deaf(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(conn, "Content-Type: auth/request\n\n")
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = fmt.Fprint(conn, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// Whatever the program says anywhere but in an answer to a switch holds no secret: its log at its most talkative, its
// metrics, what it tells about its health, its refusals, its hints and the complaints of its verbs.
func TestNothingTellsASecret(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	hash := plant(t, url, deaf(t))
	dir := t.TempDir()
	for name, content := range map[string]string{
		"event-socket": planted + "-event-socket-file\n", "gateway": planted + "-gateway-file\n", "broken": planted + "-broken\x01\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, ours := newTLSFiles(t), newAuthority(t, "ours")
	files.write(t, ours, 1, ours)
	login := url + "&password=" + planted + "-database"
	environ := []string{"XMLCURLD_DATABASE_URL=" + login, "XMLCURLD_CREDENTIALS=common:" + planted + "-common", "SECRET_GATEWAY=" + planted + "-gateway-variable"}
	socket := filepath.Join(dir, "trace.sock")
	args := append(files.args()[:4], "--trace-socket", socket, "--log-level", "debug", "--secrets-dir", dir, "--secrets-env-prefix", "SECRET_", "--deadline", "10s")
	p := bootIn(t, environ, args...)
	p.awaitReady(t, http.StatusOK, "")
	traces := map[string]*tracing{}
	for _, node := range []string{"sw1", "sw2"} {
		traces[node] = startTrace(t.Context(), t, "--node", node, "--json", "--trace-socket", socket)
	}

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: ours.client(t), DisableKeepAlives: true}}
	var answers, told strings.Builder
	send := func(user, password, method, path, form string) {
		t.Helper()
		request, err := http.NewRequest(method, strings.TrimSuffix(p.xml, "/xml")+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(user, planted+password)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		to := &told
		if response.StatusCode == http.StatusOK {
			to = &answers
		}
		if _, err := bufio.NewReader(response.Body).WriteTo(to); err != nil {
			t.Fatal(err)
		}
	}
	const sofia = "hostname=sw2&section=configuration&tag_name=configuration&key_name=name&key_value=sofia.conf&profile=external"
	const user = "hostname=sw1&section=directory&tag_name=domain&key_name=name&key_value=acme.example&key=id&user=1000&domain=acme.example"
	for _, node := range []string{"sw1", "sw2", "sw3", "stranger"} {
		send("common", "-common", http.MethodPost, "/xml", strings.Replace(strings.Replace(sofia, "sofia.conf", "event_socket.conf", 1), "sw2", node, 1))
	}
	send("common", "-common", http.MethodPost, "/xml", sofia)
	send("sw1", "-node", http.MethodPost, "/xml", sofia)
	send("sw1", "-node", http.MethodPost, "/xml", user)
	send("sw1", "-wrong", http.MethodPost, "/xml", user)
	send("nobody", "-wrong", http.MethodPost, "/xml", user)
	send("sw1", "-node", http.MethodPost, "/elsewhere?password="+planted, user)
	send("sw1", "-node", http.MethodGet, "/xml?password="+planted, "")
	send("sw1", "-node", http.MethodPut, "/xml", planted)
	send("sw1", "-node", http.MethodPost, "/xml", planted)
	for _, password := range []string{"common", "event-socket", "event-socket-file", "gateway", "gateway-file", "gateway-variable", "user", "esl"} {
		if !strings.Contains(answers.String(), `value="`+planted+"-"+password+`"`) {
			t.Errorf("no answer held the password %s: it was never in play", password)
		}
	}

	if err := os.WriteFile(files.key, []byte("-----BEGIN PRIVATE KEY-----\n"+planted+"\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"the TLS files cannot be used", "node=sw1 reachable=false", "node=sw2 reachable=false", "secret file:broken: "} {
		eventually(t, says, func() error {
			if !strings.Contains(p.stderr.String(), says) {
				return fmt.Errorf("it is not in the log")
			}
			return nil
		})
	}
	for node, exchanges := range map[string]int{"sw1": 3, "sw2": 2} {
		for range exchanges {
			line := traces[node].next(t)
			if !strings.Contains(line, "secret:") {
				t.Errorf("the trace marks no secret: %s", line)
			}
			told.WriteString(line)
		}
	}
	for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
		_, body := p.get(path)
		told.WriteString(body)
	}
	told.WriteString(p.stdout + p.stderr.String())
	told.WriteString(complaints(t, environ, login))
	for _, secret := range []string{planted, hash, "31415926535"} {
		for line := range strings.Lines(told.String()) {
			if strings.Contains(line, secret) {
				t.Errorf("told: %s", line)
			}
		}
	}
	if told.Len() < 10_000 {
		t.Errorf("only %d bytes were looked at", told.Len())
	}
}

// complaints are what verbs say when the database is away, is no database, or has a wrong URL.
func complaints(t *testing.T, environ []string, login string) string {
	t.Helper()
	var all strings.Builder
	for _, url := range []string{
		"postgres://xmlcurl:" + planted + "@127.0.0.1:1/xmlcurl",
		"postgres://xmlcurl:" + planted + "@127.0.0.1:port/xmlcurl",
		"postgres://xmlcurl:" + planted + "%zz@127.0.0.1/xmlcurl",
		"postgres://xmlcurl:" + planted + "@127.0.0.1/xmlcurl?sslmode=" + planted,
		"host=127.0.0.1 port=1 user=xmlcurl password='" + planted,
		"host=127.0.0.1 port=1 user=xmlcurl password=" + planted,
		strings.Replace(login, "testdb_", "nodb_", 1),
	} {
		for _, verb := range []string{"migrate", "render acl.conf", "nodes", "wait --timeout 1s"} {
			words := append(strings.Fields(verb), "--log-level", "debug")
			code, stdout, stderr := runOnce(t, append([]string{"XMLCURLD_DATABASE_URL=" + url}, environ[1:]...), words...)
			if code == exitOK || stderr == "" {
				t.Errorf("%s: exit %d, %q", verb, code, stderr)
			}
			all.WriteString(stdout + stderr)
		}
		_, stdout, stderr := runOnce(t, nil, "nodes", "--database-url", url)
		all.WriteString(stdout + stderr)
	}
	_, _, stderr := runOnce(t, []string{"XMLCURLD_CREDENTIALS=" + planted, "XMLCURLD_PASSWORD=" + planted}, "serve", "--credentials="+planted)
	all.WriteString(stderr)
	_, _, stderr = runOnce(t, []string{"XMLCURLD_CREDENTIALS=" + planted, "XMLCURLD_PASSWORD=" + planted}, "serve")
	all.WriteString(stderr)
	_, _, stderr = runOnce(t, nil, "hash-password", "--config", write(t, "settings.yaml", planted+": "+planted+"\ncredentials: ["+planted+"]\n"))
	all.WriteString(strings.ReplaceAll(stderr, planted+": no such setting", "")) // a key is no secret
	return all.String()
}
