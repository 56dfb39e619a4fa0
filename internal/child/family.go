package child

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Family is pid and its living children, as far as /proc tells.
func Family(pid int) []int {
	all := []int{pid}
	folders, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed: no error
	for _, folder := range folders {
		id, _ := strconv.Atoi(filepath.Base(folder))
		if stat := Stat(id); stat != nil && stat[1] == strconv.Itoa(pid) {
			all = append(all, id)
		}
	}
	return all
}

// Stat is what /proc tells of a process after its name, which may hold blanks: the state, the parent, …; nil once it has ended.
func Stat(pid int) []string {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}
