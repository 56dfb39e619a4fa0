package sections

import (
	"context"
	"regexp"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type moduleStore interface {
	Modules(ctx context.Context, node string) (db.Answer[[]db.Module], error)
	Switch(ctx context.Context, node string) (db.Answer[[]db.NodeSetting], error)
}

// postLoadModules answers post_load_modules.conf: every module but the loggers and mod_xml_curl, which the bootstrap
// has on its disk. The core reads it once, at start, before all other documents. So the global variables are set by it, as
// by a vars.xml: those of post_load_switch.conf come when the modules have read theirs.
func postLoadModules(s moduleStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		answer, err := s.Modules(ctx, r.Hostname)
		if err != nil {
			return err
		}
		settings, err := s.Switch(ctx, r.Hostname)
		if err != nil {
			return err
		}
		modules, all := known(d, answer), known(d, settings)
		openConfiguration(d, "post_load_modules.conf")
		for _, v := range inOrder(ofKind(all, "variable")) {
			d.SetVariable(v.Name, v.Value, v.Expand) // what cannot be set here is set by post_load_switch.conf
		}
		d.Open("modules")
		for _, m := range modules {
			d.Empty("load", xmlcurl.A("module", m.Name))
		}
		d.Close()
		d.Close()
		if answer.NodeKnown {
			rec.Fetched(r.Hostname, "post_load_modules.conf", "", fingerprint.Modules(modules))
		}
		return nil
	})
}

// inOrder is variables with each behind those that its value refers to.
func inOrder(variables []db.Setting) []db.Setting {
	byName := make(map[string]db.Setting, len(variables))
	for _, v := range variables {
		byName[v.Name] = v
	}
	var ordered []db.Setting
	done := make(map[string]bool, len(variables))
	var add func(v db.Setting)
	add = func(v db.Setting) {
		if done[v.Name] {
			return
		}
		done[v.Name] = true
		if v.Expand {
			for _, m := range reference.FindAllStringSubmatch(v.Value, -1) {
				if other, ok := byName[m[1]]; ok {
					add(other)
				}
			}
		}
		ordered = append(ordered, v)
	}
	for _, v := range variables {
		add(v)
	}
	return ordered
}

// reference is a place where FreeSWITCH's pre-processor puts in a global variable.
var reference = regexp.MustCompile(`\$\$\{([^{}]*)\}`)
