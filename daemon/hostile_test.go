//go:build unix

package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
)

// A hostile beginning has a stated end: what the peer sees ("closed", "alert …" or "ERROR code"),
// and what the log says.
type beginning struct {
	name   string
	change func(*Options)
	do     func(*lab) string // gives the end that was seen
	end    string
	log    string // "Connection closed from … [preauth]" and this
}

// ended reads a connection to its end, and returns that in words.
func ended(conn io.Reader) string {
	var said [16]byte
	n, err := io.ReadFull(conn, said[:])
	switch {
	case n == 7 && said[0] == 0x15 && said[1] == 3:
		return fmt.Sprintf("alert %d", said[6])
	case n == 0 && isEnd(err):
		return "closed"
	}
	return fmt.Sprintf("%x and %v", said[:n], err)
}

// says sends bytes in the clear.
func says(text string) func(*lab) string {
	return func(l *lab) string {
		conn := l.dial()
		defer conn.Close()
		io.WriteString(conn, text)
		return ended(conn)
	}
}

// tlsEnd does a TLS handshake of the test's own and reads to the end: the alert is in the error.
func (l *lab) tlsEnd(id keys.Identity, change func(*tls.Config)) string {
	raw := l.dial()
	defer raw.Close()
	envelope, err := keys.Certificate(id)
	if err != nil {
		l.t.Fatal(err)
	}
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol.ALPN},
		Certificates: []tls.Certificate{envelope}}
	change(config)
	conn := tls.Client(raw, config)
	if err = conn.Handshake(); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	var alert *net.OpError
	switch {
	case errors.As(err, &alert) && alert.Op == "remote error":
		return alert.Err.Error()
	case isEnd(err):
		return "closed"
	}
	return fmt.Sprint(err)
}

// tlsWith is tlsEnd as an entry of the table.
func tlsWith(change func(*tls.Config)) func(*lab) string {
	return func(l *lab) string { return l.tlsEnd(l.guest, change) }
}

// firstFrames logs in through TLS with some bytes of its own, and tells the ERROR.
func firstFrames(id func(*lab) keys.Identity, frames ...[]byte) func(*lab) string {
	return func(l *lab) string {
		p := l.knock(id(l))
		p.send(frames...)
		reason := p.wantError()
		if reason.Message == "" {
			l.t.Error("an ERROR without a message")
		}
		return "ERROR " + string(reason.Code)
	}
}

func asGuest(l *lab) keys.Identity    { return l.guest }
func asStranger(l *lab) keys.Identity { return l.stranger }

func shortGrace(o *Options) { o.LoginGrace = time.Second }

func certificates(n int) func(*tls.Config) {
	return func(c *tls.Config) {
		one := c.Certificates[0].Certificate[0]
		for range n - 1 {
			c.Certificates[0].Certificate = append(c.Certificates[0].Certificate, one)
		}
	}
}

var beginnings = []beginning{
	{name: "garbage", do: says(strings.Repeat("\x9b\xff\x00\x1b", 100)), end: "closed", log: "does not look like a TLS handshake"},
	{name: "http", do: says("GET / HTTP/1.1\r\nHost: localhost:7422\r\n\r\n"), end: "closed", log: "does not look like a TLS handshake"},
	{name: "ssh banner", do: says("SSH-2.0-OpenSSH_9.9\r\n"), end: "closed", log: "does not look like a TLS handshake"},
	{name: "SSLv2", do: says("\x80\x2e\x01\x00\x02" + strings.Repeat("\x00", 60)), end: "alert 70", log: "unsupported SSLv2 handshake"},
	{name: "nothing at all", do: says(""), change: shortGrace, end: "closed", log: "timeout"},
	{name: "gone at once", do: func(l *lab) string { l.dial().Close(); return "" }, log: "error="},
	{name: "half a ClientHello", do: says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"), change: shortGrace, end: "closed", log: "timeout"},
	{name: "a handshake message of 16 MiB",
		do:  says("\x16\x03\x01\x01\x00\x01\xff\xff\xff" + strings.Repeat("A", 252)),
		end: "alert 80", log: "handshake message of length 16777215 bytes"},
	{name: "a ClientHello without end",
		do: says("\x16\x03\x01\x40\x00\x01\x00\xff\xff" + strings.Repeat("A", 16380) +
			"\x16\x03\x01\x40\x00" + strings.Repeat("A", 16384)), end: "closed",
		log: "too many bytes before authorization"},
	{name: "half-open handshake", do: halfOpen, change: shortGrace, end: "closed", log: "timeout"},
	{name: "TLS 1.2", do: tlsWith(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }),
		end: "tls: protocol version not supported", log: "unsupported versions"},
	{name: "no ALPN", do: tlsWith(func(c *tls.Config) { c.NextProtos = nil }), end: "closed", log: "did not agree to speak minissh/1"},
	{name: "another ALPN", do: tlsWith(func(c *tls.Config) { c.NextProtos = []string{"h2"} }),
		end: "tls: no application protocol", log: "unsupported application protocols"},
	{name: "no certificate", do: tlsWith(func(c *tls.Config) { c.Certificates = nil }),
		end: "tls: certificate required", log: "client didn't provide a certificate"},
	{name: "two certificates", do: tlsWith(certificates(2)), end: "closed", log: "presents 2 certificates instead of one"},
	{name: "200 certificates", do: tlsWith(certificates(200)), end: "closed", log: "too many bytes before authorization"},
	{name: "a wrong key", do: firstFrames(asStranger, hello(nil)), end: "ERROR key_not_authorized", log: "Failed publickey for "},
	{name: "an unknown user",
		do:  firstFrames(asGuest, hello(func(h *protocol.Hello) { h.User = "root" })),
		end: "ERROR key_not_authorized", log: "Failed publickey for "},
	{name: "no HELLO", do: firstFrames(asGuest), change: shortGrace, end: "ERROR login_timeout", log: "login_timeout"},
	{name: "half a HELLO", do: firstFrames(asGuest, hello(nil)[:40]), change: shortGrace, end: "ERROR login_timeout", log: "login_timeout"},
	{name: "a length of 4 GiB",
		do:  firstFrames(asGuest, []byte("\xff\xff\xff\xff\x81\x00\x00\x00\x00\x00\x00\x00")),
		end: "ERROR frame_too_large", log: "frame_too_large"},
	{name: "a HELLO of 8,193 bytes",
		do: firstFrames(asGuest,
			text(protocol.TypeHello, 0, `{"a":"`+strings.Repeat("a", 8185)+`"}`)),
		end: "ERROR frame_too_large", log: "frame_too_large"},
	{name: "duplicate keys in HELLO",
		do:  firstFrames(asGuest, text(protocol.TypeHello, 0, `{"user":"tester","user":"root"}`)),
		end: "ERROR bad_json", log: "is there twice"},
	{name: "keys in another case",
		do:  firstFrames(asGuest, text(protocol.TypeHello, 0, `{"user":"tester","USER":"root"}`)),
		end: "ERROR bad_json", log: "bad_json"},
	{name: "HELLO is not an object", do: firstFrames(asGuest, text(protocol.TypeHello, 0, `[1]`)), end: "ERROR bad_json", log: "bad_json"},
	{name: "HELLO of wrong types", do: firstFrames(asGuest, text(protocol.TypeHello, 0, `{"epoch":"one"}`)), end: "ERROR bad_json", log: "bad_json"},
	{name: "another protocol",
		do:  firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Protocol = "minissh/9" })),
		end: "ERROR unsupported_protocol", log: "unsupported_protocol"},
	{name: "a short session name", do: firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Session = "5f" })), end: "ERROR bad_hello", log: "bad_hello"},
	{name: "epoch 0", do: firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Epoch = 0 })), end: "ERROR bad_hello", log: "bad_hello"},
	{name: "seventeen keys",
		do:  firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Keys = make([]string, 17) })),
		end: "ERROR bad_hello", log: "bad_hello"},
	{name: "a session that is not there",
		do:  firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Epoch, h.Create = 2, false })),
		end: "ERROR session_unknown", log: "session_unknown"},
	{name: "received what was never sent", do: firstFrames(asGuest, hello(func(h *protocol.Hello) { h.Received = 7 })), end: "ERROR resume_mismatch", log: ""},
	{name: "OPEN before HELLO", do: firstFrames(asGuest, open(1, "touch pwned")), end: "ERROR unexpected_frame", log: "OPEN before HELLO"},
	{name: "an unknown type first", do: firstFrames(asGuest, text(0xf8, 0, `{}`)), end: "ERROR unknown_type", log: "unknown_type"},
	{name: "streams while it is refused", do: refusedWhileStreaming, end: "ERROR key_not_authorized", log: "Failed publickey for "},
}

// halfOpen sends a real ClientHello and then nothing.
func halfOpen(l *lab) string {
	conn := l.dial()
	defer conn.Close()
	tls.Client(firstWriteOnly{conn},
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol.ALPN}}).Handshake()
	io.CopyN(io.Discard, conn, 1) // the daemon's answer has come
	for {
		var rest [4096]byte
		if _, err := conn.Read(rest[:]); err != nil {
			if isEnd(err) {
				return "closed"
			}
			return err.Error()
		}
	}
}

// firstWriteOnly lets a TLS client say its first words, and then makes its writes fail.
type firstWriteOnly struct{ net.Conn }

var errEnough = errors.New("enough")

func (firstWriteOnly) Read([]byte) (int, error) { return 0, errEnough }

// refusedWhileStreaming sends megabytes after a HELLO that is refused, and only then reads: the
// ERROR must still be there (RULES A4).
func refusedWhileStreaming(l *lab) string {
	p := l.knock(l.stranger)
	p.send(hello(nil))
	piece := protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1, make([]byte, protocol.MaxPayload))
	for range 64 {
		if _, err := p.conn.Write(piece); err != nil {
			break // the failed write is not the reason
		}
	}
	return "ERROR " + string(p.wantError().Code)
}

func TestHostileBeginnings(t *testing.T) {
	for _, b := range beginnings {
		t.Run(b.name, func(t *testing.T) {
			l := newLab(t, b.change)
			before, logged := l.warm(), len(l.log.String())
			if end := b.do(l); end != b.end {
				t.Errorf("the end is %q instead of %q\n%s", end, b.end, l.log)
			}
			lines := 1 // of a connection that fails before the login
			switch {
			case b.log == "":
				l.log.want(t, "Disconnected from 127.0.0.1 port ",
					strings.TrimPrefix(b.end, "ERROR "))
				lines = 2
			case strings.HasPrefix(b.log, "Failed"):
				l.log.want(t, b.log, " from 127.0.0.1 port ")
			default:
				l.log.want(t, "Connection closed from 127.0.0.1 port ", "[preauth]", b.log)
			}
			settle(t, before)
			if text := l.log.String()[logged:]; strings.Count(text, "\n") != lines {
				t.Errorf("the log has more than %d lines of it:\n%s", lines, text)
			}
			if out, _ := l.run("echo still there"); out != "still there\n" {
				t.Errorf("afterwards echo gives %q", out)
			}
			settle(t, before)
		})
	}
}

// The refusal of a key names another of the client's keys that would be accepted, and has the same
// words whether the user exists or not (ID6).
func TestRefusalNamesAKeyThatWouldDo(t *testing.T) {
	l := newLab(t, nil)
	refused := func(user string, offered ...string) *protocol.Reason {
		p := l.knock(l.stranger)
		p.send(hello(func(h *protocol.Hello) { h.User, h.Keys = user, offered }))
		return p.wantError()
	}
	would := keys.Fingerprint(l.guest.Public)
	if r := refused(user, "SHA256:nonsense", would); r.Key != would {
		t.Errorf("the refusal names %q", r.Key)
	}
	plain := refused(user)
	for _, r := range []*protocol.Reason{refused("nobody\nfrom 1.2.3.4", would),
		refused(user, "SHA256:nonsense")} {
		if *r != *plain {
			t.Errorf("%+v differs from %+v", r, plain)
		}
	}
	l.log.want(t, "Failed publickey for tester from 127.0.0.1 port ",
		"ED25519 "+keys.Fingerprint(l.stranger.Public))
	l.log.want(t, `invalid user \"nobody\\nfrom\\x201.2.3.4\" from 127.0.0.1`)
	if strings.Contains(l.log.String(), "\nfrom") {
		t.Error("a user name broke a line of the log")
	}
}

// Each Accept is in the log in sshd's words, before anything of the session runs.
func TestAcceptedIsLogged(t *testing.T) {
	l := newLab(t, nil)
	l.run("exit 3")
	l.log.want(t, "Accepted publickey for tester from 127.0.0.1 port ",
		"ED25519 "+keys.Fingerprint(l.guest.Public), "listed=test:1")
	l.log.want(t, "Starting command for tester from 127.0.0.1", `command="exit 3"`)
	l.log.want(t, "Command ended for tester from 127.0.0.1", "how=exited", "code=3")
	l.log.want(t, "Disconnected from 127.0.0.1", "reason=goodbye")
}

// A command of any size that fits in a frame may travel with HELLO (SE3), although little is read
// before authorization (ID8).
func TestLargeOpenTravelsWithHello(t *testing.T) {
	for _, size := range []int{100, 10_000, 16_300, 20_000, 60_000} {
		l := newLab(t, nil)
		var ch *mux.Channel
		s := l.session(func(s *mux.Session) {
			ch = shell(t, s, "printf %s '"+strings.Repeat("x", size)+"' | wc -c")
		})
		if r := collect(t, ch); strings.TrimSpace(r.out) != fmt.Sprint(size) {
			t.Errorf("%d bytes: %+v", size, r)
		}
		s.Close(nil)
	}
}
