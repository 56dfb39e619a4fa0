package sections

import (
	"context"
	"slices"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type eventSocketStore interface {
	EventSocket(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error)
}

// eventSocket answers event_socket.conf. mod_event_socket reads it when it starts to listen. Without a password nothing
// else is said, so that the module keeps its built-in default on loopback and opens it nowhere else.
func eventSocket(s eventSocketStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		answer, err := s.EventSocket(ctx, r.Hostname)
		if err != nil {
			return err
		}
		all := known(d, answer)
		openConfiguration(d, "event_socket.conf")
		if slices.ContainsFunc(all, func(s db.NodeSetting) bool { return s.Name == "password" }) {
			settings(d, "settings", "param", ofKind(all, "param"))
		}
		d.Close()
		if answer.NodeKnown {
			rec.Fetched(r.Hostname, "event_socket.conf", "", fingerprint.EventSocket(all))
		}
		return nil
	})
}
