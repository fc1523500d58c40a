package conform

import (
	"bytes"
	"fmt"
	"strings"

	"minissh/protocol"
)

// lineProbes are of a shell that is told its lines. They are lines that every shell understands.
var lineProbes = []Probe{
	{Rule: "LI1", Name: "shell", What: tx("OPENED 里有 shell 的名字",
		"OPENED has the shell's name"),
		run: func(t *trial) {
			if _, opened := t.login(nil).lineShell(nil); opened.Shell == "" || opened.PID < 2 {
				t.fail(same("shell, pid"), same(fmt.Sprintf("%q, %d", opened.Shell, opened.PID)))
			}
		}},
	{Rule: "LI1", Name: "field-of-a-line",
		What: tx("没有 in，却有一行的字段：bad_request",
			"fields of a line without in: bad_request"),
		run: func(t *trial) {
			k := t.login(nil)
			k.lineShell(nil) // or not reached
			for _, o := range []protocol.Open{{Command: protocol.Bytes("pwd")}, {Length: 3},
				{Complete: &protocol.Complete{Kind: protocol.KindPath}}} {
				o.Service = "lines"
				k.refused(&o, protocol.CodeBadRequest)
			}
		}},
	{Rule: "LI2", Name: "lasts", What: tx("目录从这一行留到下一行",
		"the directory lasts from one line to the next"),
		run: func(t *trial) {
			k := t.login(nil)
			shell, _ := k.lineShell(nil)
			k.tells(shell, "cd /", 0)
			t.expectOutput(k.tells(shell, "pwd", 0), "/\n", 0)
		}},
	{Rule: "LI2", Name: "eof", What: tx("STDIN 的 EOF：shell 结束", "EOF of STDIN ends the shell"),
		run: func(t *trial) {
			k := t.login(nil)
			shell, _ := k.lineShell(nil)
			k.tells(shell, "pwd", 0)
			k.send(frame(protocol.TypeEOF, shell, "\x10"))
			if e := k.finish(shell); e.exit == nil || e.exit.How != protocol.HowExited {
				t.fail(same("EXIT exited"), same(exitOr(e)))
			}
		}},
	{Rule: "LI3", Name: "one-field",
		What: tx("一行要有 command、length、complete 里的一个",
			"a line has one of command, length and complete"), run: func(t *trial) {
			k := t.login(nil)
			shell, _ := k.lineShell(nil)
			for _, o := range []protocol.Open{{},
				{Command: protocol.Bytes("pwd"), Length: 3}, {Length: 1<<20 + 1}} {
				o.Service, o.In = "lines", int64(shell)
				k.refused(&o, protocol.CodeBadRequest)
			}
		}},
	{Rule: "LI3", Name: "no-shell", What: tx("in 不是 shell：bad_request",
		"in that is not a running shell: bad_request"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		k.send(frame(protocol.TypeEOF, shell, "\x10"))
		k.finish(shell)
		running, _ := k.start("echo up; " + waits)
		for _, in := range []uint32{shell, running, 4001} {
			k.refused(line(in, "pwd"), protocol.CodeBadRequest)
		}
	}},
	{Rule: "LI3", Name: "busy", What: tx("一行还没完，又来一行：busy",
		"a line while another one runs: busy"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		first := k.open(line(shell, "echo up; sleep 1000"))
		k.expect(protocol.TypeOpened, first)
		k.line(first)
		k.refused(line(shell, "pwd"), protocol.CodeBusy)
		k.send(frame(protocol.TypeSignal, first, `{"signal":"INT"}`))
		k.finish(first)
	}},
	{Rule: "LI3", Name: "length", What: tx("length：这一行从 STDIN 来；不够就结束：bad_request",
		"length: the line comes in STDIN; one that ends too soon is bad_request"),
		run: func(t *trial) {
			k := t.login(nil)
			shell, _ := k.lineShell(nil)
			o := &protocol.Open{Service: "lines", In: int64(shell), Length: 11}
			t.expectOutput(k.run(o, "echo 中 ok"), "中 ok\n", 0)
			if e := k.run(o, "echo"); e.closed.Code != protocol.CodeBadRequest {
				t.fail(same("CLOSE bad_request"), same(exitOr(e)))
			}
			t.expectOutput(k.tells(shell, "echo next", 0), "next\n", 0)
		}},
	{Rule: "LI3", Name: "incomplete", What: tx("没写完的一行：语法错误，下一行照常",
		"an incomplete line is a syntax error, and the next one runs whole"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		if e := k.run(line(shell, "echo 'abc"), ""); e.exit == nil || e.exit.Code == nil ||
			*e.exit.Code == 0 {
			t.fail(tx("退出码不是 0", "an exit status that is not 0"), same(exitOr(e)))
		}
		t.expectOutput(k.tells(shell, "echo next", 0), "next\n", 0)
	}},
	{Rule: "LI4", Name: "no-input", What: tx("没有 pty 的一行没有输入",
		"a line without pty has no input"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		t.expectOutput(k.run(line(shell, "cat; echo end"), "discarded\n"), "end\n", 0)
	}},
	{Rule: "LI4", Name: "outputs", What: tx("两路输出都在 EXIT 之前到齐",
		"both outputs, whole before EXIT"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		e := k.tells(shell, "sh -c 'yes out | head -20000; echo err >&2'", 0)
		want := strings.Repeat("out\n", 20_000)
		if string(e.out) != want || string(e.err) != "err\n" {
			t.fail(tx("80000 字节的 STDOUT，STDERR 是 err",
				"80,000 bytes of STDOUT, and err in STDERR"),
				same(fmt.Sprintf("%d bytes, %.80q", len(e.out), e.err)))
		}
	}},
	{Rule: "LI4", Name: "terminal", What: tx("有 pty 的一行：shell 的终端就是它的三路",
		"a line with pty: its streams are the shell's terminal"), run: lineTerminal},
	{Rule: "LI4", Name: "no-terminal", What: tx("shell 没有终端：service_refused",
		"a shell without a terminal: service_refused"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		o := line(shell, "pwd")
		o.PTY = aTerminal()
		k.refused(o, protocol.CodeServiceRefused)
	}},
	{Rule: "LI5", Name: "status", What: tx("EXIT：状态、dir、old_dir、duration_ms",
		"EXIT: the status, dir and old_dir"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		k.tells(shell, "cd /", 0)
		if e := k.tells(shell, "cd /etc", 0); string(e.exit.Dir) != "/etc" ||
			string(e.exit.OldDir) != "/" {
			t.fail(same("dir /etc, old_dir /"), same(exitText(e.exit)+
				fmt.Sprintf(", %q, %q", e.exit.Dir, e.exit.OldDir)))
		}
		k.tells(shell, "sh -c 'exit 7'", 7)
	}},
	{Rule: "LI5", Name: "signal", What: tx("INT：这一行停下，下一行照常",
		"INT stops the line; the next one runs whole"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		stopped := k.open(line(shell, "echo up; sleep 1000"))
		k.expect(protocol.TypeOpened, stopped)
		k.line(stopped)
		k.send(frame(protocol.TypeSignal, stopped, `{"signal":"INT"}`))
		k.takesStatus(k.finish(stopped), 130)
		t.expectOutput(k.tells(shell, "echo next", 0), "next\n", 0)
	}},
	{Rule: "LI5", Name: "close", What: tx("CLOSE：这一行停下，有 EXIT，shell 还在",
		"CLOSE stops the line: there is an EXIT, and the shell lives"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		stopped := k.open(line(shell, "echo up; sleep 1000"))
		k.expect(protocol.TypeOpened, stopped)
		k.line(stopped)
		k.send(frame(protocol.TypeClose, stopped, "{}"))
		k.takesStatus(k.finish(stopped), 130)
		t.expectOutput(k.tells(shell, "echo next", 0), "next\n", 0)
	}},
	{Rule: "LI5", Name: "exit", What: tx("exit：这一行的 EXIT 没有 dir，shell 也有 EXIT",
		"exit: the line's EXIT is without dir, and the shell has one, too"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(nil)
		last := k.open(line(shell, "exit 3"))
		ends := k.collect(2)
		for _, channel := range []uint32{last, shell} {
			e := ends[channel]
			if e == nil {
				t.fail(tx("两个 EXIT", "an EXIT of each"), tx("少了一个", "one is missing"))
			}
			k.takesStatus(e, 3)
		}
		if dir := ends[last].exit.Dir; len(dir) > 0 {
			t.fail(tx("没有 dir", "no dir"), same(fmt.Sprintf("dir %q", dir)))
		}
	}},
	{Rule: "LI6", Name: "names", What: tx("complete：每行一个名字，都以 word 开头，$? 不变",
		"complete: a name a line, each begins as word does, and $? stays"), run: lineNames},
	{Rule: "LI6", Name: "with-pty", What: tx("complete 带 pty，或者别的 kind：bad_request",
		"complete with pty, or of another kind: bad_request"), run: func(t *trial) {
		k := t.login(nil)
		shell, _ := k.lineShell(aTerminal())
		o := names(shell, protocol.KindPath, "/")
		o.PTY = aTerminal()
		k.refused(o, protocol.CodeBadRequest)
		k.refused(names(shell, "colour", "r"), protocol.CodeBadRequest)
	}},
}

// begins opens a service, and takes OPENED; a daemon that has no such service cannot be tried.
func (k *talk) begins(o *protocol.Open) (channel uint32, opened protocol.Opened) {
	channel = k.open(o)
	f := k.answered(channel)
	if f.Type == protocol.TypeOpened {
		f.Decode(&opened) // order has looked at it
		return channel, opened
	}
	var reason protocol.Reason
	f.Decode(&reason) // order has looked at it
	if reason.Code == protocol.CodeUnknownService || reason.Code == protocol.CodeServiceRefused {
		k.t.unreached(tx("这个守护进程没有服务 "+o.Service,
			"this daemon has no service "+o.Service))
	}
	k.t.fail(same("OPENED"), same(shown(f)))
	return
}

// lineShell starts a shell, in a directory that there is.
func (k *talk) lineShell(pty *protocol.PTY) (uint32, protocol.Opened) {
	return k.begins(&protocol.Open{Service: "lines", PTY: pty, Dir: protocol.Bytes("/")})
}

func aTerminal() *protocol.PTY {
	return &protocol.PTY{Term: protocol.Bytes("dumb"), Size: protocol.Size{Rows: 24, Cols: 80}}
}

func line(shell uint32, text string) *protocol.Open {
	return &protocol.Open{Service: "lines", In: int64(shell), Command: protocol.Bytes(text)}
}

func names(shell uint32, kind, word string) *protocol.Open {
	return &protocol.Open{Service: "lines", In: int64(shell),
		Complete: &protocol.Complete{Kind: kind, Word: protocol.Bytes(word)}}
}

// tells has the shell run a line, whose status must be this.
func (k *talk) tells(shell uint32, text string, status int) *ending {
	e := k.run(line(shell, text), "")
	k.takesStatus(e, status)
	return e
}

func (k *talk) takesStatus(e *ending, status int) {
	if e.exit == nil || e.exit.How != protocol.HowExited || e.exit.Code == nil ||
		*e.exit.Code != status {
		k.t.fail(same(fmt.Sprintf("EXIT exited, code %d", status)), same(exitOr(e)))
	}
}

func lineTerminal(t *trial) {
	k := t.login(nil)
	shell, opened := k.lineShell(aTerminal())
	if len(opened.TTY) == 0 {
		t.unreached(tx("这个守护进程不给终端", "this daemon gives no terminals"))
	}
	o := line(shell, "tty; stty size; echo err >&2")
	o.PTY = &protocol.PTY{Size: protocol.Size{Rows: 33, Cols: 101}}
	e := k.run(o, "")
	k.takesStatus(e, 0)
	want := fmt.Sprintf("%s\r\n33 101\r\nerr\r\n", opened.TTY)
	if string(e.out) != want || len(e.err) > 0 {
		t.fail(same(fmt.Sprintf("%q", want)), same(fmt.Sprintf("%.80q, %.80q", e.out, e.err)))
	}
}

func lineNames(t *trial) {
	k := t.login(nil)
	shell, _ := k.lineShell(nil)
	k.tells(shell, "sh -c 'exit 5'", 5)
	for _, c := range []struct{ kind, word, one string }{
		{protocol.KindPath, "/et", "/etc/"}, {protocol.KindCommand, "ls", "ls"},
		{protocol.KindVariable, "HOM", "HOME"},
	} {
		e := k.run(names(shell, c.kind, c.word), "")
		k.takesStatus(e, 5)
		found := false
		for name := range bytes.Lines(e.out) {
			if !bytes.HasPrefix(name, []byte(c.word)) || !bytes.HasSuffix(name, []byte("\n")) {
				t.fail(tx("名字以 "+c.word+" 开头，以换行结束",
					"a name that begins with "+c.word+", with a newline after it"),
					same(fmt.Sprintf("%.80q", name)))
			}
			found = found || string(name) == c.one+"\n"
		}
		if !found {
			t.fail(same(c.one), same(fmt.Sprintf("%.200q", e.out)))
		}
	}
}
