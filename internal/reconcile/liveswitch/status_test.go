package liveswitch

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// record is a registration as mod_sofia writes it.
func record(callID, user, contact, agent string) string {
	return "Call-ID:    \t" + callID + "\nUser:       \t" + user + "\nContact:    \t" + contact + "\nAgent:      \t" + agent +
		"\nStatus:     \tRegistered(UDP)(unknown) EXP(2026-11-27 12:00:00) EXPSECS(60)\nPing-Status:\tReachable\nPing-Time:\t0.00\nHost:       \tvm" +
		"\nIP:         \t192.0.2.1\nPort:       \t5060\nAuth-User:  \t" + user + "\nAuth-Realm: \tx\nMWI-Account:\t" + user + "\n\n"
}

func registrationsReply(records ...string) string {
	const line = "====\n"
	return "\nRegistrations:\n" + line + strings.Join(records, "") + fmt.Sprintf("Total items returned: %d\n", len(records)) + line
}

// Whatever a phone sends, it hides nobody else.
func TestRegisteredUsers(t *testing.T) {
	t.Parallel()
	plain := record("1-2@192.0.2.1", "1000@acme.example", `"" <sip:1000@192.0.2.1>`, "phone 1")
	for name, odd := range map[string]string{
		"markup":                 record("a<b", "1001@acme.example", "x", "</agent>"),
		"the start of a comment": record("<!--", "1001@acme.example", "x", "-->"),
		"Latin-1":                record("1", "1001@acme.example", "x", "T\xe9l\xe9phone"),
		"our own words":          record("User:       \t1009@acme.example", "1001@acme.example", "Total items returned: 9", "Call-ID:    \t1"),
		"nothing":                record("", "1001@acme.example", "", ""),
		"a carriage return":      record("1\rUser:       \t1009@acme.example", "1001@acme.example", "x", "x"),
		"a folded Call-ID":       record("1\r\n\tUser:       \t1009@acme.example", "1001@acme.example", "x", "x"),
		"a folded agent":         record("1", "1001@acme.example", "x", "a\r\n User:       \t1009@acme.example\r\n Total items returned: 9"),
		"very much":              record(strings.Repeat("<", 1<<20), "1001@acme.example", "x", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := registeredUsers(registrationsReply(plain, odd, plain))
			if diff := cmp.Diff([]string{"1000@acme.example", "1001@acme.example", "1000@acme.example"}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if got, err := registeredUsers(registrationsReply(record("1", "1\xe901@acme.example", "x", "x"), plain)); err != nil || len(got) != 1 {
		t.Errorf("a name that no row can hold: %q, %v", got, err)
	}
	if got, err := registeredUsers(registrationsReply()); err != nil || len(got) != 0 {
		t.Errorf("nobody: %q, %v", got, err)
	}
	for name, reply := range map[string]string{
		"cut off":  strings.TrimSuffix(registrationsReply(plain), "Total items returned: 1\n====\n"),
		"one more": strings.Replace(registrationsReply(plain), "returned: 1", "returned: 2", 1),
		"refused":  "Invalid Profile!\n",
		"empty":    "",
	} {
		if got, err := registeredUsers(reply); err == nil {
			t.Errorf("%s: %q and no error", name, got)
		}
	}
}

// A record is read as it was written, whatever stands beside it, and in it but a line's end.
func FuzzRegisteredUsers(f *testing.F) {
	f.Add("1-2@192.0.2.1", "1000@acme.example", "phone")
	f.Add("<!--", "a@b", "-->\xe9")
	f.Add("1\nUser:       \tc@d", "a@b", "x\nTotal items returned: 7")
	f.Add("User:       \t", "User:       \t", "Total items returned: 7")
	f.Fuzz(func(t *testing.T, callID, user, agent string) {
		if strings.Contains(user, "\n") {
			t.Skip("the name of a user has none")
		}
		fold := strings.NewReplacer("\n", "\r\n ") // a phone's header goes on on a line that begins with a blank
		callID, agent = fold.Replace(callID), fold.Replace(agent)
		want := []string{"first@x"}
		if utf8.ValidString(user) && !strings.Contains(user, "\x00") {
			want = append(want, user)
		}
		want = append(want, "last@x")
		got, err := registeredUsers(registrationsReply(record("1", "first@x", "x", "x"), record(callID, user, agent, agent), record("2", "last@x", "x", "x")))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestListedGateways(t *testing.T) {
	t.Parallel()
	row := func(key, data, state, retry string) string {
		return fmt.Sprintf("%25s\t%32s\t%s\t%6.2f\t%d/%d\t%d/%d%s\n", key, data, state, 1.5, 0, 12, 3, 45, retry)
	}
	reply := "    Profile::Gateway-Name\t    Data    \tState\tPing Time\tIB Calls(F/T)\tOB Calls(F/T)\n====\n" +
		row("external::twilio", "sip:a@b", "NOREG", "") +
		row("external::odd", "sip:<gateway>\t</gateway>\nsecond line\t::", "REGED", "") +
		row("a-profile-with-a-long-name::a-gateway-with-a-longer-one", "sip:x@y", "TRYING", " (retry: 29s)") +
		row("internal::last", "", "FAIL_WAIT", " (retry: NEVER)") +
		"====\n4 gateways: Inbound(Failed/Total): 0/48,Outbound(Failed/Total):12/180\n"
	want := []gatewayStatus{
		{"twilio", "external", "NOREG"}, {"odd", "external", "REGED"},
		{"a-gateway-with-a-longer-one", "a-profile-with-a-long-name", "TRYING"}, {"last", "internal", "FAIL_WAIT"},
	}
	if diff := cmp.Diff(want, listedGateways(reply)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := gatewayProfile("====\nName    \tx\nProfile \texternal\nRealm   \ta\nProfile \tinternal\n"); got != "external" {
		t.Errorf("profile %q", got)
	}
}

func TestListedProfiles(t *testing.T) {
	t.Parallel()
	reply := "                     Name\t   Type\t                                      Data\tState\n====\n" +
		"                 external\tprofile\t            sip:mod_sofia@192.0.2.1:5080\tRUNNING (0)\n" +
		"                 external\tprofile\t            sip:mod_sofia@192.0.2.1:5081\tRUNNING (0) (TLS)\n" +
		"         external::twilio\tgateway\t                                   sip:a@b\tNOREG\n" +
		"             acme.example\t  alias\t                                  internal\tALIASED\n" +
		"                     down\tprofile\t            sip:mod_sofia@192.0.2.1:5060\tDOWN (0)\n====\n2 profiles 1 alias\n"
	if diff := cmp.Diff(map[string]bool{"external": true, "down": false}, listedProfiles(reply)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
