package daemon

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

func init() {
	// resuming is a client that could come back. It says its key, and with the first line of its
	// input it logs in over TCP and runs a command, whose output it prints until it is killed.
	process.Helper("resuming", func(args []string) int {
		say := func(err error) int {
			fmt.Println(err)
			return 1
		}
		id, err := keys.Generate()
		if err != nil {
			return say(err)
		}
		fmt.Println(keys.Fingerprint(id.Public))
		bufio.NewReader(os.Stdin).ReadString('\n')
		envelope, err := keys.Certificate(id)
		if err != nil {
			return say(err)
		}
		raw, err := net.Dial("tcp", args[0])
		if err != nil {
			return say(err)
		}
		conn, err := clientOver(raw, envelope)
		if err != nil {
			return say(err)
		}
		s := mux.New(mux.Config{Role: mux.Client, Resend: 64 << 20})
		ch, err := s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes(args[1])})
		if err != nil {
			return say(err)
		}
		if _, err := s.Connect(conn, &protocol.Hello{User: user, Hold: 3600}); err != nil {
			return say(err)
		}
		io.Copy(os.Stdout, ch.Reader(protocol.TypeStdout))
		return 0
	})
}

// A client that is killed by SIGKILL while its link works does not come back: its command gets HUP
// within 11 seconds, and is dead within 17, also if it ignores HUP (RE4, EX7). The session was to
// be kept for an hour.
func TestKilledClient(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short")
	}
	l := newLab(t, func(o *Options) { o.StopGrace, o.killed = 5*time.Second, 0 })
	acct, err := process.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	hung := filepath.Join(l.home, "hung")
	client, err := process.StartSelf(acct, "resuming", l.address,
		"trap 'echo >"+hung+"' HUP; (trap '' HUP; exec sleep 1000) & echo $$ $!; "+
			"while :; do wait; done")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	said := bufio.NewReader(client.Stdout)
	line := func() string {
		text, err := said.ReadString('\n')
		if err != nil {
			t.Fatalf("%q, %v\n%s", text, err, l.log)
		}
		return strings.TrimSpace(text)
	}
	fingerprint := line()
	l.access.mu.Lock()
	l.access.grants[fingerprint] = &access.Grant{Where: "test:2"}
	l.access.mu.Unlock()
	io.WriteString(client.Stdin, "\n")
	var pids [2]int
	if _, err := fmt.Sscan(line(), &pids[0], &pids[1]); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	syscall.Kill(client.PID, syscall.SIGKILL)
	l.until("HUP", func() bool { _, err := os.Stat(hung); return err == nil })
	if d := time.Since(began); d < 9*time.Second || d > 11*time.Second {
		t.Errorf("HUP came after %v", d)
	}
	for _, pid := range pids {
		testend.Gone(t, pid)
	}
	if d := time.Since(began); d > 17*time.Second {
		t.Errorf("it was dead after %v", d)
	}
	l.log.want(t, "Command ended", "how=hung_up")
}
