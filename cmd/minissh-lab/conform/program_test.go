//go:build linux

package conform

import (
	"bytes"
	"testing"

	"minissh/cmd/minissh-lab/marked"
	"minissh/protocol/testend"
)

// A daemon that has put itself into a session of its own ends with its trial, too.
func TestNothingIsLeftOfAProgram(t *testing.T) {
	p, err := startProgram([]string{needsPython(t), "-c", `import os, time
if os.fork(): os._exit(0)
os.setsid()
print('there', flush=True)
time.sleep(600)`})
	if err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "it is in the background", func() bool {
		out, _ := p.output()
		return bytes.HasSuffix(out, []byte("there\n"))
	})
	p.end(0)
	if left := marked.Find(p.mark); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}
