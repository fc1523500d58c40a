package lan

import (
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }
