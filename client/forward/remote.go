package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/mux"
	"minissh/protocol/names"
)

// mostWaiting is how many channels of one listener wait for connections: a page comes with many.
const mostWaiting = 8

// listener is what the other side listens on (FO7).
type listener struct {
	*options.Forward
	service string // of its connections
	ch      *mux.Channel
	waiting chan struct{} // holds one for each channel that waits for a connection
	place   string        // where it listens, for people
	port    int           // that it has there
	noted   *live
	over    chan struct{} // closed when it is not wanted any more
	end     func()        // closes over
}

func (f *Forwards) newListener(one *options.Forward, service string, ch *mux.Channel,
	waiting int) *listener {
	over := make(chan struct{})
	return &listener{Forward: one, service: service, ch: ch, waiting: make(chan struct{}, waiting),
		over: over, end: sync.OnceFunc(func() { close(over) })}
}

// mostRemote is how many listeners there may be: each has a channel, and two for connections.
func (f *Forwards) mostRemote() int { return (f.channels() - spared) / 3 }

// remote has the other side listen (-R). It returns when that listens on all of them, or has failed
// to: a command that uses them comes after it.
func (f *Forwards) remote(all []*options.Forward) error {
	if most := f.mostRemote(); len(all) > most {
		return report.Failed(nil, "leave some of them out",
			"%d remote forwards are too many: one connection may have %d", len(all), most)
	}
	var asked []*listener
	for _, one := range all {
		l, err := f.askListen(one, len(all))
		if err != nil {
			return err
		}
		asked = append(asked, l)
	}
	var failed error
	for _, l := range asked {
		err := f.await(context.Background(), l)
		if err == nil {
			f.receive(l)
		} else if failed == nil && f.conn.Options.ExitOnForwardFailure {
			failed = err
		} else {
			f.conn.Messages.Error(err)
		}
	}
	return failed
}

// askListen has the other side listen, for one of so many forwards.
func (f *Forwards) askListen(one *options.Forward, of int) (*listener, error) {
	on := &protocol.Target{Host: one.Bind, Port: one.Port, Path: protocol.Bytes(one.Path)}
	if one.Path == "" && !one.BindGiven {
		on.Host = "localhost"
	}
	ch, err := f.conn.Session.OpenWaiting(&protocol.Open{Service: service, Listen: on})
	if err != nil {
		return nil, err
	}
	return f.newListener(one, service, ch, max(1, min(mostWaiting, cap(f.slots)/2/of))), nil
}

// receive takes the connections of a listener, from now on.
func (f *Forwards) receive(l *listener) {
	l.noted = &live{Forward: l.Forward, port: l.port, end: l.end}
	f.note(l.noted)
	f.carrying.Go(func() { f.take(l) })
}

// await waits until the other side listens, or says why not.
func (f *Forwards) await(ctx context.Context, l *listener) error {
	l.place = l.Path
	if l.Path == "" {
		l.place = strconv.Itoa(l.Port)
	}
	select {
	case e := <-l.ch.Requests(): // OPENED is the first
		said, ok := e.Message.(*protocol.Opened)
		if l.Path == "" && (!ok || said.Port < 1 || said.Port > 65535 ||
			l.Port != 0 && said.Port != l.Port) {
			l.ch.Close(nil)
			go drain(l.ch)
			return report.Failed(nil, "", "%s listens on another port than it was asked to",
				f.conn.Options.Alias)
		}
		if l.Path == "" {
			l.port = said.Port
		}
		if l.Path == "" && l.Port == 0 {
			l.place = strconv.Itoa(said.Port)
			f.conn.Messages.Announce(fmt.Sprintf("Allocated port %d for remote forward to %s",
				said.Port, l.words()))
		}
		f.conn.Messages.Debug("remote forward success for: listen %s, connect %s",
			protocol.Quote(l.place), protocol.Quote(l.words()))
		return nil
	case <-ctx.Done():
		l.ch.Close(nil)
		go drain(l.ch)
		return report.Failed(nil, "", "%s does not answer; it was asked to listen on %s",
			f.conn.Options.Alias, protocol.Quote(l.place))
	case <-l.ch.Gone():
	}
	reason := ended(l.ch)
	if err := f.conn.Session.Err(); err != nil {
		return err
	}
	what := "port " + l.place
	if l.Path != "" {
		what = "path " + protocol.Quote(l.Path)
	}
	hint := ""
	if reason.Code == protocol.CodeListenFailed && l.Port != 0 {
		hint = "-R 0:" + l.words() + " takes a free port, and says which"
	}
	why := (&protocol.RemoteError{Reason: *reason}).Error()
	if reason.Code == protocol.CodeListenFailed && reason.Message != "" {
		why = protocol.Quote(reason.Message)
	}
	return report.Failed(nil, hint, "remote port forwarding failed for listen %s: %s", what, why)
}

// words is the target in ssh's words.
func (l *listener) words() string {
	switch {
	case l.Dynamic:
		return "SOCKS"
	case len(l.Target.Path) > 0:
		return string(l.Target.Path)
	}
	return l.Target.Host + ":" + strconv.Itoa(l.Target.Port)
}

// ended reads a channel that is gone to its end, and gives the reason.
func ended(ch *mux.Channel) *protocol.Reason {
	reason := &protocol.Reason{Code: protocol.CodeInternal}
	for {
		e, err := ch.Take()
		if err != nil {
			ch.Close(nil)
			return reason
		}
		if said, ok := e.Message.(*protocol.Reason); ok {
			reason = said
		}
	}
}

// take keeps channels waiting at a listener (FO8), until that ends. They hold slots, so that others
// keep some.
func (f *Forwards) take(l *listener) {
	f.carrying.Go(func() { f.watch(l) })
	for {
		for _, places := range []chan struct{}{l.waiting, f.slots} {
			select {
			case places <- struct{}{}:
			case <-f.deaf:
				return
			case <-l.over:
				return
			case <-l.ch.Gone():
				return
			}
		}
		ch, err := f.conn.Session.OpenWaiting(&protocol.Open{Service: l.service, Accept: true,
			In: int64(l.ch.ID())})
		if err != nil {
			return // the session has ended
		}
		f.carrying.Go(func() {
			defer func() { <-f.slots }()
			from, reason := f.comes(l, ch)
			if reason != nil && !f.isDeaf() && l.listens() {
				f.tell("no connection from port " + protocol.Quote(l.place) + ": " +
					(&protocol.RemoteError{Reason: *reason}).Error())
				select { // or it would be asked again at once
				case <-time.After(time.Second):
				case <-f.deaf:
				}
			}
			<-l.waiting
			if reason == nil {
				if c, over := f.begin(protocol.Quote(from), l.words()); c != nil {
					defer over()
					f.conn.Messages.Debug("a connection to %s from %s", protocol.Quote(l.place),
						protocol.Quote(from))
					f.serve(l, ch, c)
					return
				}
			}
			f.drop(ch)
		})
	}
}

// watch tells if a listener ends that nobody has ended here.
func (f *Forwards) watch(l *listener) {
	select {
	case <-f.deaf:
		f.drop(l.ch)
		return
	case <-l.over:
		f.drop(l.ch)
		return
	case <-l.ch.Gone():
	}
	f.forget(l.noted)
	reason := ended(l.ch)
	if f.conn.Session.Err() == nil {
		f.tell(f.conn.Options.Alias + " listens no more on " + protocol.Quote(l.place) + ": " +
			(&protocol.RemoteError{Reason: *reason}).Error())
	}
}

// listens says whether the listener is there.
func (l *listener) listens() bool {
	select {
	case <-l.ch.Gone():
		return false
	case <-l.over:
		return false
	default:
		return true
	}
}

func (f *Forwards) isDeaf() bool {
	select {
	case <-f.deaf:
		return true
	default:
		return false
	}
}

// comes waits for a connection on a channel; the reason says why there is none.
func (f *Forwards) comes(l *listener, ch *mux.Channel) (from string, reason *protocol.Reason) {
	select {
	case e := <-ch.Requests():
		if said, ok := e.Message.(*protocol.Opened); ok {
			return said.From, nil
		}
	case <-f.deaf:
		return "", &protocol.Reason{}
	case <-l.over:
		return "", &protocol.Reason{}
	case <-ch.Gone():
		if len(ch.Requests()) > 0 { // it came, and has ended
			return "", nil
		}
		return "", ended(ch)
	}
	return "", &protocol.Reason{Code: protocol.CodeInternal}
}

// serve connects here for a connection that came there, and carries its bytes. Whoever came is
// reset if that fails.
func (f *Forwards) serve(l *listener, ch *mux.Channel, c *connection) {
	to, answer := l.Target, func(io.Writer, *protocol.Reason) error { return nil }
	program := &stream{ch}
	if l.Dynamic {
		inTime := f.greeting.enter(func() { ch.Close(nil) })
		a, err := readSOCKS(program)
		if !inTime() || err != nil {
			f.conn.Messages.Debug("a SOCKS client of %s: %v", protocol.Quote(l.place), err)
			f.drop(ch)
			return
		}
		to, answer = a.to, a.answer
		f.leads(c, &to)
		if !f.conn.Options.MayOpen(&to) {
			f.tell("PermitRemoteOpen does not let a SOCKS client of " + protocol.Quote(l.place) +
				" connect to " + protocol.Quote(to.String()))
			answer(program, &protocol.Reason{Code: protocol.CodeServiceRefused})
			f.drop(ch)
			return
		}
	}
	conn, err := f.dial(&to, ch)
	if err == nil {
		if err = answer(program, nil); err == nil {
			if err = f.carry(conn, ch); err != nil && f.conn.Session.Err() == nil {
				f.tell(err.Error())
			}
			return
		}
		reset(conn)
	} else {
		answer(program, &protocol.Reason{Code: protocol.CodeConnectFailed})
		switch {
		case errors.Is(err, context.Canceled): // then nobody wants it any more
		case l.service == agentService:
			f.tell("the agent at " + protocol.Quote(to.String()) + " cannot be reached: " +
				report.Plain(err).Error())
		default:
			f.tell(fmt.Sprintf("cannot connect to %s, for a connection to %s of %s: %v",
				protocol.Quote(to.String()), protocol.Quote(l.place), f.conn.Options.Alias,
				report.Plain(err)))
		}
	}
	f.drop(ch)
}

// drop closes the channel of a connection that has no target: the other side resets it.
func (f *Forwards) drop(ch *mux.Channel) {
	ch.Close(nil)
	go drain(ch)
}

// dialTime is how long a connection here may take.
const dialTime = 60 * time.Second

// dial connects to a target here, while the channel is wanted.
func (f *Forwards) dial(to *protocol.Target, ch *mux.Channel) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	made := make(chan struct{})
	defer close(made)
	go func() {
		select {
		case <-f.closing:
		case <-ch.Gone():
		case <-made:
		}
		cancel()
	}()
	var d net.Dialer
	if len(to.Path) > 0 {
		return d.DialContext(ctx, "unix", string(to.Path))
	}
	return names.Dial(ctx, &d, "tcp", to.String())
}

// stream is what a program on the other side says, and is told, over a channel.
type stream struct{ ch *mux.Channel }

var errEnded = errors.New("it has gone")

func (s *stream) Read(p []byte) (int, error) {
	for len(p) > 0 {
		e, err := s.ch.Next(p)
		switch {
		case err != nil:
			return 0, errEnded
		case e.Type != protocol.TypeStdout:
		case e.EOF:
			return 0, io.EOF
		default:
			return e.N, nil
		}
	}
	return 0, nil
}

func (s *stream) Write(p []byte) (int, error) { return s.ch.Write(protocol.TypeStdin, p) }
