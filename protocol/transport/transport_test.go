package transport

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
)

const patience = 10 * time.Second

func envelope(t *testing.T) tls.Certificate {
	t.Helper()
	id, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := keys.Certificate(id)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// loopback returns both ends of a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- conn
	}()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	far = <-accepted
	if far == nil {
		t.Fatal("nothing was accepted")
	}
	for _, conn := range []net.Conn{near, far} {
		conn.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { conn.Close() })
	}
	return near, far
}

func anyHost(*x509.Certificate) error { return nil }

type end struct {
	conn *Conn
	err  error
}

// both does a handshake and returns both ends. change, which may be nil, spoils the daemon's
// profile.
func both(t *testing.T, near, far net.Conn, host, own tls.Certificate,
	verify func(*x509.Certificate) error, change func(*tls.Config)) (client, server end) {
	t.Helper()
	config := ServerConfig(host)
	if change != nil {
		change(config)
	}
	done := make(chan end, 1)
	go func() {
		conn, err := Server(far, config, nil)
		if err != nil {
			far.Close()
		}
		done <- end{conn, err}
	}()
	client.conn, client.err = Client(near, nil, own, verify)
	if client.err != nil {
		near.Close()
	}
	return client, <-done
}

func pair(t *testing.T) (client, server *Conn) {
	t.Helper()
	near, far := loopback(t)
	c, s := both(t, near, far, envelope(t), envelope(t), anyHost, nil)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	return c.conn, s.conn
}

// Each end learns the other's key, both agree on the name, on TLS 1.3, and on the exporter's bytes;
// no ticket is sent (CA1, CA2, ID1).
func TestHandshake(t *testing.T) {
	near, far := loopback(t)
	host, own := envelope(t), envelope(t)
	var shown *x509.Certificate
	c, s := both(t, near, far, host, own, func(cert *x509.Certificate) error {
		shown = cert
		return nil
	}, nil)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	if !bytes.Equal(shown.Raw, host.Certificate[0]) ||
		!bytes.Equal(c.conn.Peer().Raw, host.Certificate[0]) ||
		!bytes.Equal(s.conn.Peer().Raw, own.Certificate[0]) {
		t.Error("an end sees another certificate")
	}
	for _, conn := range []*Conn{c.conn, s.conn} {
		state := conn.secure.ConnectionState()
		if state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "minissh/1" ||
			state.DidResume || state.ServerName != "" {
			t.Errorf("%+v", state)
		}
	}
	a, err := c.conn.Export("EXPORTER-test")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := s.conn.Export("EXPORTER-test")
	other, _ := s.conn.Export("EXPORTER-other")
	if len(a) != 32 || !bytes.Equal(a, b) || bytes.Equal(a, other) {
		t.Errorf("exported %x, %x and %x", a, b, other)
	}
	again, _ := pair(t)
	if c, _ := again.Export("EXPORTER-test"); bytes.Equal(a, c) {
		t.Error("two connections export the same bytes")
	}
}

// A host key that the client does not accept ends the handshake with the client's own reason,
// before the client sends anything that names its key.
func TestHostRefused(t *testing.T) {
	near, far := loopback(t)
	refusal := errors.New("not this host")
	c, s := both(t, near, far, envelope(t), envelope(t), func(*x509.Certificate) error {
		return refusal
	}, nil)
	if !errors.Is(c.err, refusal) || c.conn != nil {
		t.Errorf("the client's error is %v", c.err)
	}
	if s.err == nil {
		t.Error("the daemon's handshake succeeded")
	}
}

// The client too refuses what is not exactly the profile: it does not trust the daemon to check.
func TestHostsOutsideTheProfile(t *testing.T) {
	host := envelope(t)
	for name, change := range map[string]func(*tls.Config){
		"no ALPN":      func(c *tls.Config) { c.NextProtos = nil },
		"another ALPN": func(c *tls.Config) { c.NextProtos = []string{"h2"} },
		"TLS 1.2": func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS12,
				tls.VersionTLS12
		},
		"two certificates": func(c *tls.Config) {
			c.Certificates[0].Certificate = append(c.Certificates[0].Certificate,
				host.Certificate[0])
		},
		"200 certificates": func(c *tls.Config) {
			for range 199 {
				c.Certificates[0].Certificate = append(c.Certificates[0].Certificate,
					host.Certificate[0])
			}
		},
	} {
		near, far := loopback(t)
		asked := false
		c, _ := both(t, near, far, host, envelope(t), func(*x509.Certificate) error {
			asked = true
			return nil
		}, change)
		if c.err == nil {
			t.Errorf("%s: the client went on", name)
		}
		if asked && name != "no ALPN" {
			t.Errorf("%s: the host key was looked at", name)
		}
		t.Logf("%s: %v", name, c.err)
	}
}

// A daemon that does not ask for a certificate gets none, and there is no session; ours always
// asks.
func TestServerInsistsOnACertificate(t *testing.T) {
	near, far := loopback(t)
	done := make(chan error, 1)
	go func() {
		_, err := Server(far, ServerConfig(envelope(t)), nil)
		far.Close()
		done <- err
	}()
	tls.Client(near,
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol.ALPN}}).Handshake()
	if err := <-done; err == nil {
		t.Error("a client without a certificate came in")
	}
}

// Before Authorized no more is read after the handshake than ID8 says, and nothing after that
// error.
func TestLoginLimit(t *testing.T) {
	client, server := pair(t)
	go client.Write(make([]byte, 3*protocol.MaxGreeting))
	n, err := io.Copy(io.Discard, server)
	if n >= protocol.MaxGreeting || !errors.Is(err, ErrTooMuch) {
		t.Errorf("%d bytes and %v", n, err)
	}
	client, server = pair(t)
	server.Authorized()
	go func() { client.Write(make([]byte, 3*protocol.MaxLogin)); client.CloseWrite() }()
	if n, err := io.Copy(io.Discard, server); n != 3*protocol.MaxLogin || err != nil {
		t.Errorf("authorized: %d bytes and %v", n, err)
	}
}

// A client's first frame is readable within the limit, whatever is written with it.
func TestHelloHasARecordOfItsOwn(t *testing.T) {
	for _, size := range []int{2, 300, protocol.MaxHello} {
		client, server := pair(t)
		hello := protocol.AppendFrame(nil, protocol.TypeHello, 0, 0, make([]byte, size))
		rest := bytes.Repeat([]byte("r"), 100_000)
		go client.Write(append(bytes.Clone(hello), rest...))
		got := make([]byte, len(hello))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, hello) {
			t.Fatalf("HELLO of %d bytes: %v", size, err)
		}
		server.Authorized()
		got = make([]byte, len(rest))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, rest) {
			t.Fatalf("what follows: %v", err)
		}
	}
}

// A client written from PROTOCOL.md does not know of that record of its own: it writes HELLO and
// what follows at once, and its TLS makes the largest records of it. HELLO is readable all the
// same, even if only its last byte is in such a record (ID8).
func TestHelloSharesTheLargestRecord(t *testing.T) {
	hello := protocol.AppendFrame(nil, protocol.TypeHello, 0, 0, make([]byte, protocol.MaxHello))
	rest := bytes.Repeat([]byte("r"), 300_000)
	for _, first := range []int{0, 1, len(hello) - 1} {
		client, server := pair(t)
		client.greets = false
		go func() {
			client.Write(hello[:first])
			client.Write(append(bytes.Clone(hello[first:]), rest...))
		}()
		got := make([]byte, len(hello))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, hello) {
			t.Fatalf("%d bytes of HELLO before the rest: %v", first, err)
		}
		server.Authorized()
		got = make([]byte, len(rest))
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, rest) {
			t.Fatalf("what follows: %v", err)
		}
	}
}

// counting counts the writes that reach the socket.
type counting struct {
	net.Conn
	writes int
}

func (c *counting) Write(p []byte) (int, error) { c.writes++; return c.Conn.Write(p) }

// A batch of frames is one system call although it is many TLS records; so are HELLO and what
// follows it.
func TestOneWrite(t *testing.T) {
	near, far := loopback(t)
	counted := &counting{Conn: near}
	c, s := both(t, counted, far, envelope(t), envelope(t), anyHost, nil)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	s.conn.Authorized()
	for _, size := range []int{100_000, 1, 70_000, 200_000} {
		counted.writes = 0
		go io.CopyN(io.Discard, s.conn, int64(size))
		if n, err := c.conn.Write(make([]byte, size)); n != size || err != nil {
			t.Fatal(n, err)
		}
		if counted.writes != 1 {
			t.Errorf("%d bytes took %d writes", size, counted.writes)
		}
	}
}

// Whatever the sizes of writes and reads, the bytes arrive as they went, in both directions at
// once.
func TestAnySizes(t *testing.T) {
	client, server := pair(t)
	server.Authorized()
	text := make([]byte, 2<<20)
	for i := range text {
		text[i] = byte(i * 7 >> 3)
	}
	send := func(conn *Conn, step int) {
		for rest := text; len(rest) > 0; step = step*5%300_007 + 1 {
			n := min(step, len(rest))
			if _, err := conn.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
		conn.CloseWrite()
	}
	receive := func(conn *Conn, step int) error {
		var got bytes.Buffer
		for {
			buf := make([]byte, step)
			n, err := conn.Read(buf)
			got.Write(buf[:n])
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			step = step*3%90_001 + 1
		}
		if !bytes.Equal(got.Bytes(), text) {
			return fmt.Errorf("%d bytes came, not the same", got.Len())
		}
		return nil
	}
	errs := make(chan error, 2)
	go send(client, 1)
	go send(server, 70_000)
	go func() { errs <- receive(server, 1) }()
	go func() { errs <- receive(client, 12) }()
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A client takes Busy for "too many connections", and nothing else.
func TestBusy(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		busy bool
	}{
		"busy":          {string(Busy), true},
		"another alert": {"\x15\x03\x03\x00\x02\x02\x28", false},
		"nothing":       {"", false},
		"ssh":           {"SSH-2.0-OpenSSH_9.9\r\n", false},
		"half of it":    {string(Busy[:4]), false},
		"garbage":       {strings.Repeat("\x00", 100), false},
		"http":          {"HTTP/1.1 400 Bad Request\r\n\r\n", false},
		"a huge handshake": {"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + strings.Repeat("A", 16380),
			false},
		"a flood of alerts": {strings.Repeat("\x15\x03\x03\x00\x02\x01\x5a", 5000), false},
	} {
		near, far := loopback(t)
		go func() {
			io.ReadAtLeast(far, make([]byte, 4096), 500) // the ClientHello
			io.WriteString(far, c.said)
			far.Close()
		}()
		_, err := Client(near, nil, envelope(t), anyHost)
		if err == nil || IsBusy(err) != c.busy {
			t.Errorf("%s: %v", name, err)
		}
	}
	if IsBusy(nil) || IsBusy(io.EOF) {
		t.Error("what is not an alert is busy")
	}
}

// Over a Unix socket there is no TLS and no exporter, and the limit is the same.
func TestPlain(t *testing.T) {
	near, far := loopback(t)
	conn := Plain(far)
	if _, err := conn.Export("x"); err == nil || conn.Peer() != nil {
		t.Error("a Unix socket has neither exporter nor certificate")
	}
	go near.Write(make([]byte, 2*protocol.MaxLogin))
	if n, err := io.Copy(io.Discard, conn); n != protocol.MaxLogin || !errors.Is(err, ErrTooMuch) {
		t.Errorf("%d bytes and %v", n, err)
	}
	conn.Authorized()
	if n, err := io.ReadFull(conn, make([]byte, protocol.MaxLogin)); err != nil {
		t.Errorf("authorized: %d bytes and %v", n, err)
	}
	if _, err := conn.Write([]byte("answer")); err != nil {
		t.Error(err)
	}
	conn.CloseWrite()
	if text, err := io.ReadAll(near); string(text) != "answer" || err != nil {
		t.Errorf("%q and %v", text, err)
	}
}

// A failed write of a corked batch is reported, and Close does not wait for a Write that is stuck.
func TestWriteToADeadPeer(t *testing.T) {
	client, server := pair(t)
	server.Authorized()
	wrote := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, 64<<20)) // more than any socket holds
		wrote <- err
	}()
	if _, err := io.ReadFull(server, make([]byte, 1<<20)); err != nil { // it is under way
		t.Fatal(err)
	}
	client.Close()
	if err := <-wrote; err == nil {
		t.Error("a Write on a closed connection succeeded")
	}
	server.Close()
	client, server = pair(t)
	server.Close()
	for err := error(nil); err == nil; { // until the reset has come back
		_, err = client.Write(make([]byte, 100_000))
	}
}

// Whether a peer's system acknowledges does not depend on the peer: a peer that reads nothing
// answers as soon as something is sent, and no longer answers when nothing came from its system for
// a while.
func TestPeerAnswers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not run: only Linux can be asked")
	}
	raw, _ := loopback(t)
	conn := Plain(raw)
	const within = 30 * time.Millisecond
	for conn.PeerAnswers(within) {
		<-time.After(within / 3) // nobody says anything: in the end that is too long
	}
	if !conn.PeerAnswers(time.Hour) {
		t.Error("its system acknowledged nothing within an hour")
	}
	for tries := 0; !conn.PeerAnswers(within); tries++ {
		if tries == 100 {
			t.Fatal("the peer's system acknowledges nothing")
		}
		conn.Write([]byte("x"))
	}
	if near, _ := net.Pipe(); Plain(near).PeerAnswers(time.Hour) {
		t.Error("an unknown kind of connection answers")
	}
}
