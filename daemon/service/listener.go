package service

import (
	"errors"
	"sync"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// How many listeners there may be (FO7): each has a helper process.
const (
	mostListeners     = 16 // of one session
	mostUserListeners = 64 // of one key, or uid, for one user
)

// listeners are those of all sessions.
type listeners struct {
	mu   sync.Mutex // guards all
	of   map[place]*listener
	left chan struct{} // closed, and replaced, when one has left
}

// listener is one channel that listens.
type listener struct {
	at      place
	owner   string           // whose it is: key or uid, and user
	on      *protocol.Target // what was asked for
	agent   bool             // in a folder of its own (FO9), and on is empty
	giveWay chan struct{}    // closed when another session of the owner's takes its place
	gives   bool             // giveWay is closed; guarded by listeners.mu
	port    int              // that it has; guarded by listeners.mu
	path    string           // of an agent's socket; guarded by listeners.mu
	group   *group           // nil until it listens; guarded by listeners.mu
}

// remote serves a listener, or a connection that comes to one.
func (f forward) remote(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	if how := who.Permits.Forwarding; how != ForwardYes && how != ForwardRemote {
		return refusal(protocol.CodeServiceRefused,
			"this daemon does not listen for clients (--allow-forwarding)")
	}
	open := ch.Request()
	if open.Accept {
		return f.accepted(h, ch, who, false)
	}
	if err := who.Grant.MayListen(open.Listen); err != nil {
		return refusal(protocol.CodeServiceRefused, shownTarget(open.Listen)+": "+err.Error())
	}
	return f.listen(h, ch, who, &listener{on: open.Listen, port: open.Listen.Port})
}

// listen serves a listener, if there may be one more.
func (f forward) listen(h *Host, ch *mux.Channel, who *access.Client,
	l *listener) *protocol.Reason {
	l.at, l.owner = placeOf(ch), who.Key+" "+who.User
	l.giveWay = make(chan struct{})
	if reason := f.listeners.enter(l); reason != nil {
		return reason
	}
	defer f.listeners.leave(l)
	return f.listener(h, ch, who, l)
}

// listener listens until its end (FO7).
func (f forward) listener(h *Host, ch *mux.Channel, who *access.Client,
	l *listener) *protocol.Reason {
	if !f.listeners.displace(l, ch.Gone()) {
		return cancelled
	}
	g, reason := h.startGroup(ch, who)
	if reason != nil {
		return reason
	}
	var port int
	var path string
	var err error
	if l.agent {
		path, err = g.lend(wanted(ch))
	} else {
		port, err = g.listen(wanted(ch), l.on, who.Permits.GatewayPorts)
	}
	broken, refused := errors.AsType[*protocol.Violation](err)
	if err != nil {
		g.end()
		if refused && gone(ch) == "" {
			return refusal(protocol.CodeListenFailed, l.words()+": "+broken.Message)
		}
		return cancelled
	}
	f.listeners.mu.Lock()
	l.group, l.port, l.path = g, port, path
	f.listeners.mu.Unlock()
	args := []any{"channel", ch.ID(), "on", l.words(), "port", port}
	h.noted(who, "Starting listener", args...)
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: g.pid, Port: port,
		Path: protocol.Bytes(path)})
	unwanted, read := unwanted(ch)
	defer read()
	exit, reason := h.await(ch, g, unwanted, l.giveWay)
	g.end()
	if l.agent && (reason == endedEarly || g.killed != nil && g.killed()) {
		h.clear(who, path)
	}
	h.noted(who, "Listener ended", args...)
	f.listeners.leave(l) // first: whoever sees the end may listen there at once
	conclude(ch, exit, reason)
	return nil
}

// words is where it listens, as the client has asked for it.
func (l *listener) words() string {
	if l.agent {
		return "a socket for the agent"
	}
	return shownTarget(l.on)
}

// accepted takes one connection that comes to a listener, and carries its bytes to the end (FO8).
func (f forward) accepted(h *Host, ch *mux.Channel, who *access.Client,
	agent bool) *protocol.Reason {
	f.listeners.mu.Lock()
	l := f.listeners.of[place{ch.Session(), ch.Request().In}]
	var g *group
	var port int
	if l != nil && l.agent == agent {
		g, port = l.group, l.port
	}
	f.listeners.mu.Unlock()
	if g == nil {
		return refusal(protocol.CodeBadRequest, "there is no listener on that channel")
	}
	conn, err := g.accept(wanted(ch))
	switch {
	case gone(ch) != "":
		if conn != nil {
			g.giveBack(conn)
		}
		ch.Close(cancelled)
		return nil // it is not worth a line of the log, as a refusal is
	case err != nil:
		ch.Close(refusal(protocol.CodeCancelled, "the listener has ended"))
		return nil
	}
	from := ""
	if addr := conn.RemoteAddr(); addr != nil {
		from = logbook.Shorten(addr.String(), 256)
	}
	h.carry(ch, who, conn, &protocol.Opened{PID: g.pid, From: from}, "from", from,
		"port", port)
	return nil
}

// enter notes a listener, if there may be one more.
func (ls *listeners) enter(l *listener) *protocol.Reason {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	session, user := 0, 0
	for at, other := range ls.of {
		if at.session == l.at.session {
			session++
		}
		if other.owner == l.owner {
			user++
		}
	}
	switch {
	case session >= mostListeners:
		return refusal(protocol.CodeTooManyCommands,
			"this daemon listens on 16 ports at most for one session")
	case user >= mostUserListeners:
		return refusal(protocol.CodeTooManyCommands,
			"this daemon listens on 64 ports at most for one key and user")
	}
	ls.of[l.at] = l
	return nil
}

// leave forgets a listener. It does nothing the second time.
func (ls *listeners) leave(l *listener) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.of[l.at] == l {
		delete(ls.of, l.at)
		close(ls.left)
		ls.left = make(chan struct{})
	}
}

// displace ends the listeners of the same owner that are where l is to be, and whose session has no
// link, and waits for their ends; false: gone came first.
func (ls *listeners) displace(l *listener, gone <-chan struct{}) bool {
	for {
		left, clear := ls.tellToGo(l)
		if clear {
			return true
		}
		select {
		case <-left:
		case <-gone:
			return false
		}
	}
}

// tellToGo tells those that displace ends; clear: there is none left.
func (ls *listeners) tellToGo(l *listener) (left <-chan struct{}, clear bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	clear = true
	for _, other := range ls.of {
		if other.at.session == l.at.session || other.owner != l.owner || !other.meets(l) {
			continue
		}
		if !other.gives && other.at.session.Traffic().Waiting == nil {
			continue // its client is there: to listen will fail, and say why
		}
		if clear = false; !other.gives {
			other.gives = true
			close(other.giveWay)
		}
	}
	return ls.left, clear
}

// meets says whether two listeners want the same place. Which addresses does not matter: a client
// that comes back may name them otherwise.
func (l *listener) meets(other *listener) bool {
	if len(l.on.Path) > 0 || len(other.on.Path) > 0 {
		return string(l.on.Path) == string(other.on.Path)
	}
	return l.port != 0 && l.port == other.port
}
