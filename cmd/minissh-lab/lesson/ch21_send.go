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
	Title: t("send 没有全发出去", "when send takes only a part"),
	Run: t("客户端的套接字设成非阻塞（setblocking(False)），一次 send 就交给它 64 MiB；服务端一个"+
		"字节也不收。然后服务端开始收，客户端接着发。",
		"The client's socket is non-blocking (setblocking(False)), and one send gives it 64 MiB; "+
			"the server receives nothing. Then the server begins to receive, and the client goes "+
			"on sending."),
	Code: "data = bytes(64 * 1024 * 1024)\nclient.setblocking(False)\n" +
		"n = client.send(data)         # n 是多少？ / what is n?",
	Ask: Question{
		t("服务端不收，send 返回什么？", "the server receives nothing: "+
			"what does send return?"), []Option{
			wrong(
				"67108864：全发出去了",
				"67108864: all of it was sent",
				"send 返回的是操作系统收下了多少字节，不是你交给它多少。缓冲区放不下 64 MiB。",
				"send returns how much the operating system has taken, not how much it was "+
					"given. 64 MiB do not fit into the buffers."),
			wrong(
				"出错，一个字节也没发",
				"an error, and nothing is sent",
				"放得下多少，就先收下多少。一个字节也放不下，才会抛出 BlockingIOError（设了超时就"+
					"是 TimeoutError）。",
				"What fits is taken. BlockingIOError comes only when not one byte fits "+
					"(TimeoutError, if there is a time-out)."),
			right("一部分：缓冲区放得下多少就是多少", "a part: as much as the buffers can hold"),
		}},
	Play: playPartial,
	Why: t("send 只是把字节交给操作系统：先放进发送缓冲区，再到对方的接收缓冲区。对方不收，两边的"+
		"缓冲区都会满，send 就只收下一部分，或者停下来等。这叫反压：收得慢的一方，让发得快的一方"+
		"停下来。send 返回 n，剩下的 data[n:] 还要接着发；sendall 就是这个循环。",
		"send only hands bytes to the operating system: into the send buffer, and from there "+
			"into the peer's receive buffer. If the peer does not receive, both fill up, and "+
			"send takes only a part, or waits. That is backpressure: the slow end stops the fast "+
			"one. send returns n, and data[n:] still has to be sent; sendall is that loop."),
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
		t("全到了：没被收下的还在你手里，从第 n 个字节接着发就行。不看返回值，中间就会缺一块。",
			"All of them: what was not taken is still yours, so go on from byte n. Ignore the "+
				"return value, and there is a hole in the data.")},
	Exercise: t("写一个服务端：客户端发来一行，是数字 N，就回 N 个字节，第 i 个是 i % 251；同一条"+
		"连接上可以再问。客户端收得慢，就慢慢发；连续 3 秒一个字节也不收，就放弃它，接着服务下一"+
		"个。",
		"Write a server: the client sends a line with a number N, and gets N bytes; byte i is i %"+
			" 251. It may ask again on the same connection. If a client receives slowly, send "+
			"slowly; if it receives nothing for 3 s, give up on it and serve the next."),
	Check: "minissh-lab check 21 -- python3 my_server.py",
	Hints: [3]Text{
		t("conn.settimeout(3) 以后，send 还会全发完吗？看看它返回什么。",
			"After conn.settimeout(3), does send still send everything? Look at what it returns."),
		t("sendall 的超时管的是全部发完（Python 3.5 起）：收得慢的客户端会被它放弃。",
			"sendall's time-out covers all of the data (since Python 3.5): it gives up on a "+
				"client that receives slowly."),
		t("view = memoryview(data); while view: view = view[conn.send(view):]。每次 send 单独计时"+
			" 3 秒。",
			"view = memoryview(data); while view: view = view[conn.send(view):]. Each send has 3 "+
				"s of its own."),
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
		s.Sayf("一共收下 %d 字节：%d 在服务端的接收缓冲区，%d 在客户端的发送缓冲区。这是这台机器"+
			"上量的，换一台就不一样。",
			"%d bytes were taken: %d are in the server's receive buffer, "+
				"%d in the client's send buffer. This is what this machine "+
				"does; others differ.", sent, waiting,
			sent-waiting)
	} else {
		s.Sayf("两边的缓冲区一共收下 %d 字节", "the two buffers took %d bytes", sent)
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
