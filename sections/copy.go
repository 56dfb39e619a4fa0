package sections

import (
	"context"
	"errors"
	"time"

	"xmlcurld/xmlcurl"
)

// orCopy answers from the database, and from its copy when the database does not answer, or answers with a fault.
type orCopy struct {
	store, copy xmlcurl.Handler
	age         func() (age time.Duration, usable bool) // of the copy
}

// ServeXML lets the copy answer even when the time for the database is over: it needs next to none. What neither can
// answer is the database's fault.
func (o orCopy) ServeXML(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
	err := o.store.ServeXML(ctx, r, d)
	if err == nil || errors.Is(err, xmlcurl.ErrNotFound) || errors.Is(err, xmlcurl.ErrUnknownSection) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) { // nobody waits any more
		return err
	}
	d.Restart()
	age, _ := o.age()
	if found := o.copy.ServeXML(ctx, r, d); found == nil || errors.Is(found, xmlcurl.ErrNotFound) {
		d.Stale(age, err)
		return found
	}
	return err
}
