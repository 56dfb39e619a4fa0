package endpoint

import "golang.org/x/sys/unix"

// noInterface is the index of a network interface that no machine has.
const noInterface = 1<<31 - 1

// shutOut has the kernel refuse whoever wants to connect to the listener fd: it binds it to an interface from which nobody
// comes. Connections that wait to be accepted, and handshakes that have begun, are not touched. Without it somebody may
// always come between the last look at the queue and the listener's end.
func shutOut(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, noInterface)
}
