//go:build linux

package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// ErrNoRows says that a server has no local rows to answer from yet.
var ErrNoRows = errors.New("no local rows yet")

// HasRows is nil when the xmlcurld with that admin address has local rows, and not old ones.
func HasRows(admin string) error {
	answer, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	_, age, _ := bytes.Cut(text, []byte("\nxmlcurld_local_rows_age_seconds "))
	age, _, _ = bytes.Cut(age, []byte("\n"))
	if seconds, err := strconv.ParseFloat(string(age), 64); err != nil || seconds > 1 {
		return ErrNoRows
	}
	return nil
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
