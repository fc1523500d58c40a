package daemon

import (
	"bytes"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol"
)

// A connection that its client wants to have at an older generation: the newest one looks for that,
// and gives it away; the older one takes it.

// passesOn gives a connection to the older generation that its client names, if it names one that
// lives. The connection is untouched, whether it is given away or not.
func (s *Server) passesOn(raw net.Conn) bool {
	h := s.handover
	if !s.elders() {
		return false
	}
	conn, ok := raw.(*net.TCPConn)
	if !ok {
		return false
	}
	hello := peekHello(conn)
	_, after, found := bytes.Cut(hello, []byte(protocol.ForGeneration))
	if !found || len(after) < len(h.name) {
		return false
	}
	h.mu.Lock()
	e := h.older[string(after[:len(h.name)])]
	h.mu.Unlock()
	if e == nil {
		return false
	}
	if e.give(conn) == nil {
		return true
	}
	timer := time.NewTimer(handTime)
	defer timer.Stop()
	select {
	case <-e.gone: // it has just ended, and we know how its sessions did
	case <-timer.C:
	}
	return false
}

// give sends a connection's descriptor.
func (e *elder) give(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		e.conn.SetWriteDeadline(time.Now().Add(handTime))
		_, _, sent = e.conn.WriteMsgUnix([]byte{0}, unix.UnixRights(int(fd)), nil)
	}); err != nil {
		return err
	}
	return sent
}

// peekHello looks at the first TLS record that a client sends, and leaves it in the socket. It is
// nil if that is not a handshake, or too long, or has not come by the connection's deadline.
func peekHello(conn *net.TCPConn) []byte {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	const header, handshake = 5, 0x16
	buf, have := make([]byte, 4096), 0
	whole := func() bool { return have >= header && have >= header+int(buf[3])<<8+int(buf[4]) }
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_PEEK)
			if err == unix.EINTR {
				continue
			}
			if err == unix.EAGAIN {
				return false
			}
			if err != nil || n == 0 || buf[0] != handshake {
				have = 0
				return true
			}
			if n == have {
				return false // a wake for what was seen already
			}
			have = n
			if whole() || have >= protocol.MaxLogin {
				return true
			}
			if have < len(buf) {
				return false // until more has come
			}
			buf, have = append(buf, make([]byte, protocol.MaxLogin-len(buf))...), 0
		}
	})
	if err != nil || !whole() {
		return nil
	}
	return buf[:have]
}

// take serves the connections that a newer generation gives.
func (h *handover) take(from *net.UnixConn) {
	for {
		text, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
		n, rn, _, _, err := from.ReadMsgUnix(text, rights)
		if err != nil || n == 0 {
			h.mu.Lock()
			h.newer = slices.DeleteFunc(h.newer, func(c *net.UnixConn) bool { return c == from })
			h.mu.Unlock()
			from.Close()
			return
		}
		if conn := connOf(rights[:rn]); conn != nil {
			h.s.arrived.Add(1)
			h.s.conns.Go(func() {
				defer h.s.arrived.Add(-1)
				h.s.ServeConn(conn)
			})
		}
	}
}

// connOf is the connection whose descriptor came with a message, nil if none did.
func connOf(control []byte) net.Conn {
	parts, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(parts) != 1 {
		return nil
	}
	fds, err := unix.ParseUnixRights(&parts[0])
	if err != nil || len(fds) != 1 {
		return nil
	}
	f := os.NewFile(uintptr(fds[0]), "connection")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil
	}
	return conn
}
