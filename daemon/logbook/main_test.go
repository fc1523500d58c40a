package logbook

import (
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Strict(m) }
