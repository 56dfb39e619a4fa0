//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scenarios is where SIPp's scenarios are.
const scenarios = "../../../testdata/sipp"

// party is somebody who speaks SIP: a carrier, a caller, a phone.
type party struct {
	ip       string
	port     int    // 0: any
	user     string // what stands before the @ in its From and Contact
	domain   string // empty: its ip
	password string
	realm    string // what it asks for a password itself, as a carrier does
	agent    string // what a phone calls itself
	callID   string // what its Call-ID begins with
}

func (p party) address() string { return fmt.Sprintf("%s:%d", p.ip, p.port) }

// dialog is one run of a scenario by SIPp.
type dialog struct {
	sipp                  *child
	ear                   *ear
	log, messages, errors string // files
}

// call calls number at the switch's port, as a carrier does.
func (p party) call(t testing.TB, port int, number string) *dialog {
	t.Helper()
	return p.play(t, "call", "-s", number, fmt.Sprintf("%s:%d", localhost, port))
}

// userCall is a call by a user, who has to prove who it is.
func (p party) userCall(t testing.TB, port int, number string) *dialog {
	t.Helper()
	return p.play(t, "user_call", "-s", number, fmt.Sprintf("%s:%d", localhost, port))
}

// register registers at the switch's port and returns the final status.
func (p party) register(t testing.TB, port int) string {
	t.Helper()
	return p.play(t, "register", fmt.Sprintf("%s:%d", localhost, port)).end(t)["status"]
}

// await waits for one call, as the scenario says, and returns when it is ready for it.
func (p party) await(t testing.TB, scenario string) *dialog {
	t.Helper()
	d := p.play(t, scenario)
	eventually(t, "SIPp listens", func() error {
		if !d.sipp.isRunning() {
			return fmt.Errorf("it has ended")
		}
		return listens(p.ip, p.port)
	})
	return d
}

func (p party) play(t testing.TB, scenario string, args ...string) *dialog {
	t.Helper()
	dir := t.TempDir()
	d := &dialog{ear: newEar(t, p.ip), log: filepath.Join(dir, "log"), messages: filepath.Join(dir, "messages"), errors: filepath.Join(dir, "errors")}
	domain := p.domain
	if domain == "" {
		domain = p.ip
	}
	options := []string{
		"-sf", filepath.Join(scenarios, scenario+".xml"), "-m", "1", "-nostdin", "-skip_rlimit",
		"-timeout", fmt.Sprint(int(patience.Seconds())), "-timeout_error",
		"-i", p.ip, "-bind_local", "-ci", p.ip, "-mi", p.ip, "-au", p.user, "-ap", p.password,
		"-key", "user", p.user, "-key", "domain", domain, "-key", "audio", fmt.Sprint(d.ear.port()),
		"-key", "agent", cmp.Or(p.agent, "phone"), "-cid_str", p.callID + "%u-%p@%s",
		"-key", "realm", p.realm, "-key", "secret", p.password,
		"-trace_logs", "-log_file", d.log, "-trace_msg", "-message_file", d.messages,
		"-trace_err", "-error_file", d.errors,
	}
	if p.port != 0 {
		options = append(options, "-p", fmt.Sprint(p.port))
	}
	d.sipp = spawn(t, "sipp", os.Environ(), append(options, args...)...)
	return d
}

// end waits for the scenario's end, which it must reach, and returns what it logged.
func (d *dialog) end(t testing.TB) map[string]string {
	t.Helper()
	<-d.sipp.done // it has a time limit of its own
	if code := d.sipp.cmd.ProcessState.ExitCode(); code != 0 {
		errors, _ := os.ReadFile(d.errors)
		messages, _ := os.ReadFile(d.messages)
		t.Fatalf("SIPp ended with exit code %d:\n%s\n%s", code, errors, messages)
	}
	content, err := os.ReadFile(d.log)
	if err != nil {
		t.Fatal(err)
	}
	logged := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		logged[name] = strings.TrimSpace(value)
	}
	return logged
}

// listens is nil when somebody listens on a UDP port, as the kernel sees it.
func listens(ip string, port int) error {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return err
	}
	b := netip.MustParseAddr(ip).As4()
	if local := fmt.Sprintf(" %02X%02X%02X%02X:%04X ", b[3], b[2], b[1], b[0], port); !strings.Contains(string(table), local) {
		return fmt.Errorf("nobody listens on %s:%d", ip, port)
	}
	return nil
}
