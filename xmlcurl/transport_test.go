package xmlcurl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"xmlcurld/internal/endpoint"
)

const call = "section=dialplan&Hunt-Context=public"

// raw is a request with form, as FreeSWITCH sends it. Other fields make one that net/http has to read.
func raw(form string, fields ...string) string {
	return fmt.Sprintf("POST /xml HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %d\r\n\r\n%s",
		strings.Join(append(fields, ""), "\r\n"), len(form), form)
}

// asked sends raw bytes on a connection of their own, and returns the answer to the last byte.
func asked(t *testing.T, address, sends string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, sends); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Error(err)
	}
	return string(answer)
}

// An answer is the same to the last byte, whoever reads the request.
func TestAnswersOfBothWays(t *testing.T) {
	t.Parallel()
	f := newFixture(Options{MaxInFlight: 1, Deadline: 100 * time.Millisecond, BodyLimit: 5000, Credentials: "fs:secret",
		Handler: HandlerFunc(func(_ context.Context, r *Request, d *Document) error {
			switch r.KeyValue {
			case "missing":
				return ErrNotFound
			case "fault":
				return errors.New("a fault")
			case "stale":
				d.Stale(90*time.Second, errors.New("away"))
			case "long":
				writeLong(d, 1<<16)
			}
			d.Empty("context", A("name", r.Hostname))
			return nil
		})})
	e, err := endpoint.Serve("127.0.0.1:0", f.Server, endpoint.Guard{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(t.Context()) }()
	const allowed = "Authorization: Basic ZnM6c2VjcmV0"
	for name, tc := range map[string]struct{ form, authorization, status string }{
		"found":            {call, allowed, "200 OK"},
		"a registration":   {"section=directory&user=1000&domain=a", allowed, "200 OK"},
		"not found":        {"section=dialplan&key_value=missing", allowed, "200 OK"},
		"a fault":          {"section=dialplan&key_value=fault", allowed, "500 Internal Server Error"},
		"stale":            {"section=dialplan&key_value=stale", allowed, "200 OK"},
		"a long answer":    {"section=dialplan&key_value=long", allowed, "200 OK"},
		"no form":          {"nothing", allowed, "400 Bad Request"},
		"an empty form":    {"", allowed, "400 Bad Request"},
		"a long form":      {call + strings.Repeat("x", 4000), allowed, "200 OK"},
		"too long a form":  {call + strings.Repeat("x", 5000), allowed, "413 Request Entity Too Large"},
		"a huge form":      {call + strings.Repeat("x", promptSizeOfTests), allowed, "413 Request Entity Too Large"},
		"no credentials":   {call, "Accept: */*", "401 Unauthorized"},
		"other ones":       {call, "Authorization: Basic eDp5", "401 Unauthorized"},
		"not even a pair":  {call, "Authorization: Basic eA==", "401 Unauthorized"},
		"of another kind":  {call, "Authorization: Bearer x", "401 Unauthorized"},
		"a type of no use": {call, allowed + "\r\nContent-Type: text/plain", "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := raw(tc.form, tc.authorization)
			if strings.Count(plain, "Content-Type") > 1 {
				plain = strings.Replace(plain, "Content-Type: application/x-www-form-urlencoded\r\n", "", 1)
			}
			other := strings.Replace(plain, "Host: a", "Host: a\r\nCookie: x", 1)
			got, want := asked(t, e.Address(), plain), asked(t, e.Address(), other)
			if got != want || !strings.HasPrefix(got, "HTTP/1.1 "+tc.status+"\r\n") {
				t.Errorf("%d bytes: %.300q\nby net/http: %d bytes: %.300q", len(got), got, len(want), want)
			}
		})
	}
}

// writeLong writes so many elements, of 16 bytes at least.
func writeLong(d *Document, elements int) {
	for range elements {
		d.Empty("context", A("name", "a"))
	}
}

// promptSizeOfTests is more than the fast path reads.
const promptSizeOfTests = 20 << 10
