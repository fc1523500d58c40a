//go:build linux

package service_test

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"minissh/scripts/testhost"
)

// manager is the service manager's end of NOTIFY_SOCKET. It shows what minisshd sends; how systemd
// as PID 1 acts on it cannot be shown without being PID 1.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	kept map[string]*os.File // by FDNAME
}

func newManager(t *testing.T, address string) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{t, conn, map[string]*os.File{}}
}

// next is the next message, as assignments. What it is given to keep it keeps, and says nothing.
func (m *manager) next() map[string]string {
	m.t.Helper()
	for {
		message, kept := m.hear()
		switch {
		case message["FDSTORE"] == "1":
			m.kept[message["FDNAME"]] = kept
		case message["FDSTOREREMOVE"] == "1":
			if file := m.kept[message["FDNAME"]]; file != nil {
				file.Close()
			}
			delete(m.kept, message["FDNAME"])
		default:
			return message
		}
	}
}

// hear is the next message, with the file that came along; nil if none did.
func (m *manager) hear() (map[string]string, *os.File) {
	m.t.Helper()
	m.conn.SetReadDeadline(time.Now().Add(testhost.Patience))
	buf, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, rn, _, _, err := m.conn.ReadMsgUnix(buf, rights)
	if err != nil {
		m.t.Fatal(err)
	}
	var kept *os.File
	if parts, err := unix.ParseSocketControlMessage(rights[:rn]); err == nil && len(parts) == 1 {
		if fds, err := unix.ParseUnixRights(&parts[0]); err == nil && len(fds) == 1 {
			kept = os.NewFile(uintptr(fds[0]), "kept")
			m.t.Cleanup(func() { kept.Close() })
		}
	}
	message := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\n"), "\n") {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			m.t.Errorf("%q is not an assignment", line)
		}
		message[name] = value
	}
	return message, kept
}

// monotonic is CLOCK_MONOTONIC in microseconds, which systemd compares.
func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

func TestNotify(t *testing.T) {
	for _, kind := range []string{"path", "abstract"} {
		t.Run(kind, func(t *testing.T) {
			p := testhost.New(t)
			address := p.Path("notify")
			if kind == "abstract" {
				address = fmt.Sprintf("@minisshd-test-%d", os.Getpid())
			}
			m := newManager(t, address)
			cmd := p.Command("minisshd", "--control", "none", "--listen", "127.0.0.1:0",
				"--host-key", p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
			cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+address)
			d := p.Start(cmd)
			ready := m.next()
			if ready["READY"] != "1" ||
				!strings.HasPrefix(ready["STATUS"], "Listening on 127.0.0.1:") {
				t.Errorf("first it tells %q", ready)
			}
			before := monotonic(t)
			cmd.Process.Signal(syscall.SIGHUP)
			reloading := m.next()
			if usec, err := strconv.ParseInt(reloading["MONOTONIC_USEC"], 10,
				64); reloading["RELOADING"] != "1" || err != nil || usec < before ||
				usec > monotonic(t) {
				t.Errorf("at SIGHUP it tells %q; the clock was %d before", reloading, before)
			}
			if again := m.next(); again["READY"] != "1" || again["STATUS"] != ready["STATUS"] {
				t.Errorf("after reloading it tells %q", again)
			}
			cmd.Process.Signal(syscall.SIGTERM)
			if stopping := m.next(); stopping["STOPPING"] != "1" {
				t.Errorf("at SIGTERM it tells %q", stopping)
			}
			<-d.Done
			if code := cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit code %d: %s", code, d.Log)
			}
		})
	}
}

// A daemon that cannot start never says that it is ready.
func TestNotifyNotReady(t *testing.T) {
	p := testhost.New(t)
	m := newManager(t, p.Path("notify"))
	p.Write("authorized_keys", "")
	cmd := p.Command("minisshd", "--control", "none", "--listen", "0.0.0.0:0", "--host-key",
		p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+p.Path("notify"))
	if r := p.RunCmd(cmd); r.Code != 1 {
		t.Errorf("%+v", r)
	}
	m.conn.SetReadDeadline(time.Unix(1, 0))
	if n, err := m.conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("it told something, of %d bytes", n)
	}
}

func TestWatchdog(t *testing.T) {
	p := testhost.New(t)
	m := newManager(t, p.Path("notify"))
	cmd := p.Command("minisshd", "--control", "none", "--listen", "127.0.0.1:0", "--host-key",
		p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+p.Path("notify"), "WATCHDOG_USEC=20000")
	p.Start(cmd)
	for signs := 0; signs < 3; {
		if m.next()["WATCHDOG"] == "1" {
			signs++
		}
	}
}

// A NOTIFY_SOCKET that is not an address, or that nobody holds, is an error: systemd would wait for
// READY in vain.
func TestNotifyNobody(t *testing.T) {
	p := testhost.New(t)
	for _, address := range []string{"relative", p.Path("nobody"), "vsock:2:1"} {
		cmd := p.Command("minisshd", "--control", "none", "--listen", "127.0.0.1:0", "--host-key",
			p.Path("host_key"))
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+address)
		if r := p.RunCmd(cmd); r.Code != 1 || !strings.Contains(r.Err, "NOTIFY_SOCKET") {
			t.Errorf("%s: %+v", address, r)
		}
	}
}

// The journal may go away and come back (systemctl restart systemd-journald): writing to nobody
// kills a program by SIGPIPE, but not minisshd. Its commands have SIGPIPE as usual, also where the
// manager has it ignored (systemd's IgnoreSIGPIPE=).
func TestJournalGone(t *testing.T) {
	p := testhost.New(t)
	l := listen(t, "tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p.Knows("box", port)
	m := newManager(t, p.Path("notify"))
	read, write, err := os.Pipe()
	p.Must(err)
	defer write.Close()
	cmd := p.Command("sh", "-c", `trap "" PIPE INT; LISTEN_PID=$$ exec minisshd "$@"`, "sh",
		"--control", "none", "--host-key", p.Path("host_key"), "--authorized-keys",
		p.Path("authorized_keys"))
	cmd.Env = append(cmd.Env, "LISTEN_FDS=1", "NOTIFY_SOCKET="+p.Path("notify"))
	cmd.ExtraFiles = []*os.File{file(t, l.(*net.TCPListener))}
	read.Close()
	d := p.StartWith(cmd, write, write)
	m.next()
	for range 3 {
		if r := p.Run("minissh", "box",
			"echo still; sh -c 'kill -PIPE $$'; exit $?"); r.Out != "still\n" ||
			r.Code != 128+int(syscall.SIGPIPE) {
			t.Errorf("%+v", r)
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	<-d.Done
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

// In a journal each line of the log has its level, and no time of its own; a JOURNAL_STREAM that is
// somebody else's does not count.
func TestJournalLevels(t *testing.T) {
	for _, own := range []bool{true, false} {
		p := testhost.New(t)
		p.Write("authorized_keys", "a-line-that-is-not-used\n"+p.Read("authorized_keys"))
		read, write, err := os.Pipe()
		p.Must(err)
		defer read.Close()
		var st unix.Stat_t
		p.Must(unix.Fstat(int(write.Fd()), &st))
		inode := st.Ino
		if !own {
			inode++
		}
		cmd := p.Command("minisshd", "--control", "none", "--listen", "0.0.0.0:0", "--host-key",
			p.Path("host_key"), "--authorized-keys", p.Path("authorized_keys"))
		cmd.Env = append(cmd.Env, "JOURNAL_STREAM="+strconv.FormatUint(uint64(st.Dev), 10)+":"+
			strconv.FormatUint(inode, 10))
		d := p.StartWith(cmd, new(testhost.Text), write)
		write.Close()
		log := new(testhost.Text)
		go log.ReadFrom(read)
		log.Await(t, "A line of authorized_keys is not used")
		cmd.Process.Signal(syscall.SIGTERM)
		log.Await(t, "Stopped")
		<-d.Done
		for line := range strings.Lines(log.String()) {
			level := strings.HasPrefix(line, "<4>level=WARN msg=") ||
				strings.HasPrefix(line, "<6>level=INFO msg=")
			plain := strings.HasPrefix(line, "time=")
			if level != own || plain == own {
				t.Errorf("JOURNAL_STREAM is ours %v: %s", own, line)
			}
		}
	}
}
