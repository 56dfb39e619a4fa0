//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// freeSWITCH is the switch under test.
type freeSWITCH struct {
	process     *child
	eventSocket string
	log         string // freeswitch.log
}

// startFreeSWITCH boots the switch that FREESWITCH names, on the conf tree of this repository and nothing else. It returns
// when calls are let in and all profiles run.
func startFreeSWITCH(t *testing.T, eventSocket, url, url2 string, environment ...string) *freeSWITCH {
	conf, err := filepath.Abs(bootstrap + "/conf")
	if err != nil {
		t.Fatal(err)
	}
	f := spawnFreeSWITCH(t, nil, conf, eventSocket, url, url2, environment...)
	eventually(t, "FreeSWITCH is up", f.isUp)
	return f
}

// bootstrap is the folder of what FreeSWITCH has on its own disk.
const bootstrap = "../../../freeswitch-bootstrap"

// spawnFreeSWITCH starts the switch that FREESWITCH names, or the command before, which is given the switch's as its
// arguments. All that the switch writes goes into folders of the test.
func spawnFreeSWITCH(t *testing.T, before []string, conf, eventSocket, url, url2 string, environment ...string) *freeSWITCH {
	command := append(before, switchProgram(t), "-nonat", "-np", "-nf", "-nc", "-conf", conf)
	dir := t.TempDir()
	for _, kind := range []string{"log", "run", "db", "temp", "certs", "storage", "cache", "scripts", "htdocs", "grammar", "recordings", "sounds"} {
		own := filepath.Join(dir, kind)
		if err := os.Mkdir(own, 0o755); err != nil {
			t.Fatal(err)
		}
		command = append(command, "-"+kind, own)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir,
		"BOOTSTRAP_URL=" + url, "BOOTSTRAP_URL_2=" + url2, "LOCAL_IP=" + localhost, "SWITCHNAME=" + node}
	f := &freeSWITCH{eventSocket: eventSocket, log: filepath.Join(dir, "log", "freeswitch.log")}
	f.process = spawn(t, command[0], append(env, environment...), command[1:]...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("freeswitch.log:\n%s", strings.Join(f.logLines(t), "\n"))
		}
	})
	return f
}

func switchProgram(t *testing.T) string {
	program := os.Getenv("FREESWITCH")
	if program == "" {
		t.Fatal("FREESWITCH is not set. Run: make e2e FREESWITCH=/path/to/freeswitch")
	}
	return program
}

func (f *freeSWITCH) isUp() error {
	if !f.process.isRunning() {
		return fmt.Errorf("it has ended")
	}
	for command, want := range map[string]string{
		"status":                           "is ready",
		"sofia xmlstatus profile external": "<name>external</name>",
		"sofia xmlstatus profile internal": "<name>internal</name>",
		"sofia xmlstatus gateway twilio":   "<name>twilio</name>",
	} {
		reply, err := f.command(command)
		if err != nil {
			return err
		}
		if !strings.Contains(reply, want) {
			return fmt.Errorf("%s: %s", command, reply)
		}
	}
	return nil
}

// api runs an API command, and fails the test if it cannot. The reply is as FreeSWITCH gives it, errors of the command
// itself (-ERR) included.
func (f *freeSWITCH) api(t testing.TB, command string) string {
	t.Helper()
	reply, err := f.command(command)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func (f *freeSWITCH) command(command string) (string, error) {
	s, err := dialEventSocket(f.eventSocket, "ClueCon", patience)
	if err != nil {
		return "", err
	}
	defer s.close()
	m, err := s.command("api " + command)
	return m.body, err
}

// originate calls through dial and leaves whoever answers parked. It returns the call's uuid once it is answered.
func (f *freeSWITCH) originate(t testing.TB, dial string) string {
	t.Helper()
	uuid, answered := strings.CutPrefix(f.api(t, "originate "+dial+" &park()"), "+OK ")
	if !answered {
		t.Fatalf("originate %s: %s", dial, uuid)
	}
	return strings.TrimSpace(uuid)
}

// awaitBridge returns when two parties talk to each other.
func (f *freeSWITCH) awaitBridge(t testing.TB) {
	t.Helper()
	f.awaitReply(t, "show bridged_calls count", "\n1 total.")
}

// clearUp returns when no call is up any more, so that none is taken for one of the next proof. The tables behind show
// are written a while after the fact.
func (f *freeSWITCH) clearUp(t testing.TB) {
	t.Helper()
	if t.Failed() {
		f.hangUpAll(t)
	}
	f.awaitReply(t, "status", "\n0 session(s) - ")
	f.awaitReply(t, "show channels count", "\n0 total.")
	f.awaitReply(t, "show bridged_calls count", "\n0 total.")
}

func (f *freeSWITCH) awaitReply(t testing.TB, command, text string) {
	t.Helper()
	eventually(t, command+" says "+text, func() error {
		reply, err := f.command(command)
		if err == nil && !strings.Contains(reply, text) {
			err = errors.New(reply)
		}
		return err
	})
}

// hangUpAll ends all calls.
func (f *freeSWITCH) hangUpAll(t testing.TB) {
	t.Helper()
	f.api(t, "hupall NORMAL_CLEARING")
}

// awaitChannel returns the uuid of the call to number, once it is answered.
func (f *freeSWITCH) awaitChannel(t testing.TB, number string) (uuid string) {
	t.Helper()
	eventually(t, "the call to "+number+" is answered", func() error {
		reply, err := f.command("show channels as json")
		if err != nil {
			return err
		}
		var channels struct {
			Rows []struct{ UUID, Dest, CallState string }
		}
		if err := json.Unmarshal([]byte(reply), &channels); err != nil {
			return fmt.Errorf("%w: %s", err, reply)
		}
		for _, c := range channels.Rows {
			if c.Dest == number && c.CallState == "ACTIVE" {
				uuid = c.UUID
				return nil
			}
		}
		return fmt.Errorf("%s", reply)
	})
	return uuid
}

// awaitApplication returns when the call runs an application.
func (f *freeSWITCH) awaitApplication(t testing.TB, uuid, name, data string) {
	t.Helper()
	eventually(t, "the call runs "+name+" "+data, func() error {
		for variable, want := range map[string]string{"current_application": name, "current_application_data": data} {
			got, err := f.command("uuid_getvar " + uuid + " " + variable)
			if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("%s is %q", variable, got)
			}
		}
		return nil
	})
}

func (f *freeSWITCH) logLines(t testing.TB) []string {
	t.Helper()
	content, err := os.ReadFile(f.log)
	if err != nil {
		t.Error(err)
	}
	return strings.Split(string(content), "\n")
}
