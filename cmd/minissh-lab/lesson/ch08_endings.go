package lesson

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"
)

var endings = Lesson{
	Name: "8",
	Title: t("修 bug：空消息、客户端消失、端口被占",
		"mending: empty messages, vanished clients, busy ports"),
	Run: t("三件事：客户端只按回车；客户端被关掉或杀掉；服务端停了马上再启动。",
		"Three things: Enter alone at the client; the client closed or killed; the server "+
			"restarted at once."),
	Code: "msg = input('>>>')          # 只按回车\n" +
		"phone.send(msg.encode('utf-8'))   # send(b'')\ndata = phone.recv(1024)",
	Ask: Question{t("send(b'') 在网络上放了什么？", "what does send(b'') put on the wire?"), []Text{
		t("一个空的包，recv 返回 b''", "an empty packet; recv returns b''"),
		t("什么也没有，recv 一直等", "nothing; recv waits"),
		t("一个字节的结束符", "one byte, an end mark"),
	}, 1},
	Play: playEndings,
	Why: t("流里没有“空消息”：0 个字节就是什么都没有。recv 返回 b'' 只有一个意思："+
		"对方关闭了（FIN），而且立刻返回，永远如此，所以不判断就空转。被杀的对方发 RST："+
		"ConnectionResetError。两种系统两种都有。",
		"A stream has no empty message: no bytes are nothing. recv returning b'' means one "+
			"thing: the peer has closed (FIN), and it does so at once and for ever, so a loop "+
			"without a test spins. A killed peer sends RST: ConnectionResetError. Every system "+
			"has both."),
	Change: t("空输入不发；recv 到 b'' 就 break；except ConnectionResetError；bind 前 "+
		"SO_REUSEADDR。", "Do not send empty input; break on b''; except ConnectionResetError; "+
		"SO_REUSEADDR before bind."),
	Exercise: t("让实验室杀客户端、重启服务端：",
		"Let the lab kill clients and restart your server:"),
	Check: "minissh-lab check 8 -- python3 my_server.py\n" +
		"    minissh-lab check 8 --client -- python3 my_client.py",
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
		s.Sayf("send(b''): 段数 %s → %s；然后 send(b'x')，recv 得到 %q",
			"send(b''): segments %s → %s; then send(b'x'), and recv gives %q", before, after, b)
	} else {
		s.Sayf("send(b'')，然后 send(b'x')：第一次 recv 得到 %q（段数在这个系统上不知道）",
			"send(b''), then send(b'x'): the first recv gives %q (this system does not tell "+
				"segments)", b)
	}
	if string(b) == "x" && before == after {
		return 1, nil
	}
	return 0, nil
}

// clientGone shows FIN and RST.
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
	s.Sayf("客户端 close（FIN）：recv 立刻返回 b''，%d 次只用 %s：空转",
		"client closed (FIN): recv returns b'' at once, %d times in %s: that is spinning", empty,
		ms(took))

	if l, err = dialLink(); err != nil {
		return err
	}
	defer l.close()
	l.client.SetLinger(0)
	l.client.Close()
	_, err = recv(l.server, 1024)
	if errors.Is(err, syscall.ECONNRESET) {
		s.Say(t("客户端被杀（RST）：recv 报错 ConnectionResetError",
			"client killed (RST): recv raises ConnectionResetError"))
	} else {
		s.Sayf("客户端被杀：%v", "client killed: %v", err)
	}
	return nil
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
