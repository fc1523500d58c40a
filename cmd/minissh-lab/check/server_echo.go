package check

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
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

// echoWords sends 20 words, each on a connection of its own: chapter 6's server may close after
// each, or answer once and end.
func echoWords(a *attack) error {
	for i, w := range randomWords(20) {
		if i > 0 && a.done() {
			return nil // chapter 6's server answers once and ends: that is what it is
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		if err := a.echo(conn, w); err != nil {
			if i == 1 && a.isOver(conn) {
				return nil // it had just closed its first connection, and was about to end
			}
			return nth(err, i)
		}
		a.part(conn)
	}
	return nil
}

// part ends a connection politely: a server of chapter 6 need not know of resets. Where the server
// has closed first, a reset spares its port the TIME_WAIT, and it does not see that.
func (a *attack) part(conn *tape) {
	a.calm()
	conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
		leave(conn)
		return
	}
	conn.Close()
}

// done says whether the program, left alone, has ended.
func (a *attack) done() bool {
	a.calm()
	return a.prog != nil && a.prog.ended()
}

// isOver says whether the program ends without having answered on conn: its listening socket took
// the connection, and nobody else did.
func (a *attack) isOver(conn *tape) bool {
	if a.prog == nil || len(conn.came) > 0 {
		return false
	}
	select {
	case <-a.prog.p.Done():
		return true
	case <-time.After(a.o.Limit):
		return false
	}
}

// nth says which message failed.
func nth(err error, i int) error {
	if f, ok := err.(*Failure); ok && i > 0 {
		f.Sent = tx("第 %d 条：", "message %d: ", i+1).Plus(f.Sent)
	}
	return err
}

// tenMessages sends ten words on one connection.
func tenMessages(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	for i, w := range randomWords(10) {
		before := len(conn.came)
		err := a.echo(conn, w)
		if f, ok := err.(*Failure); ok && i > 0 && !f.Proven && len(conn.came) == before {
			a.notAnswered(f, conn, helloEcho)
		}
		if err != nil {
			return nth(err, i)
		}
	}
	return nil
}

// stays wants a server to be there still, when it has answered: one that ends by itself then has
// failed, whatever it calls that.
func (a *attack) stays() *Failure {
	if !a.done() {
		return nil
	}
	if f := a.away(); f != nil {
		return f
	}
	return &Failure{Want: tx("答完了还在，等下一条", "it has answered, and waits for more"),
		Got: tx("程序结束了，退出码 %d", "the program ended, with exit code %d",
			a.prog.p.Result().Code)}
}

// notAnswered tells why a server that has answered before does so no more on conn: it has closed
// it, or it waits for a new connection, on which it answers.
func (a *attack) notAnswered(f *Failure, conn *tape, hello func(*attack, net.Conn) error) {
	if a.prog != nil && a.prog.ended() {
		if a.crash() == nil {
			f.proves(cause.OneMessage)
		}
		return
	}
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	closed := err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	other, dialed := a.dial()
	if dialed != nil {
		return
	}
	served := hello(a, other) == nil
	conn.rewind()
	switch {
	case closed && served:
		f.proves(cause.OneMessage)
	case !closed && (served || len(conn.drain()) > 0): // the new connection let it go on
		f.proves(cause.AcceptInLoop)
	}
}

// afterFin closes the lab's sending side: the server must notice, close, and with next serve
// another client (chapter 8's may end: that is what it is).
func afterFin(hello func(*attack, net.Conn) error, next bool) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		if err := hello(a, conn); err != nil {
			return err
		}
		if err := closeWrite(conn); err != nil {
			return err
		}
		f, more := a.fateOf(conn, a.o.Limit)
		fail := &Failure{
			Sent: tx("一条消息，然后 FIN（客户端 close）",
				"one message, then FIN (the client closes)"),
			Want: tx("服务端也关闭连接", "the server closes too"), Got: fateText(f, a.o.Limit)}
		switch f {
		case spins:
			fail.proves(cause.NoEndTest)
			return fail
		case hangs:
			return fail
		case wentOn:
			fail.Got = tx("收到 FIN 以后还发来 %s", "after the FIN it sent %s", quote(more))
			fail.proves(cause.NoEndTest)
			return fail
		}
		if !next {
			return nil
		}
		fail.Want = fail.Want.Plus(tx("，接着服务下一个", ", and serves the next client"))
		return a.servesNext(hello, fail)
	}
}

// servesNext wants a new client to be served.
func (a *attack) servesNext(hello func(*attack, net.Conn) error, fail *Failure) error {
	if a.done() {
		fail.Got = tx("程序结束了", "the program ended")
		if a.crash() == nil {
			fail.proves(cause.ServesOnce)
		}
		return fail
	}
	next, err := a.dial()
	if err == nil {
		err = hello(a, next)
	}
	if f, ok := err.(*Failure); ok {
		fail.Got = tx("下一个客户端：", "the next client: ").Plus(f.Got)
		if a.done() && a.crash() == nil {
			fail.proves(cause.ServesOnce)
		}
		return fail
	}
	return err
}

// afterReset ends a client by force: the server must not die of it, and with next serve another.
func afterReset(hello func(*attack, net.Conn) error, next bool) func(*attack) error {
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
		fail := &Failure{
			Sent: tx("一条消息，然后 RST（连接被重置）",
				"one message, then RST (the connection is reset)"),
			Want: tx("接着服务下一个客户端", "the next client is served")}
		if !next && a.done() && a.prog.p.Result().Code == 0 {
			return nil
		}
		err = a.servesNext(hello, fail)
		if err == fail && a.prog != nil && a.prog.ended() && a.prog.p.Result().Code != 0 {
			fail.proves(cause.ResetKills)
		}
		return err
	}
}

// helloEcho is one exchange with an echo server.
func helloEcho(a *attack, conn net.Conn) error { return a.echo(conn, "hello") }

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
	if err := a.echo(conn, "hello"); err != nil {
		return err
	}
	a.endProgram()
	a.fateOf(conn, a.o.Limit) // until its FIN is here: the server's side closed first
	conn.Close()
	a.waited = true // here TIME_WAIT is the point
	again, err := a.dial()
	if err == nil {
		err = a.echo(again, "hello")
	}
	if f, ok := err.(*Failure); ok {
		f.Sent = tx("停掉服务端（有客户端连着），马上再启动",
			"the server is stopped while a client is connected, and started again at once")
	}
	return err
}

// secondInTurn wants the second client to be served when the first has left.
func secondInTurn(a *attack) error {
	first, err := a.dial()
	if err != nil {
		return err
	}
	if err := a.echo(first, "first"); err != nil {
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
		f.Sent, f.Want = tx("第一个客户端走了，第二个早就发了 second",
			"the first client left; the second had sent `second`"), text("SECOND")
		switch how, _ := a.fateOf(nil, time.Second); {
		case how == spins:
			f.proves(cause.NoEndTest)
		case how == ended && a.crash() == nil:
			f.proves(cause.ServesOnce)
		}
	}
	return err
}

// bothAtOnce wants the second client to be served while the first is there.
func bothAtOnce(a *attack) error {
	first, err := a.dial()
	if err != nil {
		return err
	}
	if err := a.echo(first, "first"); err != nil {
		return err
	}
	second, err := a.dial()
	if err != nil {
		return err
	}
	err = a.echo(second, "second")
	if f, ok := err.(*Failure); ok && !f.Proven {
		first.Close()
		got, err := a.read(second, Text{}, func(b []byte) bool { return len(b) >= 6 })
		if err == nil && string(got) == "SECOND" {
			f.proves(cause.OneAtATime)
		}
	}
	return err
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
	if err := a.echo(conn, "hello"); err != nil {
		return err
	}
	conn.Close()
	a.prog.p.Signal("INT")
	fail := &Failure{Sent: tx("Ctrl-C（SIGINT）", "Ctrl-C (SIGINT)"),
		Want: tx("程序结束，套接字文件没了", "the program ends, the socket file is gone")}
	if f, _ := a.fateOf(nil, a.o.Limit); f != ended {
		fail.Got = fateText(f, a.o.Limit)
		return fail
	}
	if _, err := os.Stat(a.o.Address); err == nil {
		os.Remove(a.o.Address)
		fail.Got = tx("文件还在", "the file is still there")
		fail.proves(cause.LeftBehind)
		return fail
	}
	return nil
}
