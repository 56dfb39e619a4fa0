//go:build linux

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Machine is what it was measured on and with.
func Machine() string {
	model := "unknown processor"
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d × %s, Linux %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(release)), runtime.Version())
}

var versionNumber = regexp.MustCompile(`v?[0-9]+\.[0-9]+(\.[0-9]+)?[\w~+-]*`)

// Versions is what programs say of their versions, each asked by a command line.
func Versions(commands ...[]string) string {
	var all []string
	for _, c := range commands {
		out, _ := exec.Command(c[0], c[1:]...).CombinedOutput() // SIPp's exit code is 99
		all = append(all, filepath.Base(c[0])+" "+versionNumber.FindString(string(out)))
	}
	return strings.Join(all, ", ")
}
