package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// buildServer builds xmlcurld into dir.
func buildServer(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "xmlcurld")
	progress("building xmlcurld")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "xmlcurld/cmd/xmlcurld").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build xmlcurld: %w: %s", err, out)
	}
	return binary, nil
}

// startServer starts xmlcurld on the database at url, with nothing set but what it must be told.
func startServer(ctx context.Context, binary, dir, name, url string) (p *process, address string, err error) {
	if address, err = freeAddress(); err != nil {
		return nil, "", err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(binary, "serve", "--listen", address, "--admin-listen", admin)
	cmd.Env = append(os.Environ(), "XMLCURLD_DATABASE_URL="+url)
	if p, err = start(cmd, dir, name); err != nil {
		return nil, "", err
	}
	return p, address, p.await(ctx, func() error { return isReady(admin) })
}

func isReady(admin string) error {
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
