//go:build linux

package edits

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A process is in the group that was made, or nice where none could be, and nothing of the group stays.
func TestIdleGroup(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]idleGroup{"as it can be here": openIdleGroup(), "without control groups": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sleeps := exec.Command("sleep", "60")
			sleeps.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := sleeps.Start(); err != nil {
				t.Fatal(err)
			}
			pid := sleeps.Process.Pid
			if err := g.add(pid); err != nil {
				t.Error(err)
			}
			says, want := fmt.Sprintf("/proc/%d/autogroup", pid), " nice 19"
			if g.folder != "" {
				says, want = fmt.Sprintf("/proc/%d/cgroup", pid), "/"+filepath.Base(g.folder)
			}
			if got, err := os.ReadFile(says); err == nil && !strings.Contains(string(got), want+"\n") {
				t.Errorf("%s is %q, want %q in it", says, got, want)
			}
			_ = sleeps.Process.Kill()
			_ = sleeps.Wait()
			if err := g.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
