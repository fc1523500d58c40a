//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// mirror shows each byte that is typed: it is what an editor does, and not the kernel's own echo.
const mirror = "stty raw -echo; echo ready; exec cat"

// keyPause lies between two keystrokes, so that every process of every peer is asleep again, as
// between the keys of a person.
const keyPause = 3 * time.Millisecond

// keyWait bounds the wait for one echo.
const keyWait = 10 * time.Second

// typist is a client on a terminal of its own.
type typist struct {
	cmd    *exec.Cmd
	screen *os.File    // the terminal's master
	server *os.Process // one that ends with the client; nil: the lab's
	err    error       // why it cannot type
}

// runEcho times a keystroke from the terminal that it is typed on, through client, daemon, pty and
// program, and back to that terminal. All peers' sessions are open at once and take turns, a
// keystroke each.
func runEcho(ctx context.Context, l *lab) result {
	r := result{Unit: "µs"}
	var cs []contender
	var typists []*typist
	defer func() {
		for _, t := range typists {
			t.getUp()
		}
	}()
	add := func(name string, ours bool, argv []string) {
		t := l.sitDown(here, l.client(ctx, argv))
		typists = append(typists, t)
		cs = append(cs,
			contender{name, ours, func(context.Context) (float64, error) { return t.key() }})
	}
	for _, p := range l.peers {
		add(p.id, p.ours(), p.argv(p.address, mirror, "-t"))
	}
	if p := l.find("minissh"); p != nil {
		add(resumeOff, false, p.argv(p.address, mirror, append([]string{"-t"}, notResuming...)...))
	}
	add("floor: a bare pty", false, []string{"sh", "-c", mirror})
	r.Series = interleave(ctx, l.rounds("echo"), true, cs)
	for _, s := range r.Series {
		if s.measured() {
			s.Note = fmt.Sprintf("19 of 20 within %.0f",
				slices.Sorted(slices.Values(s.Samples))[len(s.Samples)*19/20])
		}
	}
	r.against("openssh", 1.05, true)
	r.againstItself()
	return r
}

// sitDown starts a client somewhere, on a terminal, and waits until the other end is ready.
func (l *lab) sitDown(at place, client *exec.Cmd) *typist {
	return l.sitDownFor(at, client, "ready")
}

// sitDownFor is sitDown until the terminal shows a text.
func (l *lab) sitDownFor(at place, client *exec.Cmd, ready string) *typist {
	t := &typist{cmd: client}
	t.cmd.Env = append(t.cmd.Environ(), "TERM=xterm")
	if t.err = at.do(func() (err error) {
		t.screen, err = pty.StartWithSize(t.cmd, &pty.Winsize{Rows: 24, Cols: 80})
		return err
	}); t.err != nil {
		return t
	}
	var seen bytes.Buffer
	for t.err == nil && !bytes.Contains(seen.Bytes(), []byte(ready)) {
		var piece []byte
		piece, t.err = t.read()
		seen.Write(piece)
	}
	if t.err != nil {
		t.err = fmt.Errorf("%w; the terminal shows %.300q", t.err, seen.String())
	}
	// The rest of the line may come in a piece of its own.
	for quiet := time.Now().Add(300 * time.Millisecond); t.err == nil && time.Now().Before(quiet); {
		if n, _ := unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}},
			50); n > 0 {
			_, t.err = t.read()
		}
	}
	return t
}

func (t *typist) read() ([]byte, error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}},
		int(keyWait.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}},
			int(keyWait.Milliseconds()))
	}
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errors.New("nothing came back")
	}
	var buf [4096]byte
	n, err = unix.Read(int(t.screen.Fd()), buf[:])
	return buf[:max(n, 0)], err
}

// key types one key and returns the microseconds until it is shown.
func (t *typist) key() (float64, error) {
	if t.err != nil {
		return 0, t.err
	}
	time.Sleep(keyPause)
	start := time.Now()
	if _, err := unix.Write(int(t.screen.Fd()), []byte{'x'}); err != nil {
		return 0, err
	}
	shown, err := t.read()
	elapsed := time.Since(start)
	if err == nil && string(shown) != "x" {
		err = fmt.Errorf("x became %.40q", shown)
	}
	return elapsed.Seconds() * 1e6, err
}

func (t *typist) getUp() {
	if t.screen != nil {
		t.screen.Close()
		endProcess(t.cmd)
	}
	if t.server != nil {
		_ = t.server.Kill() // if it has not ended yet
	}
}
