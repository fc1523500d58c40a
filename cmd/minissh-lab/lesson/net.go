package lesson

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"minissh/cmd/minissh-lab/chaos/probe"
	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/server"
)

// waitLimit ends a wait for something that loopback does in microseconds.
const waitLimit = 10 * time.Second

// link is the two ends of a loopback connection.
type link struct{ client, server *net.TCPConn }

// dialLink makes one. The caller closes it.
func dialLink() (*link, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	s, err := l.Accept()
	if err != nil {
		c.Close()
		return nil, err
	}
	return &link{c.(*net.TCPConn), s.(*net.TCPConn)}, nil
}

// lanSegment is what one segment carries on an Ethernet: 1500 bytes less 20 of IP and 20
// of TCP (12 less with timestamps).
const lanSegment = 1460

// onLAN says what a LAN does to a message of n bytes, and shows it where that can be.
func (s *Stage) onLAN(n int) error {
	measured := t("（这个系统上量不了）", "(It cannot be measured on this system.)")
	l, ok, err := lanLink(s.Ctx)
	if err != nil {
		return err
	}
	if ok {
		defer l.close()
		if _, err := l.server.Write(make([]byte, n)); err != nil {
			return err
		}
		if err := s.arrived(l.client, n); err != nil {
			return err
		}
		measured = f("这里照局域网设成 %d：一次 send %d 字节，量出来是 %s 个段。",
			"Set to %d here, as on a LAN: one send of %d bytes was %s segments.", lanSegment, n,
			segments(l.server))
	}
	s.Say(t("局域网上还有一件 loopback 看不到的事：一个段最多带 1460 字节（MSS）。",
		"One thing that a LAN shows and loopback does not: a segment carries at most 1460 bytes "+
			"(the MSS). ").plus("", measured).plus("",
		t("段一个一个地到，recv 可能先拿到一部分：半包。",
			" They arrive one by one, and recv may return a part of the message.")))
	return nil
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// recv is Python's recv(n): at most n bytes, whatever is there.
func recv(conn net.Conn, n int) ([]byte, error) {
	b := make([]byte, n)
	conn.SetReadDeadline(time.Now().Add(waitLimit))
	got, err := conn.Read(b)
	if errors.Is(err, io.EOF) {
		return nil, nil // Python's recv returns b''
	}
	return b[:got], err
}

// arrived waits until n bytes are in conn's receive buffer: reading late.
func (s *Stage) arrived(conn net.Conn, n int) error {
	ctx, cancel := context.WithTimeout(s.Ctx, waitLimit)
	defer cancel()
	if probe.Arrived(ctx, conn, n) {
		return nil
	}
	if _, known := probe.Pending(conn); known {
		return fmt.Errorf("%d bytes did not arrive", n)
	}
	// A system that does not tell what waits: give loopback ample time.
	return s.wait(200 * time.Millisecond)
}

// wait lets d go by.
func (s *Stage) wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.Ctx.Done():
		return s.Ctx.Err()
	}
}

// segments is the number of data segments conn has sent, "" when not known.
func segments(conn net.Conn) string {
	if n, ok := probe.Segments(conn); ok {
		return strconv.Itoa(n)
	}
	return ""
}

// serveDialect runs a dialect's server on a free port until stop is called.
func (s *Stage) serveDialect(name string, o dialect.Options) (addr string, stop func(), err error) {
	return s.serveOn("tcp", "127.0.0.1:0", name, o)
}

// serveOn is serveDialect at an address of one's own.
func (s *Stage) serveOn(network, address, name string, o dialect.Options) (addr string, stop func(),
	err error) {
	srv, err := server.Listen(server.Config{Dialect: dialect.Find(name), Network: network,
		Address: address, Options: o})
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(s.Ctx)
	var done sync.WaitGroup
	done.Go(func() { srv.Serve(ctx) })
	return srv.Addr().String(), func() { cancel(); done.Wait() }, nil
}

// slowLink forwards connections to addr and lets every byte take delay each way.
func (s *Stage) slowLink(addr string, delay time.Duration) (string, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(s.Ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", addr)
			if err != nil {
				a.Close()
				continue
			}
			stop := context.AfterFunc(ctx, func() { a.Close(); b.Close() })
			done.Go(func() { delayed(ctx, b, a, delay); b.(*net.TCPConn).CloseWrite() })
			done.Go(func() { delayed(ctx, a, b, delay); a.Close(); b.Close(); stop() })
		}
	})
	return l.Addr().String(), func() { cancel(); l.Close(); done.Wait() }, nil
}

// delayed copies what comes from src to dst, each piece after delay. A question and
// its answer are all that travels, so pieces never overtake each other.
func delayed(ctx context.Context, dst io.Writer, src io.Reader, delay time.Duration) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			t := time.NewTimer(delay)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return
			}
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// tempDir is a short path, as a Unix socket's name has about 100 bytes.
func tempDir() (string, func(), error) {
	dir, err := os.MkdirTemp("", "lab")
	return dir, func() { os.RemoveAll(dir) }, err
}
