package endpoint

import (
	"errors"
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A server needs no privilege to shut out newcomers.
func TestShutOutWithoutPrivileges(t *testing.T) {
	t.Parallel()
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		const nobody = 65534
		if os.Geteuid() == 0 {
			if _, _, fault := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); fault != 0 { // of this thread alone
				done <- fault
				return
			}
		}
		done <- l.raw.Control(shutOut)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("somebody is let in")
	} else if !errors.Is(err, unix.ECONNREFUSED) {
		t.Error(err)
	}
}
