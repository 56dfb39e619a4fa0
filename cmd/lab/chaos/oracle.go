//go:build linux

package chaos

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// digest stands for a whole answer.
type digest [sha256.Size]byte

// notFound is the digest of every answer that says so.
var notFound = digest{}

func digestOf(answer []byte) digest {
	if strings.Contains(string(answer), `<result status="not found"`) {
		return notFound
	}
	return sha256.Sum256(answer)
}

// consult renders the answers to questions from the primary at url, all of them from the same rows as long as nobody
// edits. It makes a Store for this alone: nothing in it is older than the call.
func consult(ctx context.Context, url string, questions []*question) ([]digest, error) {
	store, err := table.Open(ctx, url, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer store.Close()
	handler := sections.New(db.NewRulebook(store, nil), nil)
	answers := make([]digest, len(questions))
	for i, q := range questions {
		request, err := xmlcurl.ParseRequest([]byte(q.body))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name(), err)
		}
		answer, err := xmlcurl.Render(ctx, handler, request)
		switch {
		case errors.Is(err, xmlcurl.ErrNotFound):
			answers[i] = notFound
		case err != nil:
			return nil, fmt.Errorf("%s: %w", q.name(), err)
		default:
			answers[i] = digestOf(answer)
		}
	}
	return answers, nil
}
