package daemon

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"minissh/protocol"
)

// tcpEnds are the two ends of a TCP connection on loopback.
func tcpEnds(t *testing.T) (near net.Conn, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); accepted.Close() })
	return near, accepted.(*net.TCPConn)
}

// clientHello is what a client sends first that names a generation.
func clientHello(t *testing.T, generation string) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go tls.Client(far, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol.ALPN,
		protocol.ForGeneration + generation}}).Handshake()
	defer far.Close()
	header := make([]byte, 5)
	if _, err := io.ReadFull(near, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(header[3])<<8+int(header[4]))
	if _, err := io.ReadFull(near, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

// RE9: the ClientHello is looked at, however its bytes come, and stays in the socket; no longer
// than the deadline, and no further than 16,384 bytes.
func TestPeekHello(t *testing.T) {
	whole := clientHello(t, "0123456789abcdef")
	for name, c := range map[string]struct {
		pieces [][]byte
		want   []byte
	}{
		"at once":        {[][]byte{whole}, whole},
		"with more":      {[][]byte{append(bytes.Clone(whole), 1, 2, 3)}, whole},
		"header first":   {[][]byte{whole[:5], whole[5:]}, whole},
		"byte by byte":   {append(split(whole[:200]), whole[200:]), whole},
		"half":           {[][]byte{whole[:len(whole)/2]}, nil},
		"nothing":        {nil, nil},
		"another record": {[][]byte{append([]byte{0x17}, whole[1:]...)}, nil},
		"not TLS":        {[][]byte{[]byte("GET / HTTP/1.1\r\n\r\n")}, nil},
		"too long": {[][]byte{append([]byte{0x16, 3, 1, 0xff, 0xff},
			make([]byte, 1<<16)...)}, nil},
	} {
		near, far := tcpEnds(t)
		far.SetReadDeadline(time.Now().Add(10 * time.Second))
		if c.want == nil {
			far.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
		go func() {
			for _, piece := range c.pieces {
				near.Write(piece)
				<-time.After(time.Millisecond)
			}
		}()
		got := peekHello(far)
		if c.want == nil != (got == nil) || !bytes.HasPrefix(got, c.want) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(c.want))
			continue
		}
		if c.want == nil {
			continue
		}
		far.SetReadDeadline(time.Now().Add(10 * time.Second))
		again := make([]byte, len(whole))
		if _, err := io.ReadFull(far, again); err != nil || !bytes.Equal(again, whole) {
			t.Errorf("%s: what was looked at is gone: %v", name, err)
		}
	}
	if protocol.MaxLogin != 16384 {
		t.Error("RE9 says 16,384 bytes")
	}
}

func split(data []byte) (pieces [][]byte) {
	for i := range data {
		pieces = append(pieces, data[i:i+1])
	}
	return pieces
}
