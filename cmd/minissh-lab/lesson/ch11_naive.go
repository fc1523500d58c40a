package lesson

import "minissh/cmd/minissh-lab/dialect"

var naiveSSH = Lesson{
	Name:  "11",
	Title: t("模拟 ssh", "a simulated ssh"),
	Run: t("服务端把收到的命令交给 subprocess.Popen，把 stdout 和 stderr 发回来。"+
		"（这里的命令是模拟的，不会真的启动进程。）",
		"The server gives each command to subprocess.Popen and sends stdout and stderr back. "+
			"(Commands are played here; no process is started.)"),
	Code: "obj = subprocess.Popen(cmd.decode('utf-8'), shell=True,\n" +
		"                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n" +
		"conn.send(obj.stdout.read() + obj.stderr.read())",
	Ask: Question{
		t("先发 cd /，再发 pwd。cd 还管用吗？",
			"first `cd /`, then `pwd`: does cd persist?"), []Option{
			right(
				"不管用：每条命令都是新的 shell；而且 cd 没有输出，客户端卡在 recv",
				"no: each command is a new shell; and as cd prints nothing, the client hangs "+
					"in recv"),
			wrong(
				"管用：pwd 打印 /",
				"yes: pwd prints /",
				"cd 改的是那个 shell 自己的目录，命令一结束，shell 就没了。下一条命令是新的 "+
					"shell，又从服务端的目录开始。",
				"cd changes the directory of that shell, which ends with its command. The "+
					"next command is a new shell, in the server's directory again."),
			wrong(
				"不管用，cd 报错",
				"no, cd fails",
				"cd 成功了，只是没有输出。没有输出就是 send(b'')，等于什么也没发，所以客户端一"+
					"直等。",
				"cd succeeds; it only prints nothing. That is send(b''), which sends nothing, "+
					"so the client waits."),
		}},
	Play: playNaive,
	Why: t("目录属于进程：Popen 的 shell 结束了，它的目录也没了。没有输出就是 send(b'')，"+
		"什么也不发，客户端就一直等下去。",
		"A directory belongs to a process: Popen's shell has ended, and its directory with it. "+
			"No output means send(b''), which sends nothing: the client waits for ever."),
	Change: t("没有输出时也回答：send(data or b'(no output)\\n')。改了以后，卡住的那一行会怎么样？",
		"Answer for empty output too: send(data or b'(no output)\\n'). What becomes of the line "+
			"that hung?"),
	Knob: Knob{t("没有输出时", "without output"), []string{"answer", "silent"},
		func(s *Stage, value string) error {
			how, err := choice(value, "answer", "silent")
			switch {
			case err != nil:
				return err
			case how == "silent":
				_, err = playNaive(s)
				return err
			}
			return answerNaive(s)
		}},
	Exercise: t("写服务端：已知命令的输出要对，没有输出的命令也要有回答：",
		"Write the server: right output for known commands, and some answer for silent ones:"),
	Check: "minissh-lab check 11 -- python3 my_server.py",
	Hints: [3]Text{
		t("cd / 的输出有几个字节？那 send 发了什么？",
			"How many bytes does cd / print? What does send send, then?"),
		t("客户端总是在等一个回答，所以每条命令都得回点什么。",
			"The client always waits for an answer, so every command must get one."),
		t("conn.sendall(data or b'(no output)\\n')，别忘了 stderr。",
			"conn.sendall(data or b'(no output)\\n'), and do not forget stderr."),
	},
}

func playNaive(s *Stage) (int, error) {
	sent := make(chan int, 16) // what each of the server's sends was given
	// The server in this process, with its sends watched.
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	go func() {
		dialect.Find("naive").Serve(s.Ctx, l.server, dialect.Options{Events: func(e dialect.Event) {
			if e.Op == dialect.Send {
				sent <- len(e.Data)
			}
		}})
		close(done)
	}()
	defer func() { l.close(); <-done }()
	rows := [][]string{{s.pick(t("命令", "command")), "send", "recv(1024)"}}
	answers := map[string]string{}
	for _, line := range []string{"pwd", "cd /", "pwd", "cd / && pwd", "nosuch"} {
		l.client.Write([]byte(line))
		n := <-sent
		answer := hung
		if n > 0 {
			b, err := recv(l.client, 1024)
			if err != nil {
				return 0, err
			}
			answer = oneLine(b)
		}
		answers[line] = answer
		rows = append(rows, []string{line, s.pick(f("%d 字节", "%d bytes", n)), s.orHung(answer)})
	}
	s.Table(rows...)
	if answers["cd /"] == hung && answers["pwd"] != `/\n` && answers["cd / && pwd"] == `/\n` {
		return 0, nil
	}
	return 1, nil
}

// answerNaive is the server that answers for empty output, too.
func answerNaive(s *Stage) error {
	l, err := dialLink()
	if err != nil {
		return err
	}
	defer l.close()
	rows := [][]string{{s.pick(t("命令", "command")), "recv(1024)"}}
	for _, line := range []string{"pwd", "cd /", "pwd"} {
		l.client.Write([]byte(line))
		if _, err := recv(l.server, 1024); err != nil {
			return err
		}
		data := played(line)
		if data == "" {
			data = "(no output)\n"
		}
		l.server.Write([]byte(data))
		b, err := recv(l.client, 1024)
		if err != nil {
			return err
		}
		rows = append(rows, []string{line, oneLine(b)})
	}
	s.Table(rows...)
	s.Say(t("不卡了；可是 cd 还是不管用：目录属于进程。",
		"It does not hang; cd still does not persist: a directory belongs to a process."))
	return nil
}
