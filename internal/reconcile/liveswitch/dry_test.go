package liveswitch

import (
	"strings"
	"testing"

	"xmlcurld/internal/eventsocket"
)

// What is not known to change nothing is not a question.
func TestOnlyAsks(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"acl 127.0.0.1 domains":                      true,
		"fsctl max_sessions":                         true,
		"fsctl max_sessions 5":                       false,
		"fsctl sps":                                  true,
		"fsctl sps 5":                                false,
		"fsctl api_expansion off":                    false,
		"fsctl loglevel":                             false, // switches logging off
		"fsctl loglevel err":                         false,
		"fsctl shutdown":                             false,
		"module_exists mod_opus":                     true,
		"load mod_opus":                              false,
		"unload mod_opus":                            false,
		"reloadacl":                                  false,
		"reloadxml":                                  false,
		"global_setvar xmlcurld_rescan=":             false,
		"xml_flush_cache id 1000 acme.example":       false,
		"show channels as json":                      true,
		"uuid_getvar 1 sip_gateway_name":             true,
		"uuid_setvar 1 a b":                          false,
		"uuid_kill 1":                                false,
		"sofia status":                               true,
		"sofia status gateway":                       true,
		"sofia status profile internal reg":          true,
		"sofia profile internal restart":             false,
		"sofia profile internal rescan":              false,
		"sofia profile external killgw twilio":       false,
		"sofia":                                      false,
		"sofia_gateway_data g ivar revision":         true,
		"status":                                     true,
		"status everything":                          false,
		"strftime_tz Asia/Tokyo %H:%M":               true,
		"switchname":                                 true,
		"uptime s":                                   true,
		"uptime s s":                                 false,
		"STATUS":                                     false,
		"originate sofia/gateway/twilio/+27 &park()": false,
	} {
		if got := onlyAsks(eventsocket.Command(strings.Fields(command))); got != want {
			t.Errorf("%s: %v, want %v", command, got, want)
		}
	}
}
