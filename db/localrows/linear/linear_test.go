package linear_test

import (
	"testing"
	"time"

	"xmlcurld/db/dbtest"
)

// fewChecks is how many answers are checked around an event, and trialTime what that may take on a machine that has much
// else to do.
const (
	fewChecks = 5_000
	trialTime = 5 * time.Minute
)

// Two servers answer while rows are written in all ways, every table is emptied and filled again, and either server is
// started anew.
func TestAnswersAreLinearizable(t *testing.T) {
	var steps []step
	for range max(1, *checks/1_000_000) {
		steps = append(append(steps, truncates()...), restart(0), restart(1))
	}
	newTrial(t, dbtest.DemoURL(t), newObjects(false), steps...).run(t, *checks, trialTime+time.Duration(*checks)*5*time.Millisecond)
}

// More rows change than are noted one by one, so that each server reads all rows anew.
func TestAnswersWhileAllIsReadAnew(t *testing.T) {
	t.Parallel()
	newTrial(t, dbtest.DemoURL(t), newObjects(true), rewrite(1), rewrite(0)).run(t, fewChecks, trialTime)
}
