//go:build unix

package daemon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
)

// echoes is a session whose command gives back what it is sent; check sends some more, and it must
// be the next thing that comes.
func (l *lab) echoes() (r *resumer, check func(text string)) {
	l.t.Helper()
	r = l.resumer().mustAttach()
	ch := start(l.t, r.Session, protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
	firstLine(l.t, ch)
	return r, func(text string) {
		l.t.Helper()
		if _, err := ch.Write(protocol.TypeStdin, []byte(text+"\n")); err != nil {
			l.t.Fatal(err)
		}
		if got := firstLine(l.t, ch); got != text {
			l.t.Fatalf("%q came back for %q", got, text)
		}
	}
}

// Whoever has learned a session's name has nothing without its key: with another key that may log
// in as the same user, ten thousand HELLOs find nothing, do not disturb the session, fill no log
// and leave nothing behind.
func TestOthersSessionsAreNotFound(t *testing.T) {
	hellos := 10_000
	if testing.Short() {
		hellos = 300
	}
	l := newLab(t, nil)
	other := l.second()
	before := l.warm()
	r, check := l.echoes()
	check("before")
	logged := len(l.log.String())
	each(t, hellos, 4, func(i int) error {
		code := r.refusal(other, func(h *protocol.Hello) { h.Epoch = int64(i + 2) }).Code
		if code != protocol.CodeSessionUnknown {
			return fmt.Errorf("the answer is %s", code)
		}
		return nil
	})
	if n := strings.Count(l.log.String()[logged:], "\n"); n > 30*(2+hellos/1000) {
		t.Errorf("the log has %d lines of it", n)
	}
	check("after")
	if info := l.desk.Who(); len(info) != 1 {
		t.Errorf("%+v", info)
	}
	// one who asks for the name anew has a session of its own
	own := l.knock(other)
	own.send(hello(func(h *protocol.Hello) { h.Session = r.name }))
	own.want(protocol.TypeWelcome)
	check("and then")
	own.send(text(protocol.TypeGoodbye, 0, "{}"))
	own.conn.Close()
	r.Close(nil)
	settle(t, before)
}

// A HELLO whose epoch is not the newest is refused, with the session's own key too, and the link
// that is there goes on.
func TestStaleEpochsDoNotDisturb(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	r, check := l.echoes()
	r.mustAttach()
	check("before")
	for i := range 100 {
		if code := r.refusal(l.guest, func(h *protocol.Hello) {
			h.Epoch, h.Create = int64(1+i%2), i%2 == 0
		}).Code; code != protocol.CodeStaleEpoch {
			t.Fatal(code)
		}
	}
	check("after")
	if who := l.desk.Who(); len(who) != 1 || strings.Count(l.log.String(), "Resumed") != 1 {
		t.Errorf("%+v\n%s", who, l.log)
	}
	r.Close(nil)
	settle(t, before)
}

// A client that comes back all the time harms nobody: its command goes on, another user is served,
// the log has a line for each of some, and nothing is left behind.
func TestResumesInALoop(t *testing.T) {
	times := 1500
	if testing.Short() {
		times = 100
	}
	l := newLab(t, nil)
	other := l.second()
	before := l.warm()
	r, check := l.echoes()
	for i := range times {
		r.mustAttach()
		if i%50 != 0 {
			continue
		}
		check(fmt.Sprint("link ", i))
		s := l.as2(other)
		if got := collect(t, shell(t, s, "echo in")); got.out != "in\n" {
			t.Fatalf("the other user: %+v", got)
		}
		s.Close(nil)
	}
	// Each time "Resumed", and mostly "Link lost", are lines of one kind, which has 500 a minute;
	// the test lasts less than two.
	text := l.log.String()
	lines := strings.Count(text, "Resumed from") + strings.Count(text, "Link lost from")
	if lines < min(times-1, 500) || lines > min(2*times, 1000) {
		t.Errorf("the log has %d lines about links", lines)
	}
	check("the end")
	r.Close(nil)
	settle(t, before)
}

// A client that reads what its commands write, acknowledges nothing and goes away keeps no more
// memory than its share in as many sessions as it may have, and another user's work goes on.
func TestHeldSessionsExhaustNothing(t *testing.T) {
	const sessions, each = 24, 8 << 20
	l := newLab(t, func(o *Options) {
		o.MaxHeld, o.MaxKept, o.Shares.Sessions = 24<<20, 32<<20, sessions
	})
	other := l.second()
	before := l.warm()
	s := l.as2(other)
	ch := start(t, s, protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
	firstLine(t, ch)
	idle := heap()
	for i := range sessions {
		p := l.knock(l.guest)
		p.send(hello(func(h *protocol.Hello) {
			h.Session, h.Resend, h.Hold = fmt.Sprintf("%064x", i), 64<<20, 3600
		}), open(1, fmt.Sprintf("head -c %d /dev/zero; exec sleep 1000", each)),
			number(protocol.TypeWindow, 1, each))
		p.want(protocol.TypeStdout)
		for err := error(nil); err == nil; { // whatever else the daemon sends
			p.raw.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			_, err = p.in.Next()
		}
		p.raw.Close()
	}
	l.until("all have lost their links", func() bool { return l.waiting() == len(l.desk.Who())-1 })
	if grown := heap() - idle; grown > 60<<20 {
		t.Errorf("%d MiB are kept", grown>>20)
	}
	ch.Write(protocol.TypeStdin, []byte("still here\n"))
	if got := firstLine(t, ch); got != "still here" {
		t.Error(got)
	}
	ch.EOF(protocol.TypeStdin)
	collect(t, ch)
	s.Close(nil)
	for _, entry := range l.sessions.Entries() {
		entry.Session.Close(nil)
	}
	settle(t, before)
}
