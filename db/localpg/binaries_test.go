package localpg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPickBinaries(t *testing.T) {
	t.Parallel()
	programs := func(version string) string {
		dir := t.TempDir()
		script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
		for _, name := range []string{"postgres", "initdb"} {
			syscall.ForkLock.RLock() // a child forked while the file is open for writing makes it busy: ETXTBSY
			err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755)
			syscall.ForkLock.RUnlock()
			if err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	old, recent := programs("9.6.24"), programs("17.2 (Debian 17.2-1)")
	for _, test := range []struct {
		name, want  string
		folders     []string
		dir, errors string
	}{
		{name: "first of all", folders: []string{recent, old}, dir: recent},
		{name: "the one that fits the data", want: "9", folders: []string{recent, old}, dir: old},
		{name: "none fits the data", want: "12", folders: []string{recent, old}, errors: "only 17, 9 is installed: install postgresql-12"},
		{name: "none", folders: []string{t.TempDir()}, errors: "apt-get install postgresql"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := pickBinaries(test.want, test.folders)
			if dir != test.dir {
				t.Errorf("dir = %q, want %q (%v)", dir, test.dir, err)
			}
			if test.errors != "" && (err == nil || !strings.Contains(err.Error(), test.errors)) {
				t.Errorf("error = %v, want %q in it", err, test.errors)
			}
		})
	}
}

func TestDebianFoldersNewestFirst(t *testing.T) {
	t.Parallel()
	debian := t.TempDir()
	for _, version := range []string{"9.6", "17", "15"} {
		if err := os.MkdirAll(filepath.Join(debian, version, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var versions []string
	for _, dir := range binaryFolders(debian) {
		if strings.HasPrefix(dir, debian) {
			versions = append(versions, filepath.Base(filepath.Dir(dir)))
		}
	}
	if got := strings.Join(versions, " "); got != "17 15 9.6" {
		t.Errorf("order %s", got)
	}
}
