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
	return p, address, awaitCopy(ctx, p, admin)
}

// copyTime is for the copy of a million numbers, which is made in no hurry.
const copyTime = 5 * time.Minute

// awaitCopy returns when the server has its copy of the rows: until then it reads them beside what is measured.
func awaitCopy(ctx context.Context, p *rig.Process, admin string) error {
	progress("waiting for the server's copy of the rows")
	ctx, cancel := context.WithTimeout(ctx, copyTime)
	defer cancel()
	for {
		err := p.Await(ctx, func() error { return rig.Copied(admin) })
		if err == nil || ctx.Err() != nil || !errors.Is(err, rig.ErrNoCopy) {
			return err
		}
	}
}

// buildServer builds xmlcurld into dir.
func buildServer(ctx context.Context, dir string) (string, error) {
	progress("building xmlcurld")
	return rig.Build(ctx, dir)
}
