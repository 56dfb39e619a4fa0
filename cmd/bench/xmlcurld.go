package main

import (
	"context"
	"path/filepath"

	"xmlcurld/cmd/internal/rig"
)

// startServer starts xmlcurld on the database at url, with nothing set but what it must be told.
func startServer(ctx context.Context, binary, dir, name, url string) (p *rig.Process, address string, err error) {
	if address, err = rig.FreeAddress(); err != nil {
		return nil, "", err
	}
	admin, err := rig.FreeAddress()
	if err != nil {
		return nil, "", err
	}
	if p, err = rig.Start(rig.Serve(binary, address, admin, url, "--data-dir", filepath.Join(dir, name+"-data")), dir, name); err != nil {
		return nil, "", err
	}
	return p, address, p.Await(ctx, func() error { return rig.Ready(admin) })
}

// buildServer builds xmlcurld into dir.
func buildServer(ctx context.Context, dir string) (string, error) {
	progress("building xmlcurld")
	return rig.Build(ctx, dir)
}
