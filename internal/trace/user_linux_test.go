package trace_test

import (
	"encoding/json"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"xmlcurld/internal/trace"
)

// asNobody runs do in a thread of its own that has another user.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	const nobody = 65534
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			done <- errno
			return
		}
		do()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	t.Parallel()
	r := newRig(t)
	var err error
	asNobody(t, func() {
		err = trace.Follow(t.Context(), r.path, trace.Order{Node: "fs1"}, func(*trace.Line) error { return nil })
	})
	if err == nil || !strings.Contains(err.Error(), "only the server's own user may trace it") {
		t.Errorf("another user's trace: %v", err)
	}
	if err := os.Chmod(r.path, 0o666); err != nil { // the mode is not all that there is
		t.Fatal(err)
	}
	var line trace.Line
	asNobody(t, func() {
		var c net.Conn
		if c, err = net.Dial("unix", r.path); err == nil {
			defer func() { _ = c.Close() }()
			err = json.NewDecoder(c).Decode(&line)
		}
	})
	if err != nil || line.End != "refused: only uid 0, who runs the server, may trace it" {
		t.Errorf("another user at an open socket: %+v, %v", line, err)
	}
	asNobody(t, func() {
		err = trace.Follow(t.Context(), r.path, trace.Order{Node: "fs1"}, func(*trace.Line) error { return nil })
	})
	if err == nil || !strings.Contains(err.Error(), "runs as uid 0: only that user may trace it") {
		t.Errorf("another user's trace at an open socket: %v", err)
	}
}
