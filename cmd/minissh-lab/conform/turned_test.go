//go:build linux

package conform

import (
	"context"
	"net"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"minissh/protocol"
)

// turned is a daemon with one thing wrong: ours, and between it and the kit somebody who changes
// frames of one type.
type turned struct {
	rule, name string
	from       string // whose frames: client or daemon
	kind       protocol.Type
	old, new   string        // a pattern of the payload, and what takes its place
	as         protocol.Type // what the frame becomes; 0: it stays
	drops      bool
}

var turnedDaemons = []turned{
	{rule: "LI1", name: "does not name the shell", from: "daemon", kind: protocol.TypeOpened,
		old: `,"shell":"[a-z]+"`},
	{rule: "LI1", name: "takes a line for a shell", from: "client", kind: protocol.TypeOpen,
		old: `"service":"lines","(command|length|complete)":`, new: `"service":"lines","x":`},
	{rule: "LI2", name: "lives on after EOF", from: "client", kind: protocol.TypeEOF, drops: true},
	{rule: "LI3", name: "gives another reason", from: "daemon", kind: protocol.TypeClose,
		old: `busy`, new: `internal`},
	{rule: "LI3", name: "takes two fields for one", from: "client", kind: protocol.TypeOpen,
		old: `,"length":3`},
	{rule: "LI4", name: "mixes both outputs", from: "daemon", kind: protocol.TypeStderr,
		as: protocol.TypeStdout},
	{rule: "LI5", name: "does not say where it is", from: "daemon", kind: protocol.TypeExit,
		old: `,"dir":"[^"]*"`},
	{rule: "LI5", name: "loses signals", from: "client", kind: protocol.TypeSignal, drops: true},
	{rule: "LI6", name: "gives any name", from: "daemon", kind: protocol.TypeStdout,
		old: `^`, new: "zebra\n"},
	{rule: "FO1", name: "takes any target", from: "daemon", kind: protocol.TypeClose,
		old: `bad_request`, new: `connect_failed`},
	{rule: "FO2", name: "keeps a group that has ended", from: "client", kind: protocol.TypeEOF,
		drops: true},
	{rule: "FO3", name: "gives another reason", from: "daemon", kind: protocol.TypeClose,
		old: `connect_failed`, new: `start_failed`},
	{rule: "FO4", name: "closes both ways at once", from: "client", kind: protocol.TypeEOF,
		old: `.`, new: `{}`, as: protocol.TypeClose},
	{rule: "FO4", name: "takes a reset for the end", from: "daemon", kind: protocol.TypeClose,
		old: `connection_broken`, new: `cancelled`},
	{rule: "FO7", name: "does not tell its port", from: "daemon", kind: protocol.TypeOpened,
		old: `,"port":[0-9]+`},
	{rule: "FO8", name: "does not say who comes", from: "daemon", kind: protocol.TypeOpened,
		old: `,"from":"[^"]*"`},
	{rule: "FO9", name: "does not tell the command", from: "client", kind: protocol.TypeOpen,
		old: `,"agent":[0-9]+`},
	{rule: "JO1", name: "gives another reason", from: "daemon", kind: protocol.TypeClose,
		old: `job_exists`, new: `busy`},
	{rule: "JO2", name: "tells nothing", from: "daemon", kind: protocol.TypeStdout, drops: true},
	{rule: "JO3", name: "counts from another year", from: "daemon", kind: protocol.TypeStdout,
		old: `"began_ms":[0-9]+`, new: `"began_ms":5`},
	{rule: "JO4", name: "mixes both outputs", from: "daemon", kind: protocol.TypeStderr,
		as: protocol.TypeStdout},
	{rule: "JO5", name: "gives another reason", from: "daemon", kind: protocol.TypeClose,
		old: `cancelled`, new: `job_lost`},
	{rule: "JO5", name: "stops what is left alone", from: "client", kind: protocol.TypeGoodbye,
		old: `^.*$`, new: `{"signal":"KILL"}`, as: protocol.TypeSignal},
	{rule: "JO6", name: "shares without being asked", from: "client", kind: protocol.TypeOpen,
		old: `"do":"attach","name":"([^"]*)"}`, new: `"do":"attach","name":"$1","share":true}`},
	{rule: "JO7", name: "is silent about what is missing", from: "daemon",
		kind: protocol.TypeNotice, drops: true},
	{rule: "JO10", name: "gives another reason", from: "daemon", kind: protocol.TypeClose,
		old: `detached`, new: `cancelled`},
	{rule: "JO11", name: "is silent about what waits", from: "daemon",
		kind: protocol.TypeStdout, old: `"state":"held"`, new: `"state":"lost"`},
	{rule: "JO8", name: "calls a deadline a stop", from: "daemon", kind: protocol.TypeExit,
		old: `deadline`, new: `cancelled`},
}

// Each daemon that is turned is caught, by the rule that it breaks.
func TestTurnedDaemons(t *testing.T) {
	t.Parallel()
	all := turnedDaemons
	if testing.Short() {
		all = all[:2]
	}
	daemon := runningDaemon(t)
	for _, m := range all {
		t.Run(m.rule+" "+m.name, func(t *testing.T) {
			t.Parallel()
			address := m.relay(t, daemon)
			isCaught(t, m.rule, func(ctx context.Context, tell func(Result)) {
				Daemon(ctx, Options{Address: "unix:" + address, User: own(t), Only: m.rule,
					Patience: 5 * time.Second, Tell: tell})
			})
		})
	}
}

// relay listens, and carries frames to a daemon and back.
func (m turned) relay(t *testing.T, daemon string) (socket string) {
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			far, err := net.Dial("unix", daemon)
			if err != nil {
				near.Close()
				continue
			}
			running.Go(func() { m.carry("client", near, far) })
			running.Go(func() { m.carry("daemon", far, near) })
		}
	})
	return socket
}

// carry carries one direction to its end, which ends the other one too.
func (m turned) carry(from string, in, out net.Conn) {
	defer in.Close()
	defer out.Close()
	r := protocol.NewReader(in)
	pattern := regexp.MustCompile(m.old)
	for channel := uint32(0); ; {
		f, err := r.Next()
		if err != nil {
			return
		}
		if f.Channel > 0 {
			channel = f.Channel
		}
		payload := string(f.Payload)
		if from == m.from && f.Type == m.kind {
			if m.drops {
				continue
			}
			if m.old != "" {
				payload = pattern.ReplaceAllString(payload, m.new)
			}
			if m.as != 0 {
				f.Type = m.as
			}
			if f.Channel == 0 && !f.Type.IsLink() {
				f.Channel = channel // the last one
			}
		}
		if _, err := out.Write(protocol.AppendFrame(nil, f.Type, f.Flags, f.Channel,
			[]byte(payload))); err != nil {
			return
		}
	}
}

// A server of SFTP that speaks another version is caught.
func TestSFTPOfAnotherVersion(t *testing.T) {
	t.Parallel()
	server := filepath.Join(t.TempDir(), "sftp.py")
	changed(t, "testdata/sftp.py", server, `\3`, `\4`)
	words := pythonDaemonWith(t, "../../../scripts/minisshd.py", server)
	isCaught(t, "SU3", func(ctx context.Context, tell func(Result)) {
		Daemon(ctx, Options{Program: words, User: own(t), Only: "SU3",
			Patience: DefaultPatience, Tell: tell})
	})
}
