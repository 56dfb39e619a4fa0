//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What a gate does with questions.
const (
	notFound    = "not found"
	hangUp      = "hang up"
	serverError = "500"
)

// gate stands between the switch and the servers, and can keep sofia.conf from it.
type gate struct {
	fault atomic.Pointer[string] // nil: none
	kept  atomic.Int32           // answers
}

// straight is the way without a gate.
func straight(url string) string { return url }

// before returns the URL at which the gate stands before a server.
func (g *gate) before(t testing.TB, url string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if fault := g.fault.Load(); fault != nil && strings.Contains(string(body), "key_value=sofia.conf") {
			g.kept.Add(1)
			spoil(w, *fault)
			return
		}
		answer, err := http.Post(url, r.Header.Get("Content-Type"), bytes.NewReader(body))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = answer.Body.Close() }()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/xml"
}

func spoil(w http.ResponseWriter, fault string) {
	switch fault {
	case notFound:
		_, _ = io.WriteString(w, `<document type="freeswitch/xml"><section name="result"><result status="not found"/></section></document>`)
	case serverError:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		panic(http.ErrAbortHandler)
	}
}

// noGatewayStaysKilled when the switch asks in vain between a gateway's end and its new beginning: for a moment, and for
// longer than the server tries in one go.
func noGatewayStaysKilled(t *testing.T, w *world, g *gate, fault string) {
	for name, lost := range map[string]func() error{
		"a moment": func() error {
			if kept := g.kept.Load(); kept < 4 {
				return fmt.Errorf("%d answers were lost", kept)
			}
			return nil
		},
		"long": func() error {
			if output, _ := w.program("nodes"); !strings.Contains(output, "gateway twilio") {
				return errors.New(output)
			}
			return nil
		},
	} {
		proxy := strings.ReplaceAll(fault+"-"+name, " ", "-") + ".example"
		g.kept.Store(0)
		g.fault.Store(&fault)
		w.sql(t, `UPDATE gateway SET proxy = $1 WHERE name = 'twilio'`, proxy)
		eventually(t, "answers are lost", lost)
		g.fault.Store(nil)
		start := time.Now()
		w.wait(t)
		t.Logf("%s: %d answers were lost, and %d ms later all was in sync", name, g.kept.Load(), time.Since(start).Milliseconds())
		if reply := w.fs.api(t, "sofia xmlstatus gateway twilio"); !strings.Contains(reply, "sip:"+proxy+"<") {
			t.Errorf("%s: %s", name, reply)
		}
	}
}
