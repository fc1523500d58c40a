package daemon

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"minissh/daemon/access"
	"minissh/protocol"
)

// The kernel takes the account for the owner of its connections, and lets it reach the Unix sockets
// that it may reach, and no others (FO5).
func TestAccountForward(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	s := l.as(acct, l.guest)
	defer s.Close(nil)
	owner := make(chan string, 1)
	to := listening(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		defer conn.Close()
		owner <- ownerOf(t, conn.RemoteAddr().(*net.TCPAddr).Port)
	})
	dir := t.TempDir()
	peer := make(chan uint32, 1)
	open := listening(t, "unix", filepath.Join(dir, "open"), func(conn net.Conn) {
		defer conn.Close()
		raw, _ := conn.(*net.UnixConn).SyscallConn()
		raw.Control(func(fd uintptr) {
			who, _ := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
			peer <- who.Uid
		})
	})
	shut := listening(t, "unix", filepath.Join(dir, "shut"), echo)
	for name, mode := range map[string]os.FileMode{"": 0o755, "../": 0o755, "open": 0o666,
		"shut": 0o600} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	group := newGroup(t, s)
	ask := func(to *protocol.Target, in uint32) *result {
		ch := connection(t, s, to, in)
		ch.EOF(protocol.TypeStdin)
		return collect(t, ch)
	}
	for _, in := range []uint32{0, group.ID()} {
		ask(to, in)
		if uid := <-owner; uid != fmt.Sprint(acct.UID) {
			t.Errorf("the connection belongs to %s, not to %d", uid, acct.UID)
		}
		ask(open, in)
		if uid := <-peer; uid != uint32(acct.UID) {
			t.Errorf("%d connects to the socket, not %d", uid, acct.UID)
		}
		r := ask(shut, in)
		if r.refused == nil || r.refused.Code != protocol.CodeConnectFailed ||
			!strings.Contains(r.refused.Message, "permission denied") {
			t.Errorf("root's own socket: %+v", r)
		}
	}
}

// ownerOf is the uid that /proc/net/tcp gives for a local port.
func ownerOf(t *testing.T, port int) string {
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 7 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) &&
			fields[3] != "06" { // TIME_WAIT, which is nobody's
			return fields[7]
		}
	}
	return "nobody"
}

// What is listened on for an account is the account's: the kernel names its owner, keeps the ports
// below 1024 for root, and lets it make Unix sockets only where it may (FO5, FO7).
func TestAccountListen(t *testing.T) {
	l := accountsLab(t, access.Policy{})
	acct := newAccount(t, l.guest.Public)
	s := l.as(acct, l.guest)
	defer s.Close(nil)
	if _, port := listener(t, s, &protocol.Target{Host: "localhost"}); ownerOf(t, port) !=
		fmt.Sprint(acct.UID) {
		t.Errorf("the port belongs to %s, not to %d", ownerOf(t, port), acct.UID)
	}
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"": 0o777, "../": 0o755} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "socket")
	listener(t, s, &protocol.Target{Path: protocol.Bytes(path)})
	var info unix.Stat_t
	if err := unix.Stat(path, &info); err != nil || info.Uid != uint32(acct.UID) ||
		info.Mode&0o777 != 0o600 {
		t.Errorf("the socket: %v, uid %d, mode %o", err, info.Uid, info.Mode)
	}
	refused := []*protocol.Target{{Path: protocol.Bytes("/root/socket")}}
	start, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err == nil && strings.TrimSpace(string(start)) == "1024" {
		refused = append(refused, &protocol.Target{Host: "localhost", Port: 1022})
	}
	for _, on := range refused {
		if r := refusedListener(t, s, on); r.Code != protocol.CodeListenFailed ||
			!strings.Contains(r.Message, "permission denied") {
			t.Errorf("%s: %+v", on, r)
		}
	}
}
