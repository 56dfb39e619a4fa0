//go:build linux

package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
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

// ReplaceResults replaces the results of a kind in file: what stands between the lines <!-- kind --> and
// <!-- end of kind -->.
func ReplaceResults(file, kind, text string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+kind+" -->\n", "<!-- end of "+kind+" -->\n"
	before, rest, begins := bytes.Cut(content, []byte(begin))
	_, after, ends := bytes.Cut(rest, []byte(end))
	if !begins || !ends {
		return errors.New(file + " has no lines " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return os.WriteFile(file, []byte(string(before)+begin+text+end+string(after)), 0o644)
}
