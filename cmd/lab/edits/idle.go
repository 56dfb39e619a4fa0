//go:build linux

package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// idleGroup is of processes that get a processor while nobody else wants it, and lose it at once to whoever does. To be nice
// is less than that: who wakes up waits until the nice one has had its slice, which is up to 4 ms.
type idleGroup struct {
	folder string // Linux's control group; "": none can be made here, and the processes are nice
}

// controlGroups are where Linux may have the groups among which processors are shared out: its first version of them, and
// its second.
var controlGroups = []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}

func openIdleGroup() idleGroup {
	for _, root := range controlGroups {
		folder := filepath.Join(root, fmt.Sprintf("xmlcurld-bench-%d", os.Getpid()))
		if os.Mkdir(folder, 0o755) != nil {
			continue // it is another version, or we may not
		}
		if tell(folder, "cpu.idle", 1) == nil {
			return idleGroup{folder}
		}
		_ = os.Remove(folder)
	}
	return idleGroup{}
}

// tell writes value into a file that the kernel has made.
func tell(folder, name string, value int) error {
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(file, value)
	return errors.Join(err, file.Close())
}

// add adds process pid, which leads a session of its own.
func (g idleGroup) add(pid int) error {
	if g.folder != "" {
		return tell(g.folder, "cgroup.procs", pid)
	}
	return yieldSession(pid)
}

// yieldSession makes the session that process pid leads as nice as can be. Where Linux has autogroups it shares processors
// out among sessions first, and each of PostgreSQL's processes has one: how nice a process is counts in its own alone.
func yieldSession(pid int) error {
	err := tell(fmt.Sprintf("/proc/%d", pid), "autogroup", 19)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// close ends the group, whose processes have ended.
func (g idleGroup) close() error {
	if g.folder == "" {
		return nil
	}
	return os.Remove(g.folder)
}

func (g idleGroup) String() string {
	if g.folder == "" {
		return "as nice as can be: no control group could be made here"
	}
	return "in an idle control group"
}
