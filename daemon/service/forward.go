package service

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
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

// forward makes connections for clients, and carries their bytes (protocol/FORWARDING.md).
type forward struct{ groups *groups }

// groups are those that clients may use, each by its session and channel.
type groups struct {
	mu sync.Mutex
	of map[place]*group
}

// group makes connections with an account's rights (FO2). forwardgroup_unix.go and
// forwardgroup_windows.go start one.
type group struct {
	pid int
	// connect answers with a *protocol.Violation, or ctx's error.
	connect func(ctx context.Context, to *protocol.Target) (net.Conn, error)
	over    <-chan struct{} // closed when it can make no more
	end     func()          // ends it, and waits
}

// connectTime is how long a connection may take to be made (FO3).
const connectTime = 60 * time.Second

func newForward() forward { return forward{&groups{of: map[place]*group{}}} }

func (forward) Key() authorized.Service { return authorized.Forward }

func (f forward) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	ch.IgnoreRequests() // a signal means nothing here (FO4)
	open := ch.Request()
	if broken, ok := errors.AsType[*protocol.Violation](open.CheckForward()); ok {
		return refusal(broken.Code, broken.Message)
	}
	if h.Forwarding != ForwardYes && h.Forwarding != ForwardLocal {
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
	at := place{ch.Session(), ch.ID()}
	f.groups.mu.Lock()
	f.groups.of[at] = g
	f.groups.mu.Unlock()
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: g.pid})
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
	defer reading.Wait()
	exit, reason := &protocol.Exit{How: protocol.HowExited, Code: new(int)}, (*protocol.Reason)(nil)
	select {
	case <-unwanted:
		if how := gone(ch); how != "" {
			exit = &protocol.Exit{How: how}
		}
	case <-g.over:
		reason = refusal(protocol.CodeInternal, "the helper process ended early")
	case <-h.Stopping:
		reason = refusal(protocol.CodeShuttingDown, "minisshd is being stopped")
	}
	f.groups.mu.Lock()
	delete(f.groups.of, at)
	f.groups.mu.Unlock()
	g.end()
	if reason != nil {
		ch.Close(reason)
	} else {
		ch.End(exit)
	}
	return nil
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
			connectTime.String())
	}
	began := time.Now()
	args := []any{"channel", ch.ID(), "to", logbook.Shorten(to.String(), 256)}
	h.noted(who, "Starting connection", args...)
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: g.pid})
	c := &carrier{ch: ch, conn: conn}
	exit, reason := c.run()
	if reason != nil {
		ch.Close(reason)
	} else {
		ch.End(exit)
	}
	how := "ended"
	if reason != nil {
		how = string(reason.Code)
	} else if exit.How != protocol.HowExited {
		how = exit.How
	}
	h.noted(who, "Connection ended", append(args, "how", how, "bytes_in", c.in.Load(),
		"bytes_out", c.out.Load(), "duration_ms", time.Since(began).Milliseconds())...)
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

// carrier carries the bytes of one connection both ways (FO4).
type carrier struct {
	ch      *mux.Channel
	conn    net.Conn
	in, out atomic.Int64 // bytes, to the target and from it
}

var errBroken = refusal(protocol.CodeConnectionBroken, "the target reset the connection")

// run returns when both directions have ended, or the connection as a whole has; the connection is
// closed then.
func (c *carrier) run() (*protocol.Exit, *protocol.Reason) {
	ended := make(chan error, 2)
	var both sync.WaitGroup
	both.Go(func() { ended <- c.up() })
	both.Go(func() { ended <- c.down() })
	defer both.Wait()
	for range 2 {
		select {
		case err := <-ended:
			if err != nil && gone(c.ch) == "" {
				c.conn.Close()
				c.ch.Close(errBroken) // which up waits for
				return nil, errBroken
			}
		case <-c.ch.Gone():
			reset(c.conn)
			return &protocol.Exit{How: gone(c.ch)}, nil
		}
	}
	c.conn.Close()
	return &protocol.Exit{How: protocol.HowExited, Code: new(int)}, nil
}

// up carries STDIN to the target, until its EOF. The error is the target's.
func (c *carrier) up() error {
	for {
		e, err := c.ch.Take()
		switch {
		case err != nil:
			return nil
		case e.EOF:
			// fails if the target has reset what is over both ways: then nothing is lost
			c.conn.(mux.HalfCloser).CloseWrite()
			return nil
		}
		n, err := c.conn.Write(e.Data)
		if c.in.Add(int64(n)); err != nil {
			return err
		}
	}
}

// down carries what the target sends to STDOUT, until its end.
func (c *carrier) down() error {
	n, err := c.ch.Copy(protocol.TypeStdout, c.conn, nil)
	c.out.Add(n)
	if err == nil {
		c.ch.EOF(protocol.TypeStdout)
	}
	return err
}

// reset closes a connection so that the target learns that something is missing.
func reset(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	conn.Close()
}
