package sections

import (
	"context"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

type moduleStore interface {
	Modules(ctx context.Context, node string) ([]db.Module, error)
}

// postLoadModules answers post_load_modules.conf: every module but the loggers and mod_xml_curl, which the bootstrap
// has on its disk. The core reads it once, at start.
func postLoadModules(s moduleStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		modules, err := s.Modules(ctx, r.Hostname)
		if err != nil {
			return err
		}
		knows(d, modules[0].NodeKnown)
		openConfiguration(d, "post_load_modules.conf")
		d.Open("modules")
		for _, m := range modules {
			if m.Name != "" {
				d.Empty("load", xmlcurl.A("module", m.Name))
			}
		}
		d.Close()
		d.Close()
		if modules[0].NodeKnown {
			rec.Fetched(r.Hostname, "post_load_modules.conf", "", db.ModuleParts(modules))
		}
		return nil
	})
}
