//go:build linux

package bench

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"xmlcurld/db/localpg"
)

// base is what every measurement stands on.
type base struct {
	cleanup
	dir      string // folder that all is written into
	binary   string // xmlcurld's
	cluster  *localpg.Cluster
	postgres int // its process
}

// sharedBuffers holds the world. PostgreSQL's documentation wants a quarter of the memory there; its preset of 128 MB is what
// a million numbers and their index take, so that each line would begin by reading what the one before it pushed out.
const sharedBuffers = "shared_buffers=512MB"

// openBase makes dir, or a temporary folder if it is empty, builds xmlcurld unless binary names one, and starts PostgreSQL.
// It returns b with an error too, to be closed.
func openBase(ctx context.Context, dir, binary string) (b base, err error) {
	b.binary = binary
	var remove func() error
	if b.dir, remove, err = scratch(dir); err != nil {
		return b, err
	}
	b.cleanup = append(b.cleanup, remove)
	if binary == "" {
		if b.binary, err = buildServer(ctx, b.dir); err != nil {
			return b, err
		}
	}
	if b.cluster, err = localpg.Start(ctx, localpg.Options{Dir: filepath.Join(b.dir, "postgres"), Settings: []string{sharedBuffers}}); err != nil {
		return b, err
	}
	b.cleanup = append(b.cleanup, b.cluster.Stop)
	b.postgres, err = postgresProcess(b.dir)
	return b, err
}

// serve makes a world and starts xmlcurld on it.
func (b *base) serve(ctx context.Context, name string, s sizes) (server, error) {
	url, err := worldURL(ctx, b.cluster, s, ownSchema())
	if err != nil {
		return server{}, err
	}
	return b.start(ctx, name, url)
}

// start starts xmlcurld on the database at url.
func (b *base) start(ctx context.Context, name, url string) (server, error) {
	return b.started(startServer(ctx, b.binary, b.dir, name, url))
}

// postgresProcess is the first line of what the server writes into its data folder.
func postgresProcess(dir string) (int, error) {
	content, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return strconv.Atoi(line)
}
