package access

import (
	"testing"

	"minissh/daemon/process"
	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// TestMain lets the test binary be its own helper, and looks for what is left behind.
func TestMain(m *testing.M) {
	process.BeHelper()
	process.Prepare() // whoever started the test may have left descriptors open
	testend.Strict(m)
}

func newKey(t testing.TB) keys.Identity {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
