package live

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"minissh/cmd/minissh-lab/folder"
	"minissh/cmd/minissh-lab/web/record"
	"minissh/daemon"
	"minissh/daemon/access"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Limits of one run.
const (
	patience  = 15 * time.Second
	commandMS = 5000
	account   = "student" // what the lab's daemon calls the one account that it serves
)

// ErrUnknown is a command that is not on the list.
var ErrUnknown = errors.New("the command is not on the list")

// Result is one run: both directions, which share one clock, and how the command ended.
type Result struct {
	Command Command         `json:"command"`
	Sides   []*record.Trace `json:"sides"` // up (client to daemon), down
	Exit    *protocol.Exit  `json:"exit"`
}

// Run runs a command of the list.
func Run(ctx context.Context, name string) (*Result, error) {
	command, ok := Find(name)
	if !ok {
		return nil, ErrUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	home, err := folder.Temp()
	if err != nil {
		return nil, err
	}
	defer home.Close()
	a, b, err := record.Pair(ctx)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	up, down := &flow{start: start}, &flow{start: start}
	client, server := &tap{a, up, down}, &tap{b, down, up}
	defer client.Close()
	host, stop, err := serve(server, home.Path())
	if err != nil {
		server.Close()
		return nil, err
	}
	exit, err := host.run(ctx, client, command)
	stop() // both taps are at rest after it
	if err != nil {
		return nil, err
	}
	r := &Result{Command: command, Exit: exit}
	for _, d := range []struct {
		name string
		*flow
	}{{"up", up}, {"down", down}} {
		t, err := d.trace()
		if err != nil {
			return nil, err
		}
		t.Name, t.NoDelay = d.name, true
		t.Right = exit.How == protocol.HowExited
		r.Sides = append(r.Sides, t)
	}
	return r, nil
}

// ends are the keys of a run: both live in memory alone.
type ends struct{ host, guest keys.Identity }

// serve starts a daemon for one connection. stop ends it and waits.
func serve(conn net.Conn, home string) (e *ends, stop func(), err error) {
	e = &ends{}
	if e.host, err = keys.Generate(); err != nil {
		return nil, nil, err
	}
	if e.guest, err = keys.Generate(); err != nil {
		return nil, nil, err
	}
	who, err := process.CurrentAccount()
	if err != nil {
		return nil, nil, err
	}
	who.Name, who.Home, who.Shell = account, home, shell(who.Shell)
	d, err := daemon.New(daemon.Options{
		Rules:   access.Rules{Account: who, Access: e},
		HostKey: e.host, Software: "minissh-lab",
		StopGrace: time.Second, ShutdownGrace: time.Millisecond,
	})
	if err != nil {
		return nil, nil, err
	}
	served := make(chan struct{})
	go func() { defer close(served); d.ServeConn(conn) }()
	return e, func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		d.Shutdown(now)
		<-served
	}, nil
}

// Authorize lets in the key that this run made, and no other.
func (e *ends) Authorize(who *access.Client) (*access.Grant, error) {
	if who.User != account || keys.Fingerprint(who.Proof.Key) != keys.Fingerprint(e.guest.Public) {
		return nil, errors.New("not the key of this run")
	}
	return &access.Grant{Where: "lab"}, nil
}

func (e *ends) WouldDo(*access.Client, []string) string { return "" }
func (e *ends) AnyoneCould() bool                       { return true }

// run is the client: it logs in, runs the command, takes its output, and leaves.
func (e *ends) run(ctx context.Context, raw *tap, command Command) (*protocol.Exit, error) {
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	own, err := keys.Certificate(e.guest)
	if err != nil {
		return nil, err
	}
	conn, err := transport.Client(raw, nil, own, func(c *x509.Certificate) error {
		key, err := keys.FromCertificate(c)
		if err == nil && keys.Fingerprint(key) != keys.Fingerprint(e.host.Public) {
			err = errors.New("not the host key of this run")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	raw.out.begin()
	raw.in.begin()
	session := mux.New(mux.Config{Role: mux.Client, Trace: func(d mux.Direction, f protocol.Frame) {
		to := raw.out
		if d == mux.Received {
			to = raw.in
		}
		to.frame(f)
	}})
	defer session.Wait()
	defer session.Close(nil)
	ch, err := session.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes(command.Line),
		Timeout: commandMS})
	if err != nil {
		return nil, err
	}
	if err := ch.EOF(protocol.TypeStdin); err != nil {
		return nil, err
	}
	if _, err := session.Connect(conn,
		&protocol.Hello{User: account, Software: "minissh-lab"}); err != nil {
		return nil, err
	}
	return follow(ctx, ch)
}

// follow takes what the command says until its end.
func follow(ctx context.Context, ch *mux.Channel) (exit *protocol.Exit, err error) {
	buf := make([]byte, protocol.MaxPayload)
	for {
		e, err := ch.Next(buf)
		if err == io.EOF && exit != nil {
			return exit, ch.Close(nil)
		}
		if err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		switch m := e.Message.(type) {
		case *protocol.Exit:
			exit = m
		case *protocol.Reason:
			if exit == nil {
				return nil, &protocol.RemoteError{Reason: *m}
			}
		}
	}
}

// begin says that TLS is ready: what is sent from now on carries frames.
func (f *flow) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = len(f.wire)
}

// frame writes down a frame that the client wrote or read.
func (f *flow) frame(x protocol.Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.plain)+protocol.HeaderSize+len(x.Payload) > maxWire {
		f.over = true
		return
	}
	from := len(f.plain)
	f.plain = protocol.AppendFrame(f.plain, x.Type, x.Flags, x.Channel, x.Payload)
	f.frames = append(f.frames, record.Event{At: f.now(), Kind: record.KindFrame,
		N: len(f.frames) + 1, From: from, To: len(f.plain)})
}

// trace is the direction as the page shows it.
func (f *flow) trace() (*record.Trace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return nil, errors.New("more bytes than are kept")
	}
	fields, frames, err := label(f.plain)
	if err != nil {
		return nil, err
	}
	places, err := spans(f.wire, f.text, len(f.plain))
	if err != nil {
		return nil, fmt.Errorf("%w (%d bytes of TLS, %d of frames)", err, len(f.wire)-f.text,
			len(f.plain))
	}
	t := &record.Trace{Framing: "tls", Bytes: f.plain, Fields: fields, Sent: frames,
		Got: []record.Message{}, Segments: -1, Buffer: f.buffer, Setup: f.text}
	t.Events = append(translate(places, f.events), f.frames...)
	slices.SortStableFunc(t.Events, func(a, b record.Event) int { return cmp.Compare(a.At, b.At) })
	if f.known {
		t.Segments = 0
		for _, e := range t.Events {
			t.Segments += e.Count
		}
	}
	return t, nil
}
