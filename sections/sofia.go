package sections

import (
	"context"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type sofiaStore interface {
	Sofia(ctx context.Context, node, profile, gateway string) (db.Answer[db.Sofia], error)
}

// sofia answers sofia.conf. mod_sofia asks for all profiles when it loads, for one with its gateways when that starts
// or is rescanned, and for one gateway at startgw.
func sofia(s sofiaStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		wanted, gateway := r.Field("profile"), r.Field("gateway")
		answer, err := s.Sofia(ctx, r.Hostname, wanted, gateway)
		if err != nil {
			return err
		}
		all := known(d, answer)
		reconfigure := r.Field("reconfig") == "true"
		openConfiguration(d, "sofia.conf")
		settings(d, "global_settings", "param", all.Params)
		d.Open("profiles")
		for i := range all.Profiles {
			profile(d, &all.Profiles[i], gateway == "", reconfigure)
		}
		d.Close()
		d.Close()
		if answer.NodeKnown {
			rec.Fetched(r.Hostname, "sofia.conf", wanted+" "+truth(reconfigure), fingerprint.Sofia(all, wanted, gateway, reconfigure))
		}
		return nil
	})
}

// profile writes a profile: whole, or with nothing but its gateways. One that is to be reconfigured may be running.
func profile(d *xmlcurl.Document, p *db.Profile, whole, reconfigure bool) {
	d.Open("profile", xmlcurl.A("name", p.Name))
	gateways(d, p.Gateways)
	if whole {
		aliases(d, p.Aliases)
		profileDomains(d, p.Domains)
		d.Open("settings") // FreeSWITCH refuses a profile without it
		for _, s := range p.Params {
			if reconfigure && fingerprint.Listens(s.Name) {
				startParam(d, s)
			} else {
				setting(d, "param", s)
			}
		}
		d.Close()
	}
	d.Close()
}

// startParam writes a parameter that a profile takes when it starts, and that has another name, which FreeSWITCH does not
// know, while the keeper has the profile rescanned.
func startParam(d *xmlcurl.Document, s db.Setting) {
	d.Empty("param", xmlcurl.Attr{Name: "name", Value: "$${" + fingerprint.RescanVariable + "}" + s.Name, Expand: true},
		xmlcurl.Attr{Name: "value", Value: s.Value, Expand: s.Expand})
}

func aliases(d *xmlcurl.Document, names []string) {
	if len(names) == 0 {
		return
	}
	d.Open("aliases")
	for _, name := range names {
		d.Empty("alias", xmlcurl.A("name", name))
	}
	d.Close()
}

func profileDomains(d *xmlcurl.Document, domains []db.ProfileDomain) {
	if len(domains) == 0 {
		return
	}
	d.Open("domains")
	for _, domain := range domains {
		d.Empty("domain", xmlcurl.A("name", domain.Name), xmlcurl.A("alias", truth(domain.Alias)), xmlcurl.A("parse", truth(domain.Parse)))
	}
	d.Close()
}

// gateways writes the gateways of a profile, or of a user in the directory.
func gateways(d *xmlcurl.Document, all []db.Gateway) {
	if len(all) == 0 {
		return
	}
	d.Open("gateways")
	for i := range all {
		d.Open("gateway", xmlcurl.A("name", all[i].Name))
		gatewaySettings(d, all[i].Settings)
		d.Close()
	}
	d.Close()
}

// gatewaySettings writes params and variables straight below their gateway, which FreeSWITCH takes as well as in lists.
func gatewaySettings(d *xmlcurl.Document, all []db.GatewaySetting) {
	for _, s := range all {
		switch {
		case s.Kind == "param":
			setting(d, "param", s.Setting)
		case s.Direction == "both":
			setting(d, "variable", s.Setting)
		default:
			d.Empty("variable", xmlcurl.A("name", s.Name), xmlcurl.Attr{Name: "value", Value: s.Value, Expand: s.Expand},
				xmlcurl.A("direction", s.Direction))
		}
	}
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
