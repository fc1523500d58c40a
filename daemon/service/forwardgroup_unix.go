//go:build unix

package service

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
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
	waiting map[uint32]*request
	spare   []net.Conn // that have come for channels which did not want them any more
	over    bool       // nothing is kept any more
}

// request is one that the helper has not answered.
type request struct {
	listen bool           // its answer has a port, and no connection
	lend   bool           // its answer has a path, and no connection
	accept bool           // its connection may serve another such request as well
	answer chan connected // nil: nobody waits any more
}

// connected is what a request has come to.
type connected struct {
	conn net.Conn
	port int
	path string
	why  string // why there is none of these
}

// mostRequests is how many of a group's requests a helper works at.
const mostRequests = 64

// startGroup starts a helper, and waits until it can be used.
func (h *Host) startGroup(ch *mux.Channel, who *access.Client) (*group, *protocol.Reason) {
	var socket *net.UnixConn
	started, reason := h.startHelper(ch, who, func() (p *process.Process, err error) {
		p, socket, err = process.StartSocket(who.Account, forwardHelper)
		return p, err
	})
	if reason != nil {
		return nil, reason
	}
	started.Stdout.Close() // it says all by its socket
	started.Stderr.Close()
	g := &helperGroup{
		helper: started, socket: socket, ready: make(chan struct{}),
		ended: make(chan struct{}), slots: make(chan struct{}, mostRequests),
		pen: make(chan struct{}, 1), waiting: map[uint32]*request{},
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
		return &group{pid: g.PID, connect: g.connect, listen: g.listen, lend: g.lend,
			accept: g.accept, giveBack: g.giveBack, over: g.ended, end: g.end,
			killed: func() bool { return g.helper.killed }}, nil
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

func (g *helperGroup) connect(ctx context.Context, to *protocol.Target) (net.Conn, error) {
	got, err := g.request(ctx, forwardOrder{To: to})
	if err == nil && got.conn == nil {
		err = protocol.Violate(protocol.CodeConnectFailed, "%s", got.why)
	}
	return got.conn, err
}

func (g *helperGroup) listen(ctx context.Context, on *protocol.Target, gateway string) (int,
	error) {
	got, err := g.request(ctx, forwardOrder{Listen: on, Gateway: gateway})
	if err == nil && got.why != "" {
		err = protocol.Violate(protocol.CodeListenFailed, "%s", got.why)
	}
	return got.port, err
}

func (g *helperGroup) lend(ctx context.Context) (string, error) {
	got, err := g.request(ctx, forwardOrder{Lend: true})
	if err == nil && got.why != "" {
		err = protocol.Violate(protocol.CodeListenFailed, "%s", got.why)
	}
	return got.path, err
}

func (g *helperGroup) accept(ctx context.Context) (net.Conn, error) {
	g.mu.Lock()
	if len(g.spare) > 0 {
		conn := g.spare[0]
		g.spare = g.spare[1:]
		g.mu.Unlock()
		return conn, nil
	}
	g.mu.Unlock()
	got, err := g.request(ctx, forwardOrder{Accept: true})
	if err == nil && got.conn == nil {
		err = protocol.Violate(protocol.CodeConnectFailed, "%s", got.why)
	}
	return got.conn, err
}

func (g *helperGroup) giveBack(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.place(conn)
}

// place gives a connection that has been accepted to another request that waits for one, or keeps
// it for the next. The caller holds mu.
func (g *helperGroup) place(conn net.Conn) {
	if g.over {
		reset(conn)
		return
	}
	for n, r := range g.waiting {
		if r.accept && r.answer != nil {
			r.answer <- connected{conn: conn}
			r.answer = nil
			go g.ask(g.ended, forwardOrder{Number: n, GiveUp: true})
			return
		}
	}
	g.spare = append(g.spare, conn)
}

// request has the helper do something. When ctx ends it is told to give up, and its answer is
// dropped.
func (g *helperGroup) request(ctx context.Context, order forwardOrder) (connected, error) {
	select {
	case g.slots <- struct{}{}:
	case <-g.ended:
		return connected{}, errGroupEnded
	case <-ctx.Done():
		return connected{}, ctx.Err()
	}
	answer := make(chan connected, 1)
	g.mu.Lock()
	g.last++
	order.Number = g.last
	g.waiting[order.Number] = &request{listen: order.Listen != nil, lend: order.Lend,
		accept: order.Accept, answer: answer}
	g.mu.Unlock()
	if err := g.ask(ctx.Done(), order); err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if _, waits := g.waiting[order.Number]; waits {
			delete(g.waiting, order.Number)
			<-g.slots
		}
		return connected{}, errGroupEnded
	}
	err := error(errGroupEnded)
	select {
	case got := <-answer:
		return got, nil
	case <-g.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.forget(order, answer)
	return connected{}, err
}

// forget drops the answer to a request, which keeps its slot until the helper has answered.
func (g *helperGroup) forget(order forwardOrder, answer chan connected) {
	g.mu.Lock()
	select {
	case got := <-answer: // it came meanwhile; answer holds mu too
		if got.conn != nil && order.Accept {
			g.place(got.conn)
		} else if got.conn != nil {
			reset(got.conn)
		}
	default:
		if r := g.waiting[order.Number]; r != nil {
			r.answer = nil
		}
	}
	g.mu.Unlock()
	g.ask(g.ended, forwardOrder{Number: order.Number, GiveUp: true})
}

// ask writes an order to the helper, unless done comes first. A helper that does not read it delays
// its own group alone.
func (g *helperGroup) ask(done <-chan struct{}, order forwardOrder) error {
	select {
	case g.pen <- struct{}{}:
	case <-done:
		return context.Canceled
	}
	defer func() { <-g.pen }()
	return process.WriteMessage(g.Stdin, order)
}

// receive takes the helper's answers until its end. One that is not understood ends the helper.
func (g *helperGroup) receive() {
	defer close(g.ended)
	defer g.drop()
	var text [maxAnswer]byte
	for began := false; ; {
		n, passed, err := receiveMessage(g.socket, text[:])
		if err != nil {
			return
		}
		var got forwardAnswer
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

// drop resets what nobody has wanted.
func (g *helperGroup) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	for _, conn := range g.spare {
		reset(conn)
	}
	g.spare = nil
}

// answer gives an answer to whoever waits for it.
func (g *helperGroup) answer(got forwardAnswer, passed *descriptors) {
	g.mu.Lock()
	defer g.mu.Unlock()
	asked := g.waiting[got.Number]
	if asked != nil {
		delete(g.waiting, got.Number)
		<-g.slots
	}
	defer passed.close()
	if asked != nil && asked.answer == nil && asked.accept && got.Why == "" {
		if conn, err := passed.conn(); err == nil {
			g.place(conn)
		}
		return
	}
	if asked == nil || asked.answer == nil { // nobody waits any more, or ever did
		return
	}
	result := connected{why: logbook.Shorten(got.Why, 512)}
	switch {
	case got.Why != "":
	case asked.listen && got.Port >= 0 && got.Port <= maxPort:
		result.port = got.Port
	case asked.listen:
		result.why = "the helper named something else than a port"
	case asked.lend && filepath.IsAbs(got.Path) && !strings.Contains(got.Path, "\x00"):
		result.path = got.Path
	case asked.lend:
		result.why = "the helper named something else than a path"
	default:
		var err error
		if result.conn, err = passed.conn(); err != nil {
			result.conn, result.why = nil, "the helper passed something else than a connection"
		}
	}
	asked.answer <- result
}

const maxPort = 65535
