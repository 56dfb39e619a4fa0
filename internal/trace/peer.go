package trace

import (
	"errors"
	"net"
)

// peer is the uid of the process at the other end, at the time when it connected or listened.
func peer(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid = -1
	failed := raw.Control(func(fd uintptr) { uid, err = peerOf(int(fd)) })
	return uid, errors.Join(failed, err)
}
