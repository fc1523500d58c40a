package check

import (
	"bytes"
	"io"
	"net"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
)

// Lesson 23: each line is answered in upper case, whatever the other clients do.

// others is how many clients come beside the odd one.
const others = 8

// line sends text as one line and wants it back in upper case.
func (a *attack) line(conn *tape, text string) error {
	conn.rewind()
	fail := &Failure{Sent: sent([]byte(text + "\n"))}
	if _, err := conn.Write([]byte(text + "\n")); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	return a.lineCame(conn, text, fail)
}

// lineCame wants the answer to a line that was sent.
func (a *attack) lineCame(conn *tape, line string, fail *Failure) error {
	want := strings.ToUpper(line) + "\n"
	fail.Want = text("%s", quote([]byte(want)))
	got, err := a.read(conn, Text{}, func(b []byte) bool { return len(b) >= len(want) })
	switch {
	case err != nil:
		fail.Got = err.(*Failure).Got
		return fail
	case string(got) == want:
		return nil
	}
	fail.Got = text("%s", quote(got))
	if string(got) == line+"\n" {
		fail.proves(cause.NoUpper)
	}
	return fail
}

// helloLine is one exchange.
func helloLine(a *attack, conn net.Conn) error { return a.line(conn.(*tape), "hello") }

// answersOthers wants new clients to be answered, one after the other. Each stays.
func (a *attack) answersOthers(n int, because Text) (*tape, error) {
	var last *tape
	for i := range n {
		conn, err := a.dial()
		if err != nil {
			return nil, err
		}
		last = conn
		err = a.line(conn, "client "+itoa(i+1))
		if f, ok := err.(*Failure); ok {
			f.Sent = because.Plus(tx("；另一个发来 ", "; another sends ")).Plus(f.Sent)
		}
		if err != nil {
			return last, err
		}
	}
	return last, nil
}

// manySilent has a client that says nothing.
func manySilent(a *attack) error {
	silent, err := a.dial()
	if err != nil {
		return err
	}
	last, err := a.answersOthers(others, tx("一个客户端连着，不出声", "a client is connected and "+
		"silent"))
	if f, ok := err.(*Failure); ok && !f.Proven && last != nil {
		silent.Close()
		if a.late(last) {
			f.proves(cause.OneAtATime)
		}
	}
	return err
}

// late says whether something comes on conn after all.
func (a *attack) late(conn *tape) bool {
	conn.SetReadDeadline(time.Now().Add(a.o.Limit))
	n, _ := conn.Read(make([]byte, 1024))
	return n > 0
}

// manyHalf has a client that sends half a line, and the rest later.
func manyHalf(a *attack) error {
	half, err := a.dial()
	if err != nil {
		return err
	}
	if _, err := half.Write([]byte("first ")); err != nil {
		return &Failure{Sent: text("first"), Got: a.why(err)}
	}
	chaos.Separated(a.ctx, half.Conn)
	last, err := a.answersOthers(others, tx("一个客户端只发来半行 first", "a client has sent half "+
		"a line, `first`"))
	f, failed := err.(*Failure)
	switch {
	case err != nil && !failed:
		return err
	case failed && last != nil && !f.Proven:
		if bytes.Contains(last.came, []byte("FIRST")) {
			f.proves(cause.SharedBuffer)
			return f
		}
		if len(last.came) > 0 || a.prog.gone() {
			return f
		}
		half.Write([]byte("second\n"))
		if a.late(last) {
			f.proves(cause.WaitsForLine)
		}
		return f
	case failed:
		return f
	}
	fail := &Failure{Sent: tx("先发半行 first，后来才发 second 和换行",
		"half a line, `first `, and later `second` and the newline")}
	a.calm()
	half.SetReadDeadline(time.Now().Add(time.Millisecond))
	half.Read(make([]byte, 1024))
	if len(half.came) > 0 {
		fail.Want = tx("一行收全了才回答", "an answer when the line is complete")
		fail.Got = tx("才半行，就来了 %s", "after half a line came %s", quote(half.came))
		fail.proves(cause.PieceIsLine)
		return fail
	}
	if _, err := half.Write([]byte("second\n")); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	return a.lineCame(half, "first second", fail)
}

// manyPieces sends three lines on three connections, byte by byte in turn, then two in one write.
func manyPieces(a *attack) error {
	words := []string{"alpha beta", "gamma delta", "epsilon zeta"}
	var conns []*tape
	for range words {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		conns = append(conns, conn)
	}
	for i := range len(words[2]) + 1 {
		for k, w := range words {
			w += "\n"
			if i < len(w) {
				chaos.Send(a.ctx, conns[k].Conn, [][]byte{[]byte(w[i : i+1])})
				chaos.Separated(a.ctx, conns[k].Conn)
			}
		}
	}
	for k, w := range words {
		fail := &Failure{Sent: tx("三个客户端轮流，各发一个字节：%s",
			"three clients in turn, a byte each: %s", quote([]byte(w)))}
		err := a.lineCame(conns[k], w, fail)
		if err == fail {
			for j, other := range words {
				if j != k && len(conns[k].came) > 0 && strings.ContainsAny(string(conns[k].came),
					strings.ToUpper(onlyIn(other, w))) {
					fail.proves(cause.SharedBuffer)
				}
			}
			if !fail.Proven && len(conns[k].came) > 0 && cause.Part(string(conns[k].came),
				strings.ToUpper(w)) {
				fail.proves(cause.PieceIsLine)
			}
		}
		if err != nil {
			return err
		}
	}
	conns[0].rewind()
	conns[0].Write([]byte("two\nlines\n"))
	want := "TWO\nLINES\n"
	fail := &Failure{Sent: tx("一次 send，两行", "two lines in one "+
		"send"), Want: text("%s", quote([]byte(want)))}
	got, err := a.read(conns[0], Text{}, func(b []byte) bool { return len(b) >= len(want) })
	switch f, ok := err.(*Failure); {
	case ok:
		fail.Got = f.Got
		if string(got) == "TWO\n" {
			fail.proves(cause.PieceIsLine)
		}
	case string(got) == want:
		return nil
	default:
		fail.Got = text("%s", quote(got))
	}
	return fail
}

// onlyIn are the letters of a that are not in b.
func onlyIn(a, b string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(b, r) || r == ' ' {
			return -1
		}
		return r
	}, a)
}

// manyDeaf has a client that sends a lot and receives nothing.
func manyDeaf(a *attack) error {
	deaf, err := a.dial()
	if err != nil {
		return err
	}
	if c, ok := deaf.Conn.(*net.TCPConn); ok {
		c.SetReadBuffer(narrow)
	}
	lines := bytes.Repeat([]byte(strings.Repeat("x", 8191)+"\n"), 8<<20/8192)
	sentBytes := 0
	for sentBytes < len(lines) && a.ctx.Err() == nil { // until nobody takes any more
		deaf.Conn.SetWriteDeadline(time.Now().Add(400 * time.Millisecond))
		n, err := deaf.Conn.Write(lines[sentBytes:])
		if sentBytes += n; err != nil {
			break
		}
	}
	for range 5 { // the system may hold it all, of a program that has had no time to take it
		a.calm()
	}
	last, err := a.answersOthers(2, tx("一个客户端发来 %d 字节，一个字节也不收",
		"a client sends %d bytes and receives nothing", sentBytes))
	if f, ok := err.(*Failure); ok && !f.Proven && last != nil && len(last.came) == 0 {
		received := make(chan struct{})
		go func() { // ends with the case, when the connection is closed
			deaf.Conn.SetReadDeadline(time.Now().Add(2 * a.o.Limit))
			io.Copy(io.Discard, deaf.Conn)
			close(received)
		}()
		if a.late(last) {
			f.proves(cause.SendBlocks)
		}
		deaf.Conn.SetReadDeadline(time.Now())
		<-received
	}
	return err
}
