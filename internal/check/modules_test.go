package check_test

import "testing"

var moduleCases = []found{
	{"an application", act("conference", "room"), []string{"module-missing " + theAction + ": Insert mod_conference into table module."}},
	{"an application of a module that is off", `UPDATE module SET enabled = false WHERE name = 'mod_hash'; ` + act("hash", "insert/a/b/c"), []string{"module-missing " + theAction}},
	{"a destination", act("bridge", "verto.rtc/1"), []string{"module-missing " + theAction}},
	{"a file", act("playback", "local_stream://moh"), []string{"module-missing " + theAction}},
	{"one of two modules", act("playback", "http://media.lan/a.wav"), nil},
	{"a voice", `DELETE FROM module WHERE name = 'mod_flite'; ` + act("speak", "flite|slt|hello"),
		[]string{"module-missing " + theAction, "module-missing document section=languages name=en node=*"}},
	{"a codec", `UPDATE sip_profile_param SET value = 'opus@48000h@20i,PCMA' WHERE profile = 'external' AND name = 'inbound-codec-prefs'`,
		[]string{"module-missing sip_profile_param profile=external node=* name=inbound-codec-prefs position=1: Codec OPUS"}},
	{"a language that is said", act("say", "de number pronounced 1"), []string{"module-missing " + theAction + ": mod_say_de"}},
	{"the language", act("say", "en:us number pronounced 1"), nil},
	{"a language", `DELETE FROM module WHERE name = 'mod_say_en'`, []string{"module-missing document section=languages name=en node=*"}},
	{"SIP", `DELETE FROM module WHERE name = 'mod_sofia'`,
		[]string{"module-missing action extension=forward position=2", "module-missing sip_profile name=external", "module-missing sip_profile name=internal"}},
	{"the dialplan", `DELETE FROM module WHERE name = 'mod_dialplan_xml'`, []string{"module-missing context name=acme", "module-missing context name=public"}},
	{"some other way to load them", `DELETE FROM module`, nil},
	{"a module without its document", `INSERT INTO module (name) VALUES ('mod_voicemail')`, []string{"module-document module node=* name=mod_voicemail: voicemail.conf"}},
	{"a document without its module", `INSERT INTO document (name, body) VALUES ('conference.conf', '<configuration name="conference.conf"/>')`,
		[]string{"document-unasked document section=configuration name=conference.conf node=*"}},
	{"a module and its document", `INSERT INTO module (name) VALUES ('mod_voicemail'); INSERT INTO document (name, body) VALUES ('voicemail.conf', '<configuration name="voicemail.conf"/>')`, nil},
	{"a document of nobody's that is known", `INSERT INTO document (name, body) VALUES ('own.conf', '<configuration name="own.conf"/>')`, nil},
}

func TestModules(t *testing.T) {
	t.Parallel()
	finds(t, moduleCases)
}
