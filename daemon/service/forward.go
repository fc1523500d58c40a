package service

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// What a daemon may forward, as in sshd_config(5), AllowTcpForwarding. Unix sockets count too.
const (
	ForwardYes    = "yes"
	ForwardNo     = "no"
	ForwardLocal  = "local"  // connections that clients ask for (ssh -L, -D, -W)
	ForwardRemote = "remote" // listening for clients (ssh -R)
)

// forward makes connections for clients, and takes them (listener.go). It carries their bytes
// (protocol/FORWARDING.md).
type forward struct {
	groups    *groups
	listeners *listeners
}

// groups are those that clients may use, each by its session and channel.
type groups struct {
	mu sync.Mutex
	of map[place]*group
}

// group makes connections with an account's rights (FO2). forwardgroup_unix.go and
// forwardgroup_windows.go start one.
type group struct {
	pid int
	// connect, listen, lend and accept answer with a *protocol.Violation, or ctx's error.
	connect func(ctx context.Context, to *protocol.Target) (net.Conn, error)
	// listen is called once, before accept; gateway is Permits.GatewayPorts. It gives the port.
	listen func(ctx context.Context, on *protocol.Target, gateway string) (int, error)
	// lend is listen for an agent (FO9): it gives the path of the socket that it has made.
	lend   func(ctx context.Context) (string, error)
	accept func(ctx context.Context) (net.Conn, error)
	// giveBack is for a connection of accept's that its channel does not want any more: the next
	// accept gets it.
	giveBack func(net.Conn)
	over     <-chan struct{} // closed when it can make no more
	end      func()          // ends it, and waits
	// killed says, after end, that it was late, and may have left a socket; nil: it never is
	killed func() bool
}

// connectTime is how long a connection may take to be made (FO3).
const connectTime = 60 * time.Second

func newForward() forward {
	return forward{&groups{of: map[place]*group{}},
		&listeners{of: map[place]*listener{}, left: make(chan struct{})}}
}

func (forward) Key() authorized.Service { return authorized.Forward }

func (f forward) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	ch.IgnoreRequests() // a signal means nothing here (FO4)
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckForward()); ok {
		return refusal(broken.Code, broken.Message)
	}
	if open.Listen != nil || open.Accept {
		return f.remote(h, ch, who)
	}
	if how := who.Permits.Forwarding; how != ForwardYes && how != ForwardLocal {
		return refusal(protocol.CodeServiceRefused,
			"this daemon makes no connections for clients (--allow-forwarding)")
	}
	if open.Connect == nil {
		return f.group(h, ch, who)
	}
	if err := who.Grant.MayConnect(open.Connect); err != nil {
		return refusal(protocol.CodeServiceRefused, shownTarget(open.Connect)+": "+err.Error())
	}
	if open.In == 0 {
		g, reason := h.startGroup(ch, who)
		if reason != nil {
			return reason
		}
		var ending sync.WaitGroup
		defer ending.Wait()
		return f.connection(h, ch, who, g, func() { ending.Go(g.end) })
	}
	f.groups.mu.Lock()
	g := f.groups.of[place{ch.Session(), open.In}]
	f.groups.mu.Unlock()
	if g == nil {
		return refusal(protocol.CodeBadRequest, "there is no group of connections on that channel")
	}
	return f.connection(h, ch, who, g, func() {})
}

// group runs a group to its end (FO2).
func (f forward) group(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	g, reason := h.startGroup(ch, who)
	if reason != nil {
		return reason
	}
	at := placeOf(ch)
	f.groups.mu.Lock()
	f.groups.of[at] = g
	f.groups.mu.Unlock()
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: g.pid})
	unwanted, read := unwanted(ch)
	defer read()
	exit, reason := h.await(ch, g, unwanted, nil)
	f.groups.mu.Lock()
	delete(f.groups.of, at)
	f.groups.mu.Unlock()
	g.end()
	conclude(ch, exit, reason)
	return nil
}

var endedEarly = refusal(protocol.CodeInternal, "the helper process ended early")

// await waits until a group, or a listener, is to end: how, or why. unwanted is that of its
// channel; giveWay, which may be nil, is closed when another session takes its place.
func (h *Host) await(ch *mux.Channel, g *group, unwanted, giveWay <-chan struct{}) (*protocol.Exit,
	*protocol.Reason) {
	select {
	case <-unwanted:
		if how := gone(ch); how != "" {
			return &protocol.Exit{How: how}, nil
		}
		return &protocol.Exit{How: protocol.HowExited, Code: new(int)}, nil
	case <-g.over:
		return nil, endedEarly
	case <-giveWay:
		return nil, refusal(protocol.CodeListenFailed,
			"a newer session of the same key listens there now")
	case <-h.Stopping:
		return nil, refusal(protocol.CodeShuttingDown, "minisshd is being stopped")
	}
}

// conclude tells the client what await has returned.
func conclude(ch *mux.Channel, exit *protocol.Exit, reason *protocol.Reason) {
	if reason != nil {
		ch.Close(reason)
	} else {
		ch.End(exit)
	}
}

// unwanted is closed when the opener sends the EOF of STDIN, or wants the channel no more. What it
// sends is discarded; read waits until nothing more can come.
func unwanted(ch *mux.Channel) (_ <-chan struct{}, read func()) {
	unwanted := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		ended := false
		for {
			e, err := ch.Take()
			if !ended && (err != nil || e.EOF) {
				ended = true
				close(unwanted)
			}
			if err != nil {
				return
			}
		}
	})
	return unwanted, reading.Wait
}

// connection makes one connection and carries its bytes to the end (FO3, FO4). made is called when
// the group is not needed any more.
func (f forward) connection(h *Host, ch *mux.Channel, who *access.Client, g *group,
	made func()) *protocol.Reason {
	to := ch.Request().Connect
	ctx, cancel := context.WithTimeout(wanted(ch), connectTime)
	defer cancel()
	conn, err := g.connect(ctx, to)
	made()
	broken, refused := errors.AsType[*protocol.Violation](err)
	switch {
	case gone(ch) != "":
		if conn != nil {
			reset(conn)
		}
		return cancelled
	case refused:
		return refusal(broken.Code, shownTarget(to)+": "+broken.Message)
	case err != nil:
		return refusal(protocol.CodeConnectFailed, shownTarget(to)+": no answer within "+
			protocol.ExactlyInWords(connectTime))
	}
	h.carry(ch, who, conn, &protocol.Opened{PID: g.pid},
		"to", to.String())
	return nil
}

// gone is how a channel ended that nobody wants any more, one of protocol's How; "" if it is open.
func gone(ch *mux.Channel) string {
	select {
	case <-ch.Gone():
	default:
		return ""
	}
	if ch.SessionEnded() {
		return protocol.HowHungUp
	}
	return protocol.HowCancelled
}

// shownTarget is the client's words for a target, quoted if they are not plain.
func shownTarget(to *protocol.Target) string {
	text := logbook.Shorten(to.String(), 256)
	if quoted := protocol.Quote(text); quoted[1:len(quoted)-1] != text {
		return quoted
	}
	return text
}
