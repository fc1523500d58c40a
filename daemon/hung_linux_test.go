package daemon

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// hung is a folder in whose file system nothing ever answers: a FUSE server takes each request, and
// keeps it. Whoever asks there cannot even be killed, until free lets go.
type hung struct {
	dir   string
	asked chan struct{} // closed when somebody waits there
	free  func()
}

func newHung(t *testing.T) *hung {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not run: needs root")
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("not run: needs FUSE")
	}
	h := &hung{dir: filepath.Join(t.TempDir(), "hung"), asked: make(chan struct{})}
	if err := os.Mkdir(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("hung", h.dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV,
		fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd)); err != nil {
		unix.Close(fd)
		t.Skip("not run: needs FUSE")
	}
	unix.SetNonblock(fd, true)
	server := os.NewFile(uintptr(fd), "fuse")
	var serving sync.WaitGroup
	serving.Go(func() { h.serve(server) })
	h.free = sync.OnceFunc(func() {
		unix.Unmount(h.dir, unix.MNT_DETACH)
		server.Close()
		serving.Wait()
	})
	t.Cleanup(h.free)
	return h
}

// serve answers FUSE_INIT, as fuse.h of Linux has it, and nothing else.
func (h *hung) serve(server *os.File) {
	const initOp, forgetOp = 26, 2
	told := sync.OnceFunc(func() { close(h.asked) })
	request := make([]byte, 1<<17)
	for {
		n, err := server.Read(request)
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ENOENT) {
			continue
		}
		if err != nil {
			return
		}
		if n < 16 || binary.NativeEndian.Uint32(request[4:]) != initOp {
			if binary.NativeEndian.Uint32(request[4:]) != forgetOp {
				told()
			}
			continue
		}
		answer := make([]byte, 16+64)
		binary.NativeEndian.PutUint32(answer, uint32(len(answer)))
		copy(answer[8:16], request[8:16])
		binary.NativeEndian.PutUint32(answer[16:], 7)
		binary.NativeEndian.PutUint32(answer[20:], 31)
		binary.NativeEndian.PutUint32(answer[36:], 1<<16) // max_write
		server.Write(answer)
	}
}

// offspring lists the living processes that this one has started.
func offspring(t *testing.T) (pids []int) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var pid, parent int
		var state string
		front, rest, _ := bytes.Cut(text, []byte(" ("))
		fmt.Sscan(string(front), &pid)
		fmt.Sscan(string(rest[bytes.LastIndexByte(rest, ')')+1:]), &state, &parent)
		if parent == os.Getpid() && state != "Z" && state != "X" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// allStopped says whether the kernel has stopped every thread of a process.
func allStopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if _, after, found := bytes.Cut(stat, []byte(") ")); err != nil || !found ||
			after[0] != 'T' {
			return false
		}
	}
	return len(threads) > 0
}

// stuck is a lab with a transfer, or a command, that never ends by itself.
type stuck struct {
	*lab
	s  *mux.Session
	ch *mux.Channel
}

// ways are the ways in which such a thing may end.
var ways = map[string]func(*stuck){
	"the client takes it back": func(k *stuck) {
		k.ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
		in := k.ch.Reader(protocol.TypeStdout)
		in.Rest()
		if begun := in.Exit != nil; in.Reason == nil ||
			begun && in.Exit.How != protocol.HowCancelled ||
			!begun && in.Reason.Code != protocol.CodeCancelled {
			k.t.Errorf("taken back: EXIT %+v, CLOSE %+v", in.Exit, in.Reason)
		}
		k.s.Close(nil)
	},
	"the client goes": func(k *stuck) { k.s.Close(nil) },
	"the administrator ends it": func(k *stuck) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		path := filepath.Join(k.t.TempDir(), "control")
		err := k.desk.Listen(path)
		var info control.EndInfo
		if err == nil {
			err = control.Ask(ctx, []string{path}, "end", control.EndArgs{ID: 1}, nil, &info)
		}
		if err != nil || !info.Stopped {
			k.t.Errorf("end: %+v, %v", info, err)
		}
		k.s.Close(nil)
	},
	"the daemon is stopped": func(k *stuck) { k.stop(); k.s.Close(nil) },
}

func newStuck(t *testing.T, open *protocol.Open) *stuck {
	t.Helper()
	l := newLab(t, func(o *Options) {
		o.HelperGrace, o.HelperStart, o.ShutdownGrace = 20*time.Millisecond, time.Hour,
			20*time.Millisecond
	})
	k := &stuck{lab: l}
	k.s = l.session(nil)
	var err error
	if k.ch, err = k.s.Open(open); err != nil {
		t.Fatal(err)
	}
	return k
}

func filesOpen(mode, where string) *protocol.Open {
	open := &protocol.Open{Service: "files", Files: &protocol.Files{Mode: mode, Recurse: true}}
	if mode == protocol.FilesPut {
		open.Files.Target = protocol.Bytes(where)
	} else {
		open.Files.Sources = bytesOf(where)
	}
	return open
}

// A user has stopped a helper, and it answers nobody: the session ends all the same, whoever ends
// it, and no process, goroutine or descriptor is left (RULES D7).
func TestStoppedHelper(t *testing.T) {
	for name, end := range ways {
		for _, mode := range []string{protocol.FilesGet, protocol.FilesPut} {
			t.Run(mode+", "+name, func(t *testing.T) {
				dir := t.TempDir()
				put(t, dir+"/large", strings.Repeat("x", 8<<20))
				before := holding()
				k := newStuck(t, filesOpen(mode, dir))
				e := <-k.ch.Requests()
				opened, ok := e.Message.(*protocol.Opened)
				if !ok || opened.PID == os.Getpid() {
					t.Fatalf("%+v: no helper of its own", e.Message)
				}
				if err := syscall.Kill(opened.PID, syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				k.until("every thread of the helper is stopped",
					func() bool { return allStopped(opened.PID) })
				if mode == protocol.FilesPut { // until nothing more goes in
					go k.ch.Write(protocol.TypeStdin, make([]byte, 32<<20))
				}
				end(k)
				k.until("no session is left", func() bool { return len(k.desk.Who()) == 0 })
				k.stop()
				settle(t, before)
				testend.Gone(t, opened.PID)
				k.log.want(t, "Helper killed", "pid="+fmt.Sprint(opened.PID))
			})
		}
	}
}

// A path hangs in the kernel, so that whoever uses it cannot be killed: the session ends all the
// same, and the log says what is left.
func TestHungPath(t *testing.T) {
	before := holding()
	t.Run("all", testHungPath)
	settle(t, before)
	if left := offspring(t); len(left) > 0 { // now that it has answered at last
		t.Errorf("left: %v", left)
	}
}

func testHungPath(t *testing.T) {
	for name, end := range ways {
		for what, open := range map[string]func(dir string) *protocol.Open{
			"get": func(dir string) *protocol.Open {
				return filesOpen(protocol.FilesGet, dir+"/*/x")
			},
			"put": func(dir string) *protocol.Open {
				return filesOpen(protocol.FilesPut, dir+"/x")
			},
			"command": func(dir string) *protocol.Open {
				return &protocol.Open{
					Service: "exec", Command: protocol.Bytes("exec cat " + dir + "/x")}
			},
			"directory": func(dir string) *protocol.Open {
				return &protocol.Open{Service: "exec", Command: protocol.Bytes("pwd"),
					Dir: protocol.Bytes(dir)}
			},
		} {
			if what == "directory" && name == "the daemon is stopped" { // the command has not begun
				continue
			}
			if what == "put" && name != "the client goes" { // one way of each sort is enough for it
				continue
			}
			t.Run(what+", "+name, func(t *testing.T) {
				t.Parallel()
				h := newHung(t)
				k := newStuck(t, open(h.dir))
				within(t, "somebody asks", h.asked)
				end(k)
				k.until("no session is left", func() bool { return len(k.desk.Who()) == 0 })
				k.stop()
				if what == "directory" {
					k.log.want(t, "Request refused", "cancelled")
				} else if what != "command" {
					k.log.want(t, "Helper cannot be stopped")
				} else if name != "the daemon is stopped" {
					k.log.want(t, "Command ended", "how=", "left=")
				}
				h.free()
			})
		}
	}
}

// A helper that does not answer in time is given up, and the client is told (RULES D7).
func TestLateHelper(t *testing.T) {
	before := holding()
	h := newHung(t)
	l := newLab(t, func(o *Options) { o.HelperStart = 20 * time.Millisecond })
	s := l.session(nil)
	ch, err := s.Open(filesOpen(protocol.FilesGet, h.dir+"/x"))
	if err != nil {
		t.Fatal(err)
	}
	in := ch.Reader(protocol.TypeStdout)
	if err := in.Rest(); err != nil || in.Reason == nil ||
		in.Reason.Code != protocol.CodeStartFailed ||
		!strings.Contains(in.Reason.Message, "may hang") {
		t.Errorf("%v, %+v", err, in.Reason)
	}
	s.Close(nil)
	h.free()
	l.stop()
	settle(t, before)
}

// A helper's times by default: 30 seconds for its first answer, 5 to end when its channel is gone
// (FI10).
func TestHelperTimes(t *testing.T) {
	var o Options
	o.defaults()
	if o.HelperStart != 30*time.Second || o.HelperGrace != 5*time.Second {
		t.Errorf("%v, %v", o.HelperStart, o.HelperGrace)
	}
}
