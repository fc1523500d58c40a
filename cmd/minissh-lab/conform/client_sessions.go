package conform

import (
	"fmt"
	"time"

	"minissh/protocol"
)

// clientSessionProbes are of sessions with more than one link.
var clientSessionProbes = []Probe{
	{Rule: "RE1", Name: "acknowledges",
		What: tx("每个会话帧都会得到 ACK", "every session frame is acknowledged"),
		run: func(t *trial) {
			g := t.keptClient()
			for range 3 {
				g.send(frame(protocol.TypeStdout, g.order.channel, "x"))
				want := g.order.sent
				g.until(same(fmt.Sprintf("ACK %d", want)),
					func(f protocol.Frame) bool { return g.order.acked >= want })
			}
		}},
	{Rule: "RE1", Name: "bad-ack", What: tx("ACK 比它发的多", "an ACK of more than it sent"),
		run: func(t *trial) {
			g := t.keptClient()
			g.send(protocol.AppendNumber(nil, protocol.TypeAck, 0, 1000))
			g.expectError(protocol.CodeBadAck)
		}},
	{Rule: "RE3", Name: "again", What: tx("链路断了：epoch 更大，received 是收到的；没到的，原样"+
		"再发",
		"the link is lost: a greater epoch, what it has received, and what did not arrive comes "+
			"again"),
		run: clientAgain},
	{Rule: "RE3", Name: "too-much-received",
		What: tx("WELCOME 的 received 比它发的多：resume_mismatch",
			"a WELCOME of more than it sent: resume_mismatch"), run: func(t *trial) {
			g := t.keptClient()
			g.conn.Close()
			n := g.d.accept()
			n.send(welcomeOf(&protocol.Welcome{Channels: 16, Resend: startWindow, Hold: 60,
				Received: 1000, Uptime: 1e9}))
			n.expectError(protocol.CodeResumeMismatch)
			g.d.fails()
		}},
	{Rule: "RE5", Name: "restarted",
		What: tx("第一个 WELCOME 在第二条链路上，守护进程刚启动：不能再跑一遍",
			"a first WELCOME on a later link, of a daemon that was restarted: nothing is run "+
				"twice"),
		run: func(t *trial) {
			h := t.client()
			g := h.accept()
			t.needsResend(g)
			g.opens() // sent, and perhaps run
			g.conn.Close()
			n := h.accept()
			n.send(welcomeOf(&protocol.Welcome{Channels: 16, Resend: startWindow, Hold: 60,
				Uptime: 0}))
			h.fails()
			if n.order.sent > 0 {
				return
			}
			for {
				f, err := n.next(time.Second)
				if err != nil {
					return
				}
				if f.Type == protocol.TypeOpen {
					t.fail(tx("没有第二个 OPEN", "no second OPEN"), same(shown(f)))
				}
			}
		}},
	{Rule: "RE5", Name: "not-restarted",
		What: tx("同上，守护进程一直在跑：再来一遍",
			"the same, of a daemon that was not restarted: it goes on"), run: func(t *trial) {
			h := t.client()
			h.program.types("", true)
			g := h.accept()
			t.needsResend(g)
			g.opens()
			g.conn.Close()
			n := h.accept()
			n.order.resent = 0
			n.send(welcomeOf(&protocol.Welcome{Channels: 16, Resend: startWindow, Hold: 60,
				Uptime: 1e9}))
			n.expect(protocol.TypeOpen)
			n.send(message(protocol.TypeOpened, n.order.channel, &protocol.Opened{PID: 1}))
			n.ends(`{"how":"exited","code":6}`)
			h.exits(6, "")
		}},
	{Rule: "RE8", Name: "expired",
		What: tx("session_expired：到此为止，不算成功", "session_expired is final, and does not "+
			"count as success"),
		run: func(t *trial) {
			for _, code := range []string{"session_expired", "session_ended", "session_unknown"} {
				g := t.keptClient()
				g.conn.Close()
				n := g.d.accept()
				n.send(frame(protocol.TypeError, 0, `{"code":"`+code+`"}`))
				g.d.fails()
			}
		}},
	{Rule: "SE1", Name: "create",
		What: tx("WELCOME 之后的 HELLO：create 是 false",
			"create is false once a WELCOME has come"), run: func(t *trial) {
			g := t.keptClient()
			g.conn.Close()
			if n := g.d.accept(); n.hello.Create || n.hello.Epoch < 2 ||
				n.hello.Session != g.hello.Session {
				t.fail(same("create false, epoch 2, the same session"),
					same(fmt.Sprintf("create %v, epoch %d", n.hello.Create, n.hello.Epoch)))
			}
		}},
}

// needsResend ends the trial where the client keeps nothing.
func (t *trial) needsResend(g *guest) {
	if g.hello.Resend == 0 {
		t.unreached(tx("这个客户端不留底（resend 0）", "this client keeps no frames (resend 0)"))
	}
}

// keptClient is a client whose command runs, on a session that both ends keep.
func (t *trial) keptClient() *guest {
	h := t.client()
	g := h.accept()
	t.needsResend(g)
	g.send(welcomeOf(&protocol.Welcome{Channels: 16, Resend: startWindow, Hold: 60, Uptime: 1e9}))
	g.opens()
	g.send(message(protocol.TypeOpened, g.order.channel, &protocol.Opened{PID: 1}))
	g.sync()
	return g
}

func clientAgain(t *trial) {
	g := t.keptClient()
	h := g.d
	c := g.order.channel
	g.send(frame(protocol.TypeStdout, c, "one "))
	h.program.types("typed", true)
	g.until(same("EOF"), func(f protocol.Frame) bool { return f.Type == protocol.TypeEOF })
	g.sync()
	sent := g.order.sent
	g.conn.Close()
	n := h.accept()
	if n.hello.Epoch <= g.hello.Epoch || n.hello.Received != int64(sent) {
		t.fail(same(fmt.Sprintf("epoch 2, received %d", sent)),
			same(fmt.Sprintf("epoch %d, received %d", n.hello.Epoch, n.hello.Received)))
	}
	n.order.resent = 1 // OPEN alone has come: STDIN and EOF must come again
	n.send(welcomeOf(&protocol.Welcome{Channels: 16, Resend: startWindow, Hold: 60, Received: 1,
		Uptime: 1e9}))
	n.until(tx("没到的帧，原样", "the frames that did not arrive, unchanged"),
		func(f protocol.Frame) bool {
			return n.order.resent == len(n.order.frames) && f.Type == protocol.TypeEOF
		})
	n.send(frame(protocol.TypeStdout, c, "two\n"))
	n.ends(`{"how":"exited","code":9}`)
	h.exits(9, "one two\n")
}
