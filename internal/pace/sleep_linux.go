package pace

import (
	"syscall"
	"time"
	"unsafe"
)

// sleep goes past Go's scheduler, whose own sleep takes at least a millisecond where nothing else goes on.
func sleep(d time.Duration) {
	span := syscall.NsecToTimespec(d.Nanoseconds())
	_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&span)), 0, 0) // a signal may end it early
}
