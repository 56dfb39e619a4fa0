//go:build e2e

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/hunt"
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
	var all []recorded
	for seed := range uint64(generated) {
		now := time.Now().In(zone)
		document := newDialplans(seed, now).document()
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		uuid, ok := strings.CutPrefix(f.api(t, "originate {v1=b,v2=50}null/x 5000 XML:"+file+" public caller 4711"), "+OK ")
		if !ok {
			t.Fatalf("seed %d: %s\n%s", seed, uuid, document)
		}
		r := recorded{Document: document, Time: now.Format(time.RFC3339), Zone: switchZone}
		r.Lines, r.Ran = f.decided(t, strings.TrimSpace(uuid))
		all = append(all, r)
		plan, err := hunt.Parse([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		result := plan.Hunt(hunt.Call{
			Number: "5000", Context: "public", Complete: true, Time: now,
			Fields: map[string]string{"caller_id_number": "4711"}, Variables: map[string]string{"v1": "b", "v2": "50"},
		})
		var lines, ran []string
		for _, s := range result.Steps {
			lines = append(lines, strings.TrimRight(s.String(), " "))
		}
		for _, a := range result.Actions {
			ran = append(ran, a.Application)
		}
		if diff := cmp.Diff(r.Lines, lines) + cmp.Diff(r.Ran, ran); diff != "" {
			t.Errorf("seed %d: %s\n%s", seed, diff, document)
		}
	}
	if *record {
		writeRecorded(t, all[:kept])
	}
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
