package supervise

import (
	"os"
	"testing"

	"minissh/daemon/process"
	"minissh/protocol/testend"
)

// TestMain lets the test binary be a generation, which does what its argument says.
func TestMain(m *testing.M) {
	process.BeHelper()
	if len(os.Args) > 1 && os.Args[1] == pretend {
		process.Prepare()
		os.Exit(beGeneration(os.Args[2]))
	}
	testend.Strict(m)
}
