//go:build unix

package daemon

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/service"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// named asks for a subsystem.
func named(t *testing.T, s *mux.Session, name string) *mux.Channel {
	t.Helper()
	return start(t, s, protocol.Open{Service: authorized.Subsystem.Name, Name: name})
}

// A subsystem is a command: its streams, code, environment, terminal and time are as exec's (SU1,
// SU2), and it is stopped with its channel.
func TestSubsystem(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Subsystems = map[string]string{"sftp": service.BuiltInSFTP, "none": "",
			"say": `test -t 0 && echo tty; echo "$LANG" >&2; cat; exit 3`}
	})
	before := l.warm()
	s := l.session(nil)
	say := protocol.Open{Service: authorized.Subsystem.Name, Name: "say",
		Env: [][2]protocol.Bytes{{protocol.Bytes("LANG"), protocol.Bytes("x")}}}
	ch := start(t, s, say)
	ch.Write(protocol.TypeStdin, []byte("asked"))
	ch.EOF(protocol.TypeStdin)
	if r := collect(t, ch); r.out != "asked" || r.err != "x\n" || *r.exit.Code != 3 {
		t.Errorf("%+v", r)
	}
	say.PTY = window()
	ch = start(t, s, say)
	upTo(t, ch, "tty")
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"})
	if r := collect(t, ch); r.exit == nil || r.exit.Signal != "KILL" {
		t.Errorf("%+v", r)
	}
	for name, code := range map[string]protocol.Code{"": protocol.CodeBadRequest,
		"none": protocol.CodeServiceRefused, "Sftp": protocol.CodeServiceRefused} {
		if r := collect(t, named(t, s, name)); r.exit != nil || r.refused.Code != code {
			t.Errorf("%q: %+v", name, r)
		}
	}
	// the daemon's own server takes no terminal, and is a command too
	for _, c := range []struct {
		open protocol.Open
		how  string
	}{{protocol.Open{PTY: window(), Timeout: 1}, protocol.HowDeadline},
		{protocol.Open{Timeout: -1}, ""}} {
		c.open.Service, c.open.Name = authorized.Subsystem.Name, "sftp"
		r := collect(t, start(t, s, c.open))
		switch {
		case c.how == "" && (r.refused == nil || r.refused.Code != protocol.CodeBadRequest):
			t.Errorf("%+v", r)
		case c.how != "" && (r.exit == nil || r.exit.How != c.how ||
			!slices.Contains(r.notices, protocol.NoticePTYRefused)):
			t.Errorf("%+v", r)
		}
	}
	ch = named(t, s, "sftp")
	opened := (<-ch.Requests()).Message.(*protocol.Opened)
	ch.Close(nil)
	testend.Gone(t, opened.PID)
	opened = (<-named(t, s, "sftp").Requests()).Message.(*protocol.Opened)
	s.Close(nil)
	testend.Gone(t, opened.PID)
	settle(t, before)
	l.log.want(t, "Starting subsystem", "name=sftp")
}

// A forced command runs in place of every subsystem there is (SU4).
func TestSubsystemForced(t *testing.T) {
	for options, want := range map[string]string{
		`command="echo \"forced $SSH_ORIGINAL_COMMAND\""`: "forced internal-sftp\n",
		`restrict,command="internal-sftp"`:                "",
	} {
		l, _ := authorizedLab(t, options, false)
		s := l.session(nil)
		ch := named(t, s, "sftp")
		ch.EOF(protocol.TypeStdin)
		if r := collect(t, ch); r.out != want || r.exit == nil || *r.exit.Code != 0 {
			t.Errorf("%s: %+v", options, r)
		}
		if r := collect(t, named(t, s, "other")); r.refused == nil {
			t.Errorf("%s: %+v", options, r)
		}
		s.Close(nil)
	}
}

// sftpTo is a client of the subsystem sftp.
func sftpTo(t *testing.T, s *mux.Session) *sftp.Client {
	t.Helper()
	ch := named(t, s, "sftp")
	c, err := sftp.NewClientPipe(ch.Reader(protocol.TypeStdout), channelInput{ch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

type channelInput struct{ *mux.Channel }

func (c channelInput) Write(p []byte) (int, error) { return c.Channel.Write(protocol.TypeStdin, p) }
func (c channelInput) Close() error                { return c.EOF(protocol.TypeStdin) }

// A key for a folder gets sftp there, from the daemon's own server, and no other subsystem (SU5).
func TestSubsystemInFolder(t *testing.T) {
	top := real(t, t.TempDir())
	folder := top + "/folder"
	put(t, folder+"/mine", "mine")
	put(t, top+"/secret", "secret")
	if err := os.Symlink("../secret", folder+"/leak"); err != nil {
		t.Fatal(err)
	}
	l := newLab(t, func(o *Options) {
		o.Subsystems = map[string]string{"sftp": "touch '" + top + "/escaped'", "say": "echo said"}
	})
	for mode, allowed := range map[string][2]bool{"": {true, true},
		authorized.FilesRead: {true, false}, authorized.FilesWrite: {false, true}} {
		l.access.mu.Lock()
		for _, g := range l.access.grants {
			g.Folder = &access.Folder{Path: folder, Mode: mode}
		}
		l.access.mu.Unlock()
		s := l.session(nil)
		c := sftpTo(t, s)
		reads := second(c.Open("mine"))
		writes := second(c.OpenFile("new", os.O_WRONLY|os.O_CREATE))
		if (reads == nil) != allowed[0] || (writes == nil) != allowed[1] {
			t.Errorf("%q: %v, %v", mode, reads, writes)
		}
		for _, name := range []string{top + "/secret", "../secret", "leak"} {
			if second(c.Open(name)) == nil || second(c.OpenFile(name, os.O_WRONLY)) == nil {
				t.Errorf("%q: %s is opened", mode, name)
			}
		}
		if r := collect(t, named(t, s, "say")); r.refused == nil ||
			r.refused.Code != protocol.CodeServiceRefused {
			t.Errorf("%+v", r)
		}
		s.Close(nil)
	}
	if _, err := os.Stat(top + "/escaped"); !errors.Is(err, os.ErrNotExist) {
		t.Error("a command ran in place of the server")
	}
	// without its folder there is nothing to serve
	if err := os.Rename(folder, filepath.Join(top, "moved")); err != nil {
		t.Fatal(err)
	}
	s := l.session(nil)
	defer s.Close(nil)
	if r := collect(t, named(t, s, "sftp")); *r.exit.Code != 1 ||
		!strings.Contains(r.err, "folder") {
		t.Errorf("%+v", r)
	}
}

func second[T any](_ T, err error) error { return err }

// An account's files are reached through the helper with 1 MiB each way, unchanged.
func TestSubsystemCopies(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	c := sftpTo(t, s)
	text := strings.Repeat("0123456789abcdef", 1<<16)
	f, err := c.Create("copy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if there, err := os.ReadFile(l.home + "/copy"); err != nil || string(there) != text {
		t.Errorf("%d bytes, %v", len(there), err)
	}
	f, err = c.Open("copy")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if back, err := io.ReadAll(f); err != nil || string(back) != text {
		t.Errorf("%d bytes, %v", len(back), err)
	}
}
