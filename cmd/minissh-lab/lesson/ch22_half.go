package lesson

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"
)

var halfClose = Lesson{
	Name:  "22",
	Title: t("半关闭和超时", "half-close and time-outs"),
	Run: t("客户端 send 两次，然后 shutdown(SHUT_WR)。服务端收到 b'' 才回答：把收到的全部内容倒过"+
		"来发回去。",
		"The client sends twice, then calls shutdown(SHUT_WR). The server answers only when recv "+
			"returns b'': with all that came, reversed."),
	Code: "client.sendall(b'one')\nclient.sendall(b'two')\n" +
		"client.shutdown(socket.SHUT_WR)   # 我说完了 / I am done\n" +
		"print(client.recv(1024))          # ?",
	Ask: Question{
		t("shutdown 以后，客户端的 recv 得到什么？",
			"what does the client's recv give after shutdown?"), []Option{
			right("服务端的回答", "the server's answer"),
			wrong(
				"b''：连接已经关了",
				"b'': the connection is closed",
				"关的只是“我发给你”这一半（一个 FIN）。“你发给我”那一半还开着，等服务端自己"+
					"关。",
				"Only the half from the client to the server is closed (a FIN). The other half "+
					"stays open until the server closes it."),
			wrong(
				"出错：不能再用这个套接字",
				"an error: the socket can no longer be used",
				"出错的是 close() 以后再 recv。shutdown(SHUT_WR) 以后不能再 send，recv 照样能用。",
				"That would be recv after close(). After shutdown(SHUT_WR) the client cannot "+
					"send any more, but it can still receive."),
		}},
	Play: playHalf,
	Why: t("TCP 连接有两个方向，各关各的；只关自己发的这一边，就是半关闭。FIN 的意思是“我说完"+
		"了”，不是“我走了”：用它当边界，一条连接正好放一问一答。对方要是一直不说完，recv 就一直"+
		"等，所以要 settimeout。",
		"A TCP connection has two directions, and each is closed separately; to close only your "+
			"own is a half-close. A FIN says \"I am done\", not \"I am gone\": as a boundary it "+
			"is enough for one question and one answer. If the peer is never done, recv waits "+
			"for ever; that is what settimeout is for."),
	Change: t("换客户端结束的办法：shutdown、close，或者什么也不做（nothing）。服务端看到什么？",
		"Change how the client ends: shutdown, close, or nothing. What does the server see?"),
	Knob: Knob{t("客户端怎样结束", "how the client ends"), []string{"close", "nothing"},
		func(s *Stage, value string) error {
			how, err := choice(value, "shutdown", "close", "nothing")
			if err == nil {
				_, err = s.showHalf(how)
			}
			return err
		}},
	Quiz: &Quiz{
		t("服务端 settimeout(1)。客户端每 0.3 秒发 1 个字节，发了 5 个就不动了。到 TimeoutError "+
			"为止，服务端收到几个字节？",
			"The server has settimeout(1). The client sends 1 byte every 0.3 s, five of them, and "+
				"then nothing. How many bytes come before the TimeoutError?"), measureTimeouts,
		t("5 个，一共 1.2 秒：超时管的是一次 recv，每次都重新计时。它能发现没有动静，发现不了慢（"+
			"见 26）。",
			"All 5, over 1.2 s: the time-out is for one recv, and starts again with the next. It "+
				"notices silence, but not slowness (see 26).")},
	Exercise: t("写一个服务端：一直收到对方说完，把全部内容倒过来发回去，再关闭。对方 3 秒没有动"+
		"静就放弃它，接着服务下一个。再写一个客户端：把输入的每一行发出去，告诉对方“说完了”，打印"+
		"回答；服务端 3 秒没有动静就退出。",
		"Write a server that receives until the peer is done, sends all of it back reversed, and "+
			"closes. It gives up on a peer that is silent for 3 s, and serves the next. Then "+
			"write a client that sends the lines of its input, tells the server that it is done, "+
			"and prints the answer; it ends if the server is silent for 3 s."),
	Check: "minissh-lab check 22 -- python3 my_server.py",
	Hints: [3]Text{
		t("没有长度，没有分隔符：服务端怎么知道全到了？",
			"There is no length and no delimiter: how does the server know that all of it has "+
				"come?"),
		t("看 recv 返回 b''。客户端要先 shutdown(socket.SHUT_WR)，不能 close：close 了就收不到回"+
			"答。",
			"By b'' from recv. For that, the client has to call shutdown(socket.SHUT_WR), not "+
				"close: after close it cannot receive the answer."),
		t("conn.settimeout(3)；循环 recv，到 b'' 为止；处理一个客户端的代码，整个用 try … except "+
			"OSError 包住（TimeoutError 也是 OSError），然后 accept 下一个。",
			"conn.settimeout(3); recv in a loop until b''; try … except OSError around "+
				"everything for one client (TimeoutError is an OSError, too); then accept the "+
				"next."),
	},
}

// halfPatience is the server's time-out in the lesson.
const halfPatience = 500 * time.Millisecond

func playHalf(s *Stage) (int, error) {
	answer, err := s.showHalf("shutdown")
	if err != nil {
		return 0, err
	}
	s.Say(t("同样的程序，换成 close()：", "The same with close():"))
	if _, err := s.showHalf("close"); err != nil {
		return 0, err
	}
	switch answer {
	case "owteno":
		return 0, nil
	case "":
		return 1, nil
	}
	return 2, nil
}

// showHalf is the lesson's exchange, with the client ending in one way. It returns what the
// client received.
func (s *Stage) showHalf(how string) (answer string, err error) {
	l, err := dialLink()
	if err != nil {
		return "", err
	}
	defer l.close()
	var log [][]string
	step := func(who, what, result string) { log = append(log, []string{who, what, result}) }
	for _, p := range []string{"one", "two"} {
		if _, err := l.client.Write([]byte(p)); err != nil {
			return "", err
		}
		step("client", "send "+p, "OK")
	}
	switch how {
	case "shutdown":
		step("client", "shutdown(SHUT_WR)", "FIN")
		err = l.client.CloseWrite()
	case "close":
		step("client", "close()", "FIN")
		err = l.client.Close()
	}
	if err != nil {
		return "", err
	}
	all, silent, err := untilEnd(l.server, halfPatience, func(b []byte) {
		step("server", "recv", pythonBytes(b))
	})
	if err != nil {
		return "", err
	}
	if silent {
		step("server", "recv", "TimeoutError ("+halfPatience.String()+")")
		step("server", "close()", s.pick(t("放弃这个客户端", "gives up on this client")))
		s.Table(log...)
		return "", nil
	}
	slices.Reverse(all)
	if _, err := l.server.Write(all); err != nil {
		return "", err
	}
	step("server", "send "+string(all), "OK")
	if how == "close" {
		// The answer comes to a socket that nobody has: it is answered with a RST.
		if s.refused(l.server) {
			step("server", "send", s.pick(t("出错：没有人收了，客户端的系统回了 RST",
				"an error: nobody receives any more, and the client's system answered with a RST")))
		}
		if _, err := recv(l.client, 1024); errors.Is(err, net.ErrClosed) {
			step("client", "recv", s.pick(t("出错：套接字已经关了",
				"an error: the socket is closed")))
		}
		s.Table(log...)
		return "", nil
	}
	l.server.Close()
	step("server", "close()", "FIN")
	got, silent, err := untilEnd(l.client, waitLimit, func(b []byte) {
		step("client", "recv", pythonBytes(b))
	})
	s.Table(log...)
	if silent {
		return "", os.ErrDeadlineExceeded
	}
	return string(got), err
}

// refused writes until the system says that the other end has gone.
func (s *Stage) refused(conn net.Conn) bool {
	for end := time.Now().Add(waitLimit); time.Now().Before(end); {
		if _, err := conn.Write([]byte("?")); err != nil {
			return true
		}
		if s.wait(time.Millisecond) != nil {
			return false
		}
	}
	return false
}

// untilEnd receives until the peer is done, and tells seen of each recv; silent is a recv that
// waited longer than patience.
func untilEnd(conn net.Conn, patience time.Duration, seen func([]byte)) (all []byte, silent bool,
	err error) {
	buf := make([]byte, 1024)
	for {
		conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buf)
		switch {
		case n > 0:
			seen(buf[:n])
			all = append(all, buf[:n]...)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return all, true, nil
		default:
			seen(nil)
			return all, false, ignoreEnd(err)
		}
	}
}

// measureTimeouts counts what comes before a silence.
func measureTimeouts(s *Stage) (string, error) {
	l, err := dialLink()
	if err != nil {
		return "", err
	}
	defer l.close()
	sent := make(chan error, 1)
	go func() {
		for range 5 {
			if err := s.wait(300 * time.Millisecond); err != nil {
				sent <- err
				return
			}
			l.client.Write([]byte("."))
		}
		sent <- nil
	}()
	all, _, err := untilEnd(l.server, time.Second, func([]byte) {})
	return strconv.Itoa(len(all)), errors.Join(err, <-sent)
}

// pythonBytes is b as Python prints it.
func pythonBytes(b []byte) string { return "b'" + oneLine(b) + "'" }

// ignoreEnd is err, but for the end of the stream, for which recv in Python returns no bytes.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
