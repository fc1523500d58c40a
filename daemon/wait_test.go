//go:build unix

package daemon

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"minissh/daemon/control"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/testend"
)

// lose breaks the client's link without a word, and waits until the daemon has noticed.
func (r *resumer) lose(raw net.Conn) {
	r.l.t.Helper()
	waiting := r.l.waiting()
	raw.Close()
	r.l.until("the daemon notices", func() bool { return r.l.waiting() > waiting })
}

// waiting is how many sessions wait for their clients.
func (l *lab) waiting() (n int) {
	for _, info := range l.desk.Who() {
		if info.Away {
			n++
		}
	}
	return n
}

// held makes a session that has lost its link while a command runs, which has said ready.
func (l *lab) held(command string) (*resumer, *mux.Channel) {
	l.t.Helper()
	return l.heldReady("echo ready; " + command)
}

// heldReady is held, with a command that says ready itself.
func (l *lab) heldReady(command string) (*resumer, *mux.Channel) {
	l.t.Helper()
	r, raw := l.resumer(), l.dial()
	if err := r.attachOver(raw); err != nil {
		l.t.Fatalf("%v\n%s", err, l.log)
	}
	ch := start(l.t, r.Session, protocol.Open{Command: protocol.Bytes(command)})
	firstLine(l.t, ch)
	r.lose(raw)
	return r, ch
}

// A session that waits for its client is listed with its times. The log says that its link was lost
// and until when it is held, and from where the client came back; that it has disconnected, when it
// has.
func TestLinkLostIsLogged(t *testing.T) {
	l := newLab(t, nil)
	r, ch := l.held("exec cat")
	line := l.log.want(t, `msg="Link lost from 127.0.0.1 port `, "user=tester", "reason=",
		"held_until="+time.Now().Format("2006-"))
	if who := l.desk.Who(); len(who) != 1 || !who[0].Away || who[0].Held < 3500 ||
		who[0].Held > 3600 || who[0].Lost > 100 || len(who[0].Commands) != 1 {
		t.Errorf("%+v", who)
	}
	if err := r.attachFrom("192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	l.log.want(t, `msg="Accepted publickey for tester from 192.0.2.7 port 4711: ED25519`)
	l.log.want(t, `msg="Resumed from 192.0.2.7 port 4711"`, "user=tester")
	if who := l.desk.Who(); len(who) != 1 || who[0].Away || who[0].Held != 0 ||
		who[0].From != "192.0.2.7:4711" {
		t.Errorf("%+v", who)
	}
	if text := l.log.String(); strings.Contains(text, "Disconnected") ||
		strings.Count(text, "Resumed") != 1 || strings.Count(text, "Link lost") != 1 {
		t.Errorf("%s\n%s", line, text)
	}
	ch.EOF(protocol.TypeStdin)
	collect(t, ch)
	r.Close(nil)
	l.log.want(t, `msg="Disconnected from 192.0.2.7 port 4711"`, "reason=goodbye")
}

// What nobody comes back for expires, and the log says so; the client learns it for ten minutes.
func TestHeldSessionExpires(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Hold = time.Second })
	before := l.warm()
	r, _ := l.held("exec sleep 1000")
	l.log.want(t, `msg="Session expired from 127.0.0.1 port `, "user=tester")
	l.log.want(t, "Command ended", "how=hung_up")
	if code := r.refusal(l.guest, nil).Code; code != "session_expired" {
		t.Error(code)
	}
	settle(t, before)
}

// An administrator ends a session that has no link as any other: its commands are dead when the
// answer comes.
func TestEndHeld(t *testing.T) {
	l, path := controlled(t)
	before := l.warm()
	r, ch := l.held("trap '' HUP; echo $$; while :; do sleep 1000; done")
	pids := running(t, ch, firstLine2(t, l, r, ch))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var answer control.EndInfo
	if err := control.Ask(ctx, []string{path}, "end", control.EndArgs{ID: 2}, nil,
		&answer); err != nil || !answer.Stopped {
		t.Fatalf("%+v, %v", answer, err)
	}
	for _, pid := range pids {
		if testend.Alive(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
	if told := r.refusal(l.guest, nil); told.Code != "session_ended" ||
		told.Message != "the administrator ended this session" {
		t.Errorf("its client is told %+v", told)
	}
	settle(t, before)
}

// firstLine2 comes back for the next line of a command's output, and loses the link again.
func firstLine2(t *testing.T, l *lab, r *resumer, ch *mux.Channel) string {
	t.Helper()
	raw := l.dial()
	if err := r.attachOver(raw); err != nil {
		t.Fatal(err)
	}
	text := firstLine(t, ch)
	r.lose(raw)
	return text
}

// Shutdown does not wait for a client that cannot come back any more: sessions without a link end
// at once, also those that lose it meanwhile.
func TestShutdownEndsHeld(t *testing.T) {
	before := holding()
	l := newLab(t, func(o *Options) { o.ShutdownGrace = time.Hour })
	l.held("exec sleep 1000")
	r, raw := l.resumer(), l.dial()
	if err := r.attachOver(raw); err != nil {
		t.Fatal(err)
	}
	firstLine(t, start(t, r.Session,
		protocol.Open{Command: protocol.Bytes("echo ready; exec sleep 1000")}))
	shut := make(chan struct{})
	go func() { defer close(shut); l.Shutdown(context.Background()) }()
	l.until("the first session has ended", func() bool { return len(l.desk.Who()) == 1 })
	select {
	case <-shut:
		t.Error("it did not wait for the second one")
	default:
	}
	raw.Close()
	within(t, "Shutdown returns", shut)
	if n := strings.Count(l.log.String(), "how=hung_up"); n != 2 {
		t.Errorf("%d commands were hung up:\n%s", n, l.log)
	}
	r.Close(nil)
	l.stop()
	settle(t, before)
}

// A session without a link goes on counting among its user's sessions and commands.
func TestHeldSessionsCount(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Shares.Sessions, o.Shares.Commands = 2, 2 })
	first, ch := l.held("exec cat")
	second := l.resumer().mustAttach()
	firstLine(t, start(t, second.Session,
		protocol.Open{Command: protocol.Bytes("echo ready; exec cat")}))
	if got := collect(t, shell(t, second.Session, "true")); got.refused == nil ||
		got.refused.Code != "too_many_commands" {
		t.Errorf("a third command: %+v", got)
	}
	if err := first.attach(); err != nil {
		t.Errorf("there is room for the session that is there: %v", err)
	}
	ch.EOF(protocol.TypeStdin)
	collect(t, ch)
	third := l.resumer()
	if code, _ := refusedWith(third.attach()); code != "too_many_sessions" {
		t.Errorf("a third session: %q", code)
	}
	third.Close(nil)
	first.Close(nil)
	l.until("there is room again", func() bool {
		third := l.resumer()
		defer third.Close(nil)
		return third.attach() == nil
	})
	second.Close(nil)
}

// A daemon that was started anew knows nothing of the sessions before it.
func TestRestartForgets(t *testing.T) {
	l := newLab(t, nil)
	r, _ := l.held("exec sleep 1000")
	l.stop()
	next := newLab(t, nil)
	next.access.grants = l.access.grants
	r.l = next
	if code := r.refusal(l.guest, nil).Code; code != "session_unknown" {
		t.Error(code)
	}
	if code, _ := refusedWith(r.attach()); code != "session_unknown" {
		t.Error(code)
	}
	r.Close(nil)
}

// With Hold below 0 a session ends with its link, whatever its client says.
func TestNoHold(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Hold = -1 })
	before := l.warm()
	r, raw := l.resumer(), l.dial()
	welcome, err := r.Connect(l.over(raw, r.id), &protocol.Hello{User: user, Hold: 3600})
	if err != nil || welcome.Resend != 0 || welcome.Hold != 0 {
		t.Fatalf("%+v, %v", welcome, err)
	}
	firstLine(t, start(t, r.Session,
		protocol.Open{Command: protocol.Bytes("echo ready; exec sleep 1000")}))
	raw.Close()
	l.log.want(t, "Command ended", "how=hung_up")
	l.log.want(t, `msg="Disconnected from 127.0.0.1 port `)
	settle(t, before)
}

// Sessions without a link keep no more than --hold-memory together: of the user who keeps most, the
// oldest gives way, and the log has a line for each. Another user's is not touched. Their clients
// have read what a command wrote, and acknowledged nothing.
func TestHoldMemory(t *testing.T) {
	const most = 400_000
	l := newLab(t, func(o *Options) { o.MaxHeld = most })
	other := l.second()
	before := l.warm()
	comes := func(id keys.Identity, name string, epoch int64, more ...[]byte) *scripted {
		t.Helper()
		p := l.knock(id)
		p.send(append([][]byte{hello(func(h *protocol.Hello) {
			h.Session, h.Epoch, h.Create, h.Resend, h.Hold = name, epoch, epoch == 1, 64<<20, 3600
		})}, more...)...)
		return p
	}
	var keeps []int64 // bytes, the oldest first
	fill := func(id keys.Identity, number, n int) {
		t.Helper()
		p := comes(id, fmt.Sprintf("%064x", number), 1,
			open(1, fmt.Sprintf("head -c %d /dev/zero; exec sleep 1000", n)))
		for n > 0 {
			n -= int(p.want(protocol.TypeStdout).Length)
		}
		at := p.raw.LocalAddr().(*net.TCPAddr).AddrPort()
		p.raw.Close()
		_, bytes, _ := strings.Cut(l.log.want(t, "Link lost "+logbook.From(at)+`"`), " bytes=")
		var kept int64
		if _, err := fmt.Sscan(bytes, &kept); err != nil {
			t.Fatal(err)
		}
		keeps = append(keeps, kept)
	}
	const sessions = 6
	fill(other, 0, 100_000)
	sum, went := keeps[0], 0
	for i := 1; i <= sessions; i++ {
		fill(l.guest, i, 120_000)
		for sum += keeps[i]; sum > most; went++ {
			sum -= keeps[1+went]
		}
	}
	if keeps[0] < 100_000 || keeps[1] < 120_000 || went < 2 {
		t.Fatalf("they keep %d, %d give way", keeps, went)
	}
	l.until("those that gave way are gone", func() bool {
		return strings.Count(l.log.String(), "how=hung_up") >= went
	})
	for i := range sessions + 1 {
		id := l.guest
		if i == 0 {
			id = other
		}
		p := comes(id, fmt.Sprintf("%064x", i), 2)
		if i > 0 && i <= went {
			if code := p.wantError().Code; code != "session_expired" {
				t.Errorf("session %d: %s", i, code)
			}
			continue
		}
		p.want(protocol.TypeWelcome)
		p.want(protocol.TypeStdout)
		p.send(text(protocol.TypeGoodbye, 0, "{}"))
		p.conn.Close()
	}
	l.log.want(t, "level=WARN", "Session given up for tester from 127.0.0.1 port ",
		"sessions without a link keep too much memory (--hold-memory)")
	if n := strings.Count(l.log.String(), "Session given up"); n != went {
		t.Errorf("%d of %d gave way:\n%s", n, went, l.log)
	}
	settle(t, before)
}
