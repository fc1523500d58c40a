package control

import (
	"testing"

	"minissh/daemon/process"
	"minissh/protocol/testend"
)

// TestMain lets the test binary be its own helper, and looks for what is left behind.
func TestMain(m *testing.M) {
	process.BeHelper()
	process.Prepare() // whoever started the test may have left descriptors open
	testend.Strict(m)
}
