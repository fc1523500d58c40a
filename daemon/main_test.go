package daemon

import (
	"os"
	"testing"

	"minissh/daemon/process"
)

// TestMain lets the test binary be its own daemon's helper.
func TestMain(m *testing.M) {
	process.BeHelper()
	process.Prepare() // whoever started the test may have left descriptors open
	os.Exit(m.Run())
}
