package lesson

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

var endings = Lesson{
	Name: "8",
	Title: t("修 bug：空消息、客户端断开、端口被占",
		"mending: empty messages, vanished clients, busy ports"),
	Run: t("三件事：客户端只按回车；客户端关闭，或者被杀；服务端停掉，马上再启动。",
		"Three things: Enter alone at the client; the client closed or killed; the server "+
			"restarted at once."),
	Code: "msg = input('>>>')          # 只按回车 / Enter alone\n" +
		"phone.send(msg.encode('utf-8'))   # send(b'')\ndata = phone.recv(1024)",
	Ask: Question{
		t("send(b'') 在网络上放了什么？", "what does send(b'') put on the wire?"), []Option{
			wrong(
				"一个空包，recv 返回 b''",
				"an empty packet; recv returns b''",
				"流里没有“空消息”，只有字节。recv 返回 b'' 的意思是“对方关了”，跟空消息没有关"+
					"系。",
				"A stream has no empty messages, only bytes. recv returning b'' means that "+
					"the peer has closed; it has nothing to do with an empty message."),
			wrong(
				"一个字节的结束符",
				"one byte, an end mark",
				"TCP 不加任何记号：你给它几个字节，它就送几个字节。结束符得自己写（第 14a 课）。",
				"TCP adds no marks: it carries the bytes that you give it. An end mark is "+
					"yours to write (lesson 14a)."),
			right("什么也没有，recv 一直等", "nothing; recv waits"),
		}},
	Play: playEndings,
	Why: t("流里没有“空消息”：0 个字节就是什么都没有。recv 返回 b'' 只有一个意思：对方不会再发了"+
		"（FIN）。它马上返回，而且每次都这样，不判断的话循环就空转，CPU 占满。\n"+
		"客户端被杀，是操作系统替它关的连接：它的接收缓冲区读空了，就发 FIN，和正常关闭一样；"+
		"还有没读的数据，就发 RST，recv 报 ConnectionResetError（RFC 1122 这么要求，Linux 就是这"+
		"样）。所以两种都要处理，不是 Linux 一种、Windows 一种。",
		"A stream has no empty message: no bytes are nothing. recv returning b'' means one "+
			"thing: the peer will send no more (FIN). It returns at once, every time, so a loop "+
			"without a test spins and takes a whole CPU.\n"+
			"A killed client's connection is closed by its operating system: with FIN, as in any "+
			"close, if its receive buffer was empty; with RST, and recv raises "+
			"ConnectionResetError, if there was unread data in it (RFC 1122 asks for that, and "+
			"Linux does so). So handle both; it is not one for Linux and one for Windows."),
	Change: t("一样一样地改：skip 空输入不发；break 收到 b'' 就 break；reuse 在 bind 前设 "+
		"SO_REUSEADDR。",
		"Change one thing at a time: skip does not send empty input; break leaves the loop on "+
			"b''; reuse sets SO_REUSEADDR before bind."),
	Knob: Knob{t("改哪一样", "what is changed"), []string{"skip", "break", "reuse"},
		changeEndings},
	Exercise: t("让实验室来杀客户端、重启服务端，看你的程序撑不撑得住：",
		"Let the lab kill clients and restart your server:"),
	Check: "minissh-lab check 8 -- python3 my_server.py\n" +
		"    minissh-lab check 8 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("recv 返回 b'' 的时候，你的循环做了什么？",
			"What does your loop do when recv returns b''?"),
		t("两种结束都要处理：b''（FIN）和 ConnectionResetError（RST）。结束的是这个连接，不是服务"+
			"端。",
			"Handle both ends: b'' (FIN) and ConnectionResetError (RST). It is this connection "+
				"that ends, not the server."),
		t("bind 之前：phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)。客户端：空的不"+
			"发，收到 b'' 就退出。",
			"Before bind: phone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1). The "+
				"client: send nothing empty, and leave on b''."),
	},
}

func playEndings(s *Stage) (int, error) {
	outcome, err := emptySend(s)
	if err != nil {
		return 0, err
	}
	if err := clientGone(s); err != nil {
		return 0, err
	}
	return outcome, busyPort(s)
}

// emptySend shows what send(b”) does.
func emptySend(s *Stage) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	before := segments(l.client)
	l.client.Write(nil)
	after := segments(l.client)
	// Bytes after the empty send prove that it brought nothing: they come first.
	l.client.Write([]byte("x"))
	b, err := recv(l.server, 1024)
	if err != nil {
		return 0, err
	}
	if before != "" {
		s.Sayf("send(b'')：段数 %s → %s；然后 send(b'x')，recv 得到 %q",
			"send(b''): segments %s → %s; then send(b'x'), and recv gives %q", before, after, b)
	} else {
		s.Sayf("send(b'')，然后 send(b'x')：第一次 recv 得到 %q（这个系统查不到段数）",
			"send(b''), then send(b'x'): the first recv gives %q (this system does not tell "+
				"segments)", b)
	}
	if string(b) == "x" && before == after {
		return 2, nil
	}
	return 0, nil
}

// clientGone shows how a client's end is seen by the server.
func clientGone(s *Stage) error {
	l, err := dialLink()
	if err != nil {
		return err
	}
	l.client.Close()
	empty, start := 0, time.Now()
	for range 10000 {
		if b, err := recv(l.server, 1024); err == nil && len(b) == 0 {
			empty++
		}
	}
	took := time.Since(start)
	l.close()
	s.Sayf("客户端 close()：recv 马上返回 b''，而且一直这样：%d 次只用了 %s",
		"client closed: recv returns b'' at once, and again: %d times in %s", empty, ms(took))
	rows := [][]string{{s.pick(t("客户端", "client")),
		s.pick(t("它的接收缓冲区", "its receive buffer")),
		s.pick(t("服务端的 recv", "the server's recv"))}}
	for _, unread := range []bool{false, true} {
		how, came, err := killedClient(s, unread)
		if err != nil {
			return err
		}
		buffer := t("空的", "empty")
		if unread {
			buffer = t("有 1 字节没读", "1 byte unread")
		}
		rows = append(rows, []string{how, s.pick(buffer), came})
	}
	s.Table(rows...)
	return nil
}

// killedClient has a process hold the client's end and kills it: its system closes the
// connection. came is what the server's recv makes of that.
func killedClient(s *Stage, unread bool) (how, came string, err error) {
	l, err := dialLink()
	if err != nil {
		return "", "", err
	}
	defer l.close()
	if unread {
		if _, err := l.server.Write([]byte("x")); err != nil {
			return "", "", err
		}
		if err := s.arrived(l.client, 1); err != nil {
			return "", "", err
		}
	}
	if how, err = killHolder(s, l.client); err != nil {
		return "", "", err
	}
	switch b, err := recv(l.server, 1024); {
	case errors.Is(err, syscall.ECONNRESET):
		came = "ConnectionResetError (RST)"
	case err != nil:
		came = speak.Clean(err.Error())
	case len(b) == 0:
		came = "b'' (FIN)"
	default:
		came = speak.Quote(b)
	}
	return how, came, nil
}

// killHolder gives conn to a process that never reads it, and kills that process. Where
// there is no such program the connection is closed instead: a kill closes it the same way.
func killHolder(s *Stage, conn *net.TCPConn) (how string, err error) {
	sleep, err := exec.LookPath("sleep")
	file, fileErr := conn.File()
	if err != nil || fileErr != nil {
		return "close()", errors.Join(conn.Close(), closeFile(file))
	}
	holder := exec.CommandContext(s.Ctx, sleep, "60")
	holder.Stdin = file
	err = holder.Start()
	if err = errors.Join(err, file.Close(), conn.Close()); err != nil {
		return "", err
	}
	err = holder.Process.Kill()
	holder.Wait() // it says that it was killed
	return "kill -9", err
}

// closeFile closes a file that may not be there.
func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// busyPort shows TIME_WAIT with and without SO_REUSEADDR.
func busyPort(s *Stage) error {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := first.Addr().String()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		first.Close()
		return err
	}
	conn, err := first.Accept()
	if err != nil {
		first.Close()
		return err
	}
	conn.Close() // the server closes first: its side goes to TIME_WAIT
	recv(c, 1)   // the FIN is here
	c.Close()
	first.Close()
	_, port, _ := net.SplitHostPort(addr)
	for _, reuse := range []bool{false, true} {
		l, err := listenReuse(s.Ctx, addr, reuse)
		result := "OK"
		if err != nil {
			result = "OSError: Address already in use"
		} else {
			l.Close()
		}
		if errors.Is(err, errNoReuse) {
			s.Say(t("SO_REUSEADDR 在这个系统上意思不同，不演示",
				"SO_REUSEADDR means something else on this system: not shown"))
			return nil
		}
		s.Sayf("再次 bind 端口 %s，SO_REUSEADDR=%s：%s", "bind port %s again, SO_REUSEADDR=%s: %s",
			port, strconv.Itoa(b2i(reuse)), result)
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// changeEndings runs one of the three with its change.
func changeEndings(s *Stage, value string) error {
	what, err := choice(value, "skip", "break", "reuse")
	if err != nil {
		return err
	}
	if what == "reuse" {
		return busyPort(s)
	}
	l, err := dialLink()
	if err != nil {
		return err
	}
	defer l.close()
	if what == "skip" {
		for _, typed := range []string{"", "hello"} {
			if typed == "" {
				s.Say(t("输入空行：continue，不发，再问一次",
					"Enter alone: continue; nothing is sent"))
				continue
			}
			l.client.Write([]byte(typed))
			b, err := recv(l.server, 1024)
			if err != nil {
				return err
			}
			s.Sayf("输入 %s：send，服务端 recv 到 %q", "%s typed: sent, and recv gives %q",
				typed, b)
		}
		return nil
	}
	l.client.Close()
	rounds := 0
	for range 10000 {
		rounds++
		if b, err := recv(l.server, 1024); err != nil || len(b) == 0 {
			break
		}
	}
	s.Sayf("客户端 close()；recv 返回 b''，break：循环转了 %d 圈",
		"client closed; recv gives b'', break: the loop ran %d time(s)", rounds)
	return nil
}
