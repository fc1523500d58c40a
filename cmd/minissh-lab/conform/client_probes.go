package conform

import (
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/protocol"
)

// clientProbes are of one link.
var clientProbes = []Probe{
	{Rule: "SE1", Name: "hello", What: tx("HELLO 的字段", "the fields of HELLO"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			if g.hello.Epoch != 1 || !g.hello.Create || g.hello.Received != 0 {
				t.fail(same("epoch 1, create, received 0"),
					same(fmt.Sprintf("epoch %d, create %v, received %d",
						g.hello.Epoch, g.hello.Create, g.hello.Received)))
			}
			other := t.client().accept()
			if other.hello.Session == g.hello.Session {
				t.fail(tx("每次都是新的会话名", "a session's name that is new each time"),
					same("the same name twice"))
			}
		}},
	{Rule: "EX1", Name: "open",
		What: tx("OPEN 要的就是那条命令", "an OPEN of the command that was asked for"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.welcomes()
			o := g.opens()
			words := make([]string, len(o.Argv))
			for i, w := range o.Argv {
				words[i] = string(w)
			}
			if got := string(o.Command) + strings.Join(words, " "); o.Service != "exec" ||
				got != theCommand {
				t.fail(same("exec "+theCommand), same(fmt.Sprintf("%.40q %.80q", o.Service, got)))
			}
		}},
	{Rule: "EX6", Name: "codes", What: tx("退出码就是 EXIT 里的", "the exit code is that of EXIT"),
		run: func(t *trial) {
			for _, code := range []int{0, 7, 255} {
				h := t.client()
				h.program.types("", true)
				g := h.accept()
				g.begin()
				g.ends(fmt.Sprintf(`{"how":"exited","code":%d,"duration_ms":1}`, code))
				h.exits(code, "")
			}
		}},
	{Rule: "EX6", Name: "no-outcome",
		What: tx("EXIT 没有说结果：不算成功",
			"an EXIT without an outcome does not count as success"),
		run: func(t *trial) {
			for _, exit := range []string{`{}`, `{"how":"exited"}`, `{"how":"vanished","code":0}`,
				`{"how":"hung_up"}`, `{"how":"signalled"}`} {
				h := t.client()
				h.program.types("", true)
				g := h.accept()
				g.begin()
				g.ends(exit)
				h.fails()
			}
		}},
	{Rule: "EX6", Name: "signalled",
		What: tx("被信号结束：不算成功", "a command that a signal ended does not count as success"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			g.ends(`{"how":"signalled","signal":"TERM","code":0}`)
			h.fails()
		}},
	{Rule: "FR5", Name: "two-outputs",
		What: tx("STDOUT 到标准输出，STDERR 到标准错误",
			"STDOUT to standard output, STDERR to standard error"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			c := g.order.channel
			g.send(frame(protocol.TypeStderr, c, "to-err"),
				frame(protocol.TypeStdout, c, "out\x00\xff\n"),
				frame(protocol.TypeStderr, c, "-more\n"))
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, "out\x00\xff\n")
			if _, errs := h.program.output(); !strings.Contains(string(errs), "to-err-more\n") {
				t.fail(same(`"to-err-more\n"`), same(fmt.Sprintf("%.200q", errs)))
			}
		}},
	{Rule: "FR4", Name: "byte-by-byte",
		What: tx("守护进程的字节一个一个地到", "a daemon whose bytes come one by one"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.slowly(welcomeOf(&protocol.Welcome{Channels: 16}))
			g.opens()
			c := g.order.channel
			g.slowly(message(protocol.TypeOpened, c, &protocol.Opened{PID: 1}),
				frame(protocol.TypeStdout, c, "一个一个\n"),
				frame(protocol.TypeEOF, c, "\x11"), frame(protocol.TypeEOF, c, "\x12"),
				frame(protocol.TypeExit, c, `{"how":"exited","code":3}`),
				frame(protocol.TypeClose, c, "{}"))
			g.leaves()
			h.exits(3, "一个一个\n")
		}},
	{Rule: "FR4", Name: "glued", What: tx("所有的帧一起到", "all frames at once"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.welcomes()
			g.opens()
			c := g.order.channel
			want := ""
			frames := [][]byte{message(protocol.TypeOpened, c, &protocol.Opened{PID: 1})}
			for n := range 1000 {
				line := fmt.Sprintf("line %d\n", n)
				want += line
				frames = append(frames, frame(protocol.TypeStdout, c, line))
			}
			g.send(append(frames, frame(protocol.TypeEOF, c, "\x12"),
				frame(protocol.TypeEOF, c, "\x11"),
				frame(protocol.TypeExit, c, `{"how":"exited","code":0}`),
				frame(protocol.TypeClose, c, "{}"))...)
			g.leaves()
			h.exits(0, want)
		}},
	{Rule: "FR2", Name: "largest", What: tx("65536 字节的载荷", "a payload of 65,536 bytes"),
		run: func(t *trial) {
			want := strings.Repeat("0123456789abcdef", maxPayload/16)
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			g.send(frame(protocol.TypeStdout, g.order.channel, want))
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, want)
		}},
	{Rule: "CH7", Name: "grants",
		What: tx("读了就给新额度：3 MB 的输出", "credit as it writes out: 3 MB of output"),
		run: func(t *trial) {
			want := strings.Repeat("0123456789abcde\n", 3_000_000/16)
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			g.begin()
			g.stdout(want)
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, want)
		}},
	{Rule: "CH5", Name: "credit-of-stdin",
		What: tx("没有 WINDOW，STDIN 停在 262144 字节",
			"STDIN stops at 262,144 bytes without WINDOW"), run: func(t *trial) {
			h := t.client()
			h.program.types(strings.Repeat("x", 500_000), true)
			g := h.accept()
			g.begin()
			want := tx("262144 字节的 STDIN", "262,144 bytes of STDIN")
			g.until(want, func(protocol.Frame) bool { return g.order.stdin == startWindow })
			g.sync() // what came beyond the credit, order has seen
			g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel,
				startWindow+100))
			g.until(same("+100"),
				func(protocol.Frame) bool { return g.order.stdin == startWindow+100 })
			g.sync()
			g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel, 10_000_000))
			g.takesStdin()
			if g.order.stdin != 500_000 {
				t.fail(same("500000"), same(fmt.Sprint(g.order.stdin)))
			}
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, "")
		}},
	{Rule: "CH5", Name: "window-exceeded",
		What: tx("输出超过额度：ERROR", "output beyond its credit: ERROR"), run: func(t *trial) {
			h := t.clientThat(false)
			g := h.accept()
			g.begin()
			// Nobody reads its standard output: the system's pipe and the program's own buffers
			// take
			// a little, for which it may grant more. 4 MiB are beyond all that.
			g.beyond(4 << 20)
			g.takesError(protocol.CodeWindowExceeded)
			g.conn.Close()
			h.program.read()
			h.fails()
		}},
	{Rule: "CH5", Name: "window-shrinks", What: tx("WINDOW 变小", "a WINDOW that shrinks"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.begin()
			g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel, 300_000))
			g.send(protocol.AppendNumber(nil, protocol.TypeWindow, g.order.channel, 299_999))
			g.expectError(protocol.CodeBadWindow)
			h.fails()
		}},
	{Rule: "CH1", Name: "channel", What: tx("通道号是奇数", "a channel of an odd number"),
		run: func(t *trial) {
			g := t.client().accept()
			g.welcomes()
			g.opens() // order has looked at it
		}},
	{Rule: "FR7", Name: "says-error",
		What: tx("守护进程违规：先说 ERROR，再关", "a daemon's violation: ERROR, and then the end"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.begin()
			g.send([]byte{0, 0, 0, 1, 0x7f, 0, 0, 0, 0, 0, 0, 1, 'x'})
			g.expectError(protocol.CodeUnknownType)
			h.fails()
		}},
	{Rule: "EX4", Name: "stdin",
		What: tx("标准输入到 STDIN，结尾是 EOF", "standard input as STDIN, its end as EOF"),
		run: func(t *trial) {
			h := t.client()
			h.program.types("typed 中文\n", true)
			g := h.accept()
			g.begin()
			if got := g.takesStdin(); got != "typed 中文\n" {
				t.fail(same(`"typed 中文\n"`), same(fmt.Sprintf("%.80q", got)))
			}
			g.ends(`{"how":"exited","code":0}`)
			h.exits(0, "")
		}},
	{Rule: "SE6", Name: "pong",
		What: tx("PING 的 8 个字节原样回来", "the same eight bytes in PONG"), run: func(t *trial) {
			h := t.client()
			g := h.accept()
			g.welcomes()
			g.sync()
			g.opens()
			g.send(message(protocol.TypeOpened, g.order.channel, &protocol.Opened{PID: 1}))
			for range 3 {
				g.sync()
			}
			g.send(frame(protocol.TypePong, 0, "nobodyxx"))
			g.sync()
		}},
	{Rule: "SE6", Name: "ping", slow: true, What: tx("15 秒没有声音，客户端发 PING（最多等 30 秒）",
		"a PING after 15 seconds of silence (30 at most)"), run: func(t *trial) {
		h := t.client()
		g := h.accept()
		g.begin()
		g.untilWithin(30e9, same("PING"),
			func(f protocol.Frame) bool { return f.Type == protocol.TypePing })
	}},
	{Rule: "SE7", Name: "reads-while-it-writes",
		What: tx("守护进程不读，客户端也要读、要写出来",
			"a daemon that does not read is still read"),
		run: func(t *trial) {
			h := t.client()
			h.program.types(strings.Repeat("x", 1_000_000), true)
			g := h.accept()
			g.begin()
			want := strings.Repeat("still here\n", 20_000)
			g.stdout(want) // within the first credit
			h.prints(want)
		}},
}

// beyond sends output, whatever the credit.
func (g *guest) beyond(n int) {
	g.t.note(fmt.Sprintf("lab     STDOUT channel %d, %d bytes", g.order.channel, n))
	f := frame(protocol.TypeStdout, g.order.channel, strings.Repeat("x", maxPayload))
	for range n / maxPayload {
		g.raw(f)
	}
}

// slowly sends frames byte by byte.
func (g *guest) slowly(frames ...[]byte) {
	for _, f := range frames {
		g.order.ours(protocol.Frame{Header: header(f), Payload: f[protocol.HeaderSize:]})
		for i := range f {
			g.raw(f[i : i+1])
			chaos.Separated(g.t.ctx, g.conn)
		}
	}
}

func header(f []byte) protocol.Header {
	h, err := protocol.ParseHeader(f)
	if err != nil {
		panic(err) // our own
	}
	return h
}

// quiet wants nothing on standard error that moves a cursor.
func (h *host) quiet() {
	_, said := h.program.output()
	if strings.ContainsAny(string(said), "\x1b\x07\u202e\u009b") {
		h.t.fail(tx("只有可打印字符", "only printable characters"),
			same(fmt.Sprintf("%.200q", said)))
	}
}

// prints waits until the client has written so much, while it may be busy otherwise.
func (h *host) prints(want string) {
	h.until(tx("标准输出上是全部输出", "all of it on standard output"), func() bool {
		out, _ := h.program.output()
		return string(out) == want
	})
}
