package xmlcurl

import (
	"context"
	"errors"
)

// ErrUnknownSection is the answer to a section that FreeSWITCH does not have.
var ErrUnknownSection = errors.New("unknown section")

// Mux is the table of contents: who answers which document of which section. It is read only once it serves.
type Mux struct {
	Configuration      map[string]Handler // by file name, as in acl.conf
	OtherConfiguration Handler            // any other configuration document; nil: not found
	Sections           map[string]Handler // the sections besides configuration
}

// ServeXML passes r on to the one handler it is for. A section of FreeSWITCH's that nobody answers is ErrNotFound; any
// other is ErrUnknownSection. The document's kind, until its handler says something finer, is the file name of a
// configuration document of the table, otherwise the section.
func (m *Mux) ServeXML(ctx context.Context, r *Request, d *Document) error {
	if !knownSection(r.Section) {
		return ErrUnknownSection
	}
	h := m.handler(r, d)
	if h == nil {
		return ErrNotFound
	}
	return h.ServeXML(ctx, r, d)
}

func (m *Mux) handler(r *Request, d *Document) Handler {
	if r.Section != "configuration" {
		d.SetKind(r.Section)
		return m.Sections[r.Section]
	}
	if h, ok := m.Configuration[r.KeyValue]; ok {
		d.SetKind(r.KeyValue)
		return h
	}
	d.SetKind(other)
	return m.OtherConfiguration
}

// knownSection reports whether FreeSWITCH looks things up in section.
func knownSection(section string) bool {
	switch section {
	case "configuration", "directory", "dialplan", "languages", "phrases", "chatplan", "channels":
		return true
	}
	return false
}
