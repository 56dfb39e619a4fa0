package compare

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// server answers as the server would, of what one transaction sees.
type server struct {
	ctx     context.Context
	tx      pgx.Tx
	node    string
	rows    *table.Ahead
	rules   *db.Rulebook
	mux     *xmlcurl.Mux
	globals map[string]string // of the switch that it tells
}

func newServer(ctx context.Context, tx pgx.Tx, secrets db.Secrets, node string) *server {
	rows := table.NewAhead(tx)
	rules := db.NewRulebook(rows, secrets)
	return &server{ctx: ctx, tx: tx, node: node, rows: rows, rules: rules, mux: sections.New(rules, nil)}
}

// fault says that the server answers a question with an error, which FreeSWITCH takes for no answer.
type fault struct{ error }

// document is the answer to a question, nil if there is none, or a fault.
func (s *server) document(f *form.Form) ([]byte, error) {
	request, err := xmlcurl.ParseRequest([]byte(f.String()))
	if err != nil {
		return nil, fault{err}
	}
	document, err := xmlcurl.Render(s.ctx, s.mux, request)
	failed := new(pgconn.PgError)
	switch {
	case errors.Is(err, xmlcurl.ErrNotFound):
		return nil, nil
	case errors.Is(err, xmlcurl.ErrUnavailable), errors.As(err, &failed), s.ctx.Err() != nil:
		return nil, fmt.Errorf("compare: %w", err)
	case err != nil:
		return nil, fault{err}
	}
	return document, nil
}

// route is what an answer to a call is made of.
func (s *server) route(context, number string) (db.Route, error) {
	answer, err := s.rules.Route(s.ctx, db.Call{Node: s.node, Context: context, Number: number})
	return answer.Value, err
}

// section is what stands in the section that answers a question, nil if there is no answer.
func (s *server) section(f *form.Form) (*node, error) {
	document, err := s.document(f)
	if err != nil || document == nil {
		return nil, err
	}
	root, err := read(document, s.globals)
	if err != nil {
		return nil, fault{err}
	}
	return root.child("section"), nil
}

// configuration is a configuration document, nil if there is none.
func (s *server) configuration(name string, fields ...string) (*node, error) {
	f := form.Configuration(s.node, name)
	for i := 0; i+1 < len(fields); i += 2 {
		f.With(fields[i], fields[i+1])
	}
	section, err := s.section(f)
	return section.child("configuration"), err
}

// names are what a query of one text column gives.
func (s *server) names(query string, args ...any) ([]string, error) {
	return pg.Rows(s.ctx, s.tx, pgx.RowTo[string], query, args...)
}

// asFault tells whether err is a fault of one answer. An error that ends the comparison is returned.
func asFault(err error) (string, error) {
	if wrong := (fault{}); errors.As(err, &wrong) {
		return wrong.Error(), nil
	}
	return "", err
}
