package sections

import (
	"context"
	"errors"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

// ServeXML answers from the database, and from its copy when the database does not answer, or answers with a fault. The
// copy may answer even when the time for the database is over: it needs next to none. What neither can answer is the
// database's fault.
func (s *Sections) ServeXML(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
	err := s.serve(ctx, r, d)
	if answered(err) || errors.Is(err, xmlcurl.ErrUnknownSection) {
		return err
	}
	if s.copied == nil || errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more
		return err
	}
	d.Restart()
	age, _ := s.copied.Age()
	if found := s.copies.ServeXML(ctx, r, d); answered(found) {
		d.Stale(age, err)
		return found
	}
	return err
}

// serve answers from the database. The answer is marked when a standby that is behind answered anybody meanwhile: most
// likely this one, since others are asked before it.
func (s *Sections) serve(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
	before, _ := s.database.Behind()
	err := s.Contents.ServeXML(ctx, r, d)
	if answers, age := s.database.Behind(); answers != before && answered(err) {
		d.Stale(age, db.ErrBehind)
	}
	return err
}

func answered(err error) bool { return err == nil || errors.Is(err, xmlcurl.ErrNotFound) }
