//go:build linux

// Package testbed is what every measurement stands on: a folder, a private PostgreSQL, and servers that end with it.
package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/localpg"
)

// Bed is all that runs while something is measured.
type Bed struct {
	Dir      string // folder that all is written into
	Binary   string // xmlcurld's
	Cluster  *localpg.Cluster
	Postgres int // its process

	ends []func() error
}

// Server is what answers.
type Server struct {
	Process            *rig.Process
	Address            string
	Binary, URL, Admin string // of an xmlcurld: its program, its database, and where its metrics are
}

// sharedBuffers holds the world. PostgreSQL's documentation wants a quarter of the memory there; its preset of 128 MB is what
// a million numbers and their index take, so that each line would begin by reading what the one before it pushed out.
const sharedBuffers = "shared_buffers=512MB"

// Open makes dir, or a temporary folder if it is empty, builds xmlcurld unless binary names one, and starts PostgreSQL.
// It returns b with an error too, to be closed.
func Open(ctx context.Context, dir, binary string) (b Bed, err error) {
	if err := b.makeDir(dir); err != nil {
		return b, err
	}
	if b.Binary = binary; binary == "" {
		rig.Progress("building xmlcurld")
		if b.Binary, err = rig.Build(ctx, b.Dir); err != nil {
			return b, err
		}
	}
	if b.Cluster, err = localpg.Start(ctx, localpg.Options{Dir: filepath.Join(b.Dir, "postgres"), Settings: []string{sharedBuffers}}); err != nil {
		return b, err
	}
	b.OnClose(b.Cluster.Stop)
	b.Postgres = b.Cluster.Processes()[0]
	return b, nil
}

// makeDir makes the folder that everything stands in. PostgreSQL and nginx run as users of their own when we are root, so
// others may enter it.
func (b *Bed) makeDir(dir string) (err error) {
	if b.Dir = dir; dir != "" {
		return os.MkdirAll(dir, 0o755)
	}
	if b.Dir, err = os.MkdirTemp("", "xmlcurld-bench-"); err != nil {
		return err
	}
	made := b.Dir
	b.OnClose(func() error { return os.RemoveAll(made) })
	return os.Chmod(made, 0o755)
}

// OnClose does something in the end.
func (b *Bed) OnClose(end func() error) { b.ends = append(b.ends, end) }

// Close ends everything, the last first.
func (b *Bed) Close() error {
	var err error
	for i := len(b.ends) - 1; i >= 0; i-- {
		err = errors.Join(err, b.ends[i]())
	}
	return err
}

// Started sees that the process is stopped in the end, whether it is of use or not.
func (b *Bed) Started(p *rig.Process, address string, err error) (Server, error) {
	if p != nil {
		b.OnClose(func() error { p.Stop(); return nil })
	}
	return Server{Process: p, Address: address}, err
}

// Serve starts xmlcurld on the database at url, with nothing set but what it must be told.
func (b *Bed) Serve(ctx context.Context, name, url string) (Server, error) {
	return b.ServeWith(ctx, b.Binary, name, url)
}

// ServeWith is Serve with another build of xmlcurld. It returns when the server has its local rows: until then it reads them
// beside what is measured.
func (b *Bed) ServeWith(ctx context.Context, binary, name, url string) (Server, error) {
	began := time.Now()
	s, err := b.Start(ctx, binary, name, url)
	if err == nil {
		rig.Progress("waiting for the server's local rows")
		err = s.AwaitRows(ctx, began)
	}
	return s, err
}

// Start is ServeWith that returns as soon as the server is ready.
func (b *Bed) Start(ctx context.Context, binary, name, url string) (Server, error) {
	address, err := rig.FreeAddress()
	if err != nil {
		return Server{}, err
	}
	admin, err := rig.FreeAddress()
	if err != nil {
		return Server{}, err
	}
	p, err := rig.Start(rig.Serve(binary, address, admin, url, "--data-dir", b.DataDir(name)), b.Dir, name)
	if err == nil {
		err = p.Await(ctx, func() error { return rig.Ready(admin) })
	}
	s, err := b.Started(p, address, err)
	s.Binary, s.URL, s.Admin = binary, url, admin
	return s, err
}

// DataDir is where the xmlcurld of that name has its local rows.
func (b *Bed) DataDir(name string) string { return filepath.Join(b.Dir, name+"-data") }

const (
	// rowsTime is for the local rows of a million numbers, which are read in no hurry.
	rowsTime = 5 * time.Minute
	// rowsPause is from one look at them to the next.
	rowsPause = 20 * time.Millisecond
)

// AwaitRows returns when the local rows of s were up to date at some time after since.
func (s Server) AwaitRows(ctx context.Context, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, rowsTime)
	defer cancel()
	for {
		passed, age := time.Since(since), time.Duration(0)
		look := func() (err error) { age, err = rig.RowsAge(s.Admin); return err }
		if err := s.Process.Await(ctx, look); err != nil || age < passed {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for local rows: %w", ctx.Err())
		case <-time.After(rowsPause):
		}
	}
}

// ServeWorld makes a world and starts xmlcurld on it.
func (b *Bed) ServeWorld(ctx context.Context, name string, s world.Sizes) (Server, error) {
	url, err := world.URL(ctx, b.Cluster, s, world.OwnTables())
	if err != nil {
		return Server{}, err
	}
	return b.Serve(ctx, name, url)
}
