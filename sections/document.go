package sections

import (
	"context"
	"regexp"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type documentStore interface {
	Document(ctx context.Context, node, section, name string) (db.Answer[db.Document], error)
}

// stored writes the document name of section as it is stored, and returns it.
func stored(ctx context.Context, s documentStore, d *xmlcurl.Document, node, section, name string) (a db.Answer[db.Document], err error) {
	if strings.ContainsRune(name, 0) {
		return a, xmlcurl.ErrNotFound
	}
	if a, err = s.Document(ctx, node, section, name); err != nil {
		return a, err
	}
	document := known(d, a)
	if document.Body == "" {
		return a, xmlcurl.ErrNotFound
	}
	d.Stored(document.Body, document.Expand)
	return a, nil
}

// configurationName is a document's that a module reads from its own file.
var configurationName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,57}\.conf$`)

// configuration answers every configuration document that has no file of its own here: ivr.conf, conference.conf and
// whatever else a module asks for.
func configuration(s documentStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		d.SetKind("stored")
		document, err := stored(ctx, s, d, r.Hostname, "configuration", r.KeyValue)
		if document.NodeKnown && configurationName.MatchString(r.KeyValue) {
			// A module that asks for the whole document asks with its name only. A question with an event is about one thing.
			whole := r.Field("Event-Name") == ""
			rec.Fetched(r.Hostname, r.KeyValue, truth(whole), fingerprint.Document(document.Value, whole))
		}
		return err
	})
}

// languages answers the phrases of a language, at every prompt that is a phrase or is said. FreeSWITCH itself asks for
// en when there is no en-US.
func languages(s documentStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		_, err := stored(ctx, s, d, r.Hostname, "languages", r.Field("lang"))
		return err
	})
}

// chatplan answers what to do with a message: mod_sms asks for each one, by its context.
func chatplan(s documentStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		name := r.Field("context")
		if name == "" {
			name = "default"
		}
		_, err := stored(ctx, s, d, r.Hostname, "chatplan", name)
		return err
	})
}

// channels answers the one question of that section: where to send an attended transfer whose other leg is on another
// host. mod_sofia asks it for profiles with channel-xml-fetch-on-nightmare-transfer.
func channels(s documentStore) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		_, err := stored(ctx, s, d, r.Hostname, "channels", r.Field("purpose"))
		return err
	})
}
