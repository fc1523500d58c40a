//go:build unix

package daemon

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// What a service is to a key.
type verdict string

const (
	in      verdict = "open"
	shut    verdict = "refused"
	forced  verdict = "forced" // the key's own command runs, whatever is asked
	without verdict = "without a pty"
	outside verdict = "no login"
)

// columns are the services of the table, and the parts of exec that can be restricted. Each has a
// try that shows what the key can do. file is where the key is.
var columns = map[string]func(t *testing.T, s *mux.Session, file string) verdict{
	authorized.Exec.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryExec(t, s)
	},
	authorized.PTY.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryPTY(t, s)
	},
	authorized.Lines.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryLines(t, s)
	},
	authorized.Subsystem.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return trySFTP(t, s)
	},
	authorized.Files.Name: tryService(authorized.Files),
	authorized.Forward.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryForward(t, s)
	},
	authorized.Agent.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryAgent(t, s)
	},
	authorized.Job.Name: func(t *testing.T, s *mux.Session, _ string) verdict {
		return tryJob(t, s)
	},
	listenPart: func(t *testing.T, s *mux.Session, _ string) verdict { return tryListen(t, s) },
}

// listening is the part of forward that takes connections.
const listenPart = "forward, to listen"

// lines is what the service lines is to a key: what exec is, but for a forced command, which is not
// a shell.
func (r row) lines() verdict {
	if r.exec == forced {
		return shut
	}
	return r.exec
}

// subsystem is what sftp is to a key: what exec is, but for a key for a folder, which it holds
// there (SU5).
func (r row) subsystem() verdict {
	if r.exec == shut {
		return r.files
	}
	return r.exec
}

// listen is what listening is to a key: what forward is, but for the options that are about one of
// them.
func (r row) listen() verdict {
	switch r.options {
	case `permitopen="localhost:80"`:
		return in
	case `permitlisten="8080"`, `permitlisten="127.0.0.1:*"`:
		return shut
	}
	return r.forward
}

// agent is what lending an agent is to a key: open to all that may log in and are not restricted to
// something else, but for those whose own option says otherwise.
func (r row) agent() verdict {
	switch r.options {
	case `no-agent-forwarding`, `port-forwarding,restrict`, `restrict,port-forwarding`,
		`command="echo forced",port-forwarding`,
		`minissh-files="/tmp,ro",restrict,pty,port-forwarding`:
		return shut
	case `no-port-forwarding`, `permitopen="localhost:80"`,
		`command="echo forced",agent-forwarding`, `minissh-files="/tmp",agent-forwarding`:
		return in
	}
	return r.forward
}

// job is what jobs are to a key: open to those that may log in, and are not restricted to something
// else.
func (r row) job() verdict {
	switch r.options {
	case `restrict,minissh-jobs`, `no-pty`, `pty,no-pty`, `no-port-forwarding`,
		`permitopen="localhost:80"`, `no-agent-forwarding`:
		return in
	case `no-minissh-jobs`, `restrict,pty`, `restrict,port-forwarding`,
		`minissh-files="/tmp,ro",restrict,pty,port-forwarding`:
		return shut
	}
	if r.exec == in && r.forward == in {
		return in
	}
	if r.exec == outside {
		return outside
	}
	return shut
}

type row struct {
	options                   string
	exec, pty, files, forward verdict
}

// rows is the table: every option of authorized_keys, and what each service is to a key that has
// it. It includes services that the daemon does not offer yet: it is decided what they would be,
// and a client gets unknown_service.
var rows = []row{
	{``, in, in, in, in},
	{`command="echo forced"`, forced, forced, shut, shut},
	{`Command="echo forced"`, forced, forced, shut, shut},
	{`command=""`, forced, forced, shut, shut},
	{`restrict`, in, without, shut, shut},
	{`restrict,pty`, in, in, shut, shut},
	{`restrict,minissh-jobs`, in, without, shut, shut},
	{`minissh-jobs,restrict`, in, without, shut, shut},
	{`no-minissh-jobs`, in, in, in, in},
	{`minissh-jobs`, in, in, in, in},
	{`command="echo forced",minissh-jobs`, forced, forced, shut, shut},
	{`restrict,port-forwarding`, in, without, shut, in},
	{`port-forwarding,restrict`, in, without, shut, shut},
	{`command="echo forced",port-forwarding`, forced, forced, shut, in},
	{`command="echo forced",port-forwarding,no-port-forwarding`, forced, forced, shut, shut},
	{`command="echo forced",restrict`, forced, without, shut, shut},
	{`command="echo forced",restrict,pty,port-forwarding,agent-forwarding,x11-forwarding,user-rc`, forced, forced, shut, in},
	{`no-pty`, in, without, in, in},
	{`pty`, in, in, in, in},
	{`pty,no-pty`, in, without, in, in},
	{`no-port-forwarding`, in, in, in, shut},
	{`port-forwarding`, in, in, in, in},
	{`permitopen="localhost:80"`, in, in, in, shut},
	{`permitopen="127.0.0.1:*"`, in, in, in, in},
	{`permitopen="localhost:80",permitopen="*:*"`, in, in, in, in},
	{`restrict,permitopen="127.0.0.1:*"`, in, without, shut, shut},
	{`command="echo forced",permitopen="127.0.0.1:*"`, forced, forced, shut, shut},
	{`permitlisten="8080"`, in, in, in, in},
	{`permitlisten="127.0.0.1:*"`, in, in, in, in},
	{`permitlisten="8080",permitlisten="local*:*"`, in, in, in, in},
	{`permitlisten="*:*",restrict`, in, without, shut, shut},
	{`no-agent-forwarding`, in, in, in, in},
	{`agent-forwarding`, in, in, in, in},
	{`agent-forwarding,restrict`, in, without, shut, shut},
	{`command="echo forced",agent-forwarding`, forced, forced, shut, shut},
	{`minissh-files="/tmp",agent-forwarding`, shut, shut, in, shut},
	{`no-x11-forwarding`, in, in, in, in},
	{`x11-forwarding`, in, in, in, in},
	{`no-user-rc`, in, in, in, in},
	{`user-rc`, in, in, in, in},
	{`tunnel="0"`, in, in, in, in},
	{`environment="FROM_KEY=set"`, in, in, in, in},
	{`from="127.0.0.1"`, in, in, in, in},
	{`from="192.0.2.0/24"`, outside, outside, outside, outside},
	{`from="!127.0.0.1,*"`, outside, outside, outside, outside},
	{`expiry-time="29991231"`, in, in, in, in},
	{`expiry-time="20200101"`, outside, outside, outside, outside},
	{`cert-authority`, outside, outside, outside, outside},
	{`principals="x"`, outside, outside, outside, outside},
	{`verify-required`, in, in, in, in},
	{`no-touch-required`, in, in, in,
		in}, // they speak of keys that sign with hardware, which an ordinary one does not
	{`touch-required`, in, in, in, in},
	{`no-verify-required`, in, in, in, in},
	{`minissh-files="/tmp"`, shut, shut, in, shut},
	{`minissh-files="/tmp,ro",restrict,pty,port-forwarding`, shut, shut, in, in},
	{`minissh-files="/tmp",command="echo forced"`, outside, outside, outside, outside},
	{`minissh-files="tmp"`, outside, outside, outside, outside},
	{`minissh-files="/tmp,rw"`, outside, outside, outside, outside},
	{`no-such-option`, outside, outside, outside, outside},
}

// Every option against every service, over the wire, by a client that asks for it in all ways there
// are. It fails when a service or an option has no row.
func TestEveryOptionAgainstEveryService(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	names := offered(l)
	for _, name := range names {
		if columns[name] == nil {
			t.Errorf("the service %s has no column in this table: say what each option means to "+
				"it", name)
		}
	}
	for _, row := range rows {
		line := strings.TrimSpace(row.options + " " +
			string(ssh.MarshalAuthorizedKey(l.guest.Public)))
		if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		want := map[string]verdict{
			authorized.Exec.Name: row.exec, authorized.PTY.Name: row.pty,
			authorized.Lines.Name: row.lines(), authorized.Subsystem.Name: row.subsystem(),
			authorized.Files.Name: row.files, authorized.Forward.Name: row.forward,
			listenPart: row.listen(), authorized.Agent.Name: row.agent(),
			authorized.Job.Name: row.job(),
		}
		s := mux.New(mux.Config{Role: mux.Client})
		_, err := s.Connect(l.secure(l.guest), &protocol.Hello{User: user})
		var said *protocol.RemoteError
		switch {
		case errors.As(err, &said) && said.Code == protocol.CodeKeyNotAuthorized:
			for name := range columns {
				if want[name] != outside {
					t.Errorf("%s: %s: no login", row.options, name)
				}
			}
		case err != nil:
			t.Fatal(err)
		default:
			for name, try := range columns {
				if got := try(t, s, file); got != want[name] {
					t.Errorf("%s: %s is %s, not %s", row.options, name, got, want[name])
				}
			}
		}
		s.Close(nil)
	}
}

// tryExec asks for a command in every way. All of them must come to the same.
func tryExec(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	var results []verdict
	for _, ask := range []protocol.Open{
		{Command: protocol.Bytes("echo asked")},
		{Argv: bytesOf("echo", "asked")},
		{Command: protocol.Bytes("echo asked"), Dir: protocol.Bytes("/"), ReportDir: true, OldDir: protocol.Bytes("/")},
		{Command: protocol.Bytes("echo asked"), Env: [][2]protocol.Bytes{
			{protocol.Bytes("SSH_ORIGINAL_COMMAND"), protocol.Bytes("x")},
			{protocol.Bytes("LC_ALL"), protocol.Bytes("\"; echo asked; \"")}, {protocol.Bytes("ENV"), protocol.Bytes("/tmp")},
		}},
		{Shell: true},
	} {
		ch := start(t, s, ask)
		if ask.Shell {
			ch.Write(protocol.TypeStdin, []byte("echo asked\n"))
		}
		ch.EOF(protocol.TypeStdin)
		results = append(results, ran(t, collect(t, ch)))
	}
	// what is similar to it is something else
	for _, name := range []string{"Exec", "exec ", "shell", "sftp", ""} {
		if ch, err := s.Open(&protocol.Open{
			Service: name, Command: protocol.Bytes("echo asked")}); err == nil {
			if r := collect(t, ch); r.exit != nil ||
				r.refused.Code != protocol.CodeUnknownService &&
					r.refused.Code != protocol.CodeServiceRefused &&
					r.refused.Code != protocol.CodeBadRequest {
				t.Errorf("the service %q: %+v", name, r)
			}
		}
	}
	results = slices.Compact(results)
	if len(results) != 1 {
		t.Errorf("it depends on how one asks: %v", results)
	}
	return results[0]
}

// ran says which command ran.
func ran(t *testing.T, r *result) verdict {
	t.Helper()
	if r.refused != nil {
		if r.refused.Code != protocol.CodeServiceRefused {
			t.Errorf("%+v", r.refused)
		}
		return shut
	}
	if strings.Contains(r.out, "asked") {
		return in
	}
	return forced
}

// tryLines asks for a shell that is told its lines, and tells it one.
func tryLines(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	shell := start(t, s, protocol.Open{Service: authorized.Lines.Name})
	select {
	case <-shell.Requests(): // OPENED
	case <-shell.Gone():
	}
	line := start(t, s, protocol.Open{Service: authorized.Lines.Name, In: int64(shell.ID()),
		Command: protocol.Bytes("echo asked")})
	asked := collect(t, line)
	shell.EOF(protocol.TypeStdin)
	if r := collect(t, shell); r.refused != nil {
		if asked.refused == nil {
			t.Error("a line ran in a shell that was refused")
		}
		return ran(t, r)
	}
	return ran(t, asked)
}

// tryJob asks for the list of jobs.
func tryJob(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	r := collect(t, start(t, s, protocol.Open{Service: authorized.Job.Name,
		Job: &protocol.Job{Do: protocol.JobList}}))
	if r.refused == nil && r.exit != nil && *r.exit.Code == 0 {
		return in
	}
	return ran(t, r)
}

// trySFTP asks for the subsystem, and greets its server.
func trySFTP(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	ch := start(t, s, protocol.Open{Service: authorized.Subsystem.Name, Name: "sftp"})
	ch.Write(protocol.TypeStdin, []byte("\x00\x00\x00\x05\x01\x00\x00\x00\x03"))
	ch.EOF(protocol.TypeStdin)
	r := collect(t, ch)
	if r.refused == nil && strings.Contains(r.out, "posix-rename@openssh.com") {
		return in
	}
	return ran(t, r)
}

// tryPTY asks for a terminal, for a command and for a shell.
func tryPTY(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	const look = "test -t 0 && echo asked on a tty; echo asked"
	ch := start(t, s, protocol.Open{Command: protocol.Bytes(look),
		PTY: &protocol.PTY{Term: protocol.Bytes("xterm")}})
	ch.EOF(protocol.TypeStdin)
	r := collect(t, ch)
	switch {
	case slices.Contains(r.notices, protocol.NoticePTYRefused):
		if strings.Contains(r.out, "tty") {
			t.Error("a pty is refused, and there is one")
		}
		return without
	case strings.Contains(r.out, "asked on a tty"):
		return in
	}
	return ran(t, r)
}

// tryForward asks for a connection to a port and to a Unix socket, with a group and without one.
func tryForward(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	to := listening(t, "tcp", "127.0.0.1:0", echo)
	group := start(t, s, protocol.Open{Service: authorized.Forward.Name})
	opened(group)
	var results []verdict
	for _, in := range []uint32{0, group.ID()} {
		ch := connection(t, s, to, in)
		ch.Write(protocol.TypeStdin, []byte("asked"))
		ch.EOF(protocol.TypeStdin)
		switch r := collect(t, ch); {
		case r.refused == nil && r.out == "asked":
			results = append(results, "open")
		case r.refused != nil && r.refused.Code == protocol.CodeServiceRefused:
			results = append(results, shut)
		default:
			t.Errorf("%+v", r)
		}
	}
	group.Close(nil)
	collect(t, group)
	if len(slices.Compact(results)) != 1 {
		t.Errorf("it depends on how one asks: %v", results)
	}
	return results[0]
}

// tryListen asks for a port that the daemon chooses.
func tryListen(t *testing.T, s *mux.Session) verdict {
	t.Helper()
	ch := start(t, s, protocol.Open{Service: authorized.Forward.Name,
		Listen: &protocol.Target{Host: "localhost"}})
	open := opened(ch)
	ch.Close(nil)
	r := collect(t, ch)
	switch {
	case open:
		return in
	case r.refused == nil || r.refused.Code != protocol.CodeServiceRefused:
		t.Errorf("%+v", r)
	}
	return shut
}

// tryService opens another service. What it is called with is up to it; here it matters whether it
// gets to see that.
func tryService(service authorized.Service) func(*testing.T, *mux.Session, string) verdict {
	return func(t *testing.T, s *mux.Session, file string) verdict {
		t.Helper()
		ch, err := s.Open(&protocol.Open{Service: service.Name})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close(nil)
		buf := make([]byte, 4096)
		for {
			e, err := ch.Next(buf)
			if err != nil {
				return in
			}
			reason, ok := e.Message.(*protocol.Reason)
			switch {
			case e.Type == protocol.TypeOpened:
				return in
			case ok && reason.Code == protocol.CodeUnknownService:
				return decided(t, service, file)
			case ok && reason.Code == protocol.CodeServiceRefused:
				return shut
			case ok:
				return in
			}
		}
	}
}

// decided is what a service that is not offered would be.
func decided(t *testing.T, service authorized.Service, file string) verdict {
	t.Helper()
	keys, _, err := authorized.Load(file, authorized.Owner{Lax: true})
	if err != nil || len(keys.Entries) != 1 {
		t.Fatal(err)
	}
	if keys.Entries[0].Allows(service) != nil {
		return shut
	}
	return in
}

// offered are the services that the daemon says that it offers.
func offered(l *lab) []string {
	l.t.Helper()
	s := l.session(nil)
	defer s.Close(nil)
	ch, err := s.Open(&protocol.Open{Service: "nothing"})
	if err != nil {
		l.t.Fatal(err)
	}
	refused := collect(l.t, ch).refused
	list, ok := strings.CutPrefix(refused.Message, "this daemon offers ")
	if !ok {
		l.t.Fatal(refused)
	}
	return strings.Split(list, ", ")
}
