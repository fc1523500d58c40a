package server

import (
	"testing"

	"minissh/protocol/testend"
)

// TestMain looks for goroutines that outlive the tests: every Serve waits for its own.
func TestMain(m *testing.M) { testend.Main(m) }
