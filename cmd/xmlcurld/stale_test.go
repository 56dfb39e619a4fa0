package main

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
)

// asked is a question for a server, and what must be in the answer.
type asked struct{ form, holds string }

func (p *program) ask(t *testing.T, q asked) (stale string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.xml, strings.NewReader(q.form))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body := new(strings.Builder)
	if _, err := io.Copy(body, response.Body); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(body.String(), q.holds) {
		t.Fatalf("%s: %s, without %q: %s", q.form, response.Status, q.holds, body)
	}
	return response.Header.Get("X-Xmlcurld-Stale")
}

func awaitTrue(t *testing.T, p *program, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain; log: %s", p.stderr)
		}
	}
}

var rowsAge = regexp.MustCompile(`(?m)^xmlcurld_local_rows_age_seconds (\S+)$`)

// awaitRows returns when the local rows hold what is committed by now.
func (p *program) awaitRows(t *testing.T) {
	t.Helper()
	now := time.Now()
	awaitTrue(t, p, func() bool {
		asked := time.Now()
		_, body := p.get("/metrics")
		m := rowsAge.FindStringSubmatch(body)
		if m == nil {
			return false
		}
		age, err := strconv.ParseFloat(m[1], 64)
		return err == nil && asked.Add(-time.Duration(age*float64(time.Second))).After(now)
	})
}

// A server whose database is away goes on as if it were not, also when it is started anew, and says so; a question that
// nobody asked before is answered, too. When the database is back it answers.
func TestDatabaseGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	dir, own := folder(t), t.TempDir()
	first := startCluster(t, dir)
	url := first.URL(localpg.Superuser)
	p := boot(t, "--database-url", url, "--migrate", "--demo", "--data-dir", own)
	p.awaitReady(t, http.StatusOK, "")
	list := asked{aclForm, `cidr="54.172.60.0/30,`}
	awaitTrue(t, p, func() bool { return strings.Contains(p.stderr.String(), "loaded the demo world") })
	p.awaitRows(t)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	call := "hostname=vm&section=dialplan&tag_name=&key_name=&key_value=&Caller-Context=public&Caller-Destination-Number="
	questions := []asked{
		list,
		{call + "%2B27123456789", `<extension name="twilio.inbound"`},
		{call + "%2B27999999999", "404 Not Found"},
		{"hostname=vm&section=directory&tag_name=domain&key_name=name&key_value=acme.example&action=sip_auth&key=id&user=1000&domain=acme.example", `<user id="1000"`},
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			p.shutDown(t)
			p = boot(t, "--database-url", url, "--data-dir", own)
		}
		p.awaitReady(t, http.StatusOK, "")
		for _, q := range questions {
			if p.ask(t, q) == "" {
				t.Errorf("%s: nobody is told that the answer is not today's", q.form)
			}
		}
		if !strings.Contains(p.stderr.String(), "stale answers are given until the database answers") {
			t.Error("the log does not say it")
		}
	}
	startCluster(t, dir)
	awaitTrue(t, p, func() bool { return p.ask(t, questions[1]) == "" })
}

// A standby that has lost its primary answers, also what the local rows were never asked for, and says that it may not be today's.
func TestStandbyAnswersAreMarked(t *testing.T) {
	t.Parallel()
	pair, err := fault.StartPair(t.Context(), folder(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pair.Stop() })
	p := boot(t, "--database-url", pair.URL(localpg.Superuser, localpg.Superuser), "--migrate", "--demo", "--data-dir", t.TempDir())
	awaitTrue(t, p, func() bool { return strings.Contains(p.stderr.String(), "loaded the demo world") })
	if err := pair.AwaitStandby(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := asked{aclForm, `cidr="54.172.60.0/30,`}
	awaitTrue(t, p, func() bool { return p.ask(t, list) == "" })
	pair.Primary.Kill()
	awaitTrue(t, p, func() bool { return p.ask(t, list) != "" })
	ivr := asked{"hostname=vm&section=configuration&tag_name=configuration&key_name=name&key_value=ivr.conf", "<menu "}
	awaitTrue(t, p, func() bool { return p.ask(t, ivr) != "" }) // once the standby is known to be old
	if err := pair.Primary.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitTrue(t, p, func() bool { return p.ask(t, list) == "" })
}
