//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"xmlcurld/cmd/lab/rig"
)

const (
	// answeringNumber is answered and hung up by the switch.
	answeringNumber = "+27120000000"
	streamRate      = 8 // calls a second
	streamLength    = 120
)

// noServer is the time that a lookup takes when the first server is frozen: the bootstrap's timeout.
const noServer = 2 * time.Second

// stream is a stream of calls, and what one of the servers is up to meanwhile.
func stream(t *testing.T, w *world, meanwhile func(ended <-chan struct{})) []time.Duration {
	t.Helper()
	w.answerAndHangUp(t)
	numbers := slices.Repeat([]string{answeringNumber}, streamLength)
	var delays []time.Duration
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		delays, err = rig.Call(t.Context(), t.TempDir(), fmt.Sprintf("%s:%d", localhost, w.external), numbers, streamRate)
	}()
	meanwhile(ended)
	<-ended
	if err != nil {
		t.Fatalf("a call was lost: %v", err)
	}
	t.Logf("%d calls, none lost; post-dial delay p50 %v, p95 %v, at most %v", len(delays),
		delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)*95/100].Round(time.Millisecond),
		delays[len(delays)-1].Round(time.Millisecond))
	return delays
}

// answerAndHangUp sees that there is an answeringNumber.
func (w *world) answerAndHangUp(t *testing.T) {
	t.Helper()
	for _, statement := range []string{
		`DELETE FROM number WHERE extension = 'answering'`,
		`DELETE FROM extension WHERE name = 'answering'`,
		`INSERT INTO extension (name) VALUES ('answering')`,
		`INSERT INTO action (extension, position, application) VALUES ('answering', 1, 'answer'), ('answering', 2, 'hangup')`,
		`INSERT INTO number (number, tenant, extension) VALUES ('` + answeringNumber + `', 'vumi', 'answering')`,
	} {
		if _, err := w.rows.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// again does something again and again until the calls end, each time for another while, of 0.2 to 2.8 s: less than the
// bootstrap's timeout and more. It fails if the calls end before that was done a few times.
func again(t *testing.T, ended <-chan struct{}, begin, end func()) {
	t.Helper()
	times := 0
	for moment := time.Duration(0); ; moment = (moment + 1170*time.Millisecond) % (2600 * time.Millisecond) {
		if over(ended, 300*time.Millisecond+moment/3) {
			break
		}
		begin()
		isOver := over(ended, 200*time.Millisecond+moment)
		end()
		if times++; isOver {
			break
		}
	}
	if times < 3 {
		t.Errorf("the calls were over after %d times", times)
	}
}

func over(ended <-chan struct{}, after time.Duration) bool {
	select {
	case <-ended:
		return true
	case <-time.After(after):
		return false
	}
}

// startBoth starts those servers that do not run.
func (w *world) startBoth(t *testing.T) {
	t.Helper()
	for _, s := range []*server{w.first, w.second} {
		if !s.process.isRunning() {
			s.start(t)
		}
	}
}

// killedServerLosesNoCall: neither the one that is asked first nor the other, at whatever moment.
func killedServerLosesNoCall(t *testing.T, w *world) {
	w.startBoth(t)
	for _, s := range []*server{w.first, w.second} {
		delays := stream(t, w, func(ended <-chan struct{}) {
			again(t, ended, s.kill, func() { s.start(t) })
		})
		if most := delays[len(delays)-1]; most >= noServer/2 {
			t.Errorf("a call waits for %v, though a dead server is noticed at once", most)
		}
	}
}

// frozenServerLosesNoCall: while it is frozen each call waits for the bootstrap's timeout.
func frozenServerLosesNoCall(t *testing.T, w *world) {
	w.startBoth(t)
	for _, s := range []*server{w.first, w.second} {
		delays := stream(t, w, func(ended <-chan struct{}) {
			again(t, ended, func() { s.signal(t, syscall.SIGSTOP) }, func() { s.signal(t, syscall.SIGCONT) })
		})
		if most := delays[len(delays)-1]; most >= noServer+noServer/2 {
			t.Errorf("a call waits for %v, with a timeout of %v", most, noServer)
		}
	}
}

// frozenServerStaysFrozen: for all calls of a stream and a phone that registers.
func frozenServerStaysFrozen(t *testing.T, w *world) {
	w.startBoth(t)
	delays := stream(t, w, func(ended <-chan struct{}) {
		w.first.signal(t, syscall.SIGSTOP)
		defer w.first.signal(t, syscall.SIGCONT)
		if got := reception.register(t, w.internal); got != "200" {
			t.Errorf("REGISTER gets %s", got)
		}
		<-ended
	})
	if least, most := delays[len(delays)/4], delays[len(delays)-1]; least < noServer-time.Second || most >= noServer+noServer/2 {
		t.Errorf("calls wait for %v to %v, with a timeout of %v", least, most, noServer)
	}
}

// endedServerLosesNoCall: it answers whom it let in, whoever comes later asks the other.
func endedServerLosesNoCall(t *testing.T, w *world) {
	w.startBoth(t)
	delays := stream(t, w, func(ended <-chan struct{}) {
		again(t, ended, func() { w.first.stop(t) }, func() { w.first.start(t) })
	})
	if most := delays[len(delays)-1]; most >= noServer/2 {
		t.Errorf("a call waits for %v", most)
	}
}
