package conform

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"minissh/protocol"
)

// Client grades a client: for each probe it is started anew, with a daemon of ours.
func Client(ctx context.Context, o Options) (*Report, error) {
	s := &stage{ctx: ctx, o: &o, report: &Report{Role: "client"}}
	s.all(allClientProbes())
	return s.report.sorted(), ctx.Err()
}

// allClientProbes are all that is tried on a client.
func allClientProbes() []Probe {
	return slices.Concat(clientProbes, clientEndProbes, clientSessionProbes, clientFileProbes,
		clientVectors())
}

// theCommand is what a client is asked to run. Nothing runs it.
const theCommand = "echo minissh-lab conform"

// guest is a client that is there: one link of it.
type guest struct {
	t     *trial
	d     *host
	conn  net.Conn
	in    *protocol.Reader
	order *clientOrder
	hello protocol.Hello
	pings int
}

// host is our daemon, and the client that was started for it.
type host struct {
	t        *trial
	listener net.Listener
	program  *program
	order    *clientOrder // of the session, on all its links
}

// client starts the client under test, which is to run theCommand.
func (t *trial) client() *host { return t.clientThat(true) }

// clientThat is client; one that is not read has nobody at the other end of its output.
func (t *trial) clientThat(isRead bool) *host {
	return t.startClient(isRead, t.o.Program, [2]string{"{command}", theCommand})
}

// startClient starts a client under test by a command line, and listens for it.
func (t *trial) startClient(isRead bool, words []string, values ...[2]string) *host {
	dir, err := os.MkdirTemp("", "lab-conform-")
	t.must(err)
	t.clean = append(t.clean, func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	t.must(err)
	t.closes(l)
	values = append([][2]string{{"{address}", "unix:" + socket}}, values...)
	p, err := startReading(arguments(words, values...), isRead)
	t.must(err)
	var once sync.Once
	h := &host{t: t, listener: l, program: p,
		order: &clientOrder{credit: startWindow, granted: startWindow}}
	t.clean = append(t.clean, func() { once.Do(func() { p.end(0) }) })
	return h
}

// accept takes the client's next link, and its HELLO.
func (h *host) accept() *guest { return h.acceptWithin(h.t.o.Patience) }

func (h *host) acceptWithin(wait time.Duration) *guest {
	want := tx("客户端连上来，说 HELLO", "a client that connects and says HELLO")
	type deadline interface{ SetDeadline(time.Time) error }
	h.listener.(deadline).SetDeadline(time.Now().Add(wait))
	conn, err := h.listener.Accept()
	if err != nil {
		got := tx("它没有来", "it did not come")
		if h.program.hasEnded() {
			got = tx("它结束了："+h.program.lastWords(), "it has ended: "+h.program.lastWords())
		}
		h.t.fail(want, got)
	}
	h.t.closes(conn)
	h.order.link()
	g := &guest{t: h.t, d: h, conn: conn, in: protocol.NewReader(conn), order: h.order}
	f := g.expect(protocol.TypeHello)
	if err := f.Decode(&g.hello); err != nil {
		h.t.broke("JS2", tx("HELLO 是严格的 JSON", "a HELLO in strict JSON"), same(err.Error()))
	}
	if err := g.hello.Check(); err != nil {
		h.t.broke("SE1", tx("HELLO 的字段都在范围内", "a HELLO whose fields are in range"),
			same(err.Error()))
	}
	if g.hello.User == "" {
		h.t.broke("SE1", tx("HELLO 里有 user", "user in HELLO"), same(shown(f)))
	}
	h.order.resend = g.hello.Resend
	return g
}

// next takes one frame, and holds it against the rules of a client's order.
func (g *guest) next(wait time.Duration) (protocol.Frame, error) {
	g.conn.SetReadDeadline(time.Now().Add(wait))
	f, err := g.in.Next()
	if err != nil {
		if v, ok := err.(*protocol.Violation); ok {
			g.t.note(fmt.Sprintf("client  type %#02x length %d", uint8(f.Type), f.Length))
			g.t.broke(headerRule(v.Code), tx("符合规范的帧头", "a header that keeps the rules"),
				same(v.Error()))
		}
		return f, err
	}
	f.Payload = append([]byte(nil), f.Payload...)
	g.t.note("client  " + shown(f))
	if b := g.order.theirs(f); b != nil {
		g.t.broke(b.rule, b.want, b.got)
	}
	return f, nil
}

// until takes frames up to one that stop likes.
func (g *guest) until(want Text, stop func(protocol.Frame) bool) protocol.Frame {
	return g.untilWithin(g.t.o.Patience, want, stop)
}

func (g *guest) untilWithin(wait time.Duration, want Text,
	stop func(protocol.Frame) bool) protocol.Frame {
	end := time.Now().Add(wait)
	for {
		f, err := g.next(time.Until(end))
		if err != nil {
			got := ended(err)
			if g.d.program.hasEnded() {
				got = tx("它结束了："+g.d.program.lastWords(),
					"it has ended: "+g.d.program.lastWords())
			}
			g.t.fail(want, got)
		}
		if stop(f) {
			return f
		}
		switch f.Type {
		case protocol.TypePing:
			g.send(frame(protocol.TypePong, 0, string(f.Payload)))
		case protocol.TypeError, protocol.TypeGoodbye:
			g.t.fail(want, same(shown(f)))
		}
	}
}

func (g *guest) expect(kind protocol.Type) protocol.Frame {
	return g.until(same(kind.String()), func(f protocol.Frame) bool { return f.Type == kind })
}

// send writes frames, all at once.
func (g *guest) send(frames ...[]byte) {
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
		h, err := protocol.ParseHeader(f)
		if err != nil || len(f) != protocol.HeaderSize+int(h.Length) {
			g.t.note("lab     " + hexOf(f))
			continue
		}
		whole := protocol.Frame{Header: h, Payload: f[protocol.HeaderSize:]}
		g.t.note("lab     " + shown(whole))
		g.order.ours(whole)
	}
	g.raw(all)
}

// raw writes bytes. A client that has closed may have said why.
func (g *guest) raw(b []byte) {
	g.conn.SetWriteDeadline(time.Now().Add(g.t.o.Patience))
	if _, err := g.conn.Write(b); isTimeout(err) {
		g.t.broke("SE7", tx("客户端一直在读", "a client that keeps reading"),
			tx("它不读了：写不进去", "it no longer reads: a write to it hangs"))
	}
}

// welcomes answers HELLO, keeping nothing.
func (g *guest) welcomes() { g.send(welcomeOf(&protocol.Welcome{Channels: 16})) }

func welcomeOf(w *protocol.Welcome) []byte {
	return message(protocol.TypeWelcome, 0, w)
}

// begin is WELCOME, the client's OPEN, and OPENED.
func (g *guest) begin() protocol.Open {
	g.welcomes()
	o := g.opens()
	g.send(message(protocol.TypeOpened, g.order.channel, &protocol.Opened{PID: 4711}))
	return o
}

// opens takes the client's OPEN.
func (g *guest) opens() (o protocol.Open) {
	if g.order.channel == 0 {
		g.until(same("OPEN"), func(f protocol.Frame) bool { return f.Type == protocol.TypeOpen })
	}
	return g.order.open
}

// ends says both EOFs, EXIT and CLOSE.
func (g *guest) ends(exit string) {
	c := g.order.channel
	g.send(frame(protocol.TypeEOF, c, "\x11"), frame(protocol.TypeEOF, c, "\x12"),
		frame(protocol.TypeExit, c, exit), frame(protocol.TypeClose, c, "{}"))
	g.leaves()
}

// leaves takes the client's CLOSE and GOODBYE, and then the link's end.
func (g *guest) leaves() {
	g.until(same("GOODBYE"), func(f protocol.Frame) bool { return f.Type == protocol.TypeGoodbye })
	if !g.order.closed {
		g.t.broke("CH4", tx("先 CLOSE，再 GOODBYE", "CLOSE, and then GOODBYE"),
			tx("没有 CLOSE", "no CLOSE"))
	}
	g.conn.Close()
}

// exits waits for the client's end, and compares its exit code and standard output.
func (h *host) exits(code int, out string) {
	want := tx(fmt.Sprintf("退出码 %d，标准输出 %.60q", code, out),
		fmt.Sprintf("exit status %d, and the output %.60q", code, out))
	r := h.result(want)
	got, _ := h.program.output()
	if r != code || string(got) != out {
		h.t.fail(want,
			same(fmt.Sprintf("exit status %d, %.60q (%d bytes); %s", r, got, len(got),
				h.program.lastWords())))
	}
}

// fails waits for the client's end, which must not look like success.
func (h *host) fails() {
	want := tx("退出码不是 0", "an exit status that is not 0")
	if h.result(want) == 0 {
		h.t.fail(want, tx("退出码 0", "exit status 0"))
	}
}

func (h *host) result(want Text) int {
	timer := time.NewTimer(h.t.o.Patience)
	defer timer.Stop()
	select {
	case <-h.program.p.Done():
	case <-timer.C:
		h.t.fail(want, tx("它没有结束", "it does not end"))
	case <-h.t.ctx.Done():
		h.t.unreached(same(h.t.ctx.Err().Error()))
	}
	drained := make(chan struct{})
	go func() { // ends with end, which closes the streams
		h.program.readers.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-timer.C:
		h.t.fail(want, tx("它结束了，可是它留下的进程还拿着它的输出",
			"it has ended, and what it left running holds its output"))
	case <-h.t.ctx.Done():
		h.t.unreached(same(h.t.ctx.Err().Error()))
	}
	r := h.program.p.Result()
	if r.Signal != "" {
		return 128 + r.Number
	}
	return r.Code
}

// until waits for something that is not a frame.
func (h *host) until(want Text, there func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(h.t.o.Patience); !there(); <-tick.C {
		if time.Now().After(end) {
			out, _ := h.program.output()
			h.t.fail(want, same(fmt.Sprintf("%d bytes", len(out))))
		}
	}
}

// expectError takes ERROR with a code, and the link's end.
func (g *guest) expectError(code protocol.Code) {
	g.takesError(code)
	if _, err := g.next(g.t.o.Patience); err != io.EOF {
		g.t.broke("FR7", tx("ERROR 之后关掉", "the link closed after ERROR"),
			tx("没有关", "it is not closed"))
	}
	g.conn.Close()
}

// takesError takes ERROR with a code.
func (g *guest) takesError(code protocol.Code) {
	want := same("ERROR " + string(code))
	f := g.until(want, func(f protocol.Frame) bool { return f.Type == protocol.TypeError })
	var reason protocol.Reason
	f.Decode(&reason)
	if reason.Code != code {
		g.t.fail(want, same(shown(f)))
	}
}

// sync waits until the client has seen all that we sent.
func (g *guest) sync() {
	g.pings++
	mark := fmt.Sprintf("sync%04d", g.pings)
	g.send(frame(protocol.TypePing, 0, mark))
	g.until(tx("PONG：客户端还在听", "PONG: the client still listens"),
		func(f protocol.Frame) bool {
			return f.Type == protocol.TypePong && string(f.Payload) == mark
		})
}

// stdout is output, as the credit allows it.
func (g *guest) stdout(data string) {
	for len(data) > 0 {
		if g.order.used == g.order.credit {
			g.until(tx(fmt.Sprintf("WINDOW：%d 字节都用完了", g.order.used),
				fmt.Sprintf("WINDOW: all of the %d bytes are used up", g.order.used)),
				func(f protocol.Frame) bool { return f.Type == protocol.TypeWindow })
			continue
		}
		n := int(min(uint64(len(data)), maxPayload, g.order.credit-g.order.used))
		f := frame(protocol.TypeStdout, g.order.channel, data[:n])
		if uint64(n) == g.order.credit-g.order.used {
			f[5] = 1 // BLOCKED (CH6)
		}
		g.send(f)
		data = data[n:]
	}
}

// takesStdin takes STDIN until its EOF.
func (g *guest) takesStdin() string {
	var got strings.Builder
	for !g.order.ended {
		f := g.until(tx("STDIN，然后 EOF", "STDIN, and then its EOF"), func(f protocol.Frame) bool {
			return f.Type == protocol.TypeStdin || f.Type == protocol.TypeEOF
		})
		if f.Type == protocol.TypeStdin {
			if got.Write(f.Payload); got.Len() > maxOutput {
				g.t.fail(same("EOF"), tx("STDIN 没完没了", "STDIN without an end"))
			}
			if total := uint64(got.Len()) + startWindow; total >= g.order.granted+startWindow/2 {
				g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel, total))
			}
		}
	}
	return got.String()
}
