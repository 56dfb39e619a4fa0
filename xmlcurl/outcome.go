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
}{
	found:          {"found", http.StatusOK, "", slog.LevelDebug},
	overLimit:      {"over_limit", http.StatusOK, "", slog.LevelError},
	missing:        {"not_found", http.StatusOK, notFound, slog.LevelDebug},
	unavailable:    {"unavailable", http.StatusServiceUnavailable, "no answer in time\n", slog.LevelWarn},
	overloaded:     {"overloaded", http.StatusServiceUnavailable, "too much is asked\n", slog.LevelDebug}, // see accountRefusal
	failed:         {"error", http.StatusInternalServerError, "internal error\n", slog.LevelError},
	unauthorized:   {"unauthorized", http.StatusUnauthorized, "credentials wanted\n", slog.LevelWarn},
	bodyTooLarge:   {"body_too_large", http.StatusRequestEntityTooLarge, "body too large\n", slog.LevelWarn},
	bodyBroken:     {"body_broken", http.StatusBadRequest, "body broken off\n", slog.LevelWarn},
	notForm:        {"not_a_form", http.StatusBadRequest, "not a form\n", slog.LevelWarn},
	noSection:      {"no_section", http.StatusBadRequest, "no section\n", slog.LevelWarn},
	unknownSection: {"unknown_section", http.StatusNotFound, "unknown section\n", slog.LevelWarn},
	wrongPath:      {"wrong_path", http.StatusNotFound, "no such path\n", slog.LevelWarn},
	wrongMethod:    {"wrong_method", http.StatusMethodNotAllowed, "method not allowed\n", slog.LevelWarn},
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
