// Package rawsock makes system calls on sockets that do not block, without a word to Go's scheduler.
//
// Around each of its system calls Go provides for one that takes long: a thread that looks around every 20 µs takes the
// processor's place away from a call that is not back by the second look, and has another thread go on there. On a machine
// whose system calls take about as long as that (to send on loopback runs the receiver's part of the kernel, too) places are
// taken from calls that are all but done, threads wake each other for nothing, and the one that looks around never rests:
// a fifth of the processor time that an answer takes. A call on a socket that does not block comes back by itself.
package rawsock

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"
)

// Accept takes the next connection from a listener, as a socket that does not block. The error is a syscall.Errno: EAGAIN
// when nobody waits.
func Accept(listener int) (socket int, from *net.TCPAddr, err error) {
	var peer syscall.RawSockaddrInet6 // which has room for one of IPv4
	size := uint32(syscall.SizeofSockaddrInet6)
	n, _, fault := syscall.RawSyscall6(syscall.SYS_ACCEPT4, uintptr(listener),
		uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
	if fault != 0 {
		return -1, nil, fault
	}
	return int(n), address(&peer), nil
}

// address is peer for package net.
func address(peer *syscall.RawSockaddrInet6) *net.TCPAddr {
	port := int(binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&peer.Port))[:])) // in the network's order
	if peer.Family == syscall.AF_INET {
		v4 := (*syscall.RawSockaddrInet4)(unsafe.Pointer(peer))
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), uint16(port)))
	}
	a := &net.TCPAddr{IP: append(net.IP(nil), peer.Addr[:]...), Port: port}
	if peer.Scope_id != 0 {
		a.Zone = strconv.Itoa(int(peer.Scope_id))
	}
	return a
}

// Read reads what is there, 0 bytes at the end. The error is a syscall.Errno: EAGAIN when there is nothing yet.
func Read(socket int, to []byte) (int, error) {
	n, _, fault := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(socket),
		uintptr(unsafe.Pointer(unsafe.SliceData(to))), uintptr(len(to)), 0, 0, 0)
	if fault != 0 {
		return 0, fault
	}
	return int(n), nil
}

// Send sends as much as the kernel takes now. Flags are those of send(2). The error is a syscall.Errno: EAGAIN when that
// is nothing, and EPIPE, without a signal, when nobody reads any more.
func Send(socket int, from []byte, flags int) (int, error) {
	n, _, fault := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(socket),
		uintptr(unsafe.Pointer(unsafe.SliceData(from))), uintptr(len(from)), uintptr(flags|syscall.MSG_NOSIGNAL), 0, 0)
	if fault != 0 {
		return 0, fault
	}
	return int(n), nil
}

// Close closes a socket that does not linger. The error is a syscall.Errno.
func Close(socket int) error {
	if _, _, fault := syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(socket), 0, 0); fault != 0 {
		return fault
	}
	return nil
}
