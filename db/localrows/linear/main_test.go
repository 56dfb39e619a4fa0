// Package linear_test proves that answers from local rows are linearizable: whoever asks after a commit has returned gets
// what was committed, whichever of two servers they ask, and nobody gets less than somebody got before. Writers make
// version after version of objects whose answers show the version. Readers compare each answer with the versions that it
// may show. CI makes 100,000 such checks, and a flag makes as many as there is time for:
//
//	go run ./db/dbtest/withserver go test ./db/localrows/linear -timeout 0 -checks 10000000
package linear_test

import (
	"flag"
	"testing"

	"xmlcurld/db/dbtest"
)

var checks = flag.Int64("checks", 100_000, "how many answers TestAnswersAreLinearizable checks")

func TestMain(m *testing.M) { dbtest.Main(m) }
