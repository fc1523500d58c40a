package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
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
	return Text{Zh: s, En: s}
}

// dial connects to the learner's server, and starts it first if need be. The first
// connection of a program is also how the lab sees that it listens.
func (a *attack) dial() (*tape, error) {
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
			t := a.keep(conn)
			if f := a.away(); f != nil {
				return nil, f
			}
			a.served = true
			return t, nil
		}
		where := speak.Clean(a.o.Address)
		fail := &Failure{NotUp: !a.served, Want: tx("在 %s 监听", "listening on %s", where)}
		switch {
		case a.ctx.Err() != nil:
			return nil, a.ctx.Err()
		case a.o.Connect:
			return nil, &Trouble{Text: tx("连不上 %s", "cannot connect to %s", where),
				Hint: "minissh-lab check " + a.check.Lesson + " -- python3 my_server.py"}
		case a.prog.ended() && a.away() != nil:
			return nil, a.away()
		case a.prog.ended():
			again, err := a.waitForPort()
			switch {
			case err != nil:
				return nil, err
			case !again && a.served:
				fail.Got = tx("程序已经结束了，没有人在监听",
					"the program has ended, and nobody listens")
				return nil, fail
			case !again:
				fail.Got = tx("程序结束了，没有监听过", "the program ended without ever listening")
				return nil, fail
			}
			deadline = time.Now().Add(a.o.Start)
		case time.Now().After(deadline):
			fail.Got = tx("%v 以后还是连不上", "still nobody there after %v", a.o.Start)
			return nil, a.elsewhere(fail)
		case len(a.otherPorts()) > 0:
			return nil, a.elsewhere(fail)
		}
		a.idle(20 * time.Millisecond)
	}
}

// otherPorts are those that the program listens on, when that is another than it should and it
// waits there.
func (a *attack) otherPorts() []int {
	if a.prog == nil || a.o.Network != "tcp" {
		return nil
	}
	if quiet, known := waits(a.prog.p.PID); !known || !quiet {
		return nil
	}
	ports := listening(a.prog.p.PID)
	_, wanted, _ := net.SplitHostPort(a.o.Address)
	if slices.ContainsFunc(ports, func(p int) bool { return itoa(p) == wanted }) {
		return nil // it has begun to listen just now
	}
	return ports
}

// elsewhere says on which port the program listens instead.
func (a *attack) elsewhere(fail *Failure) *Failure {
	if ports := a.otherPorts(); len(ports) > 0 {
		fail.Belief, fail.Proven = cause.WrongPort, true
		fail.Got = tx("它在监听端口 %d", "it listens on port %d", ports[0])
	}
	return fail
}

// timeWait is how long a closed connection keeps its port, with room to spare.
const timeWait = 65 * time.Second

// waitForPort starts the program again if it has never served anybody and says itself that its
// address is in use, when the TIME_WAIT of an earlier connection is over. That may be the lab's own
// doing (it closes first when it checks a client), so it is not held against the program.
func (a *attack) waitForPort() (again bool, err error) {
	if a.waited || a.served || a.o.Network != "tcp" {
		return false, nil
	}
	a.prog.settle()
	if t := a.trace(); t != nil && t.Belief() != cause.AddressInUse ||
		!saysInUse(a.prog.errors.from(0)) {
		return false, nil
	}
	a.waited = true
	if bindPlainly(a.ctx, a.o.Address) == nil { // it is over already
		a.endProgram()
		return true, a.startServer()
	}
	if l, err := net.Listen("tcp", a.o.Address); err != nil {
		return false, nil // not TIME_WAIT: somebody listens
	} else {
		l.Close()
	}
	if a.o.Waiting != nil {
		a.o.Waiting(tx("端口还在 TIME_WAIT（上一次检查留下的），最多等 60 秒；参数里用 {port}，"+
			"或者设 SO_REUSEADDR，就不用等",
			"the port is in TIME_WAIT from an earlier check: up to 60 s; with {port} in the "+
				"arguments, or SO_REUSEADDR, there is no wait"))
	}
	for deadline := time.Now().Add(timeWait); time.Now().Before(deadline); {
		if a.ctx.Err() != nil {
			return false, a.ctx.Err()
		}
		if bindPlainly(a.ctx, a.o.Address) == nil {
			a.endProgram()
			return true, a.startServer()
		}
		a.idle(500 * time.Millisecond)
	}
	return false, nil
}

// saysInUse recognises the error of bind in any language.
func saysInUse(stderr string) bool {
	return strings.Contains(stderr, "in use") || strings.Contains(stderr, "EADDRINUSE") ||
		strings.Contains(stderr, "Only one usage of each socket address")
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
				Text: tx("%s 已被占用：先停掉它，或者用 --connect 检查它",
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
	if err != nil {
		return err
	}
	a.prog, a.served = prog, false
	return nil
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
	below := raw(conn)
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	if c, ok := below.(*net.TCPConn); ok {
		c.SetLinger(0)
		c.Close()
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
		var deadline time.Time
		switch {
		case err == nil || enough(got):
		case errors.Is(err, os.ErrDeadlineExceeded) && a.busyUntil(&deadline):
			conn.SetReadDeadline(deadline)
		default:
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
	return tx("%s（%d 字节），然后", "%s (%d bytes), then ", quote(got), len(got)).Plus(how)
}

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
		return tx("%v 内什么也没收到", "nothing for %v", a.o.Limit)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return tx("连接被关闭", "the connection was closed")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return tx("连接被重置", "the connection was reset")
	}
	zh, en, _, _ := dialect.Explain(err)
	return Text{Zh: zh, En: en}
}

// echo sends message and wants it back in upper case.
func (a *attack) echo(conn net.Conn, message string) error {
	want := dialect.Upper([]byte(message))
	fail := &Failure{Sent: sent([]byte(message)), Want: text("%s", quote(want))}
	if _, err := conn.Write([]byte(message)); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	got, err := a.read(conn, Text{}, func(b []byte) bool { return len(b) >= len(want) })
	switch {
	case err != nil:
		fail.Got = err.(*Failure).Got
	case string(got) == string(want):
		return nil
	default:
		fail.Got = text("%s", quote(got))
	}
	switch {
	case string(got) == message:
		fail.proves(cause.NoUpper)
	case len(got) > 0:
		fail.proves(cause.Message(cause.Length, false, got, want, -1))
		fail.proves(cause.Data(got, want))
	}
	return fail
}

// proves names the bug that the evidence shows; nil shows none.
func (f *Failure) proves(b *Belief) {
	if b != nil {
		f.Belief, f.Proven = b, true
	}
}

// client is a correct client of the dialect.
func (a *attack) client(conn net.Conn, name string) *dialect.Client {
	return dialect.NewClient(conn, dialect.Find(name),
		dialect.Options{Timeout: a.o.Limit, BigEndian: a.o.BigEnd, Folder: nil})
}

// expected is what a command prints, for the diagnosis.
type expected struct {
	body   string // all of it
	stdout int    // how much of it goes to the standard output, in bytes; -1: not known
}

// exchange sends one command and gives the whole answer. What is wrong with its bytes names the
// bug.
func (a *attack) exchange(c *dialect.Client, line string, want Text, e expected) ([]byte, error) {
	t := a.conns[len(a.conns)-1].(*tape)
	t.rewind()
	r, err := c.Exchange(a.ctx, line)
	if err == nil {
		return r.Data, nil
	}
	var got []byte
	if r != nil {
		got = r.Data
	}
	f := &Failure{Sent: sent([]byte(line)), Want: want, Got: gotText(got, a.why(err))}
	a.judge(f, c, t, e)
	return got, f
}

// judge names what is wrong with an answer by all of its bytes.
func (a *attack) judge(f *Failure, c *dialect.Client, t *tape, e expected) {
	var body []byte
	if e.body != "" {
		body = []byte(e.body)
	}
	f.proves(cause.Message(kindOf(c.Dialect().Name), a.o.BigEnd, t.drain(), body, e.stdout))
}

// wantAnswer wants the answer to be a text, white space at the ends apart.
func (a *attack) wantAnswer(c *dialect.Client, line, want string) error {
	wanted := text("%s", quote([]byte(want)))
	e := expected{want, len(want)}
	got, err := a.exchange(c, line, wanted, e)
	if err != nil {
		return err
	}
	if strings.TrimSpace(strings.ReplaceAll(string(got), "\r\n", "\n")) != strings.TrimSpace(want) {
		f := &Failure{Sent: sent([]byte(line)), Want: wanted,
			Got: tx("%s（%d 字节）", "%s (%d bytes)", quote(got), len(got))}
		a.judge(f, c, a.conns[len(a.conns)-1].(*tape), e)
		return f
	}
	return a.nothingMore(c, line, e)
}

// nothingMore wants the program to wait for the next command, with nothing after its answer: that
// would come before the next one.
func (a *attack) nothingMore(c *dialect.Client, line string, e expected) error {
	a.calm()
	t := a.conns[len(a.conns)-1].(*tape)
	before := len(t.came)
	t.Conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	t.Read(make([]byte, 32<<10)) // its end shows with the next command
	if len(t.came) == before {
		return nil
	}
	f := &Failure{Sent: sent([]byte(line)), Want: tx("回答完了就没有了",
		"nothing after the answer"),
		Got: tx("后面还有 %s", "more came: %s", quote(t.came[before:]))}
	a.judge(f, c, t, e)
	return f
}
