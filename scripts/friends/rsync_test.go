//go:build linux

package friends_test

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/protocol/testend"
	"minissh/scripts/testhost"
)

func TestRsync(t *testing.T) {
	testhost.Need(t, "rsync")
	p := place(t, 30<<20)
	d := p.Daemon() // a second one: its port comes by -p
	rsync := func(code int, args ...string) testhost.Ran {
		t.Helper()
		r := p.Run("rsync", args...)
		// rsync asks without waiting how its ssh ended: if that takes a moment longer than the end
		// of the stream, it gives its own code, 12.
		if r.Code != code && (code < 127 || r.Code != 12) {
			t.Errorf("rsync %q: %d instead of %d: %s", args, r.Code, code, r.Err)
		}
		return r
	}
	rsync(0, "-a", "-e", "minissh", "src/", "box:"+p.Path("there")+"/")
	p.Same("src", "there")
	rsync(0, "-a", "-e", "minissh -p "+d.Port, "127.0.0.1:"+p.Path("there")+"/", "back/")
	p.Same("src", "back")
	user := strings.TrimSpace(p.Run("id", "-un").Out)
	rsync(0, "-a", "-e", "minissh -l "+user+" -p "+d.Port, "127.0.0.1:"+p.Path("there/a"),
		":"+p.Path("there/sub dir"), "few/")
	// two files of one host
	rsync(0, "-a", "-e", "minissh", user+"@box:"+p.Path("there/a"), ":"+p.Path("there/empty"),
		"few/")
	if p.Read("few/a") != "a\n" || p.Read("few/sub dir/b'c") != "b\n" {
		t.Error("the files that were named are not there")
	}

	// A dry run says what it would do and does nothing; --delete does it.
	p.Must(os.Remove(p.Path("src/empty")))
	if r := rsync(0, "-an", "--delete", "-i", "-e", "minissh", "src/",
		"box:"+p.Path("there")+"/"); !strings.Contains(r.Out, "*deleting   empty") {
		t.Errorf("a dry run says %s", r.Out)
	}
	p.Same("there", "back")
	rsync(0, "-a", "--delete", "-e", "minissh", "src/", "box:"+p.Path("there")+"/")
	p.Same("src", "there")

	// rsync's own codes, and ours, come through.
	rsync(23, "-a", "-e", "minissh", "box:"+p.Path("nothing")+"/", "none/")
	rsync(255, "-a", "-e", "minissh -p 1", "127.0.0.1:"+p.Path("there")+"/", "none/")
	rsync(255, "-a", "-e", "minissh", "nobody-there@box:"+p.Path("there")+"/", "none/")
	rsync(127, "-a", "-e", "minissh", "--rsync-path=no-such-program", "box:"+p.Path("there")+"/",
		"none/")
}

// When rsync is killed in the middle, or minissh under it, nothing of it stays on the other side.
// Each side's shell leaves its id in a file.
func TestRsyncKilled(t *testing.T) {
	testhost.Need(t, "rsync")
	for _, victim := range []string{"rsync", "minissh"} {
		t.Run(victim, func(t *testing.T) {
			t.Parallel()
			p := place(t, 4<<20)
			p.Write("rsh", "#!/bin/sh\necho $$ >"+p.Path("minissh.pid")+"\nexec minissh \"$@\"\n")
			p.Must(os.Chmod(p.Path("rsh"), 0o700))
			cmd := p.Command("rsync", "-a", "--bwlimit=100", "-e", p.Path("rsh"),
				"--rsync-path=echo $$ >"+p.Path("there.pid")+"; exec rsync", "src/",
				"box:"+p.Path("there")+"/")
			var said bytes.Buffer
			cmd.Stderr = &said
			p.Must(cmd.Start())
			id(t, p, "there.pid")
			if victim == "rsync" {
				cmd.Process.Kill()
			} else {
				signalTo(t, p, "minissh.pid", syscall.SIGKILL)
			}
			cmd.Wait()
			if victim == "minissh" && cmd.ProcessState.ExitCode() <= 0 {
				t.Errorf("rsync ended with %v: %s", cmd.ProcessState, said.String())
			}
			gone(t, p, "there.pid")
			gone(t, p, "minissh.pid")
		})
	}
}

// rsync gives its ssh one socket as standard input and output, shared and not blocking. Here a
// reader that waits until the socket is full shows that nothing is lost.
func TestNonBlockingOutput(t *testing.T) {
	for _, when := range []string{"from the start", "later"} {
		t.Run(when, func(t *testing.T) { nonBlockingOutput(t, when == "later") })
	}
}

func nonBlockingOutput(t *testing.T, later bool) {
	p := testhost.New(t)
	p.Daemon()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	p.Must(err)
	if !later {
		p.Must(syscall.SetNonblock(fds[1], true))
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	const size = 8 << 20
	extra := 0 // read before
	if later {
		extra = 1
	}
	cmd := p.Command("minissh", "box", "head -c "+strconv.Itoa(size+extra)+
		" /dev/zero; cat; echo end >&2; exit 5")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	p.Must(cmd.Start())
	if later { // what Go took for blocking at its start
		readFull(ours, make([]byte, 1))
		p.Must(syscall.SetNonblock(fds[1], true))
	}
	theirs.Close()
	testend.Until(t, "the socket is full", func() bool {
		full, err := unix.IoctlGetInt(fds[0], unix.TIOCINQ)
		p.Must(err)
		return full >= 100<<10
	})
	got := make([]byte, size)
	if n, err := readFull(ours, got); err != nil || !bytes.Equal(got, make([]byte, size)) {
		t.Fatalf("%d bytes came, %v", n, err)
	}
	ours.Write([]byte("echo"))
	p.Must(syscall.Shutdown(fds[0], syscall.SHUT_WR))
	rest := make([]byte, 100)
	n, _ := readFull(ours, rest)
	// two streams there: which is read first is open
	if got := string(rest[:n]); got != "echoend\n" && got != "end\necho" {
		t.Errorf("after it came %q", rest[:n])
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("%v", cmd.ProcessState)
	}
}

func readFull(f *os.File, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var got int
		got, err = f.Read(p[n:])
		n += got
	}
	return n, err
}
