//go:build e2e

package e2e

import (
	"fmt"
	"strconv"
	"testing"
)

// twilio is a caller that the list domains allows.
var twilio = party{ip: localhost, user: "+27831234567"}

const (
	vumiNumber    = "+27123456789"
	nobodysNumber = "+27999999999"
)

func allowedCallIsSpokenTo(t *testing.T, w *world) {
	caller := twilio.call(t, w.external, vumiNumber)
	call := w.application.call(t)
	if got := call.data.header["Caller-Destination-Number"]; got != vumiNumber {
		t.Errorf("the call that was handed over is for %q", got)
	}
	if got := call.data.header["Socket-Mode"] + " " + call.data.header["Control"]; got != "async full" {
		t.Errorf("the socket is %q, want async full", got)
	}
	// The Vumi transport knows the caller by this variable.
	if got := call.data.header["variable_caller_id_number"]; got != twilio.user {
		t.Errorf("the call that was handed over is from %q, want %q", got, twilio.user)
	}
	// What an application says may hold what a stranger typed.
	if got := call.execute(t, "set", "said=${echo it ran}").header["variable_said"]; got == "it ran" {
		t.Error("the switch ran a command that stood in a message")
	}
	answered := call.execute(t, "answer", "")
	media := portIn(t, answered.header["variable_local_media_port"])
	spoken := call.execute(t, "speak", "flite|slt|Hello, this is the voice transport.")
	if got := spoken.header["Application-Response"]; got != "_none_" {
		t.Errorf("speak = %q", got)
	}
	call.hangUp(t)
	logged := caller.end(t)
	if logged["status"] != "200" {
		t.Errorf("the caller got %s", logged["status"])
	}
	if heard := caller.ear.loud.Load(); heard < oneSecond {
		t.Errorf("the caller heard speech in %d packets, want a second of it at least, which is %d", heard, oneSecond)
	}
	for who, got := range map[string]int{"the 200 names": portIn(t, logged["audio"]), "packets come from": int(caller.ear.from.Load())} {
		if got != media || got < w.rtp.first || got > w.rtp.last {
			t.Errorf("%s port %d, FreeSWITCH says %d, the row %d to %d", who, got, media, w.rtp.first, w.rtp.last)
		}
	}
}

func portIn(t testing.TB, text string) int {
	t.Helper()
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%q is not a port", text)
	}
	return port
}

func numberMayBeWrittenInThreeWays(t *testing.T, w *world) {
	for _, dialled := range []string{"+27123456789", "27123456789", "0027123456789"} {
		w.checkReaches(t, dialled)
	}
}

// checkReaches calls a number, which should reach the application.
func (w *world) checkReaches(t testing.TB, dialled string) {
	t.Helper()
	caller := twilio.call(t, w.external, dialled)
	call := w.application.call(t)
	call.execute(t, "answer", "")
	call.hangUp(t)
	if got := caller.end(t)["status"]; got != "200" {
		t.Errorf("the caller of %s gets %s, want 200", dialled, got)
	}
}

// checkGets calls a number, which should end with a final status other than 200.
func (w *world) checkGets(t testing.TB, caller party, dialled, want string) {
	t.Helper()
	if got := caller.call(t, w.external, dialled).end(t)["status"]; got != want {
		t.Errorf("the caller of %s gets %s, want %s", dialled, got, want)
	}
}

func addressOutsideTheListIsRefused(t *testing.T, w *world) {
	w.checkGets(t, twilio.from(outsider), vumiNumber, "403")
}

// from is the caller at another address.
func (p party) from(ip string) party {
	p.ip = ip
	return p
}

func unknownNumberGets404(t *testing.T, w *world) { w.checkGets(t, twilio, nobodysNumber, "404") }

// otherTenantOffersItsMenu: its greeting is a phrase, its menu an ivr.conf, and both are stored as XML.
func otherTenantOffersItsMenu(t *testing.T, w *world) {
	caller := twilio.call(t, w.external, "+27210000000")
	uuid := w.fs.awaitChannel(t, "+27210000000")
	w.fs.awaitApplication(t, uuid, "phrase", "greeting")
	w.fs.awaitApplication(t, uuid, "ivr", "main_menu")
	greeted := caller.ear.loud.Load()
	eventually(t, "the menu is spoken", func() error {
		if heard := caller.ear.loud.Load() - greeted; greeted < oneSecond/2 || heard < oneSecond/2 {
			return fmt.Errorf("the caller heard speech in %d packets of the greeting and %d of the menu", greeted, heard)
		}
		return nil
	})
	w.fs.hangUpAll(t)
	if got := caller.end(t)["status"]; got != "200" {
		t.Errorf("the caller got %s", got)
	}
}

// tenantsAreApart: acme's phones are in acme's context, where vumi's number is nobody's.
func tenantsAreApart(t *testing.T, w *world) {
	if got := door.userCall(t, w.internal, vumiNumber).end(t)["status"]; got != "404" {
		t.Errorf("a phone of acme that calls a number of vumi gets %s, want 404", got)
	}
}
