package conform

import (
	"fmt"
	"strings"

	"minissh/protocol"
)

// execProbes are of the service exec, and of terminals.
var execProbes = []Probe{
	{Rule: "EX1", Name: "argv", What: tx("argv：不经过 shell", "argv: no shell"),
		run: func(t *trial) {
			words := []protocol.Bytes{[]byte("printf"), []byte("[%s]"), []byte("a b"),
				[]byte("$HOME"), []byte("")}
			t.expectOutput(t.login(nil).run(&protocol.Open{Service: "exec", Argv: words}, ""),
				"[a b][$HOME][]", 0)
		}},
	{Rule: "EX1", Name: "length",
		What: tx("length：命令从 STDIN 来", "length: the command comes in STDIN"),
		run: func(t *trial) {
			text := "echo of stdin; cat"
			t.expectOutput(t.login(nil).run(&protocol.Open{Service: "exec",
				Length: int64(len(text))},
				text+"the rest\n"), "of stdin\nthe rest\n", 0)
		}},
	{Rule: "EX1", Name: "shell",
		What: tx("登录 shell：argv[0] 以 - 开头", "a login shell: its argv[0] begins with -"),
		run: func(t *trial) {
			e := t.login(nil).run(&protocol.Open{Service: "exec", Shell: true},
				"echo \"<$0>\"\nexit 4\n")
			if !strings.Contains(string(e.out), "<-") {
				t.fail(same("<-…>"), same(fmt.Sprintf("%.80q", e.out)))
			}
			if e.exit == nil || e.exit.Code == nil || *e.exit.Code != 4 {
				t.fail(tx("退出码 4", "exit status 4"), same(exitOr(e)))
			}
		}},
	{Rule: "EX1", Name: "env",
		What: tx("env：用 LANG，不用别的名字", "env: LANG counts, other names do not"),
		run: func(t *trial) {
			o := command(`echo "$LANG/$LC_TEST/$FOO/$LD_PRELOAD"`)
			for _, pair := range [][2]string{{"LANG", "xx"}, {"LC_TEST", "yy"}, {"FOO", "zz"},
				{"LD_PRELOAD", ""}} {
				o.Env = append(o.Env, [2]protocol.Bytes{[]byte(pair[0]), []byte(pair[1])})
			}
			t.expectOutput(t.login(nil).run(o, ""), "xx/yy//\n", 0)
		}},
	{Rule: "EX1", Name: "env-own",
		What: tx("HOME、USER、LOGNAME、SHELL、PATH 都有",
			"HOME, USER, LOGNAME, SHELL and PATH are set"),
		run: func(t *trial) {
			const each = `for n in "$HOME" "$USER" "$LOGNAME" "$SHELL" "$PATH"; do
				[ "$n" ] && echo y; done`
			t.expectOutput(t.login(nil).run(command(each), ""), strings.Repeat("y\n", 5), 0)
		}},
	{Rule: "EX1", Name: "dir", What: tx("dir：从那里开始", "dir: where the command starts"),
		run: func(t *trial) {
			o := command("pwd")
			o.Dir = protocol.Bytes("/")
			t.expectOutput(t.login(nil).run(o, ""), "/\n", 0)
		}},
	{Rule: "EX1", Name: "dir-up",
		What: tx("dir 里的 .. 由系统来解，不照字面：前面可能是链接",
			"the system resolves .. in dir, and not the text: what precedes may be a link"),
		run: func(t *trial) {
			o := command("pwd -P")
			o.Dir = protocol.Bytes(strings.Repeat("../", 20) + "proc/self/cwd/..")
			k := t.login(nil)
			channel := k.open(o)
			f := k.until(same("OPENED"), func(f protocol.Frame) bool {
				return f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose
			})
			if f.Type == protocol.TypeClose {
				t.unreached(tx("那里没有 /proc", "there is no /proc"))
			}
			if line := k.line(channel); strings.HasPrefix(line, "/proc") {
				t.fail(tx("守护进程自己的目录的上一级", "what is above the daemon's own directory"),
					same(fmt.Sprintf("%.80q", line)))
			}
		}},
	{Rule: "EX1", Name: "home", What: tx("没有 dir：从家目录开始", "no dir: the home directory"),
		run: func(t *trial) {
			e := t.login(nil).run(command(`[ "$(pwd -P)" = "$(cd && pwd -P)" ] && echo home`), "")
			t.expectOutput(e, "home\n", 0)
		}},
	{Rule: "EX1", Name: "timeout",
		What: tx("timeout_ms：到时间就停掉命令", "timeout_ms: the command is stopped then"),
		run: func(t *trial) {
			o := command(waits)
			o.Timeout = 100
			e := t.login(nil).run(o, "")
			if e.exit == nil || e.exit.How != "deadline" {
				t.fail(same("EXIT deadline"), same(exitOr(e)))
			}
		}},
	{Rule: "EX2", Name: "pid", What: tx("OPENED 里的 pid", "pid in OPENED"), run: func(t *trial) {
		k := t.login(nil)
		channel := k.open(command("echo $$; " + waits))
		var o protocol.Opened
		k.expect(protocol.TypeOpened, channel).Decode(&o)
		if line := k.line(channel); fmt.Sprint(o.PID) != line {
			t.fail(tx("pid 是命令的进程号 "+line, "the command's own number, "+line),
				same(fmt.Sprint(o.PID)))
		}
	}},
	{Rule: "EX3", Name: "signal", What: tx("SIGNAL 送到命令", "SIGNAL reaches the command"),
		run: func(t *trial) {
			for _, name := range []string{"INT", "TERM", "KILL", "HUP"} {
				k := t.login(nil)
				channel, _ := k.start("echo up; " + waits)
				k.send(frame(protocol.TypeSignal, channel, `{"signal":"`+name+`"}`))
				e := k.finish(channel)
				if e.exit == nil || e.exit.How != "signalled" || e.exit.Signal != name {
					t.fail(same("EXIT signalled "+name), same(exitOr(e)))
				}
			}
		}},
	{Rule: "EX3", Name: "signal-group",
		What: tx("SIGNAL 送到整个进程组", "SIGNAL reaches the process group"),
		run: func(t *trial) {
			k := t.login(nil)
			channel, _ := k.start(`trap : INT; sh -c 'trap "echo got it; exit 9" INT; echo up; ` +
				`while :; do sleep 0.05; done'; exit $?`)
			k.send(frame(protocol.TypeSignal, channel, `{"signal":"INT"}`))
			t.expectOutput(k.finish(channel), "got it\n", 9)
		}},
	{Rule: "EX3", Name: "signal-refused", What: tx("不认识的信号：NOTICE signal_refused",
		"a signal that is not known: NOTICE signal_refused"), run: func(t *trial) {
		k := t.login(nil)
		channel, _ := k.start("echo up; " + waits)
		k.send(frame(protocol.TypeSignal, channel, `{"signal":"SEGV"}`))
		f := k.expect(protocol.TypeNotice, channel)
		if !strings.Contains(string(f.Payload), `"signal_refused"`) {
			t.fail(same("NOTICE signal_refused"), same(shown(f)))
		}
	}},
	{Rule: "EX4", Name: "eof", What: tx("EOF 关掉命令的标准输入", "EOF closes the command's input"),
		run: func(t *trial) {
			t.expectOutput(t.login(nil).run(command("cat; echo end"), "a"), "aend\n", 0)
		}},
	{Rule: "EX4", Name: "unread",
		What: tx("命令不读的 STDIN：丢掉", "what the command does not read is discarded"),
		run: func(t *trial) {
			k := t.login(nil)
			channel := k.open(command("exit 5"))
			for range 3 {
				k.send(frame(protocol.TypeStdin, channel, strings.Repeat("x", maxPayload)))
			}
			t.expectOutput(k.finish(channel), "", 5)
		}},
	{Rule: "EX4", Name: "eof-before-length", What: tx("length 字节还没到齐就 EOF：bad_request",
		"EOF before the length: bad_request"), run: func(t *trial) {
		k := t.login(nil)
		channel := k.open(&protocol.Open{Service: "exec", Length: 100})
		k.send(frame(protocol.TypeStdin, channel, "echo"), frame(protocol.TypeEOF, channel, "\x10"))
		if e := k.finish(channel); e.exit != nil || e.closed.Code != protocol.CodeBadRequest {
			t.fail(same("CLOSE bad_request"), same(exitOr(e)))
		}
	}},
	{Rule: "EX5", Name: "output-held",
		What: tx("命令结束了，它留下的进程还占着输出：NOTICE output_held，CLOSE 之后 EXIT 是命令的",
			"output that is held: NOTICE output_held; after CLOSE the EXIT is the command's own"),
		run: outputHeld},
	{Rule: "EX6", Name: "codes", What: tx("退出码 0、1、127、255", "exit status 0, 1, 127, 255"),
		run: func(t *trial) {
			k := t.login(nil)
			for _, code := range []int{0, 1, 127, 255} {
				t.expectOutput(k.run(command(fmt.Sprintf("exit %d", code)), ""), "", code)
			}
		}},
	{Rule: "EX6", Name: "signalled",
		What: tx("被信号结束：名字不带 SIG", "ended by a signal: its name without SIG"),
		run: func(t *trial) {
			e := t.login(nil).run(command("kill -USR1 $$"), "")
			if e.exit == nil || e.exit.How != "signalled" || e.exit.Signal != "USR1" ||
				e.exit.Code != nil && *e.exit.Code != 0 {
				t.fail(same("EXIT signalled USR1"), same(exitOr(e)))
			}
		}},
	{Rule: "EX7", Name: "hup-first",
		What: tx("先 HUP：命令可以收拾", "HUP comes first: a command can tidy up"),
		run: func(t *trial) {
			k := t.login(nil)
			channel, _ := k.start("trap 'exit 0' HUP; echo up; while :; do sleep 0.05; done")
			k.send(frame(protocol.TypeClose, channel, "{}"))
			if e := k.finish(channel); e.exit == nil || e.exit.Signal != "" {
				t.fail(tx("HUP 之后自己退出", "it ends by itself after HUP"), same(exitOr(e)))
			}
		}},
	{Rule: "EX7", Name: "kill-after-5s", slow: true,
		What: tx("不理 HUP 的，5 秒后 KILL（最多等 20 秒）",
			"what ignores HUP is killed after 5 seconds (20 at most)"), run: func(t *trial) {
			k := t.login(nil)
			channel, pid := k.start("trap '' HUP TERM; echo $$; while :; do sleep 1000; done")
			k.send(frame(protocol.TypeClose, channel, "{}"))
			k.untilWithin(20e9, same("CLOSE"),
				func(f protocol.Frame) bool { return f.Type == protocol.TypeClose })
			t.dies(pid)
		}},
	{Rule: "EX7", Name: "whole-session", slow: true,
		What: tx("进程组外面的也要停（同一个 session）",
			"the stop reaches other process groups of the kernel session, too"),
		run: func(t *trial) {
			k := t.login(nil)
			channel, pid := k.start("set -m; (trap '' HUP; sleep 1000) & echo $!; wait")
			k.send(frame(protocol.TypeClose, channel, "{}"))
			k.untilWithin(20e9, same("CLOSE"),
				func(f protocol.Frame) bool { return f.Type == protocol.TypeClose })
			t.dies(pid)
		}},
	{Rule: "EX8", Name: "no-directory",
		What: tx("dir 进不去：no_directory", "a dir that cannot be entered"),
		run: func(t *trial) {
			o := command("true")
			o.Dir = protocol.Bytes("/no/such/directory")
			t.login(nil).refused(o, protocol.CodeNoDirectory)
		}},
	{Rule: "EX8", Name: "start-failed", What: tx("没有这个程序：start_failed", "no such program"),
		run: func(t *trial) {
			words := []protocol.Bytes{[]byte("/no/such/program")}
			t.login(nil).refused(&protocol.Open{Service: "exec", Argv: words},
				protocol.CodeStartFailed)
		}},
	{Rule: "JS3", Name: "bytes",
		What: tx("不是 UTF-8 的参数：base64", "an argument that is not UTF-8: base64"),
		run: func(t *trial) {
			words := []protocol.Bytes{[]byte("printf"), []byte("%s"), {0xff, 0x80, 'a'}}
			t.expectOutput(t.login(nil).run(&protocol.Open{Service: "exec", Argv: words}, ""),
				"\xff\x80a", 0)
		}},
	{Rule: "TE1", Name: "pty",
		What: tx("pty：一个终端，或者 NOTICE pty_refused",
			"pty: a terminal, or the NOTICE pty_refused"),
		run: ptyOpened},
	{Rule: "TE2", Name: "pty-size",
		What: tx("终端的大小，和 RESIZE", "a terminal's size, and RESIZE"), run: ptySize},
	{Rule: "TE3", Name: "pty-end",
		What: tx("命令结束就算结束，它留下的进程不算",
			"it ends with the command, whatever is left running"),
		run: func(t *trial) {
			k := t.login(nil)
			o := command("sleep 1000 & echo done; exit 6")
			o.PTY = &protocol.PTY{Term: protocol.Bytes("xterm"),
				Size: protocol.Size{Rows: 24, Cols: 80}}
			channel := k.open(o)
			k.needsPTY(channel)
			e := k.finish(channel)
			if e.exit == nil || e.exit.Code == nil || *e.exit.Code != 6 {
				t.fail(tx("退出码 6", "exit status 6"), same(exitOr(e)))
			}
		}},
}

func exitOr(e *ending) string {
	if e.exit == nil {
		return fmt.Sprintf("CLOSE %q, no EXIT", e.closed.Code)
	}
	return exitText(e.exit)
}

func outputHeld(t *trial) {
	k := t.login(nil)
	channel, pid := k.start("sleep 1000 & echo $!; exit 42")
	f := k.expect(protocol.TypeNotice, channel)
	if !strings.Contains(string(f.Payload), `"output_held"`) {
		t.fail(same("NOTICE output_held"), same(shown(f)))
	}
	k.send(frame(protocol.TypeClose, channel, "{}"))
	var exit protocol.Exit
	k.expect(protocol.TypeExit, channel).Decode(&exit)
	if exit.How != "exited" || exit.Code == nil || *exit.Code != 42 {
		t.fail(same("EXIT exited 42"), same(exitText(&exit)))
	}
	k.expect(protocol.TypeClose, channel)
	there := k.run(command("kill -0 "+fmt.Sprint(number(pid))), "")
	if there.exit == nil || there.exit.Code == nil || *there.exit.Code != 0 {
		t.fail(tx("CLOSE 什么也不停（EX5）", "a CLOSE that stops nothing (EX5)"),
			tx("留下的进程没了", "what was left running is gone"))
	}
	k.kill(pid)
}

// kill ends what a probe left running on purpose.
func (k *talk) kill(pid string) { k.run(command("kill -KILL "+fmt.Sprint(number(pid))), "") }

// number is what a command printed as its process id; 1 is nobody's to ask about.
func number(pid string) (n int) {
	fmt.Sscan(pid, &n)
	return max(n, 1)
}

// needsPTY takes OPENED; without a terminal the rule cannot be tried.
func (k *talk) needsPTY(channel uint32) {
	var o protocol.Opened
	k.expect(protocol.TypeOpened, channel).Decode(&o)
	if len(o.TTY) == 0 {
		k.t.unreached(tx("这个守护进程不给终端", "this daemon gives no terminals"))
	}
}

func ptyOpened(t *trial) {
	k := t.login(nil)
	o := command("if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then echo yes $TERM; else echo no; fi")
	o.PTY = &protocol.PTY{Term: protocol.Bytes("xterm-test"),
		Size: protocol.Size{Rows: 24, Cols: 80}}
	channel := k.open(o)
	var opened protocol.Opened
	k.expect(protocol.TypeOpened, channel).Decode(&opened)
	e := k.finish(channel)
	if len(opened.TTY) > 0 {
		t.expectOutput(e, "yes xterm-test\r\n", 0)
		return
	}
	for _, n := range e.notices {
		if n.Notice == protocol.NoticePTYRefused {
			t.expectOutput(e, "no\n", 0)
			return
		}
	}
	t.fail(tx("OPENED 里有 tty，或者 NOTICE pty_refused",
		"tty in OPENED, or the NOTICE pty_refused"),
		tx("都没有", "neither"))
}

func ptySize(t *trial) {
	k := t.login(nil)
	o := command("stty size; trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done")
	o.PTY = &protocol.PTY{Term: protocol.Bytes("xterm"), Size: protocol.Size{Rows: 33, Cols: 101}}
	channel := k.open(o)
	k.needsPTY(channel)
	if got := k.line(channel); !strings.HasPrefix(got, "33 101") {
		t.fail(same("33 101"), same(fmt.Sprintf("%q", got)))
	}
	if got := k.line(channel); !strings.HasPrefix(got, "up") {
		t.fail(same("up"), same(fmt.Sprintf("%q", got)))
	}
	k.send(message(protocol.TypeResize, channel, &protocol.Size{Rows: 44, Cols: 55}))
	e := k.finish(channel)
	if !strings.Contains(string(e.out), "44 55") {
		t.fail(same("44 55"), same(fmt.Sprintf("%q", e.out)))
	}
}
