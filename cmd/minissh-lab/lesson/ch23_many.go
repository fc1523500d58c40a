package lesson

import (
	"bufio"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

var manyClients = Lesson{
	Name: "23",
	Title: t("线程、select、asyncio：同一个服务端，三种写法",
		"threads, select, asyncio: one server, three ways"),
	Run: t("同一个回显服务端写四遍：一个接一个、每个连接一个线程、select、asyncio。客户端 A 先连"+
		"上，一句话也不说；后来 A 发 work，服务端要忙一会儿。每次都看 B 能不能马上得到回答。（实"+
		"验室是用 Go 写的，按每种写法的规则来。）",
		"The same echo server, written in four ways: one client after the other, a thread for "+
			"each connection, select, asyncio. Client A comes first and says nothing; then A "+
			"sends work, which keeps the server busy. Is B answered at once? (The lab is written "+
			"in Go, and follows the rules of each.)"),
	Code: "async def serve(reader, writer):     # 每个连接一个 / one for each connection\n" +
		"    while line := await reader.readline():\n" +
		"        if line == b'work\\n': time.sleep(10)   # 不是 asyncio.sleep / not " +
		"asyncio.sleep\n" +
		"        writer.write(line.upper())",
	Ask: Question{
		t("asyncio 服务端正卡在 A 的 time.sleep(10) 里，B 发来 hello。B 什么时候得到回答？",
			"The asyncio server is in A's time.sleep(10), and B sends hello. When is B answered?"),
		[]Option{
			wrong(
				"马上：async 函数是同时运行的",
				"at once: async functions run at the same time",
				"只有一个线程，到了 await 才换别人；time.sleep 不让出线程，谁也轮不到。",
				"There is only one thread. It moves on to another client only at an await; "+
					"time.sleep lets nobody else in."),
			right("A 的 sleep 结束以后", "when A's sleep is over"),
			wrong(
				"A 断开以后",
				"when A has left",
				"那是一个接一个的服务端。这里 A 的 sleep 一结束，await readline() 就把线程让出来"+
					"了。",
				"That would be the server that serves in turn. Here the thread is free as soon "+
					"as A's sleep is over, at the next await."),
		}},
	Play: playMany,
	Why: t("都在等着收的时候，三种写法都照顾得到每个客户端：线程各等各的；select 和 asyncio 用一"+
		"个线程等所有的连接。忙起来就不同了：单线程的循环里，一个堵住，大家都堵住。所以循环里不能"+
		"有 time.sleep、长时间的计算、会阻塞的 recv 和 sendall。",
		"While they wait to receive, all three serve everybody: each thread waits for its own "+
			"client; select and asyncio wait for all with one thread. Work is another matter: in "+
			"a single-threaded loop, whatever blocks, blocks everyone. So put no time.sleep in "+
			"it, no long computation, and no recv or sendall that blocks."),
	Change: t("换服务端的写法，看 A 不出声的时候、服务端在忙 A 的时候，B 要不要等。",
		"Change how the server is written: does B wait while A is silent, and while A is busy?"),
	Knob: Knob{t("服务端的写法", "how the server is written"),
		[]string{"in-turn", "threads", "select", "asyncio"},
		func(s *Stage, value string) error {
			how, err := choice(value, "in-turn", "threads", "select", "asyncio")
			if err == nil {
				_, err = s.showMany(how)
			}
			return err
		}},
	Quiz: &Quiz{
		t("线程版，20 个客户端连着，都不出声。不算 accept 的主线程，有几个线程在等？"+
			"（asyncio 版一共只有 1 个）",
			"The threaded server has 20 silent clients. How many threads wait, besides the one "+
				"in accept? (The asyncio server has 1 in all.)"), measureThreads,
		t("每个连接一个，20 个线程什么也不做，只占内存。几十个没关系，几万个就该用 "+
			"selectors（epoll、kqueue）、asyncio 了；select 本身最多 1024 个（Windows 512）。",
			"One for each connection: 20 threads that do nothing but take memory. For dozens that "+
				"is fine; for tens of thousands there are selectors (epoll, kqueue) and asyncio; "+
				"select itself ends at 1024 (Windows: 512).")},
	Exercise: t("写一个回显服务端，用哪种写法都行：每收到一行（最长 10000 字节），回这一行的大写。"+
		"客户端有的不出声，有的一行只发一半，有的只发不收：别的客户端照样要马上得到回答。",
		"Write an echo server, whichever way you like: each line (10000 bytes at most) is "+
			"answered in upper case. Some clients are silent, some send half a line, some never "+
			"receive: all the others must still be answered at once."),
	Check: "minissh-lab check 23 -- python3 my_server.py",
	Hints: [3]Text{
		t("你的服务端里，哪些调用会等？等的时候，别的客户端怎么办？",
			"Which calls in your server wait? And what do the other clients do meanwhile?"),
		t("select 说能读，只是说有字节，不是有一整行：每个连接要有自己的缓冲区。还没发出去的也一"+
			"样。",
			"select says that there are bytes, not that there is a whole line: each connection "+
				"needs a buffer of its own. So does what cannot be sent yet."),
		t("最短的是 asyncio：async for line in reader: writer.write(line.upper()); await "+
			"writer.drain()",
			"asyncio is the shortest: async for line in reader: writer.write(line.upper()); await "+
				"writer.drain()"),
	},
}

func playMany(s *Stage) (int, error) {
	outcome := 0
	for _, how := range []string{"in-turn", "threads", "select", "asyncio"} {
		waits, err := s.showMany(how)
		if err != nil {
			return 0, err
		}
		if how == "asyncio" && waits {
			outcome = 1
		}
	}
	return outcome, nil
}

// lineServer answers lines in upper case, in one of the lesson's ways. A line `work` takes until
// release is closed.
type lineServer struct {
	how     string
	l       net.Listener
	release chan struct{}
	working chan struct{} // one for each `work` that has begun
	threads atomic.Int32  // that wait for a client
	done    sync.WaitGroup
}

// serveLines starts one. The caller stops it.
func serveLines(how string) (*lineServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	v := &lineServer{how: how, l: l, release: make(chan struct{}), working: make(chan struct{}, 8)}
	v.done.Go(v.accept)
	return v, nil
}

// stop ends it, when its clients have left.
func (v *lineServer) stop() { v.l.Close(); v.done.Wait() }

// accept serves whoever comes. In select and asyncio one thread does all the work: the loop. (Go
// reads for it in the background, as the system does for select; only the loop answers.)
func (v *lineServer) accept() {
	loop := make(chan func())
	defer close(loop)
	v.done.Go(func() {
		for step := range loop {
			step()
		}
	})
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		conn, err := v.l.Accept()
		if err != nil {
			return
		}
		switch v.how {
		case "in-turn":
			v.talk(conn, func(step func()) { step() })
		case "threads":
			clients.Go(func() { v.talk(conn, func(step func()) { step() }) })
		default:
			clients.Go(func() { v.talk(conn, func(step func()) { loop <- step }) })
		}
	}
}

// talk serves one client; turn runs a step where this way of serving runs it.
func (v *lineServer) talk(conn net.Conn, turn func(func())) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		v.threads.Add(1)
		line, err := r.ReadString('\n')
		v.threads.Add(-1)
		if err != nil {
			return
		}
		turn(func() {
			if line == "work\n" {
				v.working <- struct{}{}
				<-v.release
			}
			conn.Write(dialect.Upper([]byte(line)))
		})
	}
}

// showMany shows whether B waits while A is silent, and while A's work is done. It returns the
// second.
func (s *Stage) showMany(how string) (waits bool, err error) {
	v, err := serveLines(how)
	if err != nil {
		return false, err
	}
	defer v.stop()
	released := false
	release := func() {
		if !released {
			released = true
			close(v.release)
		}
	}
	defer release()
	a, err := net.Dial("tcp", v.l.Addr().String())
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := net.Dial("tcp", v.l.Addr().String())
	if err != nil {
		return false, err
	}
	defer b.Close()
	silent, err := waitsFor(b, "one\n")
	if err != nil {
		return false, err
	}
	if _, err := a.Write([]byte("work\n")); err != nil {
		return false, err
	}
	select {
	case <-v.working:
	case <-time.After(waitLimit):
		return false, errors.New("the work did not begin")
	}
	if waits, err = waitsFor(b, "two\n"); err != nil {
		return false, err
	}
	told := func(waits bool) string {
		if waits {
			return s.pick(t("B 等着", "B waits"))
		}
		return s.pick(t("B 马上得到回答", "B is answered at once"))
	}
	note := ""
	if how == "select" || how == "asyncio" {
		note = s.pick(t("单线程的循环", "a single-threaded loop"))
	}
	s.Table([]string{pad(how, 8), s.pick(t("A 不出声：", "A silent: ")) + told(silent),
		s.pick(t("A 在忙：", "A busy: ")) + told(waits), note})
	release()
	return waits, nil
}

// waitsFor sends a line on conn and says whether the answer has not come after a while. What is
// late is received with the next one.
func waitsFor(conn net.Conn, line string) (bool, error) {
	if _, err := conn.Write([]byte(line)); err != nil {
		return false, err
	}
	buf := make([]byte, 64)
	conn.SetReadDeadline(time.Now().Add(600 * time.Millisecond))
	for got := ""; ; {
		n, err := conn.Read(buf)
		got += string(buf[:n])
		switch {
		case strings.HasSuffix(got, strings.ToUpper(line)):
			return false, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return true, nil
		case err != nil:
			return false, err
		}
	}
}

// measureThreads counts the threads that wait for 20 silent clients.
func measureThreads(s *Stage) (string, error) {
	v, err := serveLines("threads")
	if err != nil {
		return "", err
	}
	defer v.stop()
	for range 20 {
		conn, err := net.Dial("tcp", v.l.Addr().String())
		if err != nil {
			return "", err
		}
		defer conn.Close()
	}
	for end := time.Now().Add(waitLimit); v.threads.Load() < 20 && time.Now().Before(end); {
		if err := s.wait(time.Millisecond); err != nil {
			return "", err
		}
	}
	return strconv.Itoa(int(v.threads.Load())), nil
}
