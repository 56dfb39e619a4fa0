// Package schema makes the tables, and tells whether they are those that this program knows.
package schema

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"xmlcurld/db/pg"
)

// Migrations are the files that make the schema, in goose's format, forward only: what is wrong is put right by the
// next one.
//
//go:embed migrations/*.sql
var Migrations embed.FS

var (
	// ErrOlder says that the database waits for migrations that this program holds.
	ErrOlder = errors.New("the database's schema is older than this program: run xmlcurld migrate")
	// ErrNewer says that the database was migrated by a newer program.
	ErrNewer = errors.New("this program is older than the database's schema: install the newer one")
	// ErrUnreleased says that the database was migrated before the first release, by files that are gone.
	ErrUnreleased = errors.New("this database was made by an unreleased version of xmlcurld: make a new one, " +
		"run xmlcurld migrate on it, and load the rows of the old one as docs/backup.md says")
)

// unreleased is an expression: whether the tables are those that unreleased versions made. Each of them had one of these
// constraints. No migration may make another of either name.
const unreleased = `EXISTS (
			SELECT FROM pg_constraint
			WHERE conrelid = to_regclass('condition') AND conname IN ('condition_time', 'condition_new_times'))`

// Migrate brings the database at url to the newest schema that this program holds. Several programs may call it at
// once: one migrates while the others wait on an advisory lock. A migration that fails leaves no trace. It fails with
// ErrNewer or ErrUnreleased, and changes nothing, when a newer or an unreleased program migrated the database.
func Migrate(ctx context.Context, url string, log *slog.Logger) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("migrate: %w", err)
		}
	}()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	maps.Copy(config.RuntimeParams, pg.Settled)
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.SeverityUnlocalized == "WARNING" { // what a file found in the rows, and left
			log.Warn("migrate", "warning", notice.Message)
		}
	}
	pool := stdlib.OpenDB(*config)
	defer func() { _ = pool.Close() }()
	var outdated bool
	if err := pool.QueryRowContext(ctx, "SELECT "+unreleased).Scan(&outdated); err != nil {
		return err
	}
	if outdated {
		return ErrUnreleased
	}
	files, err := fs.Sub(Migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, files,
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(log),
	)
	if err != nil {
		return err
	}
	if err := applyMissing(ctx, provider, log); err != nil {
		return err
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	return compareVersions(have, want)
}

// migrationTries is how often a file is tried that Postgres ends because of a deadlock, each after its deadlock_timeout, a
// second if it is not set.
const migrationTries = 10

// applyMissing applies the files that the database has not seen. A server that reads meanwhile may hold what a file wants
// and want what it holds: Postgres ends one of the two, and the file, which left no trace, is tried again.
func applyMissing(ctx context.Context, provider *goose.Provider, log *slog.Logger) error {
	for try := 1; ; try++ {
		done, err := provider.Up(ctx)
		if partial := (*goose.PartialError)(nil); errors.As(err, &partial) {
			done = partial.Applied
		}
		for _, m := range done {
			log.Info("migrated the database", "file", m.Source.Path, "took", m.Duration)
		}
		if !deadlocked(err) || try == migrationTries {
			return err
		}
	}
}

func deadlocked(err error) bool {
	const deadlockDetected = "40P01"
	fault := (*pgconn.PgError)(nil)
	return errors.As(err, &fault) && fault.Code == deadlockDetected
}

// Check reports whether this program and the schema of the database at q fit: ErrOlder, ErrNewer, ErrUnreleased, or the reason
// why it cannot be told. It only reads: a database that was never migrated stays untouched, and is ErrOlder.
func Check(ctx context.Context, q *pgxpool.Pool) error {
	const query = `
		SELECT coalesce(max(version_id), 0), ` + unreleased + `
		FROM goose_db_version
		WHERE is_applied`
	const undefinedTable = "42P01"

	want, err := newestMigration()
	if err != nil {
		return err
	}
	var have int64
	var outdated bool
	err = q.QueryRow(ctx, query).Scan(&have, &outdated)
	if fault := (*pgconn.PgError)(nil); errors.As(err, &fault) && fault.Code == undefinedTable {
		return elsewhere(ctx, q, compareVersions(0, want))
	}
	if err != nil {
		return pg.Translate("check schema", err)
	}
	if outdated {
		return ErrUnreleased
	}
	return compareVersions(have, want)
}

// elsewhere is missing, with where the tables are if they are in a schema that is not looked through.
func elsewhere(ctx context.Context, q *pgxpool.Pool, missing error) error {
	const query = `
		SELECT n.nspname, current_user, current_setting('search_path')
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = 'goose_db_version'
			AND EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid AND relname = 'sip_profile_param')
		LIMIT 1`
	var schema, role, path string
	if err := q.QueryRow(ctx, query).Scan(&schema, &role, &path); err != nil {
		return missing // there are none, or it cannot be told
	}
	return fmt.Errorf("%w: the tables are in schema %s, and role %s looks through %s only: ALTER ROLE %[3]s SET search_path = %[2]s",
		missing, schema, role, path)
}

func compareVersions(have, want int64) error {
	switch {
	case have < want:
		return fmt.Errorf("%w (version %d, wanted %d)", ErrOlder, have, want)
	case have > want:
		return fmt.Errorf("%w (version %d, known up to %d)", ErrNewer, have, want)
	}
	return nil
}

// newestMigration is the number that the last embedded file's name starts with.
func newestMigration() (int64, error) {
	files, _ := fs.Glob(Migrations, "migrations/*.sql") // in order; the pattern is well formed: no error
	return goose.NumericComponent(files[len(files)-1])
}
