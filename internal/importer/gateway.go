package importer

import (
	"fmt"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

// gatewayColumns are the params of a gateway that have a column.
var gatewayColumns = []string{"username", "password", "proxy", "realm", "register", "caller-id-in-from"}

// gatewayParams are those that table gateway_param knows.
var gatewayParams = strings.Fields(`scheme auth-username from-user from-domain register-proxy outbound-proxy register-transport expire-seconds
	retry-seconds timeout-seconds extension extension-in-contact contact-params contact-host context ping ping-min ping-max ping-monitoring
	contact-in-ping distinct-to destination-prefix rfc-5626 reg-id gw-auth-acl 908-retry-seconds`)

// gateway adds a gateway of a profile; more are columns that say whose it is.
func (in *importer) gateway(e *conftree.Element, profile string, more ...rowset.Column) {
	name := in.expand(e, e.Attr("name"))
	what := fmt.Sprintf("gateway %q", name)
	key := strings.ToLower(name)
	switch {
	case !isLabel(name) || key == "_all_" || key == "all":
		in.leave(e, what, "no gateway of the server can have this name", "Write it with letters, digits, dots, dashes and underscores.")
		return
	case in.gateways[key]:
		in.leave(e, what, "FreeSWITCH reads only the first gateway of a name", "Delete it, or give it another name.")
		return
	}
	in.readsAll(e, []string{"name"}, []string{"param", "params", "variable", "variables", "subscriptions"})
	for _, subscription := range e.Child("subscriptions").All("subscription") {
		in.leave(subscription, what+": subscription to "+subscription.Attr("event"), "no table has it", "Do without it: no row can ask for it.")
	}
	told := make(map[string]string)
	var params []setting
	for _, p := range listed(e, "params", "param") {
		switch name := p.Attr("name"); {
		case slices.Contains(gatewayColumns, name):
			told[name] = in.fixed(p, name+" of a gateway", p.Attr("value"))
		case slices.Contains(gatewayParams, name):
			params = slices.DeleteFunc(params, func(s setting) bool { return s.name == name })
			params = append(params, setting{p, name, p.Attr("value")})
		default:
			in.unread(p, "parameter "+name+" of a gateway")
		}
	}
	register := true // FreeSWITCH's own preset
	if value, ok := told["register"]; ok {
		register = hunt.IsTrue(value)
	}
	if register && (told["username"] == "" || told["password"] == "") {
		in.leave(e, what, "it registers without a username or a password, which FreeSWITCH refuses", "Set both, or register to false.")
		return
	}
	if told["proxy"] == "" && told["realm"] == "" {
		told["realm"] = name // FreeSWITCH's own preset
	}
	in.gateways[key] = true
	columns := append([]rowset.Column{rowset.C("name", name), rowset.C("profile", profile), rowset.C("tenant", in.options.Tenants[e])}, more...)
	for _, column := range gatewayColumns[:4] {
		columns = append(columns, rowset.C(column, told[column]))
	}
	columns = withTrue(withTrue(columns, "register", register), "caller_id_in_from", hunt.IsTrue(told["caller-id-in-from"]))
	in.Set.Add("gateway", e.String(), columns...)
	for _, s := range params {
		in.addSetting("gateway_param", s, rowset.C("gateway", name))
	}
	for _, v := range listed(e, "variables", "variable") {
		direction := strings.ToLower(in.expand(v, v.Attr("direction")))
		key := []rowset.Column{rowset.C("gateway", name)}
		if direction == "inbound" || direction == "outbound" {
			key = append(key, rowset.C("direction", direction))
		}
		in.addSetting("gateway_variable", setting{v, v.Attr("name"), v.Attr("value")}, key...)
	}
}

// listed are the params or variables of a gateway: those of the list, or else those that stand in the gateway itself.
func listed(e *conftree.Element, list, item string) []*conftree.Element {
	if within := e.Child(list); within != nil {
		return within.All(item)
	}
	return e.All(item)
}

// parsing is the first profile that takes the gateways of a domain's users, empty if none does.
func (in *importer) parsing(domain string) string {
	sofia := in.tree.Section("configuration").Named("configuration", "sofia.conf")
	for _, p := range in.profilesOf(sofia) {
		for _, d := range p.element.Child("domains").All("domain") {
			name := in.expand(d, d.Attr("name"))
			if (strings.EqualFold(name, "all") || strings.EqualFold(name, domain)) && hunt.IsTrue(in.expand(d, d.Attr("parse"))) {
				return p.name
			}
		}
	}
	return ""
}
