//go:build linux

package bench

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"xmlcurld/cmd/lab/rig"
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
	if err := p.Await(ctx, func() error { return rig.Ready(admin) }); err != nil {
		return p, address, err
	}
	return p, address, awaitRows(ctx, p, admin)
}

// rowsTime is for the local rows of a million numbers, which are read in no hurry.
const rowsTime = 5 * time.Minute

// awaitRows returns when the server has its local rows: until then it reads them beside what is measured.
func awaitRows(ctx context.Context, p *rig.Process, admin string) error {
	progress("waiting for the server's local rows")
	ctx, cancel := context.WithTimeout(ctx, rowsTime)
	defer cancel()
	for {
		err := p.Await(ctx, func() error { return rig.HasRows(admin) })
		if err == nil || ctx.Err() != nil || !errors.Is(err, rig.ErrNoRows) {
			return err
		}
	}
}

// buildServer builds xmlcurld into dir.
func buildServer(ctx context.Context, dir string) (string, error) {
	progress("building xmlcurld")
	return rig.Build(ctx, dir)
}
