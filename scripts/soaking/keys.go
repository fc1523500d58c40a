//go:build linux

package main

import (
	"bytes"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/creack/pty"
)

// typist types keys, and waits for their echo as it pleases: a key at a time, or many.
type typist struct {
	keys []byte
	got  []byte

	mu      sync.Mutex // guards got, ended
	changed *sync.Cond
	ended   bool
}

// newTypist has random keys, the last of which ends the command.
func newTypist(j *job) *typist {
	t := &typist{keys: make([]byte, 20+j.random.IntN(300))}
	t.changed = sync.NewCond(&t.mu)
	letters := stream(j.seed, streamKeys)
	letters.Read(t.keys)
	for i, c := range t.keys {
		t.keys[i] = 'a' + c%26
	}
	t.keys = append(t.keys, lastKey)
	return t
}

// Write takes what comes back.
func (t *typist) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = append(t.got, p...)
	t.changed.Broadcast()
	return len(p), nil
}

func (t *typist) end() {
	t.mu.Lock()
	t.ended = true
	t.changed.Broadcast()
	t.mu.Unlock()
}

// echoed waits until so many bytes have come back; false if no more will.
func (t *typist) echoed(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.got) < n && !t.ended {
		t.changed.Wait()
	}
	return len(t.got) >= n
}

// typeAll types, from the moment when the other side is ready.
func (t *typist) typeAll(j *job, to io.Writer) {
	if !t.echoed(len(keysSay)) {
		return
	}
	for at := 0; at < len(t.keys); {
		n := 1
		if j.random.IntN(5) == 0 {
			n = min(1+j.random.IntN(30), len(t.keys)-at)
		}
		if _, err := to.Write(t.keys[at : at+n]); err != nil {
			return
		}
		at += n
		if j.random.IntN(10) > 0 && !t.echoed(len(keysSay)+at) {
			return
		}
		time.Sleep(time.Duration(j.random.Int64N(int64(100 * time.Millisecond))))
	}
}

// judge compares what came back with what was typed.
func (t *typist) judge(j *job) {
	want := append([]byte(keysSay), t.keys...)
	if !bytes.Equal(t.got, want) {
		j.fault("typed were %q, and %q came back", want, t.got)
	}
}

// piped types keys through pipes: what comes back is what was typed.
func piped(j *job) {
	t := newTypist(j)
	cmd := j.client(j.level, "-tt", j.config(), "--exec", "box", j.program, otherSide, "keys",
		j.path("starts"))
	in, err := cmd.StdinPipe()
	if err != nil {
		j.fault("%v", err)
		return
	}
	cmd.Stdout = t
	t.run(j, cmd, in, in.Close)
}

// run types while the client runs, and judges. drained is called when the client has ended, and
// returns when all that it said has come.
func (t *typist) run(j *job, cmd *exec.Cmd, in io.Writer, drained func() error) {
	var typing sync.WaitGroup
	typing.Go(func() { t.typeAll(j, in) })
	through := j.finish(cmd, keysCode)
	drained()
	t.end()
	typing.Wait()
	if through {
		t.judge(j)
	}
	j.once("starts", endedKeys)
}

// screen types on a terminal, which the client puts in raw mode.
func screen(j *job) {
	t := newTypist(j)
	master, slave, err := pty.Open()
	if err != nil {
		j.fault("%v", err)
		return
	}
	defer master.Close()
	cmd := j.client(j.level, "-tt", j.config(), "--exec", "box", j.program, otherSide, "keys",
		j.path("starts"))
	cmd.Stdin, cmd.Stdout = slave, slave
	cmd.SysProcAttr.Setctty = true
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(t, master) }) // up to the close of the last that has the slave
	t.run(j, cmd, master, func() error {
		slave.Close()
		reading.Wait()
		return nil
	})
}
