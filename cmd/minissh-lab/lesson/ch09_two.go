package lesson

import (
	"net"
	"sync"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/dialect"
)

var twoClients = Lesson{
	Name:  "9",
	Title: t("两个客户端", "two clients"),
	Run: t("服务端有外层循环 accept、内层循环收发，listen(5)。第一个客户端一直连着，这时第二个来"+
		"了。", "The server accepts in an outer loop and talks in an inner one, "+
		"listen(5). The first client stays; the second comes."),
	Code: "phone.listen(5)\nwhile True:\n    conn, addr = phone.accept()\n    while True:\n" +
		"        data = conn.recv(1024)\n        if not data: break\n" +
		"        conn.send(data.upper())",
	Ask: Question{
		t("第二个客户端看到什么？", "what does the second client see?"), []Option{
			wrong(
				"连接被拒绝",
				"connection refused",
				"队还没有排满：listen(5) 让操作系统先替服务端把连接接下来。没有人 listen 的端"+
					"口才会拒绝。",
				"The queue is not full: with listen(5) the operating system takes connections "+
					"for the server. Only a port where nobody listens refuses."),
			right(
				"连上了，send 也成功，但要等第一个走了才有回答",
				"it connects and sends, and is answered when the first has left"),
			wrong(
				"马上得到回答：listen(5) 就是同时 5 个",
				"an answer at once: listen(5) means five at a time",
				"5 是排队等 accept 的个数，不是同时服务的个数。要同时服务，得用线程（或者 "+
					"select）。",
				"5 is how many may wait for accept, not how many are served at a time. That "+
					"takes threads (or select)."),
		}},
	Play: playTwo,
	Why: t("三次握手是操作系统做的：backlog（5）是等着 accept 的队列有多长。数据也由操作系统先收"+
		"下。服务端只有一个线程，正停在第一个连接的 recv 上。",
		"The operating system does the handshake: the backlog (5) is the length of the queue. It "+
			"keeps the bytes, too. The server has one thread, and that is in the first "+
			"connection's recv."),
	Change: t("in-turn 一个接一个；threads 每个连接一个线程（或者用 "+
		"socketserver.ThreadingTCPServer）。第二个客户端还要等吗？",
		"in-turn serves one after the other; threads has a thread for each connection (as "+
			"socketserver.ThreadingTCPServer does). Does the second client still wait?"),
	Knob: Knob{t("服务的方式", "how clients are served"), []string{"in-turn", "threads"},
		func(s *Stage, value string) error {
			how, err := choice(value, "in-turn", "threads")
			if err == nil {
				_, err = serveTwo(s, how == "threads")
			}
			return err
		}},
	Exercise: t("两个客户端都要得到回答（能同时服务更好）：",
		"Both clients must be answered (at once is better):"),
	Check: "minissh-lab check 9 -- python3 my_server.py",
	Hints: [3]Text{
		t("第一个客户端走了以后，你的服务端回到 accept 了吗？",
			"When the first client has left, is your server back in accept?"),
		t("收发放进一个函数 serve(conn)，accept 在外层循环里。",
			"Put receiving and sending into a function serve(conn), with accept in the outer "+
				"loop."),
		t("threading.Thread(target=serve, args=(conn,), daemon=True).start()",
			"threading.Thread(target=serve, args=(conn,), daemon=True).start()"),
	},
}

func playTwo(s *Stage) (int, error) { return serveTwo(s, false) }

// serveTwo shows two clients, served one at a time or by a thread each.
func serveTwo(s *Stage, threads bool) (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	var done sync.WaitGroup
	talk := func(conn net.Conn) {
		defer conn.Close()
		for {
			b, err := recv(conn, 1024)
			if err != nil || len(b) == 0 {
				return
			}
			conn.Write(dialect.Upper(b))
		}
	}
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if threads {
				done.Go(func() { talk(conn) })
			} else {
				talk(conn) // one at a time, as in the course
			}
		}
	})
	defer done.Wait()
	defer l.Close()
	var log [][]string
	step := func(who int, what, result string) {
		log = append(log, []string{"client " + string(rune('0'+who)), what, result})
	}
	var conns [2]net.Conn
	for i := range conns {
		if conns[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			return 0, err
		}
		defer conns[i].Close()
		step(i+1, "connect", "OK")
		conns[i].Write([]byte("hello"))
		step(i+1, "send hello", "OK")
		if i == 0 {
			b, err := recv(conns[0], 1024)
			if err != nil {
				return 0, err
			}
			step(1, "recv", string(b))
		}
	}
	if threads {
		b, err := recv(conns[1], 1024)
		step(2, "recv", string(b))
		s.Table(log...)
		return 2, err
	}
	// The server's only thread is in the first connection's recv, for as long as we
	// like: what the second one sent lies unread.
	early, _ := probe.Pending(conns[1])
	unread, known := probe.Unread(conns[1])
	waits := s.pick(t("还没有，等着", "nothing yet: it waits"))
	if known {
		waits += " (" + s.pick(f("服务端缓冲区里有 %d 字节没人收", "%d bytes unread at the server",
			unread)) + ")"
	}
	step(2, "recv", waits)
	conns[0].Close()
	step(1, "close", "OK")
	b, err := recv(conns[1], 1024)
	if err != nil {
		return 0, err
	}
	step(2, "recv", string(b))
	conns[1].Close()
	s.Table(log...)
	if early == 0 && string(b) == "HELLO" && (!known || unread == 5) {
		return 1, nil
	}
	return 2, nil
}
