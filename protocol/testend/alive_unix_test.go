//go:build unix

package testend

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// A process lives until it has ended, on Linux also when nobody has waited for it.
func TestAlive(t *testing.T) {
	if !Alive(os.Getpid()) {
		t.Error("this process is not alive")
	}
	child := exec.Command("sh", "-c", "read line")
	end, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if !Alive(child.Process.Pid) {
		t.Error("a process that waits is not alive")
	}
	end.Close()
	if runtime.GOOS == "linux" {
		Gone(t, child.Process.Pid) // a zombie
	}
	child.Wait()
	Gone(t, child.Process.Pid)
}
