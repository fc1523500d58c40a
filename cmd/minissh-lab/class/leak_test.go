package class

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
)

// TestMain looks for goroutines of this package that outlive the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	var stacks bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	for stack := range strings.SplitSeq(stacks.String(), "\n\n") {
		if strings.Contains(stack, "minissh-lab/") && !strings.Contains(stack, "TestMain") {
			fmt.Fprintf(os.Stderr, "a goroutine is left behind:\n%s\n", stack)
			code = 1
		}
	}
	os.Exit(code)
}
