package check

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
)

// Lesson 21: a number in a line asks for so many bytes, of which byte i is i % period.

const (
	period   = 251
	muchSent = 16 << 20 // more than both buffers hold when the lab's is narrow
	narrow   = 64 << 10 // the lab's receive buffer
	together = 320 << 10

	// starving is how long a reader gets nothing from a server that has more to send and does not.
	starving = time.Second
)

// asked is one client of lesson 21's server.
type asked struct {
	*tape
	a       *attack
	off     int           // bytes of the current answer that were right
	wrong   bool          // something else came after them
	starved time.Duration // how long it was read from in vain before it failed
}

// ask connects and asks for n bytes.
func (a *attack) ask(n int) (*asked, error) {
	conn, err := a.dial()
	if err != nil {
		return nil, err
	}
	if c, ok := conn.Conn.(*net.TCPConn); ok {
		c.SetReadBuffer(narrow) // without it the case is only easier
	}
	q := &asked{tape: conn, a: a}
	return q, q.again(n)
}

// again asks for n bytes.
func (q *asked) again(n int) error {
	q.off = 0
	if _, err := q.Conn.Write([]byte(itoa(n) + "\n")); err != nil {
		return &Failure{Sent: tx("一行：%d", "a line: %d", n), Got: q.a.why(err)}
	}
	return nil
}

// take receives up to limit bytes more of an answer of n bytes, and judges each.
func (q *asked) take(n, limit int) error {
	buf := make([]byte, 64<<10)
	deadline, last := time.Now().Add(q.a.o.Limit), time.Now()
	end := time.Now().Add(10 * q.a.o.Limit) // of all of it: a byte now and then does not end a wait
	for limit > 0 && q.off < n {
		if time.Now().After(end) {
			f := q.failure(n)
			f.Got = tx("%d 字节以后，%v 过去了", "%d bytes came, and %v went by", q.off,
				10*q.a.o.Limit)
			return f
		}
		q.Conn.SetReadDeadline(deadline)
		got, err := q.Conn.Read(buf[:min(limit, len(buf), n-q.off)])
		for i, b := range buf[:got] {
			if b != byte((q.off+i)%period) {
				q.wrong = true
				f := q.failure(n)
				f.Got = tx("%d 个字节是对的，下一个应该是 %d，来的是 %d",
					"%d bytes are right, the next should be %d and is %d", q.off+i,
					(q.off+i)%period, b)
				if q.jumps(buf[i:got]) && q.off+i > narrow {
					f.proves(cause.PartialSend)
				}
				return f
			}
		}
		q.off, limit = q.off+got, limit-got
		if got > 0 {
			deadline, last = time.Now().Add(q.a.o.Limit), time.Now()
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && q.a.busyUntil(&deadline) {
			continue
		}
		f := q.failure(n)
		f.Got = tx("来了 %d 字节，都对，然后", "%d bytes came, all of them right, then ",
			q.off).Plus(q.a.why(err))
		q.starved = time.Since(last)
		if q.starved > starving && q.off > narrow && !q.a.prog.gone() {
			f.proves(cause.PartialSend) // it waited for the next line
		}
		return f
	}
	return nil
}

// jumps says whether what came instead is a later part of the answer.
func (q *asked) jumps(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if b[i] != byte((int(b[i-1])+1)%period) {
			return false
		}
	}
	return len(b) > 1
}

func (q *asked) failure(n int) *Failure {
	return &Failure{Sent: tx("一行：%d", "a line: %d", n),
		Want: tx("%d 字节，第 i 个是 i %% %d", "%d bytes, of which byte i is i %% %d", n, period)}
}

// gone says whether the program has ended, or is not the lab's to look at.
func (p *program) gone() bool { return p == nil || p.ended() }

// helloNumber is one exchange.
func helloNumber(a *attack, conn net.Conn) error {
	q := &asked{tape: conn.(*tape), a: a}
	if err := q.again(10); err != nil {
		return err
	}
	return q.take(10, 10)
}

// sendsSmall asks three times on one connection.
func sendsSmall(a *attack) error {
	q, err := a.ask(10)
	if err != nil {
		return err
	}
	for i, n := range []int{10, 1000, 3} {
		if i > 0 {
			if err := q.again(n); err != nil {
				return err
			}
		}
		err := q.take(n, n)
		if f, ok := err.(*Failure); ok && i > 0 && !f.Proven && q.off == 0 && !q.wrong {
			a.notAnswered(f, q.tape, helloNumber)
		}
		if err != nil {
			return nth(err, i)
		}
	}
	return nil
}

// sendsLarge reads nothing until all buffers are full, then everything, then a short answer.
func sendsLarge(a *attack) error {
	q, err := a.ask(muchSent)
	if err != nil {
		return err
	}
	a.idle(time.Second) // far less than its patience, and enough to fill the buffers
	if err := q.take(muchSent, muchSent); err != nil {
		return err
	}
	if err := q.again(10); err != nil {
		return err
	}
	return q.take(10, 10)
}

// sendsSlow reads for longer than the silence in all, and never with so long a pause. A busy
// machine can hold up the server, too: what fails once has to fail again.
func sendsSlow(a *attack) error {
	failed := false
	for range 4 {
		q, err := a.ask(muchSent)
		if err != nil {
			return err
		}
		longest, started := time.Duration(0), time.Now()
		for q.off < muchSent && err == nil {
			before := time.Now()
			a.idle(100 * time.Millisecond)
			longest = max(longest, time.Since(before))
			if err = a.ctx.Err(); err == nil {
				err = q.take(muchSent, together)
			}
		}
		took := time.Since(started)
		f, ok := err.(*Failure)
		switch {
		case !ok:
			return err
		case longest > silence/2:
			continue // this machine was the slow one
		case took > silence*4/5 && !f.Proven && !q.wrong && !failed && !a.prog.gone():
			failed = true
			continue
		}
		f.Sent = f.Sent.Plus(tx("；每 0.1 秒收 %d 字节", "; %d bytes are received every 0.1 "+
			"s", together))
		if took > silence*4/5 && !f.Proven && !q.wrong && q.starved < starving/2 {
			a.explain(f)
			if !a.prog.gone() {
				f.proves(cause.SendallInAll)
			}
		}
		return f
	}
	return &Skipped{tx("这台机器太忙，没法匀速地收", "this machine is too busy to receive evenly")}
}

// sendsStuck reads no more than the first byte: the server must give up, and serve the next. With
// the first byte it begins to send; how long it took to make its answer is not asked.
func sendsStuck(a *attack) error {
	q, err := a.ask(muchSent)
	if err == nil {
		err = q.take(muchSent, 1)
	}
	if err != nil {
		return err
	}
	patience := silence + 2*time.Second
	a.idle(patience)
	fail := &Failure{Sent: tx("一行：%d；收了 1 个字节，然后不收了", "a line: %d; one byte is "+
		"received, and then nothing", muchSent),
		Want: tx("最多等 %v 就放弃，接着服务下一个", "it gives up after %v, and serves the "+
			"next", silence)}
	q.Conn.SetReadDeadline(time.Now().Add(a.o.Limit))
	n, err := io.Copy(io.Discard, q.Conn)
	n++ // the first
	if n >= muchSent && runtime.GOOS == "windows" {
		return &Skipped{tx("这个系统一次 send 多大都收下：看不出它会不会放弃",
			"this system takes a send of any size: whether it gives up is not seen")}
	}
	if n >= muchSent {
		fail.Got = tx("%v 以后才开始收，它还是全发了", "when receiving began, after %v, it sent "+
			"all of it",
			patience)
		fail.proves(cause.NoTimeout)
		return fail
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		fail.Got = tx("来了 %d 字节，连接还开着", "%d bytes came, and the connection is still "+
			"open", n)
		if !a.prog.gone() {
			fail.proves(cause.PartialSend)
		}
		return fail
	}
	return a.servesNext(helloNumber, fail)
}

// sendsReset leaves in the middle of an answer.
func sendsReset(a *attack) error {
	q, err := a.ask(muchSent)
	if err != nil {
		return err
	}
	if err := q.take(muchSent, 1000); err != nil {
		return err
	}
	leave(q.tape)
	fail := &Failure{Sent: tx("回答到一半，连接被重置（RST）", "a reset (RST) in the middle of "+
		"an answer"),
		Want: tx("接着服务下一个客户端", "the next client is served")}
	err = a.servesNext(helloNumber, fail)
	if err == fail && a.prog != nil && a.prog.ended() && a.prog.p.Result().Code != 0 {
		fail.proves(cause.ResetKills)
	}
	return err
}
