package compare

import (
	"testing"

	"xmlcurld/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }
