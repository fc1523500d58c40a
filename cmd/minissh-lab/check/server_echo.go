package check

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"time"
)

// Attacks on the servers of chapters 1 to 9: echo in upper case.

// randomWords are n lines of printable ASCII, the same ones every time.
func randomWords(n int) []string {
	r := rand.New(rand.NewPCG(8080, 5))
	words := make([]string, n)
	for i := range words {
		var b strings.Builder
		for range 1 + r.IntN(40) {
			b.WriteByte(byte('a' + r.IntN(26)))
		}
		words[i] = fmt.Sprintf("%s %d", b.String(), i)
	}
	return words
}

// echoWords sends n words on connections of their own, as the one-shot server of
// chapter 6 may close after each, or on one.
func echoWords(n int, oneConnection bool, belief *Belief) func(*attack) error {
	return func(a *attack) error {
		var conn net.Conn
		for i, w := range randomWords(n) {
			if conn == nil {
				var err error
				if conn, err = a.dial(); err != nil {
					return err
				}
			}
			if err := a.echo(conn, w, belief); err != nil {
				if f, ok := err.(*Failure); ok && i > 0 {
					f.Sent = tx("第 %d 条：", "message %d: ", i+1).plus(f.Sent)
				}
				return err
			}
			if !oneConnection {
				leave(conn)
				conn = nil
				if a.prog != nil && i == 0 && a.endsSoon() {
					return nil // chapter 6's server answers once and ends: that is what it is
				}
			}
		}
		return nil
	}
}

// endsSoon waits a moment for a program that is done.
func (a *attack) endsSoon() bool {
	wait, cancel := context.WithTimeout(a.ctx, 200*time.Millisecond)
	defer cancel()
	select {
	case <-a.prog.p.Done():
		return true
	case <-wait.Done():
		return false
	}
}

// afterFin closes the lab's sending side: the server must notice, close, and serve
// the next client.
func afterFin(hello func(*attack, net.Conn) error) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		if err := hello(a, conn); err != nil {
			return err
		}
		half, ok := conn.(interface{ CloseWrite() error })
		if !ok || half.CloseWrite() != nil {
			return &Skipped{tx("这里不能只关一半", "cannot close one half here")}
		}
		f, more := a.fateOf(conn, a.o.Limit)
		fail := &Failure{
			Sent: tx("一条消息，然后 FIN（客户端 close）",
				"one message, then FIN (the client closes)"),
			Want: tx("服务端关闭连接，接着服务下一个",
				"the server closes too, and serves the next client"), Got: fateText(f, a.o.Limit),
			Belief: shortRecv}
		switch f {
		case spins, hangs:
			return fail
		case wentOn:
			fail.Got = tx("收到 FIN 以后还发来 %s", "after the FIN it sent %s", quote(more))
			return fail
		case ended:
			fail.Belief = resetKills
			return fail
		}
		return a.servesNext(hello, fail)
	}
}

// servesNext wants a new client to be served.
func (a *attack) servesNext(hello func(*attack, net.Conn) error, fail *Failure) error {
	next, err := a.dial()
	if err == nil {
		err = hello(a, next)
	}
	if f, ok := err.(*Failure); ok {
		fail.Got = tx("下一个客户端：", "the next client: ").plus(f.Got)
		return fail
	}
	return err
}

// afterReset ends a client by force: the server must serve the next one.
func afterReset(hello func(*attack, net.Conn) error) func(*attack) error {
	return func(a *attack) error {
		if a.o.Network != "tcp" {
			return &Skipped{tx("只有 TCP 有 RST", "only TCP has RST")}
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		if err := hello(a, conn); err != nil {
			return err
		}
		leave(conn)
		if a.prog != nil {
			a.endsSoon() // the RST has arrived; what it does to the program takes a moment
		}
		fail := &Failure{
			Sent: tx("一条消息，然后 RST（客户端被杀）",
				"one message, then RST (the client is killed)"),
			Want: tx("接着服务下一个客户端", "the next client is served"), Belief: resetKills}
		return a.servesNext(hello, fail)
	}
}

// helloEcho is one exchange with an echo server.
func helloEcho(a *attack, conn net.Conn) error { return a.echo(conn, "hello", nil) }

// restart ends the server while a client is connected and starts it again.
func restart(a *attack) error {
	if a.o.Connect {
		return &Skipped{tx("要由实验室启动程序才行", "the lab has to start the program itself")}
	}
	conn, err := a.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := a.echo(conn, "hello", nil); err != nil {
		return err
	}
	a.endProgram()
	a.fateOf(conn, a.o.Limit) // until its FIN is here: the server's side closed first
	conn.Close()
	a.waited = true // here TIME_WAIT is the point
	again, err := a.dial()
	if err == nil {
		err = a.echo(again, "hello", nil)
	}
	if f, ok := err.(*Failure); ok {
		f.Sent = tx("停掉服务端（有客户端连着），马上再启动",
			"the server is stopped while a client is connected, and started again at once")
		f.Belief = addressInUse
	}
	return err
}

// secondInTurn wants the second client to be served when the first has left.
func secondInTurn(a *attack) error {
	first, err := a.dial()
	if err != nil {
		return err
	}
	if err := a.echo(first, "first", nil); err != nil {
		return err
	}
	second, err := a.dial()
	if err != nil {
		return err
	}
	if _, err := second.Write([]byte("second")); err != nil {
		return &Failure{Sent: text("second"), Got: a.why(err)}
	}
	first.Close()
	got, err := a.read(second, text("SECOND"), func(b []byte) bool { return len(b) >= 6 })
	if err == nil && string(got) != "SECOND" {
		err = &Failure{Got: text("%s", quote(got))}
	}
	if f, ok := err.(*Failure); ok {
		f.Sent, f.Want, f.Belief = tx("第一个客户端走了，第二个早就发了 second",
			"the first client left; the second had sent `second`"), text("SECOND"), shortRecv
	}
	return err
}

// bothAtOnce wants the second client to be served while the first is there.
func bothAtOnce(a *attack) error {
	first, err := a.dial()
	if err != nil {
		return err
	}
	if err := a.echo(first, "first", nil); err != nil {
		return err
	}
	second, err := a.dial()
	if err != nil {
		return err
	}
	return a.echo(second, "second", oneAtATime)
}

// socketFileGone ends the server as Ctrl-C does and looks for its file.
func socketFileGone(a *attack) error {
	switch {
	case a.o.Network != "unix":
		return &Skipped{tx("只对 AF_UNIX：--at unix:PATH", "for AF_UNIX only: --at unix:PATH")}
	case a.o.Connect || runtime.GOOS == "windows":
		return &Skipped{tx("要由实验室启动程序才行", "the lab has to start the program itself")}
	}
	conn, err := a.dial()
	if err != nil {
		return err
	}
	if err := a.echo(conn, "hello", nil); err != nil {
		return err
	}
	conn.Close()
	a.prog.p.Signal("INT")
	fail := &Failure{Sent: tx("Ctrl-C（SIGINT）", "Ctrl-C (SIGINT)"),
		Want:   tx("程序结束，套接字文件没了", "the program ends, the socket file is gone"),
		Belief: leftBehind}
	if f, _ := a.fateOf(nil, a.o.Limit); f != ended {
		fail.Got = fateText(f, a.o.Limit)
		return fail
	}
	if _, err := os.Stat(a.o.Address); err == nil {
		os.Remove(a.o.Address)
		fail.Got = tx("文件还在", "the file is still there")
		return fail
	}
	return nil
}
