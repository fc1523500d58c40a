package dialect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// wire is one end of a connection while it is served, or during one Exchange. It
// is owned by one goroutine.
type wire struct {
	ctx    context.Context
	conn   net.Conn
	o      Options // with its defaults filled in
	server bool
	rest   []byte // taken from the connection, not yet used: the next recv gives it
	first  []byte // server: the first bytes of the connection, until they are known not to be HTTP
}

// newWire prepares conn. When ctx ends, whatever waits on conn fails; done ends
// the watch.
func newWire(ctx context.Context, conn net.Conn, o Options) (w *wire, done func()) {
	w = &wire{ctx: ctx, conn: conn, o: o.withDefaults()}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return w, func() { stop() }
}

func (o Options) withDefaults() Options {
	if o.RecvSize <= 0 {
		o.RecvSize = 1024
	}
	o.RecvSize = min(o.RecvSize, MaxRecv)
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Ack == "" {
		o.Ack = AckText
	}
	if o.MaxData <= 0 {
		o.MaxData = 64 << 20
	}
	return o
}

// recv is Python's recv(n): at most n bytes, at least one, whatever has come. The
// peer's end is io.EOF; ErrSilent after Options.Timeout.
func (w *wire) recv(n int) ([]byte, error) { return w.recvWithin(n, w.o.Timeout) }

func (w *wire) recvWithin(n int, patience time.Duration) ([]byte, error) {
	if len(w.rest) > 0 {
		b := w.rest[:min(n, len(w.rest))]
		w.rest = w.rest[len(b):]
		return b, nil
	}
	b := make([]byte, n)
	w.conn.SetReadDeadline(time.Now().Add(patience))
	if err := w.ctx.Err(); err != nil { // after the deadline: ctx may have set its own just before
		return nil, err
	}
	got, err := w.conn.Read(b)
	if got > 0 {
		w.event(Event{Op: Recv, Data: b[:got]})
		return b[:got], w.refuseBrowser(b[:got])
	}
	if err == nil { // an empty datagram; a stream never gives that
		w.event(Event{Op: Recv, Data: b[:0]})
		return b[:0], nil
	}
	if errors.Is(err, io.EOF) {
		w.event(Event{Op: Recv})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && w.ctx.Err() == nil {
		err = ErrSilent
	}
	return nil, err
}

// recvExact is the loop that the course forgets around recv(4): exactly n bytes,
// or io.ErrUnexpectedEOF. Memory grows with what arrives, not with what was
// announced.
func (w *wire) recvExact(n int) ([]byte, error) {
	var all bytes.Buffer
	for all.Len() < n {
		b, err := w.recv(min(n-all.Len(), 32*1024))
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // it promised n bytes
			}
			return all.Bytes(), err
		}
		all.Write(b)
	}
	return all.Bytes(), nil
}

// unread gives b back: the next recv begins with it.
func (w *wire) unread(b []byte) {
	if len(b) > 0 {
		w.rest = append(append([]byte(nil), b...), w.rest...)
	}
}

// send hands all of b to the system in one write. Nothing is sent for no bytes, as
// with Python's send(b”).
func (w *wire) send(b []byte) error {
	w.event(Event{Op: Send, Data: b})
	if len(b) == 0 {
		return nil
	}
	w.conn.SetWriteDeadline(time.Now().Add(w.o.Timeout))
	if err := w.ctx.Err(); err != nil {
		return err
	}
	_, err := w.conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) && w.ctx.Err() == nil {
		err = ErrSilent
	}
	return err
}

// reply is a server's send, after the pace.
func (w *wire) reply(b []byte) error {
	if err := w.wait(w.o.Pace); err != nil {
		return err
	}
	return w.send(b)
}

// wait lets d go by, or fails when ctx ends.
func (w *wire) wait(d time.Duration) error {
	if d <= 0 {
		return w.ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

// recvLength takes a length of four bytes.
func (w *wire) recvLength(max int64) (int, error) {
	b, err := w.recv(LengthSize)
	if err != nil {
		return 0, err // io.EOF here is an end between two messages
	}
	w.unread(b)
	if b, err = w.recvExact(LengthSize); err != nil {
		return 0, err
	}
	return DecodeLength(w.o.BigEndian, b, max)
}

// recvHeader takes a length, then a JSON header of that length.
func (w *wire) recvHeader() (*Header, error) {
	n, err := w.recvLength(MaxHeader)
	if err != nil {
		return nil, err
	}
	raw, err := w.recvExact(n)
	if err != nil {
		return nil, err
	}
	return ParseHeader(raw)
}

// command is the client's one write of a line.
func (w *wire) command(line string) error {
	b, err := w.encodeCommand(line)
	if err != nil {
		return err
	}
	return w.send(b)
}

// encodeCommand checks and encodes what was typed.
func (w *wire) encodeCommand(line string) ([]byte, error) {
	line = strings.TrimSpace(line)
	b := w.o.encode(line)
	switch {
	case line == "":
		return nil, ErrEmpty
	case len(b) > MaxCommand:
		return nil, ErrLong
	}
	return b, nil
}

// nextCommand is the server's one recv, taken for one command. An ack that nobody
// waits for is skipped, alone or stuck to the command: some copies send one in
// every dialect.
func (w *wire) nextCommand() (string, error) {
	for {
		b, err := w.recv(w.o.RecvSize)
		if err != nil {
			return "", err
		}
		line, stray := strings.CutPrefix(strings.TrimSpace(w.o.decode(b)), AckText)
		if stray {
			w.note("跳过一个没人等的 recv_ready", "skipped a recv_ready that nobody waits for")
		}
		if line != "" || !stray {
			return strings.TrimSpace(line), nil
		}
	}
}

func (w *wire) event(e Event) {
	if w.o.Events != nil {
		w.o.Events(e)
	}
}

func (w *wire) note(zh, en string) { w.event(Event{Op: Note, Zh: zh, En: en}) }
