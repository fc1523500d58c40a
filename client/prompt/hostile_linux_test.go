package prompt_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// evil is what no terminal is to be shown, unless a program there has written it.
const evil = "\x1b]0;EVIL\a\u009b2J\rEVIL\u202e"

// A daemon that lies in every answer to a prompt on a terminal: nothing of its own reaches that
// raw, or is long, and Ctrl-C and Ctrl-D do what they always do.
func TestPromptOverHostileDaemon(t *testing.T) {
	asked := make(chan string, 1)
	daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		open := ch.Request()
		if open.Service == "lines" && open.In == 0 {
			ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1, Shell: evil,
				TTY: protocol.Bytes(evil)})
			<-ch.Gone()
			return
		}
		if code := 0; strings.HasPrefix(string(open.Command), "sh ") { // the prompt tells $? so
			fmt.Sscanf(string(open.Command), "sh -c 'exit %d'", &code)
			fakedaemon.Begin(ch, "")
			ch.End(&protocol.Exit{How: protocol.HowExited, Code: &code, Dir: protocol.Bytes("/")})
			return
		}
		asked <- string(open.Command)
		if string(open.Command) != "silent" {
			lie(ch, string(open.Command))
			return
		}
		fakedaemon.Begin(ch, "")
		for {
			select {
			case e := <-ch.Requests():
				if sig, ok := e.Message.(*protocol.Signal); ok {
					asked <- sig.Signal
					ch.End(&protocol.Exit{})
					return
				}
			case <-ch.Gone():
				return
			}
		}
	})
	daemon.Lines = true
	p := typeTo(t, daemon)
	for n, line := range []string{"code", "signal", "how", "dir", "longdir", "notice", "closed",
		"refused", "left"} {
		io.WriteString(p.keys, line+"\n")
		if got := <-asked; got != line {
			t.Errorf("%q, not %q", got, line)
		}
		testend.Until(t, fmt.Sprint("prompt ", n), func() bool {
			shown := p.shown.String()
			_, after, found := strings.Cut(shown, line+"\r\n")
			return found && strings.Contains(after, "tester@")
		})
	}
	io.WriteString(p.keys, "silent\n")
	<-asked
	before := len(p.shown.String())
	syscall.Kill(os.Getpid(), syscall.SIGINT) // the terminal is not this process's own
	if got := <-asked; got != "INT" {
		t.Errorf("Ctrl-C is %q", got)
	}
	testend.Until(t, "the last prompt", func() bool {
		return strings.Contains(p.shown.String()[before:], "tester@")
	})
	io.WriteString(p.keys, "\x04")
	r, shown := p.end(t)
	if r.err != nil {
		t.Errorf("%d, %v", r.code, r.err)
	}
	for _, c := range []string{"\x1b", "\a", "\u009b", "\u202e", "\rEVIL"} {
		if strings.Contains(shown, c) {
			t.Errorf("shown is %q", c)
		}
	}
	if len(shown) > 64<<10 {
		t.Errorf("%d bytes are shown", len(shown))
	}
	if n := strings.Count(shown, "it asks for a terminal"); n != 1 {
		t.Errorf("%d times it is said that it asks for a terminal", n)
	}
}

// lie answers a line.
func lie(ch *mux.Channel, line string) {
	exit := &protocol.Exit{How: protocol.HowExited, Code: new(int), Dir: protocol.Bytes("/")}
	fakedaemon.Begin(ch, evil)
	switch line {
	case "code":
		*exit.Code, exit.Duration = -1<<31, -1<<62
	case "signal":
		exit.How, exit.Signal = "signalled", evil
	case "how":
		exit.How = evil
	case "dir":
		exit.Dir, exit.OldDir = protocol.Bytes("/"+evil), protocol.Bytes(evil)
	case "longdir":
		exit.Dir = protocol.Bytes(strings.Repeat("/x", 20_000))
	case "notice":
		for range 1000 {
			ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeSignalRefused,
				Message: evil})
			ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: evil, Message: evil})
			ch.Send(protocol.TypeNotice, &protocol.Notice{Notice: protocol.NoticeWantsTerminal})
		}
	case "closed":
		ch.Close(&protocol.Reason{Code: "evil", Message: strings.Repeat(evil, 1000)})
		return
	case "refused":
		ch.Close(&protocol.Reason{Code: protocol.CodeNoDirectory, Message: evil})
		return
	case "left":
		exit.Left = []protocol.Process{{PID: -5, Name: evil}}
	}
	ch.End(exit)
}
