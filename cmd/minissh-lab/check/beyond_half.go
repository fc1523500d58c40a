package check

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
)

// Lesson 22: a question ends with the sender's FIN; the answer is all of it, reversed.

// silence is how long a peer may be silent before a program of lesson 22 gives up on it.
const silence = 3 * time.Second

// halfWhole sends pieces, then a FIN, and wants them back reversed, and the connection closed.
func halfWhole(pieces ...string) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		var each [][]byte
		for _, p := range pieces {
			each = append(each, []byte(p))
		}
		if _, err := chaos.Send(a.ctx, conn.Conn, each); err != nil && a.ctx.Err() != nil {
			return a.ctx.Err() // one that has gone shows in its answer
		}
		return a.answersAtEnd(conn, each)
	}
}

// answersAtEnd ends what was sent in pieces, and judges the answer.
func (a *attack) answersAtEnd(conn *tape, pieces [][]byte) error {
	all := bytes.Join(pieces, nil)
	want := reversed(all)
	fail := &Failure{Sent: sent(all).Plus(tx("，然后 FIN", ", then FIN")), Want: tx("%s，然后关闭",
		"%s, then the connection is closed", quote(want))}
	a.calm()
	conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	conn.Read(make([]byte, 32<<10))
	if len(conn.came) > 0 {
		fail.Got = tx("还没有 FIN，就来了 %s", "before the FIN %s came", quote(conn.came))
		fail.proves(cause.AnswersEarly)
		return fail
	}
	if err := closeWrite(conn); isKnown(err) {
		return err
	} else if err != nil {
		fail.Got = tx("连接已经断了", "the connection had ended already")
		return fail
	}
	f, _ := a.readToEnd(conn, a.o.Limit)
	got := conn.came
	fail.Got = gotText(got, fateText(f, a.o.Limit))
	switch {
	case bytes.Equal(got, want) && (f == ended || f == closed):
		return nil
	case f == spins:
		fail.proves(cause.NoEndTest)
	case bytes.Equal(got, want) && len(want) > 0 && f == hangs:
		fail.proves(cause.KeepsOpen)
	case len(pieces) > 1 && (bytes.Equal(got, reversed(pieces[0])) ||
		bytes.Equal(got, bytes.Join(eachReversed(pieces), nil))),
		len(got) > 0 && len(got) < len(all) && bytes.Equal(got, reversed(all[:len(got)])):
		fail.proves(cause.OneRecv) // each recv, or the first alone, was taken for a message
	case len(got) > 0:
		fail.proves(cause.Data(got, want))
	}
	return fail
}

// readToEnd reads an answer until its end, or until the program has done nothing for limit.
func (a *attack) readToEnd(conn *tape, limit time.Duration) (fate, []byte) {
	for end := time.Now().Add(10 * limit); ; { // a byte now and then does not end a wait
		f, more := a.fateOf(conn, limit)
		if f != wentOn || len(conn.came) > maxOutput || time.Now().After(end) {
			return f, more
		}
	}
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

func eachReversed(pieces [][]byte) (all [][]byte) {
	for _, p := range pieces {
		all = append(all, reversed(p))
	}
	return all
}

// helloHalf is one exchange.
func helloHalf(a *attack, conn net.Conn) error {
	t := conn.(*tape)
	if _, err := t.Write([]byte("hello")); err != nil {
		return &Failure{Sent: text("hello"), Got: a.why(err)}
	}
	return a.answersAtEnd(t, [][]byte{[]byte("hello")})
}

// halfReset leaves by force in the middle of a question.
func halfReset(a *attack) error {
	if a.o.Network != "tcp" {
		return &Skipped{tx("只有 TCP 有 RST", "only TCP has RST")}
	}
	conn, err := a.dial()
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return &Failure{Sent: text("hello"), Got: a.why(err)}
	}
	chaos.Separated(a.ctx, raw(conn)) // it has read that, and waits for more
	leave(conn)
	fail := &Failure{Sent: tx("hello，没有 FIN，然后 RST", "hello, no FIN, then a RST"),
		Want: tx("接着服务下一个客户端", "the next client is served")}
	err = a.servesNext(helloHalf, fail)
	if err == fail && a.prog != nil && a.prog.ended() && a.prog.p.Result().Code != 0 {
		fail.proves(cause.ResetKills)
	}
	return err
}

// halfPatient sends slowly: for longer than the silence in all, and never with so long a pause.
func halfPatient(a *attack) error {
	const pause, pieces = 800 * time.Millisecond, 5
	for range 3 {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		longest, last, started := time.Duration(0), time.Now(), time.Now()
		var all [][]byte
		var failed error
		for i := range pieces {
			if i > 0 {
				a.idle(pause)
			}
			p := []byte("slow " + itoa(i))
			all = append(all, p)
			if _, failed = conn.Write(p); failed != nil {
				break
			}
			longest, last = max(longest, time.Since(last)), time.Now()
		}
		took := time.Since(started)
		if failed == nil {
			failed = a.answersAtEnd(conn, all)
		} else {
			conn.drain()
		}
		f, isFailure := failed.(*Failure)
		switch {
		case failed == nil, a.ctx.Err() != nil:
			return failed
		case longest > 2*silence/3:
			continue // this machine was the slow one
		case !isFailure:
			f = &Failure{Got: a.why(failed)}
		}
		f.Sent = tx("%d 块，中间各停 %v", "%d pieces, with pauses of %v", pieces, pause)
		f.Want = text("%s", quote(reversed(bytes.Join(all, nil))))
		if len(conn.came) == 0 && took > silence {
			a.explain(f)
			if !a.prog.ended() || f.Belief == cause.TimeoutKills {
				f.proves(cause.TotalTimeout)
			}
		}
		return f
	}
	return &Skipped{tx("这台机器太忙，没法匀速地发", "this machine is too busy to send evenly")}
}

// halfSilent sends a piece and no more: the server must give up on it, and serve the next.
func halfSilent(a *attack) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return &Failure{Sent: text("hello"), Got: a.why(err)}
	}
	fail := &Failure{Sent: tx("一块，然后不出声，也不断开", "one piece, then silence, and the "+
		"connection stays open"),
		Want: tx("最多等 %v 就放弃，接着服务下一个", "it gives up after %v, and serves the "+
			"next", silence)}
	f, more := a.fateOf(conn, silence+a.o.Limit)
	switch f {
	case wentOn:
		fail.Got = tx("还没说完就来了 %s", "before the end %s came", quote(more))
		fail.proves(cause.AnswersEarly)
		return fail
	case spins:
		fail.Got = fateText(f, silence)
		return fail
	case hangs:
		fail.Got = fateText(f, silence+a.o.Limit)
		fail.proves(cause.NoTimeout)
		return fail
	}
	return a.servesNext(helloHalf, fail)
}

// halfClient types two lines, ends the input, and answers what came when the client is done.
func halfClient(a *attack) error {
	p, fail, err := a.halfAsked()
	if err != nil {
		return err
	}
	answer := reversed(p.conn.came)
	fail.Sent = tx("%s，分三块，然后关闭", "%s, in three pieces, then closed", quote(answer))
	fail.Want = tx("打印 %s", "printed: %s", quote(answer))
	if p.done() {
		fail.Got = tx("还没得到回答，程序就结束了", "the program ended before it was answered")
		if p.crash() == nil {
			fail.proves(cause.CloseNotShutdown)
		}
		return p.closedEarly(fail)
	}
	at := len(answer) / 3
	chaos.Send(a.ctx, p.conn.Conn, [][]byte{answer[:at], answer[at : 2*at], answer[2*at:]})
	closeWrite(p.conn)
	said := cause.Sent{Pieces: []int{at, at, len(answer) - 2*at}}
	if err := p.wantOutput(0, string(answer), said, fail); err != nil {
		return p.closedEarly(err)
	}
	fail.Want = tx("回答完了，程序结束", "the program ends after the answer")
	switch f, _ := p.fateOf(nil, a.o.Limit); f {
	case spins:
		fail.Got = fateText(f, a.o.Limit)
		fail.proves(cause.NoEndTest)
		return fail
	case hangs:
		fail.Got = fateText(f, a.o.Limit)
		return fail
	}
	return nil
}

// closedEarly names the bug of a client that receives on a closed socket, as its error says.
func (p *peer) closedEarly(err error) error {
	f, ok := err.(*Failure)
	if !ok {
		return err
	}
	if t := p.trace(); t != nil && strings.Contains(t.Source, "recv") &&
		(strings.Contains(t.Message, "Bad file descriptor") ||
			strings.Contains(t.Message, "not a socket")) {
		f.proves(cause.CloseNotShutdown)
	}
	return f
}

// halfAsked starts the client, types at it, and reads what it sends until it is done.
func (a *attack) halfAsked() (*peer, *Failure, error) {
	p, err := a.startClient()
	if err != nil {
		return nil, nil, err
	}
	const typed = "hello\nhalf-closed\n"
	p.prog.p.Stdin.Write([]byte(typed))
	p.prog.p.Stdin.Close()
	fail := &Failure{Sent: tx("输入两行，然后输入结束", "two lines are typed, then the input ends"),
		Want: tx("发来 %s，然后 FIN", "it sends %s, then a FIN", quote([]byte(typed)))}
	const soon = time.Second // shorter than its own time-out
	f, _ := a.readToEnd(p.conn, soon)
	if f == ended { // its last bytes may still be unread
		for end := time.Now().Add(a.o.Limit); time.Now().Before(end); {
			p.conn.SetReadDeadline(end)
			if _, err := p.conn.Read(make([]byte, 4096)); err != nil {
				break
			}
		}
	}
	got := p.conn.came
	same := strings.Join(strings.Fields(string(got)), "") ==
		strings.Join(strings.Fields(typed), "")
	switch {
	case same && (f == closed || f == ended):
		return p, fail, nil
	case same && f == hangs:
		fail.proves(cause.NoShutdown)
	}
	fail.Got = gotText(got, fateText(f, soon))
	return nil, nil, p.closedEarly(fail)
}

// halfClientSilent never answers: the client must not wait for ever.
func halfClientSilent(a *attack) error {
	p, fail, err := a.halfAsked()
	if err != nil {
		return err
	}
	fail.Sent = tx("什么也不回答，也不关闭", "no answer, and the connection stays open")
	fail.Want = tx("最多等 %v，说一声，然后结束", "it waits %v at most, says so, and ends", silence)
	switch f, _ := a.fateLong(silence + a.o.Limit); f {
	case ended:
		if f := p.crash(); f != nil {
			fail.Got = f.Got
			return p.closedEarly(fail)
		}
		return nil
	default:
		fail.Got = fateText(hangs, silence+a.o.Limit)
		fail.proves(cause.NoTimeout)
	}
	return fail
}
