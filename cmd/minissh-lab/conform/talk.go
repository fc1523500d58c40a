package conform

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol"
)

// talk is one link to the daemon under test.
type talk struct {
	t       *trial
	conn    net.Conn
	in      *protocol.Reader
	order   *order
	session string
	welcome protocol.Welcome
	channel uint32   // the last one that we opened
	sent    [][]byte // our session frames, for resending
	pings   uint64
	rest    map[uint32]string // of a channel: output that came with a line, and follows it
}

// dial makes a connection to the daemon, and says nothing.
func (t *trial) dial() *talk {
	conn, err := t.connect()
	if err != nil {
		t.fail(tx("守护进程接受连接", "the daemon takes connections"),
			same(speak.Clean(err.Error())))
	}
	t.closes(conn)
	return &talk{t: t, conn: conn, in: protocol.NewReader(conn), order: newOrder()}
}

// newSession is a session's name.
func newSession() string {
	var name [32]byte
	rand.Read(name[:]) // never fails
	return hex.EncodeToString(name[:])
}

// hello is a HELLO of a first link that keeps nothing.
func (t *trial) hello() *protocol.Hello {
	return &protocol.Hello{Protocol: protocol.ALPN, Session: newSession(), Epoch: 1, Create: true,
		User: t.o.User, Software: "minissh-lab conform"}
}

// login is a link whose HELLO was answered.
func (t *trial) login(change func(*protocol.Hello)) *talk {
	k := t.dial()
	h := t.hello()
	if change != nil {
		change(h)
	}
	k.hello(h)
	return k
}

// hello says HELLO and takes WELCOME.
func (k *talk) hello(h *protocol.Hello) {
	k.session = h.Session
	k.order.resend, k.order.received = h.Resend, uint64(h.Received)
	k.send(message(protocol.TypeHello, 0, h))
	k.takeWelcome()
}

func (k *talk) takeWelcome() {
	f := k.expect(protocol.TypeWelcome, 0)
	if err := f.Decode(&k.welcome); err != nil {
		k.t.broke("JS2", tx("WELCOME 是严格的 JSON", "a WELCOME in strict JSON"), same(err.Error()))
	}
	if err := k.welcome.Check(); err != nil {
		k.t.broke("SE2", tx("WELCOME 的字段都在范围内", "a WELCOME whose fields are in range"),
			same(err.Error()))
	}
}

// message is a frame with a JSON payload. What we say always fits.
func message(kind protocol.Type, channel uint32, m any) []byte {
	frame, err := protocol.AppendMessage(nil, kind, channel, m)
	if err != nil {
		panic(err)
	}
	return frame
}

// frame is any frame.
func frame(kind protocol.Type, channel uint32, payload string) []byte {
	return protocol.AppendFrame(nil, kind, 0, channel, []byte(payload))
}

// send writes frames, all in one write, and keeps account of them.
func (k *talk) send(frames ...[]byte) {
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
		k.count(f)
	}
	k.raw(all)
}

// count takes note of a frame that we send.
func (k *talk) count(f []byte) {
	h, err := protocol.ParseHeader(f)
	if err != nil || len(f) != protocol.HeaderSize+int(h.Length) {
		k.t.note(fmt.Sprintf("lab     % x", f[:min(len(f), 24)]))
		return
	}
	k.t.note("lab     " + shown(protocol.Frame{Header: h, Payload: f[protocol.HeaderSize:]}))
	k.order.ours(protocol.Frame{Header: h, Payload: f[protocol.HeaderSize:]})
	if !h.Type.IsLink() {
		k.sent = append(k.sent, append([]byte(nil), f...))
	}
}

// raw writes bytes. A daemon that has closed may have said why: the reading finds it (FR8).
func (k *talk) raw(b []byte) {
	k.conn.SetWriteDeadline(time.Now().Add(k.t.o.Patience))
	if _, err := k.conn.Write(b); isTimeout(err) {
		k.t.broke("SE7", tx("守护进程一直在读", "a daemon that keeps reading"),
			tx("它不读了：写不进去", "it no longer reads: a write to it hangs"))
	}
}

// next takes one frame, and holds it against all rules of its order.
func (k *talk) next(wait time.Duration) (protocol.Frame, error) {
	k.conn.SetReadDeadline(time.Now().Add(wait))
	f, err := k.in.Next()
	if err != nil {
		if v, ok := err.(*protocol.Violation); ok {
			k.t.note(fmt.Sprintf("daemon  type %#02x length %d", uint8(f.Type), f.Length))
			k.t.broke(headerRule(v.Code), tx("符合规范的帧头", "a header that keeps the rules"),
				same(v.Error()))
		}
		return f, err
	}
	f.Payload = append([]byte(nil), f.Payload...)
	k.t.note("daemon  " + shown(f))
	if b := k.order.theirs(f); b != nil {
		k.t.broke(b.rule, b.want, b.got)
	}
	return f, nil
}

// headerRule is the rule that a bad header of this code breaks.
func headerRule(code protocol.Code) string {
	switch code {
	case protocol.CodeFrameTooLarge:
		return "FR2"
	case protocol.CodeUnknownType:
		return "FR6"
	}
	return "FR3"
}

// until takes frames up to one that stop likes. PINGs are answered on the way.
func (k *talk) until(want Text, stop func(protocol.Frame) bool) protocol.Frame {
	return k.untilWithin(k.t.o.Patience, want, stop)
}

func (k *talk) untilWithin(wait time.Duration, want Text,
	stop func(protocol.Frame) bool) protocol.Frame {
	end := time.Now().Add(wait)
	for {
		f, err := k.next(time.Until(end))
		if err != nil {
			k.t.fail(want, ended(err))
		}
		if stop(f) {
			return f
		}
		switch f.Type {
		case protocol.TypePing:
			k.send(frame(protocol.TypePong, 0, string(f.Payload)))
		case protocol.TypeError, protocol.TypeGoodbye:
			k.t.fail(want, same(shown(f)))
		}
	}
}

// expect takes frames up to one of this type on this channel.
func (k *talk) expect(kind protocol.Type, channel uint32) protocol.Frame {
	want := kind.String()
	if !kind.IsLink() {
		want += " channel " + strconv.Itoa(int(channel))
	}
	return k.until(same(want), func(f protocol.Frame) bool {
		return f.Type == kind && f.Channel == channel
	})
}

// expectError takes frames up to ERROR, which must have the code, and then the link's end.
func (k *talk) expectError(code protocol.Code) {
	k.takesError(code)
	k.expectEnd("FR7")
}

// takesError takes frames up to ERROR, which must have the code.
func (k *talk) takesError(code protocol.Code) {
	want := same("ERROR " + string(code))
	f := k.until(want, func(f protocol.Frame) bool { return f.Type == protocol.TypeError })
	var reason protocol.Reason
	if err := f.Decode(&reason); err != nil {
		k.t.broke("JS2", tx("ERROR 是严格的 JSON", "an ERROR in strict JSON"), same(err.Error()))
	}
	if reason.Code != code {
		k.t.fail(want, same(shown(f)))
	}
}

// expectEnd takes the end of the daemon's sending side; nothing may come before it.
func (k *talk) expectEnd(rule string) {
	want := tx("然后关掉发送方向（FIN），不是 RST",
		"then the end of its sending side (FIN, and no reset)")
	f, err := k.next(k.t.o.Patience)
	switch {
	case err == nil:
		k.t.broke(rule, want, same(shown(f)))
	case err != io.EOF:
		k.t.broke(rule, want, ended(err))
	}
}

// sync waits until the daemon has seen all that we sent: it answers a PING (SE6). The frames on
// the way go to each, if that is not nil.
func (k *talk) sync(each func(protocol.Frame)) {
	k.pings++
	mark := []byte(fmt.Sprintf("ping%04d", k.pings))
	k.send(frame(protocol.TypePing, 0, string(mark)))
	k.until(tx("PONG：守护进程还在听", "PONG: the daemon still listens"),
		func(f protocol.Frame) bool {
			if each != nil {
				each(f)
			}
			return f.Type == protocol.TypePong && string(f.Payload) == string(mark)
		})
}

// open opens the next channel.
func (k *talk) open(o *protocol.Open) uint32 {
	k.channel++
	if k.channel%2 == 0 {
		k.channel++
	}
	k.send(message(protocol.TypeOpen, k.channel, o))
	return k.channel
}

// command is an OPEN that runs a command in the login shell.
// Whatever that shell is: all of them understand this, and exec keeps the process id.
func command(text string) *protocol.Open {
	quoted := "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	return &protocol.Open{Service: "exec", Command: protocol.Bytes("exec sh -c " + quoted)}
}

// start runs a command, whose first line of output it returns: OPENED has come then.
func (k *talk) start(text string) (channel uint32, line string) {
	channel = k.open(command(text))
	k.expect(protocol.TypeOpened, channel)
	return channel, k.line(channel)
}

// line takes output up to a newline.
func (k *talk) line(channel uint32) string {
	got := k.rest[channel]
	for !strings.Contains(got, "\n") {
		got += string(k.expect(protocol.TypeStdout, channel).Payload)
	}
	line, rest, _ := strings.Cut(got, "\n")
	if k.rest == nil {
		k.rest = map[uint32]string{}
	}
	k.rest[channel] = rest
	return line
}

// ending is all that came of a channel.
type ending struct {
	out, err []byte
	exit     *protocol.Exit
	closed   protocol.Reason
	notices  []protocol.Notice
	blocked  bool // the last data frame had the flag
}

// finish takes all of a channel's frames up to CLOSE, granting credit, and closes.
func (k *talk) finish(channel uint32) *ending { return k.finishWithin(k.t.o.Patience, channel) }

func (k *talk) finishWithin(wait time.Duration, channel uint32) *ending {
	e := &ending{}
	k.untilWithin(wait, same("EXIT, CLOSE"), func(f protocol.Frame) bool {
		if f.Channel != channel || f.Type.IsLink() {
			return false
		}
		switch f.Type {
		case protocol.TypeStdout:
			e.out = append(e.out, f.Payload...)
		case protocol.TypeStderr:
			e.err = append(e.err, f.Payload...)
		case protocol.TypeNotice:
			var n protocol.Notice
			f.Decode(&n) // order has looked at it
			e.notices = append(e.notices, n)
		case protocol.TypeExit:
			e.exit = new(protocol.Exit)
			f.Decode(e.exit)
		case protocol.TypeClose:
			f.Decode(&e.closed)
			return true
		}
		if f.Type.IsData() {
			if len(e.out)+len(e.err) > maxOutput {
				k.t.fail(same("EXIT, CLOSE"), tx("输出没完没了", "output without an end"))
			}
			e.blocked = f.Flags != 0
			k.grant(channel, uint64(len(e.out)+len(e.err))+startWindow)
		}
		return false
	})
	if !k.order.channels[channel].left {
		k.send(frame(protocol.TypeClose, channel, "{}"))
	}
	return e
}

// grant sends WINDOW: so many bytes in all, once half of the window is used.
func (k *talk) grant(channel uint32, total uint64) {
	if c := k.order.channels[channel]; c != nil && total >= c.limit+startWindow/2 {
		k.send(protocol.AppendNumber(nil, protocol.TypeWindow, channel, total))
	}
}

// run runs a command to its end.
func (k *talk) run(o *protocol.Open, stdin string) *ending {
	channel := k.open(o)
	if stdin != "" {
		k.send(frame(protocol.TypeStdin, channel, stdin))
	}
	k.send(frame(protocol.TypeEOF, channel, string(rune(protocol.TypeStdin))))
	return k.finish(channel)
}
