package server

import (
	"fmt"
	"os"
	"testing"

	"minissh/cmd/minissh-lab/testend"
)

// TestMain looks for goroutines of this package that outlive the tests: every Serve
// waits for its own.
func TestMain(m *testing.M) {
	code := m.Run()
	for _, stack := range testend.LeftBehind("minissh-lab/") {
		fmt.Fprintf(os.Stderr, "a goroutine is left behind:\n%s\n", stack)
		code = 1
	}
	os.Exit(code)
}
