package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/localpg"
	"xmlcurld/db/table"
	"xmlcurld/internal/secretref"
)

// database is where the rows are: what database_url names, or a private server.
type database struct {
	url     string
	private *localpg.Cluster // nil when database_url is given
}

// openDatabase brings the database about: connect is localpg.Start, or localpg.Join for those who are content with a
// private server that another xmlcurld runs already.
func openDatabase(ctx context.Context, i *invocation,
	connect func(context.Context, localpg.Options) (*localpg.Cluster, error),
) (database, error) {
	if url := i.config.DatabaseURL.Reveal(); url != "" {
		return database{url: url}, nil
	}
	forgetLibpqEnvironment()
	private, err := connect(ctx, localpg.Options{
		Dir:    filepath.Join(i.config.DataDir, "postgres"),
		Output: &logLines{log: i.log},
	})
	if err != nil {
		return database{}, err
	}
	return database{url: private.URL(localpg.Superuser), private: private}, nil
}

// forgetLibpqEnvironment unsets what libpq's programs read (PGSERVICE, PGOPTIONS, PGSSLMODE, …), which pgx reads too: it is
// meant for servers elsewhere, and would keep this program from its private one.
func forgetLibpqEnvironment() {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "PG") {
			_ = os.Unsetenv(name) // the name is one of the environment's: no error
		}
	}
}

// logLines passes on what the private server writes, a line at a time, to those who ask for debug.
type logLines struct {
	log     *slog.Logger
	pending []byte
}

// Write logs the lines that p completes.
func (l *logLines) Write(p []byte) (int, error) {
	l.pending = append(l.pending, p...)
	for {
		line, rest, whole := bytes.Cut(l.pending, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.log.Debug("postgres", "line", string(line))
		l.pending = append(l.pending[:0], rest...)
	}
}

// secretsOf are those that rows may refer to.
func secretsOf(i *invocation, reg prometheus.Registerer) db.Secrets {
	return secretref.New(secretref.Options{
		Dir: i.config.SecretsDir, EnvPrefix: i.config.SecretsEnv, Environ: i.environ, Log: i.log, Registerer: reg,
	})
}

// withDatabase calls f with the database's URL.
func withDatabase(ctx context.Context, i *invocation, f func(url string) error) error {
	database, err := openDatabase(ctx, i, localpg.Join)
	if err != nil {
		return err
	}
	return errors.Join(f(database.url), database.private.Stop())
}

// withStore calls f with the database.
func withStore(ctx context.Context, i *invocation, f func(*table.Store) error) error {
	return withDatabase(ctx, i, func(url string) error {
		store, err := table.Open(ctx, url, prometheus.NewRegistry())
		if err != nil {
			return err
		}
		defer store.Close()
		return f(store)
	})
}
