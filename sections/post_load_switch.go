package sections

import (
	"context"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

type switchStore interface {
	Switch(ctx context.Context, node string) ([]db.NodeSetting, error)
}

// postLoadSwitch answers post_load_switch.conf: RTP range, limits, log level, global variables. The core reads it once,
// at start, after the modules and before it accepts the first call.
func postLoadSwitch(s switchStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		all, err := s.Switch(ctx, r.Hostname)
		if err != nil {
			return err
		}
		knows(d, all[0].NodeKnown)
		openConfiguration(d, "post_load_switch.conf")
		settings(d, "settings", "param", ofKind(all, "param"))
		settings(d, "variables", "variable", ofKind(all, "variable"))
		d.Close()
		if all[0].NodeKnown {
			rec.Fetched(r.Hostname, "post_load_switch.conf", "", db.SwitchParts(all))
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
