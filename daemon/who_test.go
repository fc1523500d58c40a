//go:build unix

package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// Only the beginning of a long command is kept and shown: two thousand of 64 KiB made an answer
// that no asker reads.
func TestWhoClipsCommands(t *testing.T) {
	l, path := controlled(t)
	session := l.session(nil)
	long := start(t, session,
		protocol.Open{Command: protocol.Bytes("echo ready; cat; : " + strings.Repeat("x", 60000))})
	firstLine(t, long)
	words := start(t, session,
		protocol.Open{Argv: []protocol.Bytes{protocol.Bytes("sh"), protocol.Bytes("-c"),
			protocol.Bytes("echo ready; cat"), protocol.Bytes(strings.Repeat("y", 60000))}})
	firstLine(t, words)
	who, err := asks(t, path)
	if err != nil || len(who.Sessions) != 1 || len(who.Sessions[0].Commands) != 2 {
		t.Fatalf("%+v, %v", who, err)
	}
	for i, begins := range []string{"echo ready; cat; : xxx", "sh -c echo ready; cat yyy"} {
		got := who.Sessions[0].Commands[i].Command
		if !strings.HasPrefix(got, begins) || len(got) != 512+len("…") ||
			!strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes: %.60s", len(got), got)
		}
	}
	for _, ch := range []*mux.Channel{long, words} {
		ch.EOF(protocol.TypeStdin)
		finish(ch)
	}
	session.Close(nil)
}

// Who says of each session who it is, from where, and what runs in it, and forgets what has ended.
func TestWho(t *testing.T) {
	l, path := controlled(t)
	if who, err := asks(t, path); err != nil || len(who.Sessions) != 0 {
		t.Fatalf("%+v, %v", who, err)
	}
	first, second := l.session(nil), l.session(nil)
	busy := start(t, second, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
	firstLine(t, busy)
	shell := start(t, second, protocol.Open{Shell: true})
	shell.Write(protocol.TypeStdin, []byte("echo ready\n"))
	firstLine(t, shell)
	who, err := asks(t, path)
	if err != nil || len(who.Sessions) != 2 {
		t.Fatalf("%+v, %v", who, err)
	}
	idle, working := who.Sessions[0], who.Sessions[1]
	if idle.ID != 1 || working.ID != 2 || len(idle.Commands) != 0 || len(working.Commands) != 2 {
		t.Fatalf("%+v", who)
	}
	if c := working.Commands; c[0].Command != "echo ready; cat" || c[0].Service != "exec" ||
		c[1].Command != "" {
		t.Errorf("%+v", c)
	}
	for _, s := range who.Sessions {
		if s.User != user || !strings.HasPrefix(s.From, "127.0.0.1:") ||
			s.Key != "ED25519 "+keys.Fingerprint(l.guest.Public) || s.Away || s.Ending {
			t.Errorf("%+v", s)
		}
	}
	if idle.Out == 0 || working.In <= idle.In || working.Out <= idle.Out {
		t.Errorf("bytes: %+v", who.Sessions)
	}
	busy.EOF(protocol.TypeStdin)
	finish(busy)
	first.Close(nil)
	l.until("what has ended is forgotten", func() bool {
		who, err := asks(t, path)
		return err == nil && len(who.Sessions) == 1 && who.Sessions[0].ID == 2 &&
			len(who.Sessions[0].Commands) == 1
	})
	shell.EOF(protocol.TypeStdin)
	finish(shell)
	third := l.session(nil)
	if list := l.desk.Who(); len(list) != 2 || list[1].ID != 3 {
		t.Errorf("%+v", list)
	}
	third.Close(nil)
	second.Close(nil)
}

// A key with command= is shown with what runs, and not with what was asked.
func TestWhoForced(t *testing.T) {
	l, path := controlled(t)
	l.access.mu.Lock()
	l.access.grants[keys.Fingerprint(l.guest.Public)] = &access.Grant{
		Forced: true, Command: "echo forced; cat", Where: "test:1"}
	l.access.mu.Unlock()
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("innocent")})
	firstLine(t, ch)
	who, err := asks(t, path)
	if err != nil || len(who.Sessions) != 1 || len(who.Sessions[0].Commands) != 1 ||
		who.Sessions[0].Commands[0].Command != "echo forced; cat" {
		t.Errorf("%+v, %v", who, err)
	}
}

// The client of a session that is ended gets a code. What ran in the session is dead when the
// answer comes, and its neighbour lives.
func TestEnd(t *testing.T) {
	l, path := controlled(t)
	s, neighbour := l.session(nil), l.session(nil)
	defer neighbour.Close(nil)
	ch := start(t, s,
		protocol.Open{
			Command: protocol.Bytes("trap '' HUP TERM; sleep 1000 & echo $$ $!; wait; wait")})
	pids := running(t, ch, firstLine(t, ch))
	own := start(t, neighbour, protocol.Open{Command: protocol.Bytes("echo ready; cat")})
	firstLine(t, own)

	number := int64(0)
	for _, info := range l.desk.Who() {
		if len(info.Commands) == 1 && strings.HasPrefix(info.Commands[0].Command, "trap") {
			number = info.ID
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var answer control.EndInfo
	if err := control.Ask(ctx, []string{path}, "end", control.EndArgs{ID: number}, nil,
		&answer); err != nil || !answer.Stopped || answer.Session.ID != number {
		t.Fatalf("%+v, %v", answer, err)
	}
	for _, pid := range pids {
		if testend.Alive(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
	finish(ch)
	within(t, "the session ends", s.Done())
	var said *protocol.RemoteError
	if !errors.As(s.Err(), &said) || said.Code != protocol.CodeEndedByAdmin {
		t.Errorf("the client sees %v", s.Err())
	}
	l.log.want(t, "Session ended by the administrator", "user=tester")
	var refused *control.Error
	l.until("the session is forgotten", func() bool { return len(l.desk.Who()) == 1 })
	if err := control.Ask(ctx, []string{path}, "end", control.EndArgs{ID: number}, nil,
		&answer); !errors.As(err, &refused) || refused.Advice == "" {
		t.Errorf("ended twice: %v", err)
	}
	own.Write(protocol.TypeStdin, []byte("alive"))
	own.EOF(protocol.TypeStdin)
	if r, err := finish(own); err != nil || r.out != "alive" {
		t.Errorf("the neighbour: %v, %v", r, err)
	}
}

// A session on a Unix socket has a uid for a key, and no address.
func TestWhoUnix(t *testing.T) {
	l := newLab(t, nil, "unix:"+filepath.Join(t.TempDir(), "s"))
	s := l.session(nil)
	defer s.Close(nil)
	if list := l.desk.Who(); len(list) != 1 || list[0].From != "unix socket" ||
		!strings.HasPrefix(list[0].Key, "uid ") {
		t.Errorf("%+v", list)
	}
}

// So does the log of a refusal there.
func TestRefusedUnix(t *testing.T) {
	l := newLab(t, nil, "unix:"+filepath.Join(t.TempDir(), "s"))
	s := l.session(nil)
	defer s.Close(nil)
	ch, err := s.Open(&protocol.Open{Service: "none"})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, ch)
	if text := l.log.String(); !strings.Contains(text, `from="unix socket"`) {
		t.Errorf("the log says\n%s", text)
	}
}
