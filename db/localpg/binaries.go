package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// ErrNotInstalled says what to install.
var ErrNotInstalled = errors.New("no PostgreSQL server is installed here (looked for postgres and initdb in PATH, " +
	"pg_config --bindir and /usr/lib/postgresql/*/bin): apt-get install postgresql")

// pickBinaries finds the first folder that holds postgres and initdb of the wanted major version, or of any when want is "".
func pickBinaries(want string, folders []string) (dir string, err error) {
	var others []string
	for _, dir := range folders {
		major, err := majorVersion(dir)
		if err != nil {
			continue
		}
		if want == "" || want == major {
			return dir, nil
		}
		others = append(others, major)
	}
	if len(others) == 0 {
		return "", ErrNotInstalled
	}
	return "", fmt.Errorf("the data were made by PostgreSQL %s, but only %s is installed: install postgresql-%s, or "+
		"bring the data over with pg_upgrade, or move the folder away to begin with an empty one",
		want, strings.Join(others, ", "), want)
}

// binaryFolders lists the folders worth a look, best first: that in PATH, that of pg_config, then those below debian, the
// newest first. That is the folder of Debian's versioned packages, which keep the server's programs out of PATH.
func binaryFolders(debian string) []string {
	var folders []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	versioned, _ := filepath.Glob(filepath.Join(debian, "*", "bin")) // the pattern is well formed: no error
	sort.Slice(versioned, func(i, j int) bool { return debianVersion(versioned[i]) > debianVersion(versioned[j]) })
	return append(folders, versioned...)
}

func debianVersion(binDir string) float64 {
	v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(binDir)), 64)
	return v
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorVersion asks the postgres in dir. A folder without initdb is no help: it holds a client only.
func majorVersion(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return "", err
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return "", err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("postgres --version printed %q", out)
	}
	return string(m[1]), nil
}
