package daemon

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
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

// In the directory where generations meet, nothing is removed but their own sockets; and it is
// nobody else's, nor a link to another one.
func TestHandoverTouchesNothingElse(t *testing.T) {
	l := newLab(t, nil)
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(private, "c.daemons")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	longAgo := time.Now().Add(-time.Hour)
	for _, name := range []string{"passwd", "id.txt", "0123456789abcdef.desk", "0123456789abcdef"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(filepath.Join(dir, name), longAgo, longAgo)
	}
	dead := filepath.Join(dir, "fedcba9876543210.desk")
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead})
	if err != nil {
		t.Fatal(err)
	}
	socket.SetUnlinkOnClose(false)
	socket.Close()
	os.Chtimes(dead, longAgo, longAgo)
	if err := l.Handover(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"passwd", "id.txt", "0123456789abcdef.desk", "0123456789abcdef"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(dead); err == nil {
		t.Error("what a dead daemon has left is still there")
	}
	link := filepath.Join(private, "link.daemons")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := newLab(t, nil).Handover(link); err == nil {
		t.Error("a link is taken for the directory")
	}
	open := filepath.Join(private, "open")
	os.Mkdir(open, 0o700)
	os.Chmod(open, 0o777)
	if err := newLab(t, nil).Handover(filepath.Join(open, "c.daemons")); err == nil {
		t.Error("a directory is used in one where others may write")
	}
}
