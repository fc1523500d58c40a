package conform

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"minissh/protocol"
)

// sessionProbes are of sessions with more than one link (RE), and of what is answered to a HELLO.
var sessionProbes = []Probe{
	{Rule: "RE3", Name: "unknown", What: tx("不认识的会话", "an unknown session"),
		run: func(t *trial) { t.refusedAgain(newSession(), 2, 0, protocol.CodeSessionUnknown) }},
	{Rule: "RE4", Name: "ended", What: tx("GOODBYE 过的会话", "a session that GOODBYE has ended"),
		run: func(t *trial) {
			k := t.login(nil)
			k.send(frame(protocol.TypeGoodbye, 0, "{}"))
			k.drain()
			t.refusedAgain(k.session, 2, 0, protocol.CodeSessionEnded)
		}},
	{Rule: "RE4", Name: "expired",
		What: tx("resend 0，断了：session_expired",
			"resend 0, and the link is lost: session_expired"),
		run: func(t *trial) {
			k := t.login(nil)
			_, pid := k.start("echo $$; " + waits)
			k.conn.Close()
			t.dies(pid)
			t.refusedAgain(k.session, 2, 0, protocol.CodeSessionExpired)
		}},
	{Rule: "RE3", Name: "stale",
		What: tx("同一个 epoch：stale_epoch，旧链路照旧",
			"the same epoch: stale_epoch, and the old link lives"),
		run: func(t *trial) {
			k := t.login(nil)
			channel := k.open(command("cat"))
			k.expect(protocol.TypeOpened, channel)
			t.refusedAgain(k.session, 1, 0, protocol.CodeStaleEpoch)
			k.send(frame(protocol.TypeStdin, channel, "still\n"),
				frame(protocol.TypeEOF, channel, "\x10"))
			t.expectOutput(k.finish(channel), "still\n", 0)
		}},
	{Rule: "CO1", Name: "resend-0-lives",
		What: tx("resend 0 的会话不能换链路：session_expired，旧链路照旧",
			"resend 0, and a greater epoch: session_expired, and the old link lives"),
		run: func(t *trial) {
			k := t.login(nil)
			t.refusedAgain(k.session, 2, 0, protocol.CodeSessionExpired)
			k.sync(nil)
		}},
	{Rule: "RE1", Name: "bad-ack", What: tx("ACK 比发出的多", "an ACK of more than was sent"),
		run: func(t *trial) {
			k := t.keeps()
			k.sync(nil)
			k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 1000))
			k.expectError(protocol.CodeBadAck)
		}},
	{Rule: "RE1", Name: "ack-shrinks", What: tx("ACK 变小", "an ACK that shrinks"),
		run: func(t *trial) {
			k := t.keeps()
			k.start("echo up; " + waits)
			k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 2))
			k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 1))
			k.expectError(protocol.CodeBadAck)
		}},
	{Rule: "RE1", Name: "ack-to-none",
		What: tx("对端不留底，却发 ACK", "an ACK to an end that keeps nothing"),
		run: func(t *trial) {
			k := t.login(nil)
			if k.welcome.Resend != 0 {
				t.unreached(tx("这个守护进程留底", "this daemon keeps frames"))
			}
			k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 0))
			k.expectError(protocol.CodeBadAck)
		}},
	{Rule: "RE1", Name: "acknowledges",
		What: tx("每个会话帧都会得到 ACK", "every session frame is acknowledged"),
		run: func(t *trial) {
			k := t.keeps()
			channel, _ := k.start("echo up; cat >/dev/null")
			for range 3 {
				k.send(frame(protocol.TypeStdin, channel, strings.Repeat("x", 1000)))
				k.acked(k.order.sent)
			}
		}},
	{Rule: "RE2", Name: "keeps-no-more", What: tx("没有 ACK：没确认的帧最多 resend 那么多",
		"without an ACK it sends no more than its resend"), run: keepsNoMore},
	{Rule: "RE3", Name: "again",
		What: tx("换一条链路：没收到的，原样再发",
			"on a new link, what did not arrive comes again, unchanged"),
		run: comesAgain},
	{Rule: "RE3", Name: "again-to-it",
		What: tx("WELCOME 的 received 是它收到的", "received in WELCOME is what it has received"),
		run:  receivedCounts},
	{Rule: "RE3", Name: "half-a-frame",
		What: tx("半个帧：不算", "part of a frame does not count (SE4)"), run: halfAFrame},
	{Rule: "RE3", Name: "takes-over",
		What: tx("更大的 epoch：旧链路还在也换过去",
			"a greater epoch takes over from a link that lives"),
		run: func(t *trial) {
			k := t.keeps()
			channel, _ := k.start("echo up; cat")
			k.sync(nil)
			n := k.again(2, k.order.received)
			n.send(frame(protocol.TypeStdin, channel, "over there\n"),
				frame(protocol.TypeEOF, channel, "\x10"))
			t.expectOutput(n.finish(channel), "over there\n", 0)
		}},
	{Rule: "RE3", Name: "too-much-received",
		What: tx("received 比它发的多：resume_mismatch",
			"received above what it sent: resume_mismatch"),
		run: func(t *trial) {
			k := t.keeps()
			k.start("echo up; " + waits)
			k.conn.Close()
			t.refusedAgain(k.session, 2, 1000, protocol.CodeResumeMismatch)
		}},
	{Rule: "RE3", Name: "less-than-acked",
		What: tx("received 比确认过的少：resume_mismatch",
			"received below what was acknowledged: resume_mismatch"),
		run: func(t *trial) {
			k := t.keeps()
			k.start("echo up; " + waits)
			k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 2))
			k.sync(nil)
			k.conn.Close()
			t.refusedAgain(k.session, 2, 1, protocol.CodeResumeMismatch)
		}},
	{Rule: "RE4", Name: "killed-client", slow: true,
		What: tx("FIN 之后没人回来：10 秒后停掉命令（最多等 30 秒）",
			"nobody comes back after FIN: the command is stopped after 10 seconds (30 at most)"),
		run: func(t *trial) {
			k := t.keeps()
			_, pid := k.start("echo $$; " + waits)
			k.conn.Close()
			patient := *t.o
			patient.Patience = 25e9
			t.o = &patient
			t.dies(pid)
			t.refusedAgain(k.session, 2, 0, protocol.CodeSessionExpired)
		}},
	{Rule: "RE6", Name: "suspended", What: tx("带 SUSPENDED 的 PING", "a PING with SUSPENDED"),
		run: func(t *trial) {
			k := t.login(nil)
			f := frame(protocol.TypePing, 0, "sleeping")
			f[5] = 1
			k.send(f)
			k.until(same("PONG"),
				func(f protocol.Frame) bool { return string(f.Payload) == "sleeping" })
			k.sync(nil)
		}},
}

// refusedAgain says HELLO for a later link, which must be answered by an ERROR.
func (t *trial) refusedAgain(session string, epoch, received int64, code protocol.Code) {
	k := t.dial()
	h := t.hello()
	h.Session, h.Epoch, h.Received, h.Create = session, epoch, received, epoch == 1
	h.Resend, h.Hold = startWindow, 60
	k.order.resend = h.Resend
	k.send(message(protocol.TypeHello, 0, h))
	k.expectError(code)
}

// keeps is a session whose ends both keep frames.
func (t *trial) keeps() *talk {
	k := t.login(func(h *protocol.Hello) { h.Resend, h.Hold = startWindow, 60 })
	if k.welcome.Resend == 0 {
		t.unreached(tx("这个守护进程不留底（resend 0）", "this daemon keeps no frames (resend 0)"))
	}
	return k
}

// acked takes frames until so many of ours are acknowledged.
func (k *talk) acked(n uint64) {
	for k.order.acked < n {
		k.until(same(fmt.Sprintf("ACK %d", n)), func(f protocol.Frame) bool {
			return f.Type == protocol.TypeAck && f.Number() >= n
		})
	}
}

// again is the session's next link, on which what we say was received counts. What the daemon has
// sent beyond that comes again.
func (k *talk) again(epoch int64, received uint64) *talk {
	n := k.t.dial()
	n.session, n.channel, n.sent = k.session, k.channel, k.sent
	n.order = k.order.rewound(received)
	h := k.t.hello()
	h.Session, h.Epoch, h.Create, h.Received = k.session, epoch, false, int64(received)
	h.Resend, h.Hold = startWindow, 60
	n.send(message(protocol.TypeHello, 0, h))
	n.takeWelcome()
	return n
}

// rewound is the order of a session of which only the first frames of theirs have come.
func (o *order) rewound(received uint64) *order {
	n := newOrder()
	n.resend, n.welcomed = startWindow, true
	for _, f := range o.said {
		if f.from != "daemon" {
			n.ours(f.frame)
		} else if n.received < received {
			n.theirs(f.frame)
		}
	}
	n.welcomed = false
	return n
}

// sessionFrames are those of the daemon's in what was said.
func (o *order) sessionFrames() (all [][]byte) {
	for _, f := range o.said {
		if f.from == "daemon" {
			all = append(all, encode(f.frame))
		}
	}
	return all
}

func encode(f protocol.Frame) []byte {
	return protocol.AppendFrame(nil, f.Type, f.Flags, f.Channel, f.Payload)
}

func keepsNoMore(t *trial) {
	k := t.keeps()
	limit := k.welcome.Resend
	if limit > 64<<20 {
		t.unreached(tx("它的 resend 太大", "its resend is too large to fill"))
	}
	k.open(command("head -c 100000000 /dev/zero"))
	k.send(protocol.AppendNumber(nil, protocol.TypeWindow, 1, 1<<30))
	// It has stopped when nothing comes for a second. That is a time, but a wrong one could only
	// miss a daemon that sends too much.
	got := 0
	end := time.Now().Add(t.o.Patience)
	for {
		f, err := k.next(time.Until(end))
		if isTimeout(err) && got >= startWindow {
			break
		} else if err != nil {
			t.fail(tx("至少 262144 字节的帧", "at least 262,144 bytes of frames"), ended(err))
		}
		if !f.Type.IsLink() {
			if got += protocol.HeaderSize + int(f.Length); got >= startWindow {
				end = time.Now().Add(min(t.o.Patience, time.Second))
			}
		}
		if got > int(limit)+protocol.HeaderSize+maxPayload {
			break
		}
	}
	if most := int(limit) + protocol.HeaderSize + maxPayload; got >= most {
		t.fail(tx(fmt.Sprintf("%d 到 %d 字节的帧，再多要等 ACK", startWindow, limit),
			fmt.Sprintf("%d to %d bytes of frames, and no more without ACK", startWindow, limit)),
			same(fmt.Sprintf("%d bytes", got)))
	}
	k.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, k.order.received))
	k.expect(protocol.TypeStdout, 1)
}

func comesAgain(t *trial) {
	k := t.keeps()
	channel := k.open(command("echo one; echo two >&2; cat; echo three; exit 8"))
	out, errs := false, false // in either order (CH4)
	k.until(same("STDOUT, STDERR"), func(f protocol.Frame) bool {
		out, errs = out || f.Type == protocol.TypeStdout, errs || f.Type == protocol.TypeStderr
		return out && errs
	})
	k.sync(nil)
	first := k.order.sessionFrames()
	k.conn.Close()
	n := k.again(2, 1) // OPENED alone has come
	for _, want := range first[1:] {
		f := n.until(tx("没收到的那一帧，原样", "the frame that did not arrive, unchanged"),
			func(f protocol.Frame) bool { return !f.Type.IsLink() })
		if got := encode(f); !bytes.Equal(got, want) {
			t.fail(same(hexOf(want)), same(hexOf(got)))
		}
	}
	n.send(frame(protocol.TypeEOF, channel, "\x10"))
	t.expectOutput(n.finish(channel), "three\n", 8)
}

func receivedCounts(t *trial) {
	k := t.keeps()
	channel, _ := k.start("echo up; cat")
	for _, word := range []string{"a", "b", "c"} {
		k.send(frame(protocol.TypeStdin, channel, word))
	}
	k.sync(nil)
	sent := int64(len(k.sent))
	k.conn.Close()
	n := k.again(2, k.order.received)
	if n.welcome.Received != sent {
		t.fail(same(fmt.Sprintf("received %d", sent)),
			same(fmt.Sprintf("received %d", n.welcome.Received)))
	}
	n.send(frame(protocol.TypeEOF, channel, "\x10"))
	e := n.finish(channel)
	if got := string(k.outputOf(channel)) + string(e.out); got != "up\nabc" {
		t.fail(same(`"up\nabc"`), same(fmt.Sprintf("%q", got)))
	}
}

// outputOf is what came of a channel's standard output on this link.
func (k *talk) outputOf(channel uint32) (out []byte) {
	for _, f := range k.order.said {
		if f.from == "daemon" && f.frame.Type == protocol.TypeStdout && f.frame.Channel == channel {
			out = append(out, f.frame.Payload...)
		}
	}
	return out
}

func halfAFrame(t *trial) {
	k := t.keeps()
	channel, _ := k.start("echo up; cat")
	k.sync(nil)
	sent := int64(len(k.sent))
	k.raw(frame(protocol.TypeStdin, channel, "half of this")[:16])
	k.conn.Close()
	n := k.again(2, k.order.received)
	if n.welcome.Received != sent {
		t.fail(same(fmt.Sprintf("received %d", sent)),
			same(fmt.Sprintf("received %d", n.welcome.Received)))
	}
	n.send(frame(protocol.TypeStdin, channel, "whole"), frame(protocol.TypeEOF, channel, "\x10"))
	t.expectOutput(n.finish(channel), "whole", 0)
}
