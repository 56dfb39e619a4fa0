//go:build e2e

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
	"xmlcurld/internal/hunt"
	"xmlcurld/sections"
	"xmlcurld/testdata"
	"xmlcurld/xmlcurl"
)

var record = flag.Bool("record", false, "write what the switch decided to internal/hunt/testdata, for the tests without a switch")

// recorded is a call of which the switch said what it decided.
type recorded struct {
	Document string   `json:"document"`
	Time     string   `json:"time"`
	Zone     string   `json:"zone"`
	Lines    []string `json:"lines"`
	Ran      []string `json:"ran"` // applications, in order
}

const (
	generated  = 500
	kept       = 120 // of those, for the tests without a switch
	switchZone = "America/New_York"
	switchConf = `<document type="freeswitch/xml"><section name="configuration">
<configuration name="modules.conf"><modules><load module="mod_logfile"/><load module="mod_event_socket"/><load module="mod_commands"/>
<load module="mod_dptools"/><load module="mod_loopback"/><load module="mod_dialplan_xml"/></modules></configuration>
<configuration name="switch.conf"><settings><param name="loglevel" value="debug"/><param name="sessions-per-second" value="1000"/></settings></configuration>
<configuration name="logfile.conf"><settings/><profiles><profile name="default"><mappings><map name="all" value="debug,info,notice,warning,err,crit,alert"/></mappings></profile></profiles></configuration>
<configuration name="event_socket.conf"><settings><param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="%d"/><param name="password" value="ClueCon"/></settings></configuration>
</section></document>`
)

// TestHuntIsTheSwitchs: internal/hunt decides each dialplan as the switch does, step by step.
func TestHuntIsTheSwitchs(t *testing.T) {
	zone, err := time.LoadLocation(switchZone)
	if err != nil {
		t.Fatal(err)
	}
	conf, port := t.TempDir(), freePort(t, localhost)
	if err := os.WriteFile(filepath.Join(conf, "freeswitch.xml"), fmt.Appendf(nil, switchConf, port), 0o600); err != nil {
		t.Fatal(err)
	}
	f := spawnFreeSWITCH(t, nil, conf, fmt.Sprintf("%s:%d", localhost, port), "", "", "TZ="+switchZone)
	eventually(t, "FreeSWITCH is up", func() error {
		if reply, err := f.command("status"); err != nil || !strings.Contains(reply, "is ready") {
			return fmt.Errorf("%s: %w", reply, err)
		}
		return nil
	})
	file := filepath.Join(conf, "dialplan.xml")
	t.Run("captured", func(t *testing.T) { f.huntsCapturedCalls(t, file) })
	t.Run("generated", func(t *testing.T) { f.huntsGenerated(t, file, zone) })
}

func (f *freeSWITCH) huntsGenerated(t *testing.T, file string, zone *time.Location) {
	variables := map[string]string{"v1": "b", "v2": "50"}
	var all []recorded
	for seed := range uint64(generated) {
		now := time.Now().In(zone)
		r := recorded{Document: newDialplans(seed, now).document(), Time: now.Format(time.RFC3339), Zone: switchZone}
		r.Lines, r.Ran = f.hunts(t, file, r.Document, "{v1=b,v2=50}", "5000", "public", "4711")
		all = append(all, r)
		lines, ran := decides(t, r.Document, hunt.Call{
			Number: "5000", Context: "public", Complete: true, Time: now,
			Fields: map[string]string{"caller_id_number": "4711"}, Variables: variables,
		})
		if diff := cmp.Diff(r.Lines, lines) + cmp.Diff(r.Ran, ran); diff != "" {
			t.Errorf("seed %d: %s\n%s", seed, diff, r.Document)
		}
	}
	if *record {
		writeRecorded(t, all[:kept])
	}
}

// huntsCapturedCalls: what the server answers to each call that a switch once asked about.
func (f *freeSWITCH) huntsCapturedCalls(t *testing.T, file string) {
	store, err := table.Open(t.Context(), dbtest.DemoURL(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	handler := sections.New(db.NewRulebook(store, nil), nil)
	calls := capturedCalls(t)
	if len(calls) < 5 {
		t.Fatalf("%d calls were captured", len(calls))
	}
	for _, body := range calls {
		request, err := xmlcurl.ParseRequest([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		document, err := xmlcurl.Render(t.Context(), handler, request)
		if err != nil {
			t.Fatal(err)
		}
		number, context, caller := request.Field("Hunt-Destination-Number"), request.Field("Hunt-Context"), request.Field("Caller-Caller-ID-Number")
		if number == "" {
			number, context = request.Field("Caller-Destination-Number"), request.Field("Caller-Context")
		}
		want, wantRan := f.hunts(t, file, string(document), "", number, context, caller)
		got, ran := decides(t, string(document), hunt.Call{
			Number: number, Context: context, Complete: true, Time: time.Now(), Fields: map[string]string{"caller_id_number": caller},
		})
		// A call may end before all of it ran, as its socket is nobody's here; and it may be transferred, and looked for again.
		want = want[:min(len(want), len(got))]
		if diff := cmp.Diff(want, got) + cmp.Diff(wantRan, ran[:min(len(ran), len(wantRan))]); diff != "" || len(wantRan) == 0 {
			t.Errorf("%s in %s: %s\n%s", number, context, diff, document)
		}
	}
}

// capturedCalls are the bodies of all captured questions about the dialplan.
func capturedCalls(t *testing.T) (bodies []string) {
	files, err := fs.Glob(testdata.Requests, "requests/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := testdata.Requests.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			var request struct{ Body string }
			if err := json.Unmarshal([]byte(line), &request); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(request.Body, "&section=dialplan&") {
				bodies = append(bodies, request.Body)
			}
		}
	}
	return bodies
}

// hunts makes a call whose dialplan is document, and returns what the switch decided.
func (f *freeSWITCH) hunts(t *testing.T, file, document, variables, number, context, caller string) (lines, ran []string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	reply := f.api(t, fmt.Sprintf("originate %snull/x %s XML:%s %s caller %s", variables, number, file, context, caller))
	uuid, ok := strings.CutPrefix(reply, "+OK ")
	if !ok {
		t.Fatalf("%s\n%s", reply, document)
	}
	return f.decided(t, strings.TrimSpace(uuid))
}

// decides is what internal/hunt decides.
func decides(t *testing.T, document string, call hunt.Call) (lines, ran []string) {
	t.Helper()
	plan, err := hunt.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	result := plan.Hunt(call)
	for _, s := range result.Steps {
		lines = append(lines, strings.TrimRight(s.String(), " "))
	}
	for _, a := range result.Actions {
		ran = append(ran, a.Application)
	}
	return lines, ran
}

// decided returns what the log says the switch decided for a call, once it has ended, and the applications that ran.
func (f *freeSWITCH) decided(t *testing.T, uuid string) (lines, ran []string) {
	eventually(t, "the log tells the end of call "+uuid, func() error {
		lines, ran = nil, nil
		ended := false
		for _, line := range f.logLines(t) {
			said, ok := strings.CutPrefix(line, uuid+" ")
			switch {
			case !ok:
			case strings.Contains(said, "State DESTROY going to sleep"):
				ended = true
			case strings.HasPrefix(said, "EXECUTE "):
				_, application, _ := strings.Cut(said, "null/x ")
				application, _, _ = strings.Cut(application, "(")
				ran = append(ran, application)
			case strings.HasPrefix(strings.TrimLeft(said, "|- "), "Dialplan: "):
				lines = append(lines, strings.TrimRight(strings.Replace(said, "null/x ", "", 1), " "))
			}
		}
		if !ended {
			return fmt.Errorf("it tells %d lines", len(lines))
		}
		return nil
	})
	return lines, ran
}

func writeRecorded(t *testing.T, all []recorded) {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for _, r := range all {
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("../../../internal/hunt/testdata/switch.jsonl", []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
