package dialect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"minissh/cmd/minissh-lab/speak"
)

// perSecond bounds the datagrams that one server answers: a sender's address can
// be forged, and two echo servers that answer each other would never end.
const perSecond = 2000

// ServePacket answers datagrams on pc until ctx ends (nil). It does not close pc.
// Events carry no address; Zh and En of the first recv do.
func (d *Dialect) ServePacket(ctx context.Context, pc net.PacketConn, o Options) error {
	o = o.withDefaults()
	w := &wire{ctx: ctx, o: o}
	stop := context.AfterFunc(ctx, func() { pc.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, o.RecvSize)
	second, count := time.Now(), 0
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil && !cutDatagram(err): // such as a peer's port that is gone
			w.note("收数据报出错："+speak.Clean(err.Error()),
				"receiving: "+speak.Clean(err.Error()))
			if from == nil {
				// an error that stays must not spin
				if err := w.wait(10 * time.Millisecond); err != nil {
					return nil
				}
			}
			continue
		}
		if now := time.Now(); now.Sub(second) > time.Second {
			second, count = now, 0
		}
		if count++; count > perSecond {
			continue
		}
		w.event(Event{Op: Recv, Data: buf[:n], Zh: fmt.Sprint(from), En: fmt.Sprint(from)})
		for _, part := range d.answer(o, buf[:n]) {
			if err := w.wait(o.Pace); err != nil {
				return nil
			}
			w.event(Event{Op: Send, Data: part})
			if _, err := pc.WriteTo(part, from); err != nil {
				w.note("发数据报出错："+speak.Clean(err.Error()),
					"sending: "+speak.Clean(err.Error()))
			}
		}
	}
}

// cutDatagram reports Windows' 10040 (WSAEMSGSIZE): the datagram was longer than
// recvfrom's buffer. Elsewhere the end is lost without a word.
func cutDatagram(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && errno == 10040
}

// forgetLate drops datagrams that came after their question had been given up:
// they do not answer the next one.
func (w *wire) forgetLate() {
	for {
		// a deadline already past would read nothing
		late, err := w.recvWithin(MaxRecv, time.Millisecond)
		if err != nil {
			return
		}
		w.note(fmt.Sprintf("丢掉一个迟到的数据报（%d 字节）", len(late)),
			fmt.Sprintf("dropped a late datagram (%d bytes)", len(late)))
	}
}
