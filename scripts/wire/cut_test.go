package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// ends are a relay and one connection through it.
type ends struct {
	*Relay
	near, far *net.TCPConn
	dropped   atomic.Bool // set before a test drops the link
}

func connect(t *testing.T, fate Fate) *ends {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, err := Listen(server.Addr().String(), func(int) Fate { return fate })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	near, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	far, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return &ends{Relay: r, near: near.(*net.TCPConn), far: far.(*net.TCPConn)}
}

// pass sends a text through and waits until it has come.
func pass(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		t.Fatalf("%q came as %q, %v", text, got, err)
	}
}

// seen is what one end read until its connection ended.
type seen struct {
	text    string
	err     error // nil: an orderly end
	dropped bool  // it ended when the link was dropped, not before
}

func (s seen) String() string {
	return fmt.Sprintf("%q, %v, at the drop: %v", s.text, s.err, s.dropped)
}

func (e *ends) watch(conn net.Conn) chan seen {
	result := make(chan seen, 1)
	go func() {
		text, err := io.ReadAll(conn)
		result <- seen{string(text), err, e.dropped.Load()}
	}()
	return result
}

// record is one of TLS with so many bytes in it.
func record(n int) string {
	return "\x17\x03\x03" + string([]byte{byte(n >> 8), byte(n)}) +
		string(bytes.Repeat([]byte("r"), n))
}

// want is what an end is to see of a cut.
func (e End) want(t *testing.T, what string, got seen) {
	t.Helper()
	switch {
	case e == Nothing && !got.dropped:
		t.Errorf("%s sees an end before the drop: %v", what, got)
	case e != Nothing && got.dropped:
		t.Errorf("%s sees nothing before the drop: %v", what, got)
	case e == Closed && got.err != nil, e != Closed && !errors.Is(got.err, syscall.ECONNRESET):
		t.Errorf("%s sees %v", what, got)
	}
}

// await waits until a line that was cut has let through what it does.
func (l *line) await(t *testing.T, flow Flow, most int) {
	t.Helper()
	testend.Until(t, "what may pass has come", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return flow == Stops || flow == Stalls && l.flow == Stops || l.passed == int64(most)
	})
}

// Each way of cutting does what it says, to both ends and in both directions.
func TestWays(t *testing.T) {
	for _, way := range Ways {
		for _, deaf := range []bool{false, true} {
			t.Run(fmt.Sprint(way.Name, ", deaf: ", deaf), func(t *testing.T) {
				t.Parallel()
				cutOnce(t, way, deaf)
			})
		}
	}
}

func cutOnce(t *testing.T, way Way, deaf bool) {
	e := connect(t, Fate{})
	pass(t, e.near, e.far, record(3))
	pass(t, e.far, e.near, record(4))
	testend.Until(t, "both are counted", func() bool {
		k := e.there()[0]
		return k.up.bytes() == 8 && k.down.bytes() == 9
	})
	near, far := e.watch(e.near), e.watch(e.far)
	if n := e.Cut(Cut{Way: way, Deaf: deaf}); n != 1 {
		t.Fatalf("%d links were cut", n)
	}
	if n := e.Cut(Cut{Way: way}); n != 0 {
		t.Error("it was cut twice")
	}
	got := map[string]seen{}
	for _, side := range []struct {
		name   string
		sees   End
		result chan seen
	}{{"the client", way.Near, near}, {"the daemon", way.Far, far}} {
		if side.sees != Nothing {
			got[side.name] = <-side.result
			side.sees.want(t, side.name, got[side.name])
		}
	}
	later := record(1000) // sent only now: a write could take the reset from the reader
	io.WriteString(e.near, later)
	io.WriteString(e.far, later)
	for _, k := range e.there() { // what is let through comes before the link is dropped
		k.up.await(t, way.Up, 8+len(later))
		k.down.await(t, way.Down, 9+len(later))
	}
	e.dropped.Store(true)
	e.Drop()
	for _, side := range []struct {
		name   string
		sees   End
		flow   Flow
		result chan seen
	}{{"the client", way.Near, way.Down, near}, {"the daemon", way.Far, way.Up, far}} {
		if side.sees == Nothing {
			got[side.name] = <-side.result
			side.sees.want(t, side.name, got[side.name])
		}
		text := got[side.name].text
		switch {
		case side.flow == Stops && text != "":
			t.Errorf("%s still gets %d bytes", side.name, len(text))
		case side.flow == Passes && text != later:
			t.Errorf("%s gets %d bytes of %d", side.name, len(text), len(later))
		case side.flow == Stalls && (len(text) < recordHeader || len(text) >= len(later)):
			t.Errorf("%s gets %d bytes of a record of %d", side.name, len(text), len(later))
		}
	}
	past := e.Past()
	if len(past) != 1 || past[0].Cut.Way != way || past[0].Up != 8 || past[0].Down != 9 {
		t.Errorf("it is remembered as %+v", past)
	}
}

// A cut comes exactly after so many bytes, in the middle of what one write brought.
func TestCutAfterBytes(t *testing.T) {
	for _, c := range []struct{ up, down int64 }{{1, 0}, {0, 1}, {700, 0}, {0, 700}, {700, 300},
		{999, 999}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			e := connect(t, Fate{Cut: &Cut{Way: OfKind("end")[0]}, Up: c.up, Down: c.down})
			near, far := e.watch(e.near), e.watch(e.far)
			if c.up > 0 {
				io.WriteString(e.near, record(1000))
			}
			if c.down > 0 {
				io.WriteString(e.far, record(1000))
			}
			up, down := int64(len((<-far).text)), int64(len((<-near).text))
			reached := c.up > 0 && up == c.up || c.down > 0 && down == c.down
			if up > c.up || down > c.down || !reached {
				t.Errorf("%d bytes passed up and %d down", up, down)
			}
			if past := e.Past(); past[0].Up != up || past[0].Down != down {
				t.Errorf("remembered are %+v", past)
			}
		})
	}
}

// A cut can come after a time, whether anything passes or not; and a link that is cut before the
// daemon heard of it never reaches it.
func TestCutAfterTime(t *testing.T) {
	e := connect(t, Fate{Cut: &Cut{Way: OfKind("reset")[0]}, After: 20 * time.Millisecond})
	near, far := <-e.watch(e.near), <-e.watch(e.far)
	Reset.want(t, "the client", near)
	Reset.want(t, "the daemon", far)

	r, err := Listen("127.0.0.1:1", func(int) Fate {
		return Fate{Delay: time.Hour, Cut: &Cut{Way: OfKind("end")[0]}, After: time.Nanosecond}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
		t.Errorf("the client reads %q, %v", text, err)
	}
}

// A cut breaks off a write that waits for a reader; when Cut has returned nothing more comes.
func TestCutWhileBlocked(t *testing.T) {
	e := connect(t, Fate{})
	go io.Copy(e.near, endless{}) // until the end of the test
	up := e.there()[0].up
	stuck := func() bool { // nothing has passed, though there is something
		up.mu.Lock()
		defer up.mu.Unlock()
		return up.held > 16<<20
	}
	testend.Until(t, "the daemon's end has filled up", stuck)
	e.Cut(Cut{Way: OfKind("silence")[0]})
	passed := up.bytes()
	e.dropped.Store(true)
	e.Drop()
	if got := <-e.watch(e.far); int64(len(got.text)) > passed {
		t.Errorf("%d bytes came, and %d had passed at the cut", len(got.text), passed)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A link that was cut is reset when its time is over, and not before. Both ends look on.
func TestMute(t *testing.T) {
	e := connect(t, Fate{})
	near, far := e.watch(e.near), e.watch(e.far)
	start := time.Now()
	e.Cut(Cut{Way: OfKind("silence")[0], Mute: 50 * time.Millisecond})
	for _, got := range []seen{<-near, <-far} {
		if !errors.Is(got.err, syscall.ECONNRESET) {
			t.Errorf("an end sees %v", got)
		}
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("it ended after %v", took)
	}
}

// A link that was cut ends when both ends have given it up, though its time is not over; the next
// connection is told in the same breath.
func TestCutIsGivenUp(t *testing.T) {
	e := connect(t, Fate{})
	e.Cut(Cut{Way: OfKind("silence")[0], Mute: time.Hour})
	e.near.Close()
	e.far.Close()
	testend.Until(t, "the link has ended", func() bool { return len(e.there()) == 0 })
	if past := e.Past(); past[0].After != 0 {
		t.Errorf("without another connection: %+v", past)
	}
	c, err := net.Dial("tcp", e.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	testend.Until(t, "there is a second link", func() bool { return e.Links() == 2 })
	if past := e.Past(); past[0].After <= 0 {
		t.Errorf("with another connection: %+v", past)
	}
}

// Small pieces are small, and nothing is lost or changed by them.
func TestSegments(t *testing.T) {
	in, from := net.Pipe()
	l := newLine(from, Fate{Segment: 7})
	go l.fill()
	to := &pieces{}
	drained := make(chan error, 1)
	go func() { drained <- l.drain(to) }()
	sent := bytes.Repeat([]byte("0123456789"), 2*segmented/10)
	in.Write(sent)
	in.Close()
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(to.data, sent) {
		t.Errorf("%d bytes came, others than the %d sent", len(to.data), len(sent))
	}
	if to.small < segmented/7 || to.most < 8 {
		t.Errorf("%d small pieces, the largest of %d bytes", to.small, to.most)
	}
}

type pieces struct {
	data        []byte
	small, most int
}

func (p *pieces) Write(data []byte) (int, error) {
	p.data = append(p.data, data...)
	if len(data) <= 7 {
		p.small++
	}
	p.most = max(p.most, len(data))
	return len(data), nil
}

// The middle of a record is after its first byte and before its last, wherever the pieces end.
func TestRecords(t *testing.T) {
	stream := record(1) + record(0) + record(300) + record(16384)
	starts := map[int]bool{0: true, 6: true, 11: true, 316: true, len(stream): true}
	for _, size := range []int{1, 2, 3, 5, 6, 7, 100, 20000} {
		var r records
		for at := 0; at <= len(stream); at += size {
			n := r.toMiddle([]byte(stream[at:min(at+size, len(stream))]))
			switch {
			case n > 0 != starts[at] && at < len(stream):
				t.Errorf("at %d, by %d: %d bytes to the middle", at, size, n)
			case n > 0 && starts[at+n]:
				t.Errorf("at %d, by %d: %d bytes lead to the end of a record", at, size, n)
			}
			r.pass([]byte(stream[at:min(at+size, len(stream))]))
		}
	}
}
