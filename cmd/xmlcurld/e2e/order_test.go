//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBootOrder starts switch and server in the wrong order, as the image does it and without the image.
func TestBootOrder(t *testing.T) {
	w := newRows(t)
	t.Run("the image waits for the server", func(t *testing.T) { imageWaits(t, w) })
	t.Run("a switch that came up empty is not healthy", func(t *testing.T) { emptySwitchIsUnhealthy(t, w) })
}

func imageWaits(t *testing.T, w *world) {
	conf, entrypoint := path(t, bootstrap+"/conf"), path(t, bootstrap+"/entrypoint.sh")
	w.fs = spawnFreeSWITCH(t, []string{"sh", "-c", `exec "$@" 2>"$HOME/said"`, "sh", entrypoint}, conf, w.eventSocket, w.first.url(), "")
	said := filepath.Join(filepath.Dir(filepath.Dir(w.fs.log)), "said")
	eventually(t, "the entrypoint says what it waits for", func() error {
		text, err := os.ReadFile(said)
		if want := "waiting for " + w.first.url() + ": "; err == nil && !strings.Contains(string(text), want) {
			return fmt.Errorf("it says %q", text)
		}
		return err
	})
	if _, err := os.Stat(w.fs.log); err == nil {
		t.Error("FreeSWITCH was started without a server")
	}
	if err := healthy(t, w.eventSocket); err == nil {
		t.Error("healthy before FreeSWITCH is started")
	}
	w.first.start(t)
	eventually(t, "FreeSWITCH is up", w.fs.isUp)
	if err := healthy(t, w.eventSocket); err != nil {
		t.Errorf("with its profiles: %v", err)
	}
	w.first.stop(t)
	if err := healthy(t, w.eventSocket); err != nil {
		t.Errorf("with its profiles, but without the server: %v", err)
	}
	w.fs.process.end()
}

// emptySwitchIsUnhealthy: its event socket is the bootstrap's, whose port others on this machine may have.
func emptySwitchIsUnhealthy(t *testing.T, w *world) {
	conf, port := filepath.Join(t.TempDir(), "conf"), freePort(t, localhost)
	if err := os.CopyFS(conf, os.DirFS(bootstrap+"/conf")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(conf, "autoload_configs/event_socket.conf.xml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"8021"`, fmt.Sprintf(`"%d"`, port), 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := spawnFreeSWITCH(t, nil, conf, fmt.Sprintf("%s:%d", localhost, port), w.first.url(), "")
	eventually(t, "FreeSWITCH is up", func() error {
		reply, err := empty.command("status")
		if err == nil && !strings.Contains(reply, "is ready") {
			err = errors.New(reply)
		}
		return err
	})
	if err := healthy(t, empty.eventSocket); err == nil {
		t.Error("healthy without a profile")
	}
}

var healthCheck = regexp.MustCompile(`(?m)^HEALTHCHECK .*\\\n\s+CMD (.*)$`)

// healthy runs the image's health check on the switch whose event socket is at address.
func healthy(t *testing.T, address string) error {
	t.Helper()
	dockerfile, err := os.ReadFile(bootstrap + "/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	found := healthCheck.FindSubmatch(dockerfile)
	if found == nil {
		t.Fatal("the image has no health check")
	}
	check := exec.Command("sh", "-c", strings.Replace(string(found[1]), "fs_cli ", "fs_cli --port="+port+" ", 1))
	check.Env = []string{"PATH=" + filepath.Dir(switchProgram(t)) + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	if said, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

func path(t *testing.T, relative string) string {
	t.Helper()
	absolute, err := filepath.Abs(relative)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
