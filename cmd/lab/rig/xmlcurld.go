//go:build linux

package rig

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Build builds xmlcurld into dir.
func Build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "xmlcurld")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "xmlcurld/cmd/xmlcurld").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build xmlcurld: %w: %s", err, out)
	}
	return binary, nil
}

// Serve is the command that serves what is in the database at url: at address, with /readyz at admin. Nothing else is set
// but what more says, of settings as of the command line.
func Serve(binary, address, admin, url string, more ...string) *exec.Cmd {
	cmd := exec.Command(binary, append([]string{"serve", "--listen", address, "--admin-listen", admin}, more...)...)
	cmd.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+url)
	return cmd
}

// rowsAge is the metric of RowsAge, under its name and that of older builds.
var rowsAge = regexp.MustCompile(`(?m)^xmlcurld_(?:local_rows|copy)_age_seconds (\S+)$`)

// RowsAge is how long ago the local rows of the xmlcurld with that admin address were known to be up to date. While it has
// none to answer from, that is as long as can be.
func RowsAge(admin string) (time.Duration, error) {
	answer, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	found := rowsAge.FindSubmatch(text)
	if found == nil {
		return math.MaxInt64, nil
	}
	seconds, err := strconv.ParseFloat(string(found[1]), 64)
	return time.Duration(seconds * float64(time.Second)), err
}

// Ready is nil when the xmlcurld with that admin address is ready.
func Ready(admin string) error {
	answer, err := http.Get("http://" + admin + "/readyz")
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", answer.Status)
	}
	return nil
}
