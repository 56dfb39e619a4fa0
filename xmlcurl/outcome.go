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

// verdicts says, for each outcome, the error that ends in it if one always does, the result label of its metrics, the HTTP
// status, what the body is, and how loud the log is about it. FreeSWITCH takes status 200 and nothing else, and logs the body
// of its own request at any other.
var verdicts = [outcomes]struct {
	err    error
	result string
	status int
	body   string // of an answer that is no document
	level  slog.Level

	strangers bool // anybody who reaches the server can bring it about: the log tells one a second
}{
	found:          {nil, "found", http.StatusOK, "", slog.LevelDebug, false},
	overLimit:      {nil, "over_limit", http.StatusOK, "", slog.LevelError, false},
	missing:        {ErrNotFound, "not_found", http.StatusOK, notFound, slog.LevelDebug, false},
	unavailable:    {nil, "unavailable", http.StatusServiceUnavailable, "no answer in time\n", slog.LevelWarn, false},
	overloaded:     {errOverloaded, "overloaded", http.StatusServiceUnavailable, "too much is asked\n", slog.LevelDebug, false}, // see accountRefusal
	failed:         {nil, "error", http.StatusInternalServerError, "internal error\n", slog.LevelError, false},
	unauthorized:   {ErrUnauthorized, "unauthorized", http.StatusUnauthorized, "credentials wanted\n", slog.LevelWarn, true},
	bodyTooLarge:   {errBodyTooLarge, "body_too_large", http.StatusRequestEntityTooLarge, "body too large\n", slog.LevelWarn, true},
	bodyBroken:     {errBodyBroken, "body_broken", http.StatusBadRequest, "body broken off\n", slog.LevelWarn, true},
	notForm:        {ErrNotForm, "not_a_form", http.StatusBadRequest, "not a form\n", slog.LevelWarn, true},
	noSection:      {ErrNoSection, "no_section", http.StatusBadRequest, "no section\n", slog.LevelWarn, true},
	unknownSection: {ErrUnknownSection, "unknown_section", http.StatusNotFound, "unknown section\n", slog.LevelWarn, true},
	wrongPath:      {nil, "wrong_path", http.StatusNotFound, "no such path\n", slog.LevelWarn, true},
	wrongMethod:    {nil, "wrong_method", http.StatusMethodNotAllowed, "method not allowed\n", slog.LevelWarn, true},
}

// outcomeOf reads an error of ParseRequest, of reading the body or of a handler. Once the deadline is over or the caller
// gone, whatever a handler says means that it had no time.
func outcomeOf(ctx context.Context, err error) outcome {
	if err == nil {
		return found
	}
	for o := range outcomes {
		if always := verdicts[o].err; always != nil && errors.Is(err, always) {
			return o
		}
	}
	switch {
	case errors.As(err, new(*panicError)):
		return failed
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil:
		return unavailable
	}
	return failed
}
