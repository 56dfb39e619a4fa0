package check_test

import (
	"strings"
	"testing"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/check"
)

var limitCases = []found{
	{"fewer ports than sessions", `UPDATE node SET rtp_port = '[16385,16395]', max_sessions = 6`, []string{"rtp-range node name=*: allows 6 sessions and has RTP ports for 5"}},
	{"one node has fewer", twoNodes + `UPDATE node SET max_sessions = 7 WHERE name = 'fs2'`, []string{"rtp-range node name=fs2"}},
	{"as many", `UPDATE node SET rtp_port = '[20000,20009]', max_sessions = 5`, nil},
	{"as FreeSWITCH has them", `UPDATE node SET rtp_port = NULL, max_sessions = NULL`, nil},
	{"the node's own address for all", `UPDATE sip_profile_param SET value = '192.0.2.1', expand = false WHERE name = 'rtp-ip' AND profile = 'external';
		INSERT INTO node (name, local_ip, max_sessions, event_socket_address) VALUES ('fs1', '192.0.2.2', 12, '127.0.0.1:8021')`, []string{"rtp-range node name=fs1: RTP ports for 6"}},
	{"a pool for each address", `UPDATE node SET max_sessions = 12;
		UPDATE sip_profile_param SET value = '192.0.2.1', expand = false WHERE name = 'rtp-ip' AND profile = 'external'`, nil},
}

func TestLimits(t *testing.T) {
	t.Parallel()
	finds(t, limitCases)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	const many = `
		INSERT INTO gateway (name, profile, proxy) SELECT 'g' || n, 'external', 'sip' || n || '.carrier.example' FROM generate_series(1, 100) n;
		INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', '2' || n, 'secret' FROM generate_series(1, 200) n;
		INSERT INTO acl_entry (list, cidr) SELECT 'phones', set_masklen(inet '10.0.0.0' + n * 256, 24)::cidr FROM generate_series(1, 300) n;`
	codes := func(limit int64) string {
		var all []string
		for _, f := range run(t, conn, many, check.Options{AnswerLimit: limit}) {
			all = append(all, f.Code+" "+f.Table+" "+f.Key)
		}
		return strings.Join(all, "; ")
	}
	if got := codes(1 << 20); got != "" {
		t.Errorf("1 MiB: %s", got)
	}
	got := codes(4 << 10)
	for _, want := range []string{"sip_profile name=external", "domain name=acme.example", "acl_list name=domains"} {
		if !strings.Contains(got, "answer-too-long "+want) {
			t.Errorf("4 KiB: %s is not in %s", want, got)
		}
	}
	const document = `INSERT INTO document (name, body) VALUES ('hash.conf', xmlelement(name configuration, xmlattributes('hash.conf' AS name), repeat('x', 9000)))`
	for limit, want := range map[int64]string{9000: "answer-too-long", 10000: "answer-nearly-too-long", 12000: ""} {
		got := ""
		for _, f := range run(t, conn, document, check.Options{AnswerLimit: limit}) {
			got += f.Code
		}
		if got != want {
			t.Errorf("%d bytes: %q, want %q", limit, got, want)
		}
	}
}
