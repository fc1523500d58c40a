//go:build unix

package daemon

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// agentListener opens the listener of an agent, and gives the path of its socket; "": it is
// refused.
func agentListener(t testing.TB, s *mux.Session) (ch *mux.Channel, path string) {
	t.Helper()
	ch = start(t, s, protocol.Open{Service: authorized.Agent.Name})
	select {
	case e := <-ch.Requests():
		return ch, string(e.Message.(*protocol.Opened).Path)
	case <-ch.Gone():
		return ch, ""
	}
}

func tryAgent(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	ch, path := agentListener(t, s)
	if path != "" {
		ch.Close(nil)
	}
	r := collect(t, ch)
	if (path == "") != (r.refused != nil && r.refused.Code == protocol.CodeServiceRefused) {
		t.Errorf("%q: %+v", path, r)
	}
	if path == "" {
		return shut
	}
	return in
}

// A program that is run with an agent finds its socket, and what it says there comes to the client.
// The socket is the account's alone, and is gone at the end (FO9).
func TestAgent(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	listener, path := agentListener(t, s)
	folder := filepath.Dir(path)
	for name, want := range map[string]os.FileMode{folder: os.ModeDir | 0o700,
		path: os.ModeSocket | 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, open := range []protocol.Open{
		{Command: protocol.Bytes("echo $SSH_AUTH_SOCK")},
		{Argv: bytesOf("sh", "-c", "echo $SSH_AUTH_SOCK")},
		{Shell: true},
		{Service: authorized.Lines.Name},
	} {
		open.Agent = int64(listener.ID())
		ch := start(t, s, open)
		if open.Shell {
			ch.Write(protocol.TypeStdin, []byte("echo $SSH_AUTH_SOCK\n"))
			ch.EOF(protocol.TypeStdin)
		}
		r := new(result)
		if open.Service == authorized.Lines.Name {
			opened(ch)
			r = collect(t, start(t, s, protocol.Open{Service: authorized.Lines.Name,
				In: int64(ch.ID()), Command: protocol.Bytes("echo $SSH_AUTH_SOCK")}))
			ch.Close(nil)
			collect(t, ch)
		} else {
			r = collect(t, ch)
		}
		if r.out != path+"\n" {
			t.Errorf("%+v: %+v", open, r)
		}
	}
	if r := collect(t, start(t, s, protocol.Open{Command: protocol.Bytes(
		"echo ${SSH_AUTH_SOCK-none}")})); r.out != "none\n" {
		t.Errorf("a command that was not lent it: %+v", r)
	}

	accept := start(t, s, protocol.Open{Service: authorized.Agent.Name, Accept: true,
		In: int64(listener.ID())})
	program, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(program, "asked")
	program.(*net.UnixConn).CloseWrite()
	opened(accept)
	accept.Write(protocol.TypeStdin, []byte("answered"))
	accept.EOF(protocol.TypeStdin)
	if all, err := io.ReadAll(program); string(all) != "answered" || err != nil {
		t.Errorf("the program got %q, %v", all, err)
	}
	program.Close()
	if r := collect(t, accept); r.out != "asked" {
		t.Errorf("%+v", r)
	}

	listener.EOF(protocol.TypeStdin)
	collect(t, listener)
	if _, err := os.Stat(folder); err == nil {
		t.Error("the folder is there after the end")
	}
	s.Close(nil)
	settle(t, before)
	l.log.want(t, "Starting listener", "agent")
}

// Only a listener of this session's that is for an agent lends one (FO9).
func TestAgentOfAnother(t *testing.T) {
	l := newLab(t, nil)
	s, other := l.session(nil), l.session(nil)
	defer s.Close(nil)
	defer other.Close(nil)
	mine, _ := agentListener(t, s)
	theirs, path := agentListener(t, other)
	port, _ := listener(t, s, &protocol.Target{Host: "localhost"})
	for what, open := range map[string]protocol.Open{
		"a command's": {Agent: 1_000_001}, "another session's": {Agent: int64(theirs.ID()) + 1000},
		"a port's":                 {Agent: int64(port.ID())},
		"a port as an agent":       {Service: "agent", Accept: true, In: int64(port.ID())},
		"an agent as a port":       {Service: "forward", Accept: true, In: int64(mine.ID())},
		"an agent that is nowhere": {Service: "agent", Accept: true, In: 1_000_001},
		"an agent that listens":    {Service: "agent", Listen: &protocol.Target{Host: "localhost"}},
		"an agent that connects": {Service: "agent",
			Connect: &protocol.Target{Path: protocol.Bytes(path)}},
	} {
		if open.Service == "" {
			open.Command = protocol.Bytes("echo ran")
		}
		if r := collect(t, start(t, s, open)); r.refused == nil ||
			r.refused.Code != protocol.CodeBadRequest || r.out != "" {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

// A daemon may take no agents.
func TestAgentRefused(t *testing.T) {
	l := newLab(t, func(o *Options) { o.NoAgents = true })
	s := l.session(nil)
	ch, path := agentListener(t, s)
	if r := collect(t, ch); path != "" || r.refused == nil ||
		r.refused.Code != protocol.CodeServiceRefused ||
		!strings.Contains(r.refused.Message, "--allow-agent-forwarding") {
		t.Errorf("%q: %+v", path, r)
	}
	s.Close(nil)
}

// A helper that is killed ends its listener, and what it leaves is removed (FO9).
func TestAgentHelperLost(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s, protocol.Open{Service: authorized.Agent.Name})
	said := (<-ch.Requests()).Message.(*protocol.Opened)
	helper, err := os.FindProcess(said.PID)
	if err != nil {
		t.Fatal(err)
	}
	helper.Kill()
	if r := collect(t, ch); r.refused == nil || r.refused.Code != protocol.CodeInternal {
		t.Errorf("%+v", r)
	}
	if _, err := os.Lstat(filepath.Dir(string(said.Path))); err == nil {
		t.Errorf("%s is left", said.Path)
	}
}

// A helper that is killed because it takes too long to end leaves nothing either: nobody wants the
// channel any more then (found under load: the folder stayed).
func TestAgentHelperLate(t *testing.T) {
	l := newLab(t, func(o *Options) { o.HelperGrace = time.Nanosecond })
	for range 3 {
		s := l.session(nil)
		_, path := agentListener(t, s)
		s.Close(nil)
		folderGone(t, path)
	}
}

// folderGone waits until the folder of a socket is gone.
func folderGone(t *testing.T, socket string) {
	t.Helper()
	testend.Until(t, "the folder is gone", func() bool {
		_, err := os.Stat(filepath.Dir(socket))
		return err != nil
	})
}

// A session's end ends the helper, and removes the socket.
func TestAgentEnds(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	_, path := agentListener(t, s)
	s.Close(nil)
	folderGone(t, path)
	settle(t, before)
}
