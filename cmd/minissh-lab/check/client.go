package check

import (
	"bytes"
	"net"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
	"minissh/cmd/minissh-lab/speak"
)

// peer is the lab as the server of the learner's client.
type peer struct {
	*attack
	conn *tape
}

// listen listens at the expected address. Our own listener of the case before may take a moment to
// go: a program that is just being started holds a copy of it.
func (a *attack) listen() (l net.Listener, err error) {
	for range 20 {
		if l, err = net.Listen(a.o.Network, a.o.Address); err == nil {
			return l, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-a.ctx.Done():
			return nil, a.ctx.Err()
		}
	}
	return nil, err
}

// startClient listens at the expected address, starts the learner's client and
// accepts its connection.
func (a *attack) startClient() (*peer, error) {
	l, err := a.listen()
	where := speak.Clean(a.o.Address)
	if err != nil {
		return nil,
			&Trouble{
				Text: tx("%s 已被占用：先停掉那个服务端",
					"%s is in use: stop that server first", where),
				Hint: "minissh-lab check " + a.check.Lesson +
					" --client --at 127.0.0.1:8081 -- python3 my_client.py"}
	}
	defer l.Close()
	if a.prog, err = startProgram(a.o.Program, a.work.dir); err != nil {
		return nil, err
	}
	type accepted struct {
		conn net.Conn
		err  error
	}
	got := make(chan accepted, 1)
	go func() { // ends when l is closed
		c, err := l.Accept()
		got <- accepted{c, err}
	}()
	t := time.NewTimer(a.o.Start)
	defer t.Stop()
	fail := &Failure{NotUp: true, Want: tx("连接 %s", "a connection to %s", where)}
	ended := a.prog.p.Done()
	for {
		select {
		case c := <-got:
			if c.err != nil {
				return nil, c.err
			}
			a.served = true
			if a.cert != nil {
				if c.conn, err = a.encrypt(c.conn); err != nil {
					return nil, err
				}
			}
			return &peer{attack: a, conn: a.keep(c.conn)}, nil
		case <-ended:
			ended = nil // it may have connected just before
			t.Reset(200 * time.Millisecond)
			fail.Got = tx("程序退出了，一直没有连接", "the program ended and did not connect")
		case <-t.C:
			if fail.Got.En == "" {
				fail.Got = tx("%v 内没有连接：端口对吗？（--at 可以换）",
					"no connection for %v: is it the right port? (--at changes it)", a.o.Start)
			}
			l.Close()
			if c := <-got; c.conn != nil {
				c.conn.Close()
			}
			return nil, fail
		case <-a.ctx.Done():
			l.Close()
			if c := <-got; c.conn != nil {
				c.conn.Close()
			}
			return nil, a.ctx.Err()
		}
	}
}

// command types line and wants it to arrive, alone. It returns how much the
// program had printed before.
func (p *peer) command(line string) (mark int, err error) {
	mark = p.prog.output.size()
	p.prog.typeLine(line)
	return mark,
		p.arrives(line, tx("在提示符后面输入 %s", "typed at the prompt: %s", quote([]byte(line))))
}

// arrives reads exactly want, and perhaps the end of the line before it that the client also sent.
func (p *peer) arrives(want string, because Text) error {
	p.conn.rewind()
	got, err := p.read(p.conn, Text{}, func(b []byte) bool {
		return len(bytes.TrimLeft(b, "\r\n")) >= len(want)
	})
	got = bytes.TrimLeft(got, "\r\n")
	if err == nil && string(got) == want {
		return nil
	}
	fail := &Failure{
		Sent: because, Want: tx("客户端发来 %s", "the client sends %s", quote([]byte(want)))}
	if err != nil {
		fail.Got = err.(*Failure).Got
	} else {
		got = bytes.TrimRight(got, "\r\n")
		if string(got) == want {
			return nil // with the end of its line
		}
		fail.Got = tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got))
	}
	if len(p.conn.came) > 0 {
		fail.proves(cause.Data(p.conn.drain(), []byte(want)))
	}
	return fail
}

// wantOutput waits until the program has printed want, white space apart, after the first mark
// bytes of its output.
func (a *attack) wantOutput(mark int, want string, sent cause.Sent, fail *Failure) error {
	t := time.NewTimer(a.o.Limit)
	defer t.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	ended := a.prog.p.Done()
	for {
		changed := a.prog.output.changed()
		if cause.Shows(a.prog.output.from(mark), want) ||
			a.prog.errors.size() > 0 && cause.Shows(a.prog.errors.from(0), want) { // a log
			return nil
		}
		why := Text{}
		select {
		case <-changed:
			continue
		case <-look.C:
			a.slept = a.slept || sleeps(a.prog.p.PID)
			continue
		case <-ended:
			ended = nil
			a.prog.settle()
			if cause.Shows(a.prog.output.from(mark), want) {
				return nil
			}
			why = tx("程序结束了", "the program ended")
		case <-t.C:
			var deadline time.Time
			if a.busyUntil(&deadline) {
				t.Reset(a.o.Limit)
				continue
			}
			why = tx("%v 内没有打印", "not printed for %v", a.o.Limit)
		case <-a.ctx.Done():
			return a.ctx.Err()
		}
		got := a.prog.output.from(mark)
		fail.Want = tx("打印 %s（%d 字节）", "printed: %s (%d bytes)", quote([]byte(want)),
			len(want))
		fail.Got = tx("打印了 %s（%d 字节）；", "printed %s (%d bytes); ", quote([]byte(got)),
			len(got)).Plus(why)
		if a.prog.output.size() == 0 && !a.prog.ended() {
			// Python is told not to buffer; other languages cannot be.
			fail.Got = tx("什么也没打印过：不是 Python 的话，打印后要 flush（管道是有缓冲的）",
				"it has printed nothing at all: if it is not Python, flush after printing (a "+
					"pipe is buffered)")
		}
		if a.unflushed(mark, want) {
			fail.Got = tx("标准输入结束以后才打印出来：打印后要 flush（管道是有缓冲的）",
				"printed only when its standard input had ended: flush after printing (a pipe is "+
					"buffered)")
			fail.proves(cause.Unflushed)
			return fail
		}
		b := cause.Printed(got, want, sent)
		if a.slept && cause.Part(got, want) && b != cause.OverCounting {
			b = cause.Sleeping
		}
		fail.proves(b)
		return fail
	}
}

// over is what must be true after the conversation was cut or poisoned: the client ends or closes,
// soon, and does not go on as if nothing had happened. The other outcomes prove that it is b.
func (p *peer) over(fail *Failure, b *Belief) error {
	p.calm()                 // a client that reads and types at once is at its prompt all the time
	p.prog.typeLine("again") // whoever is at the prompt goes on with this
	f, more := p.fateOf(p.conn, p.o.Limit)
	switch f {
	case ended:
		if c := p.crash(); c != nil {
			fail.Got = c.Got
			if t := p.trace(); t == nil || !t.EndNoticed() || b == cause.TrustedLength {
				return fail
			}
		}
		return nil
	case closed:
		return nil
	case wentOn:
		fail.Got = tx("它接着发来 %s，好像什么都没发生",
			"it went on and sent %s, as if nothing had happened", quote(more))
		fail.wentOn = true
	default:
		fail.Got = fateText(f, p.o.Limit)
		if f == hangs && b == cause.NoEndTest {
			return fail // it does not read: nobody knows why
		}
	}
	fail.proves(b)
	return fail
}
