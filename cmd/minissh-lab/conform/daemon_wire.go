package conform

import (
	"fmt"
	"strings"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/protocol"
)

// wireProbes are of frames, JSON, codes and the login.
var wireProbes = []Probe{
	{Rule: "SE2", Name: "welcome", What: tx("WELCOME 的字段", "the fields of WELCOME"),
		run: func(t *trial) { t.login(nil).sync(nil) }},
	{Rule: "SE3", Name: "at-once", What: tx("HELLO、OPEN、EOF 一次写完，不等 WELCOME",
		"HELLO, OPEN and EOF in one write, before WELCOME"), run: atOnce},
	{Rule: "FR4", Name: "byte-by-byte",
		What: tx("一个字节一个字节地到", "bytes that come one by one"),
		run:  byteByByte},
	{Rule: "FR4", Name: "glued", What: tx("很多帧一起到", "many frames at once"), run: glued},
	{Rule: "FR2", Name: "largest", What: tx("65536 字节的载荷", "a payload of 65,536 bytes"),
		run: largest},
	{Rule: "FR2", Name: "no-payload-needed", What: tx("太长的帧：只来了帧头就要拒绝",
		"a frame that is too long is refused by its "+
			"header, before any payload"), run: func(t *trial) {
		k := t.login(nil)
		k.raw([]byte{0, 1, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 1})
		k.expectError(protocol.CodeFrameTooLarge)
	}},
	{Rule: "FR6", Name: "second-hello", What: tx("第二个 HELLO", "a second HELLO"),
		run: func(t *trial) {
			k := t.login(nil)
			k.send(message(protocol.TypeHello, 0, t.hello()))
			k.expectError(protocol.CodeUnexpectedFrame)
		}},
	{Rule: "FR6", Name: "wrong-side", What: tx("客户端发 STDOUT", "STDOUT from the client"),
		run: func(t *trial) {
			k := t.login(nil)
			k.open(command(waits))
			k.send(frame(protocol.TypeStdout, 1, "x"))
			k.expectError(protocol.CodeUnexpectedFrame)
		}},
	{Rule: "SE1", Name: "not-hello",
		What: tx("第一帧不是 HELLO", "a first frame that is not HELLO"),
		run: func(t *trial) {
			k := t.dial()
			k.send(frame(protocol.TypePing, 0, "12345678"))
			k.expectError(protocol.CodeUnexpectedFrame)
		}},
	{Rule: "FR7", Name: "reads-on", What: tx("违规之后还有很多字节：ERROR 不能被 RST 冲掉",
		"much follows a violation, and no reset may destroy the ERROR"), run: readsOn},
	{Rule: "CO2", Name: "unknown-code", What: tx("不认识的 code", "an unknown code"),
		run: func(t *trial) {
			k := t.login(nil)
			channel, _ := k.start("echo up; " + waits)
			k.send(frame(protocol.TypeClose, channel, `{"code":"of_the_year_9","message":"x"}`))
			k.finish(channel)
			k.sync(nil)
		}},
	{Rule: "CO1", Name: "other-user", What: tx("不认识的用户", "an unknown user"),
		run: func(t *trial) {
			k := t.dial()
			h := t.hello()
			h.User = "nobody-has-this-name"
			k.send(message(protocol.TypeHello, 0, h))
			k.expectError(protocol.CodeKeyNotAuthorized)
		}},
	{Rule: "JS2", Name: "channel-first", What: tx("偶数通道上的坏 JSON：先说通道",
		"bad JSON on an even channel: the channel is named first"),
		run: func(t *trial) {
			k := t.login(nil)
			k.send(frame(protocol.TypeOpen, 2, `{"service":`))
			k.expectError(protocol.CodeChannelReused)
		}},
	{Rule: "JS2", Name: "order-first", What: tx("没开过的通道上的坏 JSON：先说通道",
		"bad JSON on a channel that was never opened: that is named first"),
		run: func(t *trial) {
			k := t.login(nil)
			k.send(frame(protocol.TypeSignal, 1, `{"signal":`))
			k.expectError(protocol.CodeUnknownChannel)
		}},
	{Rule: "ID6", Name: "unknown-user", What: tx("不认识的用户和错的会话名：谁先说",
		"an unknown user, and a session of 63 digits: which is named first (JS2)"),
		run: func(t *trial) {
			k := t.dial()
			h := t.hello()
			h.User, h.Session = "nobody-has-this-name", h.Session[1:]
			k.send(message(protocol.TypeHello, 0, h))
			k.expectError(protocol.CodeBadHello)
		}},
	{Rule: "ID8", Name: "much-before-welcome", What: tx("HELLO 后面的很多字节：先放着不读，也不丢",
		"much that follows HELLO waits unread, and is not lost"), run: muchBeforeWelcome},
	{Rule: "ID8", Name: "login-timeout", slow: true,
		What: tx("什么也不说：20 秒后 login_timeout（最多等 40 秒）",
			"silence: login_timeout after 20 seconds (40 at most)"),
		run: func(t *trial) {
			k := t.dial()
			f, err := k.next(40e9)
			if err != nil {
				t.fail(same("ERROR login_timeout"), ended(err))
			}
			if f.Type != protocol.TypeError ||
				!strings.Contains(string(f.Payload), "login_timeout") {
				t.fail(same("ERROR login_timeout"), same(shown(f)))
			}
		}},
	{Rule: "SE6", Name: "pong",
		What: tx("PING 的 8 个字节原样回来", "the same eight bytes in PONG"),
		run: func(t *trial) {
			k := t.login(nil)
			for range 3 {
				k.sync(nil)
			}
		}},
	{Rule: "SE6", Name: "stray-pong", What: tx("没人要的 PONG", "a PONG that nobody asked for"),
		run: func(t *trial) {
			k := t.login(nil)
			k.send(frame(protocol.TypePong, 0, "nobodyxx"))
			k.sync(nil)
		}},
	{Rule: "SE6", Name: "ping", slow: true,
		What: tx("15 秒没有声音，守护进程发 PING（最多等 30 秒）",
			"a PING after 15 seconds of silence (30 at most)"),
		run: func(t *trial) {
			k := t.login(nil)
			k.untilWithin(30e9, same("PING"), func(f protocol.Frame) bool {
				return f.Type == protocol.TypePing
			})
		}},
	{Rule: "SE7", Name: "reads-while-it-writes",
		What: tx("客户端不读，守护进程也要读", "a client that does not read is still read"),
		run:  readsWhileItWrites},
	{Rule: "SE5", Name: "goodbye", What: tx("GOODBYE：停掉在跑的，关连接",
		"GOODBYE stops what runs, and the link is closed"), run: func(t *trial) {
		k := t.login(nil)
		_, pid := k.start("echo $$; " + waits)
		k.send(frame(protocol.TypeGoodbye, 0, "{}"))
		k.drain()
		t.dies(pid)
	}},
	{Rule: "SE5", Name: "lost", What: tx("resend 0：链路断了，命令就停",
		"resend 0: what runs is stopped when the link is lost"), run: func(t *trial) {
		k := t.login(nil)
		_, pid := k.start("echo $$; " + waits)
		k.conn.Close()
		t.dies(pid)
	}},
	{Rule: "SE5", Name: "error", What: tx("收到 ERROR：停掉在跑的", "ERROR stops what runs"),
		run: func(t *trial) {
			k := t.login(nil)
			_, pid := k.start("echo $$; " + waits)
			k.send(frame(protocol.TypeError, 0, `{"code":"internal"}`))
			k.drain()
			t.dies(pid)
		}},
}

// drain reads to the link's end, whatever comes.
func (k *talk) drain() {
	for end := time.Now().Add(k.t.o.Patience); ; {
		if _, err := k.next(time.Until(end)); err != nil {
			if isTimeout(err) {
				k.t.fail(tx("链路结束", "the end of the link"), ended(err))
			}
			return
		}
	}
}

// expectOutput is what a command must have said, and its exit code.
func (t *trial) expectOutput(e *ending, out string, code int) {
	want := tx(fmt.Sprintf("输出 %.60q，退出码 %d", out, code),
		fmt.Sprintf("the output %.60q and exit status %d", out, code))
	if e.exit == nil {
		t.fail(want,
			tx("没有 EXIT，CLOSE "+string(e.closed.Code), "no EXIT, CLOSE "+string(e.closed.Code)))
	}
	got := fmt.Sprintf("%.60q (%d bytes), %s", e.out, len(e.out), exitText(e.exit))
	if string(e.out) != out || e.exit.How != "exited" || e.exit.Code == nil ||
		*e.exit.Code != code {
		t.fail(want, same(got))
	}
}

func exitText(e *protocol.Exit) string {
	code := ""
	if e.Code != nil {
		code = fmt.Sprint(*e.Code)
	}
	return fmt.Sprintf("EXIT how=%q code=%s signal=%q", e.How, code, e.Signal)
}

func atOnce(t *trial) {
	k := t.dial()
	h := t.hello()
	k.channel = 1
	k.send(message(protocol.TypeHello, 0, h), message(protocol.TypeOpen, 1, command("cat; exit 3")),
		frame(protocol.TypeStdin, 1, "hi\n"), frame(protocol.TypeEOF, 1, "\x10"))
	k.takeWelcome()
	t.expectOutput(k.finish(1), "hi\n", 3)
}

func byteByByte(t *trial) {
	k := t.dial()
	var all []byte
	for _, f := range [][]byte{message(protocol.TypeHello, 0, t.hello()),
		message(protocol.TypeOpen, 1, command("cat")), frame(protocol.TypeStdin, 1, "一个一个\n"),
		frame(protocol.TypeEOF, 1, "\x10")} {
		k.count(f)
		all = append(all, f...)
	}
	k.channel = 1
	for i := range all {
		k.raw(all[i : i+1])
		if t.o.Login == nil {
			chaos.Separated(t.ctx, k.conn)
		}
	}
	k.takeWelcome()
	t.expectOutput(k.finish(1), "一个一个\n", 0)
}

func glued(t *trial) {
	k := t.login(nil)
	frames := [][]byte{message(protocol.TypeOpen, 1, command("cat"))}
	want := ""
	for n := range 2000 {
		line := fmt.Sprintf("line %d\n", n)
		want += line
		frames = append(frames, frame(protocol.TypeStdin, 1, line))
	}
	k.channel = 1
	k.send(append(frames, frame(protocol.TypeEOF, 1, "\x10"))...)
	t.expectOutput(k.finish(1), want, 0)
}

func largest(t *trial) {
	k := t.login(nil)
	want := strings.Repeat("0123456789abcdef", maxPayload/16)
	t.expectOutput(k.run(command("cat"), want), want, 0)
}

func readsOn(t *trial) {
	k := t.login(nil)
	// In one write, so that much of it is unread when the violation is found.
	k.raw(append([]byte{0, 0, 0, 1, 0x7f, 0, 0, 0, 0, 0, 0, 1, 'x'},
		strings.Repeat(string(frame(protocol.TypePing, 0, "12345678")), 10_000)...))
	k.expectError(protocol.CodeUnknownType)
}

func muchBeforeWelcome(t *trial) {
	k := t.dial()
	k.channel = 1
	frames := [][]byte{message(protocol.TypeHello, 0, t.hello()),
		message(protocol.TypeOpen, 1, command("wc -c"))}
	for range 3 {
		frames = append(frames, frame(protocol.TypeStdin, 1, strings.Repeat("x", maxPayload)))
	}
	k.send(append(frames, frame(protocol.TypeEOF, 1, "\x10"))...)
	k.takeWelcome()
	if e := k.finish(1); strings.TrimSpace(string(e.out)) != fmt.Sprint(3*maxPayload) {
		t.fail(same(fmt.Sprint(3*maxPayload)), same(fmt.Sprintf("%q", e.out)))
	}
}

func readsWhileItWrites(t *trial) {
	k := t.login(nil)
	for range 8 {
		channel := k.open(command("head -c 4000000 /dev/zero; " + waits))
		k.send(protocol.AppendNumber(nil, protocol.TypeWindow, channel, 4_000_000))
	}
	pings := strings.Repeat(string(frame(protocol.TypePing, 0, "12345678")), 1000)
	for range 100 {
		k.raw([]byte(pings)) // 2 MB: no buffer on the way holds them
	}
}
