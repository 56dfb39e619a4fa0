package child

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// start starts a shell that runs script, and returns when it has said so.
func start(t *testing.T, script string) *Process {
	t.Helper()
	said, says, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdout = says
	p, err := Start(cmd, syscall.SIGKILL)
	_ = says.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return p
}

// A child that does not end is killed after the last order; one that does gets no other.
func TestStop(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, script string
		orders       []Order
		state        string
	}{
		{"at the first order", "trap 'exit 0' TERM; echo; while :; do sleep 0.01; done", []Order{{syscall.SIGTERM, time.Minute}, {syscall.SIGKILL, time.Minute}}, "exit status 0"},
		{"at the second", "trap '' INT; trap 'exit 3' TERM; echo; while :; do sleep 0.01; done", []Order{{syscall.SIGINT, time.Millisecond}, {syscall.SIGTERM, time.Minute}}, "exit status 3"},
		{"at none", "trap '' TERM; echo; while :; do sleep 0.01; done", []Order{{syscall.SIGTERM, time.Millisecond}}, "signal: killed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tc.script)
			err := p.Stop(tc.orders...)
			if (err == nil) != (tc.state == "exit status 0") || p.State() != tc.state {
				t.Errorf("%v, %s", err, p.State())
			}
			<-p.Done()
		})
	}
}

func TestStartOfNothing(t *testing.T) {
	t.Parallel()
	if _, err := Start(exec.Command("/no/such/program"), syscall.SIGKILL); err == nil {
		t.Error("what is not there was started")
	}
}

func TestFamily(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	p := start(t, "sleep 60 & echo; wait")
	family := Family(p.PID())
	if len(family) != 2 || family[0] != p.PID() || !slices.Contains(Family(os.Getpid()), p.PID()) {
		t.Errorf("the family of %d is %v", p.PID(), family)
	}
	_ = syscall.Kill(family[1], syscall.SIGKILL)
}
