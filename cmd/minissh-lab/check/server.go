package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/speak"
)

// shown is how many bytes of something long are shown.
const shown = 48

func quote(b []byte) string { return speak.QuoteShort(b, shown) }

// sent says what was sent.
func sent(b []byte) Text { return tx("%s（%d 字节）", "%s (%d bytes)", quote(b), len(b)) }

// text is the same in both languages.
func text(format string, args ...any) Text {
	s := fmt.Sprintf(format, args...)
	return Text{s, s}
}

// dial connects to the learner's server, and starts it first if need be. The first
// connection of a program is also how the lab sees that it listens.
func (a *attack) dial() (net.Conn, error) {
	if a.prog == nil && !a.o.Connect {
		if err := a.startServer(); err != nil {
			return nil, err
		}
	}
	deadline := time.Now().Add(a.o.Start)
	for {
		d := net.Dialer{Timeout: a.o.Limit}
		conn, err := d.DialContext(a.ctx, a.o.Network, a.o.Address)
		if err == nil {
			a.conns = append(a.conns, conn)
			return conn, nil
		}
		where := speak.Clean(a.o.Address)
		switch {
		case a.ctx.Err() != nil:
			return nil, a.ctx.Err()
		case a.o.Connect:
			return nil, &Trouble{Text: tx("连不上 %s", "cannot connect to %s", where),
				Hint: "minissh-lab check " + a.check.Lesson + " -- python3 my_server.py"}
		case a.prog.ended() && a.waitForPort():
			if err := a.startServer(); err != nil {
				return nil, err
			}
			deadline = time.Now().Add(a.o.Start)
		case a.prog.ended():
			return nil, &Failure{NotUp: true, Want: tx("在 %s 监听", "listening on %s", where),
				Got: tx("程序结束了", "the program ended")}
		case time.Now().After(deadline):
			return nil, &Failure{NotUp: true, Want: tx("在 %s 监听", "listening on %s", where),
				Got: tx("%v 以后还是连不上：端口对吗？（--at 可以换）",
					"still nobody there after %v: is it the right port? (--at changes it)",
					a.o.Start)}
		}
		a.idle(20 * time.Millisecond)
	}
}

// timeWait is how long a closed connection keeps its port, with room to spare.
const timeWait = 65 * time.Second

// waitForPort reports that the program ended while an earlier connection's TIME_WAIT
// kept its port busy, and that this is over now. That may be the lab's own doing (it
// closes first when it checks a client), so it is not held against the program.
func (a *attack) waitForPort() bool {
	if a.waited || a.o.Network != "tcp" || bindPlainly(a.ctx, a.o.Address) == nil {
		return false
	}
	a.waited = true
	if l, err := net.Listen("tcp", a.o.Address); err != nil {
		return false // not TIME_WAIT: somebody listens
	} else {
		l.Close()
	}
	a.endProgram()
	if a.o.Waiting != nil {
		a.o.Waiting(tx("端口还在 TIME_WAIT（上一次检查留下的），最多等 60 秒；参数里用 {port}，"+
			"或者设 SO_REUSEADDR，就不用等",
			"the port is in TIME_WAIT from an earlier check: up to 60 s; with {port} in the "+
				"arguments, or SO_REUSEADDR, there is no wait"))
	}
	for deadline := time.Now().Add(timeWait); time.Now().Before(deadline) && a.ctx.Err() == nil; {
		if bindPlainly(a.ctx, a.o.Address) == nil {
			return true
		}
		a.idle(500 * time.Millisecond)
	}
	return false
}

// idle lets d go by.
func (a *attack) idle(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.ctx.Done():
	}
}

// startServer makes sure that nobody else answers at the address, then starts the
// learner's program.
func (a *attack) startServer() error {
	if !a.busy && a.o.Network == "tcp" {
		l, err := a.listen()
		if err != nil {
			where := speak.Clean(a.o.Address)
			return &Trouble{
				Text: tx("%s 已经有人在用：先停掉它，或者用 --connect 检查它",
					"%s is in use: stop that program, or check it with --connect", where),
				Hint: "minissh-lab check " + a.check.Lesson + " --connect " + where}
		}
		l.Close()
		a.busy = true
	}
	if a.o.Network == "unix" {
		removeStale(a.o.Address)
	}
	prog, err := startProgram(a.o.Program, a.work.dir)
	a.prog = prog
	return err
}

// removeStale removes a socket file that nobody answers on: a program that was
// ended by force had no chance to.
func removeStale(path string) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return
	}
	os.Remove(path)
}

// leave closes conn with a RST, so that nothing stays in TIME_WAIT on the server's
// side because of the lab.
func leave(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}

// read returns what comes until enough says so; the error is a *Failure without
// Sent and Belief.
func (a *attack) read(conn net.Conn, want Text, enough func([]byte) bool) ([]byte, error) {
	var got []byte
	buf := make([]byte, 4096)
	conn.SetReadDeadline(time.Now().Add(a.o.Limit))
	for !enough(got) {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil && !enough(got) {
			return got, &Failure{Want: want, Got: gotText(got, a.why(err))}
		}
		if len(got) > maxOutput {
			return got,
				&Failure{Want: want, Got: tx("超过 %d 字节，还没完", "over %d bytes and no end",
					maxOutput)}
		}
	}
	return got, nil
}

// gotText is what came, and how it ended.
func gotText(got []byte, how Text) Text {
	if len(got) == 0 {
		return how
	}
	return tx("%s（%d 字节），然后", "%s (%d bytes), then ", quote(got), len(got)).plus(how)
}

func (t Text) plus(u Text) Text { return Text{t.Zh + u.Zh, t.En + u.En} }

// why says how a read or write ended.
func (a *attack) why(err error) Text {
	if a.prog != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		wait, cancel := context.WithTimeout(a.ctx, 200*time.Millisecond)
		defer cancel()
		select {
		case <-a.prog.p.Done():
			return tx("程序结束了", "the program ended")
		case <-wait.Done():
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, dialect.ErrSilent):
		return tx("%v 里什么也没来", "nothing for %v", a.o.Limit)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return tx("连接被关闭", "the connection was closed")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return tx("连接被重置", "the connection was reset")
	}
	zh, en, _, _ := dialect.Explain(err)
	return Text{zh, en}
}

// echo sends message and wants it back in upper case.
func (a *attack) echo(conn net.Conn, message string, belief *Belief) error {
	want := dialect.Upper([]byte(message))
	fail := func(got Text) error {
		return &Failure{Sent: sent([]byte(message)), Want: text("%s", quote(want)), Got: got,
			Belief: belief}
	}
	if _, err := conn.Write([]byte(message)); err != nil {
		return fail(a.why(err))
	}
	got, err := a.read(conn, Text{}, func(b []byte) bool { return len(b) >= len(want) })
	if err != nil {
		return fail(err.(*Failure).Got)
	}
	if string(got) != string(want) {
		return fail(text("%s", quote(got)))
	}
	return nil
}

// client is a correct client of the dialect.
func (a *attack) client(conn net.Conn, name string) *dialect.Client {
	return dialect.NewClient(conn, dialect.Find(name),
		dialect.Options{Timeout: a.o.Limit, BigEndian: a.o.BigEnd, Folder: nil})
}

// exchange sends one command and gives the whole answer.
func (a *attack) exchange(c *dialect.Client, line string, want Text, belief *Belief) ([]byte,
	error) {
	r, err := c.Exchange(a.ctx, line)
	if err == nil {
		return r.Data, nil
	}
	var got []byte
	if r != nil {
		got = r.Data
	}
	f := &Failure{Sent: sent([]byte(line)), Want: want, Got: gotText(got, a.why(err)),
		Belief: belief}
	if _, ok := errors.AsType[*dialect.LengthError](err); ok && f.Belief == nil {
		f.Belief = oneRecv
	}
	return got, f
}

// wantAnswer wants the answer to contain a text, white space at the ends apart.
func (a *attack) wantAnswer(c *dialect.Client, line, want string, belief *Belief) error {
	wanted := text("%s", quote([]byte(want)))
	got, err := a.exchange(c, line, wanted, belief)
	if err != nil {
		return err
	}
	if strings.TrimSpace(strings.ReplaceAll(string(got), "\r\n", "\n")) != strings.TrimSpace(want) {
		return &Failure{Sent: sent([]byte(line)), Want: wanted,
			Got: tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got)), Belief: belief}
	}
	return nil
}
