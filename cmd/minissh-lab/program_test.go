package main

import (
	"bytes"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"minissh/cmd/minissh-lab/marked"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/testend"
)

// kept is what was written, for two goroutines.
type kept struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.Write(b)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String()
}

// A server that has put itself into a session of its own ends with its recording, too.
func TestNothingIsLeftOfOwnProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: needs the /proc of Linux")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("not run: needs python3")
	}
	out := new(kept)
	o, err := startOwn(speak.New(out, speak.English), "server", []string{python, "-c",
		`import os, time
if os.fork(): os._exit(0)
os.setsid()
print('there', flush=True)
time.sleep(600)`})
	if err != nil {
		t.Fatal(err)
	}
	testend.Until(t, "it is in the background",
		func() bool { return out.String() == "server | there\n" })
	o.end()
	if left := marked.Find(o.mark); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}
