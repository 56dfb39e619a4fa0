// Package sections turns rows into the documents that FreeSWITCH asks for: one file a document.
package sections

import (
	"context"
	"errors"
	"fmt"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

// New answers every document by the rules over rows. What is fetched is told to r, unless that is nil.
func New(rules *db.Rulebook, r Recorder) *xmlcurl.Mux {
	if r == nil {
		r = nobody{}
	}
	return contents(rules, r)
}

// contents is the table of contents: who answers which document. A configuration document that is not in it is looked for
// among those that are stored as XML.
func contents(s *db.Rulebook, r Recorder) *xmlcurl.Mux {
	return &xmlcurl.Mux{
		Configuration: map[string]xmlcurl.Handler{
			"acl.conf":               acl(s, r),
			"event_socket.conf":      eventSocket(s, r),
			"post_load_modules.conf": postLoadModules(s, r),
			"post_load_switch.conf":  postLoadSwitch(s, r),
			"sofia.conf":             sofia(s, r),
		},
		OtherConfiguration: configuration(s, r),
		Sections: map[string]xmlcurl.Handler{
			"channels":  channels(s),
			"chatplan":  chatplan(s),
			"dialplan":  dialplan(s),
			"directory": directory(s),
			"languages": languages(s),
		},
	}
}

// Recorder is told what a node was given, where that cannot be read back from the switch. It must neither block nor fail:
// an answer does not wait for it. about tells apart questions for one document that get different parts of it.
type Recorder interface {
	Fetched(node, document, about string, parts fingerprint.Parts)
}

type nobody struct{}

// Fetched does nothing.
func (nobody) Fetched(string, string, string, fingerprint.Parts) {}

// told is err in the protocol's words.
func told(err error) error {
	if errors.Is(err, db.ErrUnavailable) {
		return fmt.Errorf("%w: %w", xmlcurl.ErrUnavailable, err)
	}
	return err
}

// known reports to d what is known of an answer besides its rows, and returns the rows.
func known[T any](d *xmlcurl.Document, a db.Answer[T]) T {
	if !a.NodeKnown {
		d.NodeUnknown()
	}
	if a.Freshness.Reason != nil {
		d.Stale(a.Freshness.Age, a.Freshness.Reason)
	}
	return a.Value
}

// handler is a document as a function of what the node asks for.
func handler(f func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error) xmlcurl.Handler {
	return xmlcurl.HandlerFunc(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		return told(f(ctx, r, d))
	})
}

// openConfiguration opens the element that every configuration document is.
func openConfiguration(d *xmlcurl.Document, name string) {
	d.Open("configuration", xmlcurl.A("name", name))
}

// settings writes <params><param/>…</params> or the like, and nothing when there is nothing to write.
func settings(d *xmlcurl.Document, list, element string, all []db.Setting) {
	if len(all) == 0 {
		return
	}
	d.Open(list)
	for _, s := range all {
		setting(d, element, s)
	}
	d.Close()
}

// setting writes one <param name="…" value="…"/> or <variable …/>.
func setting(d *xmlcurl.Document, element string, s db.Setting) {
	d.Empty(element, xmlcurl.A("name", s.Name), xmlcurl.Attr{Name: "value", Value: s.Value, Expand: s.Expand})
}
