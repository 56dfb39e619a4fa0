package pg

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnavailable says that Postgres cannot be asked now: it is away, starting, full, or too slow for the deadline.
var ErrUnavailable = errors.New("database unavailable")

// Lost reports whether a connection that was thought to live was found dead, Postgres having been restarted or having told it
// to go, or is good for nothing that it has prepared.
func Lost(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "57P01", // admin_shutdown
			"57P02", // crash_shutdown: of another connection, and all were ended for it
			"57P05", // idle_session_timeout
			// What the connection had prepared is of tables that were restored since, or of another server behind a balancer.
			"0A000", // the cached plan would have another result type
			"26000", // no such prepared statement
			"42P05", // there is one already
			"XX000": // a type of the plan is gone
			return true
		}
		return false
	}
	var refused *pgconn.ConnectError
	return Unavailable(err) && !errors.As(err, &refused) && !pgconn.Timeout(err) && !errors.Is(err, ErrOutdated)
}

// Translate is the one place that turns the driver's errors into this package's.
func Translate(operation string, err error) error {
	if err == nil {
		return nil
	}
	if Unavailable(err) {
		return fmt.Errorf("%s: %w: %w", operation, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// Unavailable reports whether err, the driver's, says that Postgres cannot be asked now.
func Unavailable(err error) bool {
	var refused *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &refused) || errors.As(err, &network) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	if scan := (pgx.ScanArgError{}); errors.As(err, &scan) {
		return false // a row came, and is not what the program takes it for
	}
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return true // the connection broke in the middle
	}
	switch said.Code[:2] {
	case "08", // connection exception
		"40", // transaction rollback: a deadlock with a migration, or a standby that had to replay over what was read
		"53", // insufficient resources
		"57", // operator intervention: shutdown, crash, still starting
		"58": // system error
		return true
	}
	return said.Code == "42P01" || said.Code == "42703" // no such table or column: the schema is not migrated
}

// withoutSecret keeps the password of a URL that cannot be parsed out of the error.
func withoutSecret(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("write it as postgres://user:password@host:5432/database")
	}
	return err
}
