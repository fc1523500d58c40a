package prompt

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"minissh/client/editor"
	"minissh/client/fakedaemon"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// over is a runner over a daemon that has a shell, and answers what is asked of that.
func over(t *testing.T, answer func(*mux.Channel)) *runner {
	r, _ := overShell(t, func(ch *mux.Channel) { <-ch.Gone() }, answer)
	return r
}

// overShell is over; shell is what the shell does.
func overShell(t *testing.T, shell, answer func(*mux.Channel)) (*runner, *fakedaemon.Memory) {
	daemon := fakedaemon.NewMemory(t, func(ch *mux.Channel) {
		fakedaemon.Begin(ch, "")
		if ch.Request().In != 0 {
			answer(ch)
		} else {
			shell(ch)
		}
		<-ch.Gone()
		ch.Close(nil)
	})
	daemon.Lines = true
	r := &runner{conn: daemon.Connect(t), attached: make(chan struct{})}
	r.shell = r.beginShell()
	r.Attach(io.Discard, io.Discard)
	return r, daemon
}

// A daemon that lists names without end costs neither memory nor time.
func TestNamesWithoutEnd(t *testing.T) {
	r := over(t, func(ch *mux.Channel) {
		names := []byte(strings.Repeat("a\n", 8192))
		for {
			if _, err := ch.Write(protocol.TypeStdout, names); err != nil {
				return
			}
		}
	})
	names, err := r.names(t.Context(), protocol.KindCommand, "a")
	if err == nil || len(names) > mostOfNames/2 {
		t.Errorf("%d names, %v", len(names), err)
	}
}

// A shell that has ended between two lines ends the prompt, or gives way to a new one: no line
// would run any more.
func TestShellGoneBetweenLines(t *testing.T) {
	code := 7
	for _, exit := range []*protocol.Exit{{How: protocol.HowExited, Code: &code},
		{How: protocol.HowSignalled, Signal: "HUP"}} {
		end := make(chan *protocol.Exit, 1)
		r, daemon := overShell(t, func(ch *mux.Channel) { ch.End(<-end) },
			func(ch *mux.Channel) { fakedaemon.Exited(ch, 0) })
		end <- exit
		<-r.shell.ended
		_, err := r.Run(t.Context(), "true", io.Discard, io.Discard)
		over, ends := errors.AsType[*endError](err)
		if exit.Code != nil {
			if !ends || over.code != code || !strings.Contains(daemon.Said.String(), "has ended") {
				t.Errorf("%v, %q", err, daemon.Said)
			}
			continue
		}
		if _, lives := errors.AsType[*editor.LineError](err); !lives {
			t.Error(err)
		}
		if _, err := r.Run(t.Context(), "true", io.Discard, io.Discard); err != nil {
			t.Error("in the new shell: ", err)
		}
		end <- exit
	}
}

// A daemon that leaves out the directory of each line says that the shell has ended. If it has not,
// that is waited for once, and not before each prompt.
func TestLinesWithoutDirectory(t *testing.T) {
	r := over(t, func(ch *mux.Channel) { fakedaemon.Exited(ch, 0) })
	for _, late := range []time.Duration{time.Second, time.Second / 20, time.Second / 20} {
		if got := r.shell.endsWithin(); got != late {
			t.Errorf("the prompt is %v late, not %v", got, late)
		}
		if _, err := r.Run(t.Context(), "true", io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
}

// After < and > come names of files.
func TestTabAfterRedirection(t *testing.T) {
	asked := make(chan string, 1)
	r := over(t, func(ch *mux.Channel) {
		c := ch.Request().Complete
		asked <- c.Kind + " " + string(c.Word)
		ch.Write(protocol.TypeStdout, []byte(string(c.Word)+"x\n"))
		fakedaemon.Exited(ch, 0)
	})
	for line, want := range map[string]string{
		"cat <a":      "path a",
		"cat 2>>d/a":  "path d/a",
		"<a":          "path a",
		"a >b; c":     "command c",
		"echo '<' a":  "path a",
		"cat \\<a":    "path <a",
		"sudo <in ca": "path ca",
	} {
		found := r.complete(t.Context(), line, len(line))
		if got := <-asked; got != want || len(found.Candidates) != 1 ||
			!strings.HasSuffix(line, strings.TrimLeft(line[max(0, found.From):], "\\")) {
			t.Errorf("%q: %q, %+v", line, got, found)
		}
	}
}

// A path may begin with a variable, or ~, which the shell there expands unless quotes forbid it.
func TestTabAfterVariable(t *testing.T) {
	asked := make(chan string, 1)
	r := over(t, func(ch *mux.Channel) {
		c := ch.Request().Complete
		asked <- c.Kind + " " + string(c.Word)
		ch.Write(protocol.TypeStdout, []byte(string(c.Word)+" $x\n"))
		fakedaemon.Exited(ch, 0)
	})
	for line, want := range map[string][2]string{
		"ls $HOME/a":     {"path $HOME/a", `$HOME/a\ \$x `},
		"ls \"$HOME/a":   {"path $HOME/a", `"$HOME/a \$x" `},
		"ls '$HOME/a":    {"path ./$HOME/a", `'./$HOME/a $x' `},
		"ls \\$HOME/a":   {"path ./$HOME/a", `./\$HOME/a\ \$x `},
		"ls ~/a":         {"path ~/a", `~/a\ \$x `},
		"ls \"~/a":       {"path ./~/a", `"./~/a \$x" `},
		"ls a$HOME/b":    {"path a$HOME/b", `a\$HOME/b\ \$x `},
		"cat <$dir/sub/": {"path $dir/sub/", `$dir/sub/\ \$x `},
	} {
		found := r.complete(t.Context(), line, len(line))
		if got := <-asked; got != want[0] || len(found.Candidates) != 1 ||
			found.Candidates[0].Text != want[1] {
			t.Errorf("%q: %q, %+v", line, got, found)
		}
	}
}

// What is typed for a long line comes after its text: sendFirst waits until that has been sent.
func TestLongLineIsSentFirst(t *testing.T) {
	text := strings.Repeat("x", editor.MaxLine)
	begun, got := make(chan struct{}), make(chan string, 1)
	r := over(t, func(ch *mux.Channel) {
		begun <- struct{}{}
		var all strings.Builder
		for all.Len() < len(text) {
			e, err := ch.Take()
			if err != nil {
				break
			}
			all.Write(e.Data)
		}
		got <- all.String()
	})
	send := func(gaveUp chan struct{}) chan bool {
		ch, _, err := r.open(r.shell.line(text, nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Close(nil) })
		sent := make(chan bool, 1)
		go func() { sent <- r.shell.sendFirst(t.Context(), ch, text, gaveUp) }()
		return sent
	}
	sent := send(make(chan struct{}))
	<-begun
	if len(sent) > 0 {
		t.Error("it does not wait")
	}
	if !<-sent || <-got != text {
		t.Error("the text has not been sent whole")
	}
	gaveUp := make(chan struct{})
	sent = send(gaveUp)
	close(gaveUp)
	if <-sent {
		t.Error("what was given up is sent")
	}
	<-begun
}
