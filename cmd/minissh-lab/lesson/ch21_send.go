package lesson

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
)

var partialSend = Lesson{
	Name:  "21",
	Title: t("send 没有全发出去", "send that sends only a part"),
	Run: t("客户端的套接字不阻塞（setblocking(False)），一次 send 给它 64 MiB；服务端一个字节也不"+
		"收。然后服务端开始收，客户端接着发。",
		"The client's socket does not block (setblocking(False)), and gets 64 MiB in one send; "+
			"the server receives nothing. Then the server begins to receive, and the client goes "+
			"on."),
	Code: "data = bytes(64 * 1024 * 1024)\nclient.setblocking(False)\n" +
		"n = client.send(data)         # n 是多少？ / what is n?",
	Ask: Question{
		t("没有人收，send 返回什么？", "nobody receives: what does send return?"), []Option{
			wrong(
				"67108864：全发出去了",
				"67108864: all of it was sent",
				"send 返回的是操作系统收下了多少，不是要它发多少。缓冲区放不下 64 MiB。",
				"send returns how much the operating system has taken, not how much it was "+
					"given. 64 MiB do not fit into the buffers."),
			wrong(
				"出错，一个字节也没发",
				"an error, and nothing is sent",
				"放得下的先收下。一个字节也放不下的时候，才是 BlockingIOError（有超时的话，"+
					"TimeoutError）。",
				"What fits is taken. Only when not one byte fits is it BlockingIOError (or "+
					"TimeoutError, with a time-out)."),
			right("一部分：缓冲区放得下多少就是多少", "a part: as much as the buffers hold"),
		}},
	Play: playPartial,
	Why: t("send 只是把字节交给操作系统：先放进发送缓冲区，再到对方的接收缓冲区。对方不收，两边都"+
		"会满，send 就只收一部分，或者停下来等。这叫背压：慢的一方让快的一方停下。send 返回 n，剩"+
		"下的 data[n:] 还要再发；sendall 就是这个循环。",
		"send only hands bytes to the operating system: into the send buffer, and from there into "+
			"the peer's receive buffer. When the peer does not receive, both fill up, and send "+
			"takes a part, or waits. That is backpressure: the slow end stops the fast one. send "+
			"returns n, and data[n:] is still to be sent; sendall is that loop."),
	Change: t("换服务端接收缓冲区的大小（SO_RCVBUF，KiB）。send 收下的字节数跟着变吗？",
		"Change the server's receive buffer (SO_RCVBUF, in KiB). Does what send takes change?"),
	Knob: Knob{t("接收缓冲区，KiB", "the receive buffer, in KiB"), []string{"16", "1024"},
		func(s *Stage, value string) error {
			n, err := number(value, 1, 8192)
			if err == nil {
				_, err = s.fillBuffers(n << 10)
			}
			return err
		}},
	Quiz: &Quiz{
		t("服务端收，客户端循环 n = send(data); data = data[n:]。64 MiB 一共到了多少 MiB？",
			"The server receives, and the client loops n = send(data); data = data[n:]. How many "+
				"of the 64 MiB arrive?"), measureLoop,
		t("全到了：没被收下的还在你手里，从第 n 个字节接着发就行。忘了看返回值，中间就缺一块。",
			"All of them: what was not taken is still yours, so go on from byte n. Whoever "+
				"ignores the return value leaves a hole.")},
	Exercise: t("写一个服务端：客户端发来一行数字 N，回 N 个字节，第 i 个是 i % 251；同一条连接可"+
		"以再问。客户端可能收得很慢，那就慢慢发；3 秒一个字节也不收，就放弃它，接着服务下一个。",
		"Write a server: the client sends a number N in a line, and gets N bytes, of which byte i "+
			"is i % 251; it may ask again on the same connection. A client may receive slowly, "+
			"then send slowly; give up on one that receives nothing for 3 s, and serve the next."),
	Check: "minissh-lab check 21 -- python3 my_server.py",
	Hints: [3]Text{
		t("conn.settimeout(3) 以后，send 还会全发完吗？看看它返回什么。",
			"After conn.settimeout(3), does send still send everything? Look at what it returns."),
		t("sendall 的超时是全部发完的时间（Python 3.5 起）：慢慢收的人会被它放弃。",
			"sendall's time-out is for all of it (since Python 3.5): it gives up on whoever "+
				"receives slowly."),
		t("view = memoryview(data); while view: view = view[conn.send(view):]。每次 send 各等 3 "+
			"秒。",
			"view = memoryview(data); while view: view = view[conn.send(view):]. Each send waits "+
				"3 s by itself."),
	},
}

// given is what one send is asked to send, in bytes: more than the buffers of any usual system.
const given = 64 << 20

func playPartial(s *Stage) (int, error) {
	first, err := s.fillBuffers(0)
	switch {
	case err != nil:
		return 0, err
	case first == given:
		s.Say(t("这个系统一次 send 多大都收下（Windows 就是这样：前面的走了就行），"+
			"所以这里看不到“一部分”"+
			"；Linux、macOS 上会看到。",
			"This system takes a send of any size (Windows does, once what came before has left), "+
				"so that no part is seen here; on Linux and macOS it is."))
		return 0, nil
	case first <= 0:
		return 1, nil
	}
	return 2, nil
}

// fillBuffers sends until the system takes nothing more, then receives it all; rcvbuf is the
// receiver's buffer in bytes, 0 for the system's own size. It returns what the first send took.
func (s *Stage) fillBuffers(rcvbuf int) (first int, err error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	if rcvbuf > 0 {
		if err := l.server.SetReadBuffer(rcvbuf); err != nil {
			return 0, err
		}
	}
	data := make([]byte, given)
	rows := [][]string{{"", s.pick(t("交给 send", "given to send")), s.pick(t("返回",
		"it returns"))}}
	sent, calls, full := 0, 0, 0
	for full < 3 { // what moves on into the peer's buffer makes room, for a moment
		n, err := sendOnce(l.client, data[sent:])
		if err != nil {
			return 0, err
		}
		if n < 0 {
			if full++; full < 3 {
				if err := s.wait(100 * time.Millisecond); err != nil {
					return 0, err
				}
			}
			continue
		}
		if calls++; calls == 1 {
			first = n
		}
		if full = 0; calls <= 6 {
			rows = append(rows, []string{"send " + strconv.Itoa(calls), fmt.Sprint(given - sent),
				fmt.Sprint(n)})
		}
		if sent += n; sent == given {
			break
		}
	}
	if sent < given {
		rows = append(rows, []string{"send " + strconv.Itoa(calls+1), fmt.Sprint(given - sent),
			"BlockingIOError"})
	}
	s.Table(rows...)
	if waiting, ok := probe.Pending(l.server); ok {
		s.Sayf("一共收下 %d 字节：%d 在服务端的接收缓冲区，%d 在客户端的发送缓冲区。这里量出来的，"+
			"别的机器上不一样。", "%d bytes were taken: %d are in the server's receive buffer, %d "+
			"in the client's send buffer. That is this machine; others differ.", sent, waiting,
			sent-waiting)
	} else {
		s.Sayf("两边的缓冲区一共收下 %d 字节", "both buffers took %d bytes", sent)
	}
	if _, err := io.CopyN(io.Discard, l.server, int64(sent)); err != nil {
		return 0, err
	}
	n := -1
	for end := time.Now().Add(waitLimit); n < 0 && sent < given && time.Now().Before(end); {
		if n, err = sendOnce(l.client, data[sent:]); err != nil {
			return 0, err
		}
		if n < 0 {
			if err := s.wait(time.Millisecond); err != nil {
				return 0, err
			}
		}
	}
	if sent < given {
		s.Sayf("服务端收走这些以后：send 又收下 %d 字节",
			"once the server has received them, send "+
				"takes %d bytes more", max(n, 0))
	}
	return first, nil
}

// measureLoop sends it all in a loop, to a server that receives.
func measureLoop(s *Stage) (string, error) {
	l, err := dialLink()
	if err != nil {
		return "", err
	}
	defer l.close()
	type received struct {
		n   int64
		err error
	}
	done := make(chan received, 1)
	go func() {
		n, err := io.Copy(io.Discard, l.server)
		done <- received{n, err}
	}()
	data := make([]byte, given)
	for len(data) > 0 {
		n, err := sendOnce(l.client, data)
		if err != nil {
			return "", err
		}
		if n < 0 {
			if err := s.wait(time.Millisecond); err != nil {
				return "", err
			}
			continue
		}
		data = data[n:]
	}
	l.client.CloseWrite()
	r := <-done
	return strconv.FormatInt(r.n>>20, 10), r.err
}
