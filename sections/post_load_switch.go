package sections

import (
	"context"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type switchStore interface {
	Switch(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error)
}

// postLoadSwitch answers post_load_switch.conf: RTP range, limits, log level, global variables. The core reads it once,
// at start, after the modules and before it accepts the first call.
func postLoadSwitch(s switchStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		answer, err := s.Switch(ctx, r.Hostname)
		if err != nil {
			return err
		}
		all := known(d, answer)
		openConfiguration(d, "post_load_switch.conf")
		settings(d, "settings", "param", ofKind(all, "param"))
		settings(d, "variables", "variable", ofKind(all, "variable"))
		d.Close()
		if answer.NodeKnown {
			rec.Fetched(r.Hostname, "post_load_switch.conf", "", fingerprint.Switch(all))
		}
		return nil
	})
}

func ofKind(all []db.NodeSetting, kind string) []db.Setting {
	var some []db.Setting
	for _, s := range all {
		if s.Kind == kind {
			some = append(some, s.Setting)
		}
	}
	return some
}
