package fakedaemon

import (
	"net"
	"sync"
	"testing"

	"minissh/client/dial"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Memory is a daemon at the other end of a connection in this process.
type Memory struct {
	Dialer *dial.Dialer
	Said   *Messages // what the client says

	far     net.Conn
	session *mux.Session
	served  sync.WaitGroup

	Lines bool // there are shells that are told their lines; else they are refused
}

// NewMemory makes a connection in memory, with TLS on it, whose daemon lets accept serve each
// channel. It ends with the test.
func NewMemory(t *testing.T, accept func(*mux.Channel)) *Memory {
	t.Helper()
	near, far := net.Pipe()
	host, own := NewKey(t), NewKey(t)
	cert, err := keys.Certificate(host)
	if err != nil {
		t.Fatal(err)
	}
	o := &options.Options{
		Alias: "fake", HostName: "fake", Port: protocol.DefaultPort, User: "tester",
		EscapeChar: '~', LogLevel: options.LevelInfo,
	}
	m := &Memory{Said: new(Messages), far: far}
	m.session = mux.New(mux.Config{Role: mux.Daemon, Accept: func(ch *mux.Channel) {
		if ch.Request().Service == "lines" && !m.Lines {
			ch.Close(&protocol.Reason{Code: protocol.CodeServiceRefused})
			return
		}
		accept(ch)
	}})
	m.Dialer = &dial.Dialer{Options: o, Messages: report.New(m.Said, o), Conn: near,
		Host: host.Public, Identity: &own}
	m.served.Go(func() {
		defer far.Close()
		conn, err := transport.Server(far, transport.ServerConfig(cert), nil)
		if err != nil {
			return
		}
		conn.Authorized()
		var hello protocol.Hello
		if f, err := protocol.NewReader(conn).Next(); err == nil && f.Decode(&hello) == nil {
			m.session.Accept(conn, &hello,
				&protocol.Welcome{User: "tester", Home: protocol.Bytes("/home/tester")})
		}
	})
	t.Cleanup(func() {
		near.Close()
		m.Cut()
		m.served.Wait()
		m.session.Close(nil)
		m.session.Wait()
	})
	return m
}

// Connect makes the connection, and nothing on it.
func (m *Memory) Connect(t *testing.T) *dial.Connection {
	t.Helper()
	conn, err := m.Dialer.Dial(t.Context(), func(*mux.Session) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Session.Close(nil) })
	return conn
}

// Cut breaks the connection.
func (m *Memory) Cut() { m.far.Close() }

// Begin accepts a channel's request, with a pty of that name if it is not empty.
func Begin(ch *mux.Channel, tty string) {
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: 1, TTY: protocol.Bytes(tty)})
}

// Exited ends a channel whose command has exited.
func Exited(ch *mux.Channel, code int) {
	ch.End(&protocol.Exit{How: protocol.HowExited, Code: &code})
}
