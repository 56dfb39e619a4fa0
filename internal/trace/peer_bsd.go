//go:build darwin || freebsd

package trace

import "golang.org/x/sys/unix"

func peerOf(fd int) (uid int, err error) {
	const local = 0 // SOL_LOCAL
	credentials, err := unix.GetsockoptXucred(fd, local, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(credentials.Uid), nil
}
