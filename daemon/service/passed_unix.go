//go:build unix

package service

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptors are those that came with one message.
type descriptors struct{ fds []int }

// receiveMessage takes one message, and the descriptors with it, which the caller closes. A second
// descriptor has no meaning here, and the kernel closes a third.
func receiveMessage(from *net.UnixConn, text []byte) (int, *descriptors, error) {
	control := make([]byte, unix.CmsgSpace(2*4))
	n, nc, _, _, err := from.ReadMsgUnix(text, control)
	if err != nil {
		return 0, nil, err
	}
	d := &descriptors{}
	messages, err := unix.ParseSocketControlMessage(control[:nc])
	if err != nil {
		return n, d, nil
	}
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			d.fds = append(d.fds, fds...)
		}
	}
	return n, d, nil
}

// close closes those that conn has not taken. A file of a file system that hangs may hold it: that
// is the helper's group alone.
func (d *descriptors) close() {
	for _, fd := range d.fds {
		unix.Close(fd)
	}
	d.fds = nil
}

var errNoConnection = errors.New("it is not a connected stream")

// conn makes a connection of the only descriptor. It looks at its kind first, by a call that no
// file system answers: Go's poller would ask a file, which may hang.
func (d *descriptors) conn() (net.Conn, error) {
	if len(d.fds) != 1 {
		return nil, errNoConnection
	}
	kind, err := unix.GetsockoptInt(d.fds[0], unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_STREAM {
		return nil, errNoConnection
	}
	file := os.NewFile(uintptr(d.fds[0]), "connection")
	d.fds = nil
	defer file.Close() // FileConn duplicates it
	c, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		c.Close()
		return nil, err
	}
	return &passed{Conn: c, raw: raw}, nil
}

// passed is a connection whose flags somebody else may change: the helper, and what can look into
// it, share the open file. Each call says by itself that it must not wait; if the descriptor were
// made blocking, a plain read would hold a thread of the daemon's.
type passed struct {
	net.Conn
	raw syscall.RawConn
}

func (p *passed) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	waitErr := p.raw.Read(func(fd uintptr) bool {
		for {
			n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	switch {
	case waitErr != nil:
		return 0, waitErr
	case err != nil:
		return 0, os.NewSyscallError("recv", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (p *passed) Write(b []byte) (done int, err error) {
	for done < len(b) {
		n := 0
		waitErr := p.raw.Write(func(fd uintptr) bool {
			for {
				n, err = unix.SendmsgN(int(fd), b[done:], nil, nil, unix.MSG_DONTWAIT)
				if err != unix.EINTR {
					return err != unix.EAGAIN
				}
			}
		})
		if waitErr != nil {
			return done, waitErr
		}
		if err != nil {
			return done, os.NewSyscallError("send", err)
		}
		done += n
	}
	return done, nil
}

// CloseWrite ends what is sent, and nothing else.
func (p *passed) CloseWrite() error {
	return p.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// SetLinger is net.TCPConn's; on a Unix socket it does nothing.
func (p *passed) SetLinger(seconds int) error {
	if c, ok := p.Conn.(*net.TCPConn); ok {
		return c.SetLinger(seconds)
	}
	return nil
}
