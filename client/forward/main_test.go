//go:build unix

package forward_test

import (
	"testing"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }
