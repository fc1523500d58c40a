package conform

import (
	"fmt"
	"strings"

	"minissh/protocol"
)

// channelProbes are of channels and credit.
var channelProbes = []Probe{
	{Rule: "CH2", Name: "many-channels",
		What: tx("WELCOME 说可以开多少，就能开多少；多一个不行",
			"as many channels as WELCOME allows, and not one more"), run: manyChannels},
	{Rule: "CH2", Name: "long-opens", What: tx("OPEN 的载荷一共 1048576 字节；多一个字节不行",
		"OPENs of 1,048,576 bytes together, and not one more"), run: longOpens},
	{Rule: "CH3", Name: "refused",
		What: tx("没有这个服务：只来 CLOSE", "an unknown service"),
		run: func(t *trial) {
			k := t.login(nil)
			k.refused(&protocol.Open{Service: "no_such"}, protocol.CodeUnknownService)
			t.expectOutput(k.run(command("echo still here"), ""), "still here\n", 0)
		}},
	{Rule: "CH4", Name: "both-outputs",
		What: tx("stdout 和 stderr 各走各的", "stdout apart from stderr"),
		run: func(t *trial) {
			k := t.login(nil)
			e := k.run(command("echo out; echo err >&2; exit 7"), "")
			if string(e.err) != "err\n" {
				t.fail(same(`STDERR "err\n"`), same(fmt.Sprintf("%q", e.err)))
			}
			t.expectOutput(e, "out\n", 7)
		}},
	{Rule: "CH5", Name: "credit-of-output",
		What: tx("没有 WINDOW，输出停在 262144 字节；WINDOW 加 100，再来 100",
			"output stops at 262,144 bytes without WINDOW; 100 more bring 100 more"),
		run: creditOfOutput},
	{Rule: "CH5", Name: "both-count", What: tx("stdout 和 stderr 共用一个额度",
		"stdout and stderr share the credit"), run: func(t *trial) {
		k := t.login(nil)
		k.open(command("head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2; " + waits))
		k.takes(1, startWindow)
	}},
	{Rule: "CH5", Name: "window-exceeded", What: tx("STDIN 超过额度", "STDIN beyond the credit"),
		run: windowExceeded},
	{Rule: "CH5", Name: "window-shrinks", What: tx("WINDOW 变小", "a WINDOW that shrinks"),
		run: func(t *trial) {
			k := t.login(nil)
			k.open(command(waits))
			k.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 300_000))
			k.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 299_999))
			k.expectError(protocol.CodeBadWindow)
		}},
	{Rule: "CH7", Name: "grants", What: tx("命令读了，守护进程就给新额度：一共 3 MB 的 STDIN",
		"credit as the command reads: 3 MB of STDIN in all"), run: grants},
	{Rule: "CH8", Name: "after-close",
		What: tx("两边都关了的通道", "a channel that both have closed"),
		run: func(t *trial) {
			k := t.login(nil)
			k.run(command("true"), "")
			k.send(frame(protocol.TypeSignal, 1, `{"signal":"INT"}`))
			k.expectError(protocol.CodeUnknownChannel)
		}},
	{Rule: "CH9", Name: "cancel", What: tx("命令在跑，客户端 CLOSE：停掉它，EXIT cancelled",
		"CLOSE while a command runs: it is stopped, and EXIT says cancelled"), run: cancel},
	{Rule: "CH9", Name: "cancel-at-once", What: tx("OPEN 之后马上 CLOSE", "CLOSE right after OPEN"),
		run: func(t *trial) {
			k := t.login(nil)
			channel := k.open(command(waits))
			k.send(frame(protocol.TypeClose, channel, "{}"))
			k.expect(protocol.TypeClose, channel) // with both EOFs and EXIT, or cancelled alone
			k.sync(nil)
		}},
	{Rule: "CH10", Name: "many-signals",
		What: tx("一千个 SIGNAL 和 RESIZE", "1,000 SIGNALs and RESIZEs"),
		run: func(t *trial) {
			k := t.login(nil)
			channel, _ := k.start("trap '' USR1 WINCH; echo up; " + waits)
			var frames [][]byte
			for n := range 1000 {
				frames = append(frames, frame(protocol.TypeSignal, channel, `{"signal":"USR1"}`),
					frame(protocol.TypeResize, channel, fmt.Sprintf(
						`{"rows":%d,"cols":80,"width_px":0,"height_px":0}`, n+1)))
			}
			k.send(frames...)
			k.sync(nil)
			k.send(frame(protocol.TypeSignal, channel, `{"signal":"KILL"}`))
			k.finish(channel)
		}},
	{Rule: "SE4", Name: "channels-at-once", What: tx("十个通道同时跑", "ten channels at once"),
		run: func(t *trial) {
			k := t.login(nil)
			for n := range 10 {
				k.open(command(fmt.Sprintf("cat; echo %d; exit %d", n, n)))
			}
			for n := range 10 {
				channel := uint32(2*n + 1)
				k.send(frame(protocol.TypeStdin, channel, "for "),
					frame(protocol.TypeEOF, channel, "\x10"))
			}
			all := k.collect(10)
			for n := range 10 {
				t.expectOutput(all[uint32(2*n+1)], fmt.Sprintf("for %d\n", n), n)
			}
		}},
}

// collect takes everything of all channels until so many have closed.
func (k *talk) collect(n int) map[uint32]*ending {
	all := map[uint32]*ending{}
	k.until(tx("每个通道的 CLOSE", "CLOSE of every channel"), func(f protocol.Frame) bool {
		if f.Type.IsLink() {
			return false
		}
		e := all[f.Channel]
		if e == nil {
			e = &ending{}
			all[f.Channel] = e
		}
		switch f.Type {
		case protocol.TypeStdout:
			e.out = append(e.out, f.Payload...)
		case protocol.TypeExit:
			e.exit = new(protocol.Exit)
			f.Decode(e.exit)
		case protocol.TypeClose:
			f.Decode(&e.closed)
			n--
		}
		return n == 0
	})
	return all
}

// refused opens a channel that must be refused: CLOSE alone.
func (k *talk) refused(o *protocol.Open, code protocol.Code) {
	channel := k.open(o)
	want := same("CLOSE " + string(code))
	f := k.until(want, func(f protocol.Frame) bool {
		return f.Channel == channel &&
			(f.Type == protocol.TypeOpened || f.Type == protocol.TypeClose)
	})
	var reason protocol.Reason
	f.Decode(&reason)
	if f.Type != protocol.TypeClose || reason.Code != code {
		k.t.fail(want, same(shown(f)))
	}
	k.send(frame(protocol.TypeClose, channel, "{}"))
}

func manyChannels(t *trial) {
	k := t.login(nil)
	if k.welcome.Channels > 256 {
		t.unreached(tx("它允许的通道太多，不能都打开",
			"it allows too many channels to open them all"))
	}
	for range k.welcome.Channels {
		k.open(command(waits))
	}
	k.sync(nil)
	k.open(command(waits))
	k.expectError(protocol.CodeTooManyChannels)
}

func longOpens(t *trial) {
	k := t.login(nil)
	text := `{"service":"exec","command":"` + waits + `","later":"`
	long := text + strings.Repeat("x", maxPayload-len(text)-2) + `"}`
	var n uint32
	for ; n < maxOpens/maxPayload; n++ {
		k.send(frame(protocol.TypeOpen, 2*n+1, long))
	}
	k.sync(nil)
	k.send(message(protocol.TypeOpen, 2*n+1, command("true")))
	k.expectError(protocol.CodeTooManyChannels)
}

// takes takes output until so many bytes have come in all, and shows that no more come.
func (k *talk) takes(channel uint32, total int) {
	got := 0
	k.until(tx(fmt.Sprintf("%d 字节的输出", total), fmt.Sprintf("%d bytes of output", total)),
		func(f protocol.Frame) bool {
			if f.Type.IsData() {
				got += int(f.Length)
			}
			return got >= total
		})
	k.sync(nil) // what came beyond the credit, order has seen
}

func creditOfOutput(t *trial) {
	k := t.login(nil)
	k.open(command("head -c 1000000 /dev/zero; " + waits))
	k.takes(1, startWindow)
	k.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, startWindow+100))
	k.takes(1, 100)
	k.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 2*startWindow))
	k.takes(1, startWindow-100)
}

func windowExceeded(t *trial) {
	k := t.login(nil)
	channel, _ := k.start("echo up; " + waits)
	// The system's pipe takes a little, for which the daemon may grant more. 4 MiB are beyond that.
	t.note(fmt.Sprintf("lab     STDIN channel %d, %d bytes", channel, 4<<20))
	f := frame(protocol.TypeStdin, channel, strings.Repeat("x", maxPayload))
	for range (4 << 20) / maxPayload {
		k.raw(f)
	}
	k.takesError(protocol.CodeWindowExceeded)
}

func grants(t *trial) {
	k := t.login(nil)
	channel := k.open(command("wc -c"))
	const total = 3_000_000
	sent := uint64(0)
	for sent < total {
		c := k.order.channels[channel]
		if sent == c.granted {
			k.until(tx(fmt.Sprintf("WINDOW：%d 字节都用完了", sent),
				fmt.Sprintf("WINDOW: all of the %d bytes are used up", sent)),
				func(f protocol.Frame) bool { return f.Type == protocol.TypeWindow })
			continue
		}
		n := min(maxPayload, c.granted-sent, total-sent)
		f := frame(protocol.TypeStdin, channel, strings.Repeat("x", int(n)))
		if sent += n; sent == c.granted {
			f[5] = 1 // BLOCKED (CH6)
		}
		k.send(f)
	}
	k.send(frame(protocol.TypeEOF, channel, "\x10"))
	if e := k.finish(channel); strings.TrimSpace(string(e.out)) != fmt.Sprint(total) {
		t.fail(same(fmt.Sprint(total)), same(fmt.Sprintf("%q", e.out)))
	}
}

func cancel(t *trial) {
	k := t.login(nil)
	channel, pid := k.start("echo $$; " + waits)
	k.send(frame(protocol.TypeClose, channel, "{}"))
	e := &ending{}
	k.untilWithin(t.o.Patience+5e9, same("EXIT cancelled, CLOSE"), func(f protocol.Frame) bool {
		if f.Type == protocol.TypeExit {
			e.exit = new(protocol.Exit)
			f.Decode(e.exit)
		}
		return f.Type == protocol.TypeClose
	})
	if e.exit == nil || e.exit.How != "cancelled" {
		got := tx("没有 EXIT", "no EXIT")
		if e.exit != nil {
			got = same(exitText(e.exit))
		}
		t.fail(same("EXIT cancelled"), got)
	}
	t.dies(pid)
	k.sync(nil)
}
