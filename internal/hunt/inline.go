package hunt

import (
	"slices"
	"strings"
)

// What applications do that run while FreeSWITCH still looks, to what it looks at.
var (
	// setters change variables in a way that is known.
	setters = map[string]func(c *channel, data string){
		"set":             func(c *channel, data string) { c.set(data, place{}) },
		"push":            func(c *channel, data string) { c.set(data, place{push: true}) },
		"unshift":         func(c *channel, data string) { c.set(data, place{unshift: true}) },
		"multiset":        func(c *channel, data string) { c.each(data, func(one string) { c.set(one, place{}) }) },
		"export":          (*channel).export,
		"unset":           (*channel).remove,
		"multiunset":      func(c *channel, data string) { c.each(data, c.remove) },
		"set_profile_var": (*channel).setField,
	}
	// bystanders change nothing that a condition sees.
	bystanders = []string{
		"eval", "log", "info", "event", "presence", "stop", "verbose_events", "novideo", "cng_plc", "early_hangup", "set_zombie_exec",
		"set_media_stats", "bridge_export",
	}
	// others run inline, and what they change only the switch knows.
	others = []string{
		"check_acl", "set_global", "set_user", "curl", "http_sendfile", "cidlookup", "distributor", "easyroute", "enum",
		"hiredis_raw", "lcr", "nibblebill", "osplookup", "ospnext", "translate", "smpp_send",
	}
)

// refusedInline are applications of FreeSWITCH's own that it does not run inline: it logs an error and goes on.
var refusedInline = []string{
	"answer", "pre_answer", "bridge", "transfer", "hangup", "respond", "park", "sleep", "playback", "speak", "phrase", "ivr", "conference",
	"voicemail", "record", "record_session", "execute_extension", "deflect", "redirect", "ring_ready", "socket", "lua", "javascript",
	"fifo", "callcenter", "echo", "delay_echo", "gentones", "queue_dtmf", "send_dtmf", "start_dtmf", "stop_dtmf", "limit", "privacy",
	"play_and_get_digits", "read", "say", "wait_for_answer", "wait_for_silence", "set_name", "strftime", "sound_test", "acknowledge_call",
	"hash", "db",
}

// inline runs an application as exec_app does, as far as it matters here. It returns words about what does not go as
// written.
func (c *channel) inline(application, data string) (note string) {
	switch {
	case slices.Contains(refusedInline, application):
		return "FreeSWITCH does not run it inline"
	case setters[application] == nil && !slices.Contains(bystanders, application) && !slices.Contains(others, application):
		c.switchDecides("what %s changes", application)
		return "only the switch knows whether it has this application, and runs it inline"
	}
	if !IsTrue(c.setting("app_disable_expand_variables")) {
		data, _ = c.expand(data)
	}
	c.add("current_application", application, place{})
	c.add("current_application_data", data, place{})
	switch set := setters[application]; {
	case set != nil:
		set(c, data)
	case slices.Contains(others, application):
		c.switchDecides("what %s changes", application)
	}
	return ""
}

// set is base_set.
func (c *channel) set(assignment string, at place) {
	i := strings.IndexByte(assignment, '=')
	if i < 0 {
		i = strings.IndexByte(assignment, ',')
	}
	if i < 0 {
		c.add(assignment, "", at)
		return
	}
	value, _ := c.expand(assignment[i+1:])
	c.add(assignment[:i], value, at)
}

func (c *channel) export(assignment string) {
	name, value, _ := strings.Cut(assignment, "=")
	if name == "" {
		return
	}
	exports := c.setting("export_vars")
	c.add(name, value, place{})
	if value == "" {
		return
	}
	if exports != "" {
		name = exports + "," + name
	}
	c.add("export_vars", name, place{})
}

func (c *channel) setField(assignment string) {
	name, value, _ := strings.Cut(assignment, "=")
	c.fields[strings.ToLower(name)] = value
}

// each calls f with each part of a list of assignments, which blanks separate, or what follows ^^.
func (c *channel) each(data string, f func(string)) {
	if strings.ContainsAny(data, `'\`) {
		c.switchDecides("how it takes %s apart", data)
	}
	parts := strings.Fields(data)
	if rest, ok := strings.CutPrefix(data, "^^"); ok && rest != "" {
		parts = strings.Split(rest[1:], rest[:1])
	}
	for _, one := range parts {
		f(one)
	}
}
