//go:build e2e

package e2e

import "testing"

func secondServerTakesOver(t *testing.T, w *world) {
	w.first.stop(t)
	w.checkReaches(t, vumiNumber)
	if got := reception.register(t, w.internal); got != "200" {
		t.Errorf("REGISTER gets %s", got)
	}
}

func withoutServerCallersGet503(t *testing.T, w *world) {
	w.second.stop(t)
	w.checkGets(t, twilio, vumiNumber, "503")
	w.checkGets(t, twilio, nobodysNumber, "503")
}

func serverThatIsBackIsAsked(t *testing.T, w *world) {
	w.first.start(t)
	w.checkReaches(t, vumiNumber)
	w.checkGets(t, twilio, nobodysNumber, "404")
}
