package localpg

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as. PostgreSQL refuses to run as root, so root lends it the account that Debian's
// package makes for it; anybody else runs it as themselves.
type account struct {
	name string
	lent *syscall.Credential // nil: it is our own
}

// serverAccount chooses the account: our own, or for root `postgres`, else `nobody`.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return &account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &account{name, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no system user postgres or nobody to run it as")
}

// own gives the account a folder.
func (a *account) own(dir string) error {
	if a.lent == nil {
		return nil
	}
	return os.Lchown(dir, int(a.lent.Uid), int(a.lent.Gid))
}

// ownFolder makes the folder, private to the account, and sees that the account can reach it.
func (a *account) ownFolder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	if err := a.own(dir); err != nil || a.lent == nil {
		return err
	}
	return a.canReach(dir)
}

// canReach reports the first folder above dir that keeps the account out.
func (a *account) canReach(dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for parent := filepath.Dir(real); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return err
		}
		if !a.canEnter(info) {
			return fmt.Errorf("the server runs as user %s, which cannot enter %s (mode %#o): choose another data_dir, or run chmod o+x %s",
				a.name, parent, info.Mode().Perm(), parent)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

func (a *account) canEnter(info fs.FileInfo) bool {
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case owner.Uid == a.lent.Uid:
		return info.Mode().Perm()&0o100 != 0
	case owner.Gid == a.lent.Gid:
		return info.Mode().Perm()&0o010 != 0
	}
	return info.Mode().Perm()&0o001 != 0
}

// socketPathLimit is what the kernel's sun_path holds, without its closing zero byte.
const socketPathLimit = 107

// socketFolder makes the private folder for the socket: run/ below dir, or, when that path is too long for a socket,
// a scratch folder that is to be removed at the end.
func socketFolder(dir string, who *account) (socketDir, scratch string, err error) {
	socketDir = filepath.Join(dir, "run")
	if len(socketDir)+len("/.s.PGSQL.")+len(port) <= socketPathLimit {
		err = os.MkdirAll(socketDir, 0o700)
	} else {
		scratch, err = os.MkdirTemp("/tmp", "xmlcurld-")
		socketDir = scratch
	}
	if err != nil {
		return "", "", err
	}
	return socketDir, scratch, who.own(socketDir)
}
