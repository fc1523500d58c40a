package lesson

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// lanLink is dialLink with the segments of an Ethernet: at most 1460 bytes each, where
// loopback's hold tens of thousands. ok says that this system can have it so.
func lanLink(ctx context.Context) (l *link, ok bool, err error) {
	small := func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG,
				lanSegment)
		})
		return errors.Join(err, failed)
	}
	lc := net.ListenConfig{Control: small}
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, false, err
	}
	defer listener.Close()
	d := net.Dialer{Control: small}
	c, err := d.DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return nil, false, err
	}
	s, err := listener.Accept()
	if err != nil {
		c.Close()
		return nil, false, err
	}
	return &link{c.(*net.TCPConn), s.(*net.TCPConn)}, true, nil
}
