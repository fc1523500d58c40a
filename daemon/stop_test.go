//go:build unix

package daemon

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// running starts a command that prints process ids on its first line, and returns them.
func running(t *testing.T, ch interface{ ID() uint32 }, line string) (pids []int) {
	t.Helper()
	for word := range strings.FieldsSeq(line) {
		pid, err := strconv.Atoi(word)
		if err != nil || !testend.Alive(pid) {
			t.Fatalf("channel %d: %q names a process that does not live", ch.ID(), line)
		}
		pids = append(pids, pid)
	}
	return pids
}

// A command that is no longer wanted is stopped with all of its kernel session, and EXIT follows
// when it is dead (CH9, EX7), even if it ignores HUP or has made process groups of its own.
func TestCancel(t *testing.T) {
	for name, command := range map[string]string{
		"a sleeper":                "sleep 1000 & echo $$ $!; wait",
		"deaf to HUP":              "trap '' HUP TERM INT; sleep 1000 & echo $$ $!; wait; wait",
		"another group":            "timeout 1000 sleep 1000 & echo $$ $!; wait",
		"stopped":                  "sleep 1000 & kill -STOP $!; echo $$ $!; wait",
		"its output is not read":   "sleep 1000 & echo $$ $!; exec cat /dev/zero",
		"its input is never empty": "sleep 1000 & echo $$ $!; exec sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(command, "timeout") {
				needs(t, "timeout")
			}
			l := newLab(t, nil)
			before := l.warm()
			s := l.session(nil)
			ch := start(t, s, protocol.Open{Command: protocol.Bytes(command)})
			if strings.Contains(name, "input") {
				go ch.Write(protocol.TypeStdin, make([]byte, 1<<20))
			}
			pids := running(t, ch, firstLine(t, ch))
			ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
			r := collect(t, ch)
			if r.exit == nil || r.exit.How != protocol.HowCancelled || len(r.exit.Left) != 0 {
				t.Errorf("EXIT is %+v", r.exit)
			}
			for _, pid := range pids {
				if testend.Alive(pid) {
					t.Errorf("process %d lives after EXIT", pid)
				}
			}
			s.Close(nil)
			settle(t, before)
		})
	}
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

// A client that goes without a word takes its commands with it: by FIN, by RST, and by close_notify
// (RULES C1).
func TestClientGone(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	before.goroutines++
	for name, leave := range map[string]func(*scripted){
		"FIN":          func(p *scripted) { p.hangUp(false) },
		"RST":          func(p *scripted) { p.hangUp(true) },
		"close_notify": func(p *scripted) { p.conn.Close() },
		"GOODBYE": func(p *scripted) {
			p.send(text(protocol.TypeGoodbye, 0, "{}"))
			p.hangUp(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.enter(open(1, "trap '' HUP; sleep 1000 & echo $$ $!; wait; wait"))
			f := p.want(protocol.TypeStdout)
			pids := strings.Fields(string(f.Payload))
			leave(p)
			for _, word := range pids {
				pid, err := strconv.Atoi(word)
				if err != nil {
					t.Fatal(err)
				}
				testend.Gone(t, pid)
			}
			l.log.want(t, "Command ended", "pid="+pids[0], "how=hung_up")
			settle(t, before)
		})
	}
}

// What a command that ended by itself left running lives on (RULES C1), although the client then
// leaves.
func TestLeftRunning(t *testing.T) {
	l := newLab(t, nil)
	out, exit := l.run("nohup sleep 1000 >/dev/null 2>&1 & echo $!")
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || *exit.Code != 0 {
		t.Fatalf("%q, %+v", out, exit)
	}
	if !testend.Alive(pid) {
		t.Error("it died with its client")
	}
	exec.Command("kill", strconv.Itoa(pid)).Run()
	testend.Gone(t, pid)
}

// holds starts a command that leaves a job running, which holds its output, and returns the job and
// the notice of it.
func holds(t *testing.T, s *mux.Session) (ch *mux.Channel, job int, held *protocol.Notice) {
	t.Helper()
	ch = start(t, s, protocol.Open{Command: protocol.Bytes("sleep 1000 & echo $!; exit 7")})
	job = running(t, ch, firstLine(t, ch))[0]
	return ch, job, noticed(t, ch, protocol.NoticeOutputHeld)
}

// noticed waits for a notice.
func noticed(t *testing.T, ch *mux.Channel, name string) *protocol.Notice {
	t.Helper()
	for {
		select {
		case e := <-ch.Requests():
			if n, ok := e.Message.(*protocol.Notice); ok && n.Notice == name {
				return n
			}
		case <-ch.Gone():
			t.Fatalf("the command is over, and %s was never noticed", name)
		}
	}
}

// Something left running that holds the output is noticed, with the command's outcome (EX5); the
// channel stays open until the output ends.
func TestOutputHeld(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch, pid, held := holds(t, s)
	if !testend.Alive(pid) {
		t.Error("it was stopped")
	}
	if e := held.Exit; e == nil || e.How != protocol.HowExited || e.Code == nil || *e.Code != 7 {
		t.Errorf("the notice tells the outcome %+v", e)
	}
	exec.Command("kill", strconv.Itoa(pid)).Run()
	if r := collect(t, ch); r.exit == nil || r.exit.How != protocol.HowExited || *r.exit.Code != 7 {
		t.Errorf("EXIT is %+v", r.exit)
	}
}

// No signal reaches what a command that has ended left running, KILL included (EX3); and CLOSE
// stops nothing then, and gets EXIT at once (CH9).
func TestHeldIsLeftAlone(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch, pid, _ := holds(t, s)
	for _, name := range []string{"INT", "TERM", "KILL", "NOPE"} {
		ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
	}
	noticed(t, ch, protocol.NoticeSignalRefused) // of NOPE: the others were acted on before
	if !testend.Alive(pid) {
		t.Fatal("a signal reached what the command left running")
	}
	ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	if r := collect(t, ch); r.exit == nil || r.exit.How != protocol.HowExited || *r.exit.Code != 7 {
		t.Errorf("EXIT is %+v", r.exit)
	}
	if !testend.Alive(pid) {
		t.Error("what the command left running died with the channel")
	}
	exec.Command("kill", strconv.Itoa(pid)).Run()
	testend.Gone(t, pid)
}

// untilDeadline runs a command into its deadline, and gives the numbers that its first line names.
// The deadline is 100 ms, or as much later as it takes here until the command has said that line.
func untilDeadline(t *testing.T, s *mux.Session, open protocol.Open) (pids []int) {
	t.Helper()
	for open.Timeout = 100; ; open.Timeout *= 2 {
		r := collect(t, start(t, s, open))
		if r.exit == nil || r.exit.How != protocol.HowDeadline || r.exit.Code != nil {
			t.Fatalf("with %d ms: %+v, EXIT is %+v", open.Timeout, r, r.exit)
		}
		line, _, said := strings.Cut(r.out, "\n")
		if !said {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatalf("the first line is %q", line)
			}
			pids = append(pids, pid)
		}
		return pids
	}
}

func TestDeadline(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	for _, pid := range untilDeadline(t, s, protocol.Open{
		Command: protocol.Bytes("trap '' HUP; sleep 1000 & echo $$ $!; wait; wait")}) {
		if testend.Alive(pid) {
			t.Errorf("process %d lives after its deadline", pid)
		}
	}
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("exit 5"), Timeout: 1e9})
	if r := collect(t, ch); r.exit.Code == nil || *r.exit.Code != 5 {
		t.Errorf("in time: %+v", r.exit)
	}
	s.Close(nil)
	settle(t, before)
}

// What escapes the kernel session (setsid) and holds the output does not delay the end of a command
// that was stopped.
func TestEscapedHoldsOutput(t *testing.T) {
	needs(t, "setsid")
	l := newLab(t, nil)
	before := l.warm()
	s := l.session(nil)
	escaped := untilDeadline(t, s, protocol.Open{
		Command: protocol.Bytes("setsid sh -c 'echo $$; exec sleep 1000' & wait")})[0]
	s.Close(nil)
	settle(t, before)
	if !testend.Alive(escaped) {
		t.Error("it did not escape")
	}
	exec.Command("kill", strconv.Itoa(escaped)).Run()
}

// Each signal of EX3 arrives at the process group; KILL takes the whole kernel session; another
// name is refused and does nothing.
func TestSignals(t *testing.T) {
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	for _, name := range []string{"HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "WINCH", "CONT"} {
		ch := start(t, s,
			protocol.Open{
				Command: protocol.Bytes("trap 'echo got " + name + "; exit 9' " + name +
					"; echo $$; while :; do sleep 0.01; done")})
		running(t, ch, firstLine(t, ch))
		ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
		if r := collect(t, ch); r.out != "got "+name+"\n" || r.exit.Code == nil ||
			*r.exit.Code != 9 {
			t.Errorf("%s: %q, %+v", name, r.out, r.exit)
		}
	}
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo $$; exec sleep 1000")})
	running(t, ch, firstLine(t, ch))
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "TERM"})
	if r := collect(t, ch); r.exit.How != protocol.HowSignalled || r.exit.Signal != "TERM" ||
		r.exit.Code != nil {
		t.Errorf("TERM: %+v", r.exit)
	}
	ch = start(t, s, protocol.Open{Command: protocol.Bytes("echo $$; exec cat")})
	running(t, ch, firstLine(t, ch))
	for (<-ch.Requests()).Type != protocol.TypeOpened {
	}
	for _, name := range []string{"SEGV", "term", "SIGTERM", "9", "", "STOP\x1b[31m"} {
		ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: name})
		if n, ok := (<-ch.Requests()).Message.(*protocol.Notice); !ok ||
			n.Notice != protocol.NoticeSignalRefused {
			t.Errorf("%q: %+v", name, n)
		}
	}
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "STOP"})
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "CONT"})
	ch.EOF(protocol.TypeStdin)
	r := collect(t, ch)
	if r.exit.How != protocol.HowExited || len(r.notices) != 0 {
		t.Errorf("%q, EXIT %+v", r.notices, r.exit)
	}
}

func TestKillTakesTheSession(t *testing.T) {
	needs(t, "timeout")
	l := newLab(t, nil)
	s := l.session(nil)
	defer s.Close(nil)
	ch := start(t, s,
		protocol.Open{
			Command: protocol.Bytes("trap '' HUP TERM; timeout 1000 sleep 1000 & sleep 1000 & " +
				"echo $$ $!; wait; wait")})
	pids := running(t, ch, firstLine(t, ch))
	ch.Send(protocol.TypeSignal, &protocol.Signal{Signal: "KILL"})
	if r := collect(t, ch); r.exit.How != protocol.HowSignalled || r.exit.Signal != "KILL" {
		t.Errorf("EXIT is %+v", r.exit)
	}
	for _, pid := range pids {
		testend.Gone(t, pid)
	}
}
