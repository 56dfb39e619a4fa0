package xmlcurl

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// outcome is how a request ended.
type outcome uint8

const (
	found outcome = iota
	overLimit
	missing
	unavailable
	overloaded
	failed
	unauthorized
	bodyTooLarge
	bodyBroken
	notForm
	noSection
	unknownSection
	wrongPath
	wrongMethod
	outcomes // how many there are
)

// verdicts says, for each outcome, the result label of its metrics, the HTTP status, what the body is, and how loud the
// log is about it. FreeSWITCH takes status 200 and nothing else, and logs the body of its own request at any other.
var verdicts = [outcomes]struct {
	result string
	status int
	body   string // of an answer that is no document
	level  slog.Level

	strangers bool // anybody who reaches the server can bring it about: the log tells one a second
}{
	found:          {"found", http.StatusOK, "", slog.LevelDebug, false},
	overLimit:      {"over_limit", http.StatusOK, "", slog.LevelError, false},
	missing:        {"not_found", http.StatusOK, notFound, slog.LevelDebug, false},
	unavailable:    {"unavailable", http.StatusServiceUnavailable, "no answer in time\n", slog.LevelWarn, false},
	overloaded:     {"overloaded", http.StatusServiceUnavailable, "too much is asked\n", slog.LevelDebug, false}, // see accountRefusal
	failed:         {"error", http.StatusInternalServerError, "internal error\n", slog.LevelError, false},
	unauthorized:   {"unauthorized", http.StatusUnauthorized, "credentials wanted\n", slog.LevelWarn, true},
	bodyTooLarge:   {"body_too_large", http.StatusRequestEntityTooLarge, "body too large\n", slog.LevelWarn, true},
	bodyBroken:     {"body_broken", http.StatusBadRequest, "body broken off\n", slog.LevelWarn, true},
	notForm:        {"not_a_form", http.StatusBadRequest, "not a form\n", slog.LevelWarn, true},
	noSection:      {"no_section", http.StatusBadRequest, "no section\n", slog.LevelWarn, true},
	unknownSection: {"unknown_section", http.StatusNotFound, "unknown section\n", slog.LevelWarn, true},
	wrongPath:      {"wrong_path", http.StatusNotFound, "no such path\n", slog.LevelWarn, true},
	wrongMethod:    {"wrong_method", http.StatusMethodNotAllowed, "method not allowed\n", slog.LevelWarn, true},
}

// outcomeOf reads an error of ParseRequest, of reading the body or of a handler. Once the deadline is over or the caller
// gone, whatever a handler says means that it had no time.
func outcomeOf(ctx context.Context, err error) outcome {
	switch {
	case err == nil:
		return found
	case errors.Is(err, ErrNotFound):
		return missing
	case errors.Is(err, errOverloaded):
		return overloaded
	case errors.Is(err, ErrUnknownSection):
		return unknownSection
	case errors.Is(err, ErrNotForm):
		return notForm
	case errors.Is(err, ErrNoSection):
		return noSection
	case errors.Is(err, errBodyTooLarge):
		return bodyTooLarge
	case errors.Is(err, errBodyBroken):
		return bodyBroken
	case errors.Is(err, ErrUnauthorized):
		return unauthorized
	case errors.As(err, new(*panicError)):
		return failed
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil:
		return unavailable
	}
	return failed
}
