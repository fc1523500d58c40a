//go:build unix

package service

import (
	"context"
	"encoding/json"
	"net"
	"sync"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// helperGroup is a group whose helper process (forwardhelper_unix.go) connects, and passes what it
// has connected. What comes from the helper are the user's own words, and the user's own
// descriptors: nothing here waits for one.
type helperGroup struct {
	*helper
	socket *net.UnixConn
	ready  chan struct{}
	ended  chan struct{} // closed when receive has returned
	slots  chan struct{} // holds one for each request that the helper has not answered
	pen    chan struct{} // whoever writes a request holds it

	mu      sync.Mutex // guards the rest
	last    uint32     // number of a request
	waiting map[uint32]chan connected
}

// connected is what a request has come to.
type connected struct {
	conn net.Conn
	why  string // why there is none
}

// mostRequests is how many of a group's requests a helper works at.
const mostRequests = 64

// startGroup starts a helper, and waits until it can be used.
func (h *Host) startGroup(ch *mux.Channel, who *access.Client) (*group, *protocol.Reason) {
	p, socket, err := process.StartSocket(who.Account, forwardHelper)
	if err != nil {
		return nil, refusal(protocol.CodeStartFailed, err.Error())
	}
	p.Stdout.Close() // it says all by its socket
	p.Stderr.Close()
	g := &helperGroup{
		helper: h.owned(p, ch, who), socket: socket, ready: make(chan struct{}),
		ended: make(chan struct{}), slots: make(chan struct{}, mostRequests),
		pen: make(chan struct{}, 1), waiting: map[uint32]chan connected{},
	}
	go g.receive()
	go func() { // where the socket does not end with the helper
		select {
		case <-g.Done():
			socket.Close()
		case <-g.ended:
		}
	}()
	select {
	case <-g.ready:
		g.answered()
		return &group{pid: g.PID, connect: g.connect, over: g.ended, end: g.end}, nil
	case <-g.ended:
	}
	unwanted := gone(ch) != ""
	g.end()
	if unwanted {
		return nil, cancelled
	}
	return nil, refusal(protocol.CodeStartFailed,
		"the helper that connects for this account gave no answer")
}

// end ends the helper, and what waits for it.
func (g *helperGroup) end() {
	g.Stdin.Close()
	g.helper.end()
	g.socket.Close()
	<-g.ended
}

var errGroupEnded = protocol.Violate(protocol.CodeConnectFailed, "its group has ended")

// connect has the helper connect. When ctx ends it is told to give up, and its answer is dropped.
func (g *helperGroup) connect(ctx context.Context, to *protocol.Target) (net.Conn, error) {
	select {
	case g.slots <- struct{}{}:
	case <-g.ended:
		return nil, errGroupEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answer := make(chan connected, 1)
	g.mu.Lock()
	g.last++
	n := g.last
	g.waiting[n] = answer
	g.mu.Unlock()
	if err := g.ask(ctx.Done(), connectOrder{Number: n, To: to}); err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if _, waits := g.waiting[n]; waits {
			delete(g.waiting, n)
			<-g.slots
		}
		return nil, errGroupEnded
	}
	err := error(errGroupEnded)
	select {
	case got := <-answer:
		if got.conn == nil {
			return nil, protocol.Violate(protocol.CodeConnectFailed, "%s", got.why)
		}
		return got.conn, nil
	case <-g.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.forget(n, answer)
	return nil, err
}

// forget drops the answer to a request, which keeps its slot until the helper has answered.
func (g *helperGroup) forget(n uint32, answer chan connected) {
	g.mu.Lock()
	select {
	case got := <-answer: // it came meanwhile; answer holds mu too
		if got.conn != nil {
			got.conn.Close()
		}
	default:
		g.waiting[n] = nil
	}
	g.mu.Unlock()
	g.ask(g.ended, connectOrder{Number: n, GiveUp: true})
}

// ask writes an order to the helper, unless done comes first. A helper that does not read it delays
// its own group alone.
func (g *helperGroup) ask(done <-chan struct{}, order connectOrder) error {
	select {
	case g.pen <- struct{}{}:
	case <-done:
		return context.Canceled
	}
	defer func() { <-g.pen }()
	return writeMessage(g.Stdin, order)
}

// receive takes the helper's answers until its end. One that is not understood ends the helper.
func (g *helperGroup) receive() {
	defer close(g.ended)
	var text [maxAnswer]byte
	for began := false; ; {
		n, passed, err := receiveMessage(g.socket, text[:])
		if err != nil {
			return
		}
		var got connectAnswer
		if json.Unmarshal(text[:n], &got) != nil || !began != got.Ready {
			passed.close()
			g.late.Reset(0)
			return
		}
		if got.Ready {
			began = true
			passed.close()
			close(g.ready)
			continue
		}
		g.answer(got, passed)
	}
}

// answer gives an answer to whoever waits for it.
func (g *helperGroup) answer(got connectAnswer, passed *descriptors) {
	g.mu.Lock()
	defer g.mu.Unlock()
	to, asked := g.waiting[got.Number]
	if asked {
		delete(g.waiting, got.Number)
		<-g.slots
	}
	if to == nil { // nobody waits any more, or ever did
		passed.close()
		return
	}
	result := connected{why: logbook.Shorten(got.Why, 512)}
	if got.Why == "" {
		if conn, err := passed.conn(); err == nil {
			result.conn = conn
		} else {
			result.why = "the helper passed something else than a connection"
		}
	}
	passed.close()
	to <- result
}
