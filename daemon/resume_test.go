//go:build unix

package daemon

import (
	"net"
	"strings"
	"testing"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// resumer is a client of the mux's own that can come back over another link.
type resumer struct {
	*mux.Session
	l    *lab
	id   keys.Identity
	name string // once it has connected
}

// resumer makes the guest's session, which is not connected yet.
func (l *lab) resumer() *resumer {
	return &resumer{mux.New(mux.Config{Role: mux.Client, Resend: 64 << 20}), l, l.guest, ""}
}

// attach connects, for the first time or again: the newest link wins, without waiting for the end
// of the one before.
func (r *resumer) attach() error { return r.attachOver(r.l.dial()) }

func (r *resumer) attachOver(raw net.Conn) error {
	hello := &protocol.Hello{User: user, Hold: 3600}
	_, err := r.Connect(r.l.over(raw, r.id), hello)
	r.name = hello.Session
	return err
}

// mustAttach is attach where no error is expected.
func (r *resumer) mustAttach() *resumer {
	r.l.t.Helper()
	if err := r.attach(); err != nil {
		r.l.t.Fatalf("%v\n%s", err, r.l.log)
	}
	return r
}

// attachFrom is attach over a link that seems to come from an address.
func (r *resumer) attachFrom(address string) error { return r.attachOver(r.l.from(address)) }

// refusal is the answer to a HELLO for the session that says whatever change makes it say.
func (r *resumer) refusal(id keys.Identity, change func(*protocol.Hello)) *protocol.Reason {
	r.l.t.Helper()
	p := r.l.knock(id)
	p.send(hello(func(h *protocol.Hello) {
		h.Session, h.Epoch, h.Create, h.Resend = r.name, 1000, false, 64<<20
		if change != nil {
			change(h)
		}
	}))
	return p.wantError()
}

// A command's input and output go on over another link, also from another address, without waiting
// for the end of the first one.
func TestResumes(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	r := l.resumer().mustAttach()
	ch := start(t, r.Session, protocol.Open{Command: protocol.Bytes("echo ready; exec cat")})
	firstLine(t, ch)
	var want strings.Builder
	for i := range 10 {
		text := strings.Repeat(string(rune('a'+i)), 10_000)
		want.WriteString(text)
		if _, err := ch.Write(protocol.TypeStdin, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			r.mustAttach()
		} else if err := r.attachFrom("192.0.2.7"); err != nil {
			t.Fatal(err)
		}
	}
	ch.EOF(protocol.TypeStdin)
	if got := collect(t, ch); got.out != want.String() || got.exit == nil {
		t.Errorf("%d bytes of %d, %+v", len(got.out), want.Len(), got.exit)
	}
	r.Close(nil)
	settle(t, before)
}
