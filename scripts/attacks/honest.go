//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// patience bounds one operation of an honest user: what takes longer has failed.
const patience = 20 * time.Second

// samples are what was measured, in milliseconds.
type samples struct{ keys, logins, streams []float64 }

func (s *samples) add(more samples) {
	s.keys, s.logins, s.streams = append(s.keys, more.keys...), append(s.logins, more.logins...),
		append(s.streams, more.streams...)
}

// honest is a user at work on a host.
type honest struct {
	*person
	h      *host
	screen *typist // a session that stays
}

// client prepares a client's process with what the user would type after `minissh`.
func (u *honest) client(ctx context.Context, args ...string) *exec.Cmd {
	target := []string{"-o", "BatchMode=yes", "-p", strconv.Itoa(hostPort),
		u.name + "@" + hostAddress}
	if u.h.c.socket {
		target = []string{"-o", "BatchMode=yes", u.name + "@unix:" + hostSocket}
	}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		target, args = slices.Insert(target, 0, args[0]), args[1:]
	}
	cmd := exec.CommandContext(ctx, binDir+"/minissh", append(target, args...)...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = environment(u.home, u.name), "/", u.become()
	cmd.WaitDelay = time.Second
	return cmd
}

// run times one client; the error has what it said.
func (u *honest) run(ctx context.Context, out io.Writer, command string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := u.client(ctx, command)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start).Seconds() * 1000
	if ctx.Err() != nil {
		return took, fmt.Errorf("%s: `%s` was not done after %v", u.name, command, patience)
	}
	if err != nil {
		return took, fmt.Errorf("%s: `%s`: %w: %s", u.name, command, err, clip(said.String()))
	}
	return took, nil
}

// login is a cold `true`.
func (u *honest) login(ctx context.Context) (float64, error) { return u.run(ctx, nil, "true") }

// stream takes so many MiB from the host.
func (u *honest) stream(ctx context.Context, mib int) (float64, error) {
	var got counter
	took, err := u.run(ctx, &got, fmt.Sprintf("head -c %dM /dev/zero", mib))
	if err == nil && int64(got) != int64(mib)<<20 {
		err = fmt.Errorf("%s: %d bytes came of %d MiB", u.name, got, mib)
	}
	return took, err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// typist is a client on a terminal of its own, with `cat` at the other end.
type typist struct {
	u      *honest
	cmd    *exec.Cmd
	screen *os.File
	cancel func()
}

// mirror shows each byte that is typed: it is what an editor does, and not the kernel's own echo.
const mirror = "stty raw -echo; echo ready; exec cat"

// keyPause lies between two keystrokes, so that every process is asleep again.
const keyPause = 3 * time.Millisecond

// sitDown starts the session that keys are typed into.
func (u *honest) sitDown(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	t := &typist{u: u, cmd: u.client(ctx, "-t", mirror), cancel: cancel}
	var err error
	attributes := u.become()
	attributes.Setctty = true
	if t.screen, err = pty.StartWithAttrs(t.cmd, &pty.Winsize{Rows: 24, Cols: 80},
		attributes); err != nil {
		cancel()
		return err
	}
	u.screen = t
	var seen bytes.Buffer
	for !bytes.Contains(seen.Bytes(), []byte("ready\r\n")) &&
		!bytes.Contains(seen.Bytes(), []byte("ready\n")) {
		piece, err := t.read()
		if seen.Write(piece); err != nil {
			u.getUp()
			return fmt.Errorf("%s: a terminal: %w; it shows %s", u.name, err, clip(seen.String()))
		}
	}
	return nil
}

func (t *typist) read() ([]byte, error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}},
		int(patience.Milliseconds()))
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(t.screen.Fd()), Events: unix.POLLIN}},
			int(patience.Milliseconds()))
	}
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("nothing came back within %v", patience)
	}
	var buf [4096]byte
	n, err = unix.Read(int(t.screen.Fd()), buf[:])
	return buf[:max(n, 0)], err
}

// key types one key and returns the time until it is shown.
func (u *honest) key(ctx context.Context) (float64, error) {
	if u.screen == nil {
		return 0, fmt.Errorf("%s: no terminal", u.name)
	}
	select {
	case <-time.After(keyPause):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	start := time.Now()
	_, err := unix.Write(int(u.screen.screen.Fd()), []byte{'x'})
	var shown []byte
	if err == nil {
		shown, err = u.screen.read()
	}
	took := time.Since(start).Seconds() * 1000
	if err == nil && string(shown) != "x" {
		err = fmt.Errorf("x became %s", clip(string(shown)))
	}
	if err != nil {
		u.getUp()
		return took, fmt.Errorf("%s: a key: %w", u.name, err)
	}
	return took, nil
}

func (u *honest) getUp() {
	if u.screen != nil {
		u.screen.screen.Close()
		u.screen.cancel()
		u.screen.cmd.Wait()
		u.screen = nil
	}
}

// who is root's question; the answer has to come whatever is running.
func (h *host) who(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binDir+"/minisshd", "who", "--control", hostControl)
	cmd.Env, cmd.WaitDelay = environment("/root", "root"), time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("root: `minisshd who`: %w: %s", errors.Join(err, ctx.Err()),
			clip(said.String()))
	}
	return nil
}

// clip makes text of others fit for a line.
func clip(text string) string {
	return fmt.Sprintf("%.300q", strings.TrimSpace(text))
}
