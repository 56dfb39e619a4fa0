//go:build linux

package calls

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/world"
)

// What all switches have in common, whether it comes from rows or from files.
const (
	maxSessions       = 1000
	sessionsPerSecond = 3 * callsPerSecond
)

// extensionBody is the body of every extension.
var extensionBody = []string{"answer", "hangup"}

// setting is a param of FreeSWITCH.
type setting struct{ name, value string }

// profile is the SIP profile of f.
func (f *freeSWITCH) profile() []setting {
	_, port, _ := net.SplitHostPort(f.address) // it is ours: no error
	return []setting{
		{"sip-ip", rig.Localhost}, {"rtp-ip", rig.Localhost}, {"sip-port", port},
		{"context", "public"}, {"dialplan", "XML"}, {"auth-calls", "false"}, {"manage-presence", "false"},
		{"inbound-codec-prefs", "PCMU,PCMA"}, {"outbound-codec-prefs", "PCMU,PCMA"}, {"rtp-timer-name", "soft"},
	}
}

// insert makes f a node of the world at url, alone with its profile, and all numbers answer. The profiles of the world go to another node, with their gateways: f must ping nobody.
func (f *freeSWITCH) insert(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var rows pgx.Batch
	rows.Queue(`UPDATE sip_profile SET node = 'node01'`)
	rows.Queue(`INSERT INTO node (name, rtp_port, max_sessions, sessions_per_second, loglevel) VALUES ($1, int4range($2, $3), $4, $5, $6)`,
		f.name, f.rtpPort, f.rtpPort+rtpPorts, maxSessions, sessionsPerSecond, rig.LogLevel)
	for i, module := range rig.SwitchModules {
		rows.Queue(`INSERT INTO module (node, name, position) VALUES ($1, $2, $3)`, f.name, module, i)
	}
	rows.Queue(`INSERT INTO sip_profile (name, node) VALUES ($1, $1)`, f.name)
	for _, s := range f.profile() {
		rows.Queue(`INSERT INTO sip_profile_param (profile, name, value) VALUES ($1, $2, $3)`, f.name, s.name, s.value)
	}
	rows.Queue(`DELETE FROM action WHERE extension = 'inbound'`)
	for i, application := range extensionBody {
		rows.Queue(`INSERT INTO action (extension, position, application) VALUES ('inbound', $1, $2)`, i+1, application)
	}
	return conn.SendBatch(ctx, &rows).Close()
}

// writeConf writes the same as files into dir, with every number in them unless f asks for its dialplan. The loggers are
// those of the bootstrap.
func (f *freeSWITCH) writeConf(dir, bootstrap string) error {
	return os.WriteFile(filepath.Join(dir, "freeswitch.xml"), []byte(f.conf(bootstrap)), 0o644)
}

// conf stands line by line: FreeSWITCH's pre-processor reads lines.
func (f *freeSWITCH) conf(bootstrap string) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	params := func(settings []setting) {
		for _, s := range settings {
			line(`<param name="%s" value="%s"/>`, s.name, s.value)
		}
	}
	line(`<document type="freeswitch/xml"><section name="configuration">`)
	for _, name := range []string{"console", "logfile", "early"} {
		line(`<X-PRE-PROCESS cmd="include" data="%s/autoload_configs/%s.conf.xml"/>`, bootstrap, name)
	}
	line(`<configuration name="switch.conf"><settings>`)
	params([]setting{
		{"switchname", f.name}, {"loglevel", rig.LogLevel}, {"max-sessions", fmt.Sprint(maxSessions)},
		{"sessions-per-second", fmt.Sprint(sessionsPerSecond)},
		{"rtp-start-port", fmt.Sprint(f.rtpPort)}, {"rtp-end-port", fmt.Sprint(f.rtpPort + rtpPorts - 1)},
	})
	line(`</settings></configuration>`)
	line(`<configuration name="modules.conf"><modules>`)
	for _, module := range append([]string{"mod_console", "mod_logfile"}, rig.SwitchModules...) {
		line(`<load module="%s"/>`, module)
	}
	if f.url != "" {
		line(`<load module="mod_xml_curl"/>`)
	}
	line(`</modules></configuration>`)
	if f.url != "" {
		line(`<configuration name="xml_curl.conf"><bindings><binding name="calls">`)
		line(`<param name="gateway-url" value="%s" bindings="dialplan"/>`, f.url)
		line(`</binding></bindings></configuration>`)
	}
	line(`<configuration name="acl.conf"><network-lists/></configuration>`)
	line(`<configuration name="sofia.conf"><profiles><profile name="%s"><settings>`, f.name)
	params(f.profile())
	line(`</settings></profile></profiles></configuration>`)
	line(`</section>`)
	if f.url == "" {
		f.writeDialplan(line)
	}
	line(`</document>`)
	return out.String()
}

// writeDialplan writes an extension for each number.
func (f *freeSWITCH) writeDialplan(line func(format string, args ...any)) {
	line(`<section name="dialplan"><context name="public">`)
	for n := range f.numbers {
		line(`<extension name="%s" continue="false"><condition field="destination_number" expression="^(%s)$">`, world.BareNumber(n), world.BareNumber(n))
		for _, application := range extensionBody {
			line(`<action application="%s" data=""/>`, application)
		}
		line(`</condition></extension>`)
	}
	line(`</context></section>`)
}
