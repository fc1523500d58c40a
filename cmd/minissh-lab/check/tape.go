package check

import (
	"net"
	"time"

	"minissh/cmd/minissh-lab/check/cause"
)

// maxTape is how much of what a program sends is kept for the diagnosis: more than the largest
// file of a case, in bytes.
const maxTape = 2 << 20

// drainPause is the silence after which all of a message has come.
const drainPause = 200 * time.Millisecond

// tape is a connection that remembers what came since the last rewind. One goroutine at a time
// reads from it.
type tape struct {
	net.Conn
	came []byte
}

func (t *tape) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.came = append(t.came, b[:min(n, maxTape-len(t.came))]...)
	return n, err
}

// rewind forgets what has come: a new message begins.
func (t *tape) rewind() { t.came = nil }

// drain reads what is still coming, until there is silence, and returns all since the last rewind.
func (t *tape) drain() []byte {
	buf := make([]byte, 32<<10)
	for end := time.Now().Add(DefaultLimit); time.Now().Before(end) && len(t.came) < maxTape; {
		t.Conn.SetReadDeadline(time.Now().Add(drainPause))
		if _, err := t.Read(buf); err != nil {
			break
		}
	}
	return t.came
}

// raw is the connection itself: what looks into sockets wants it.
func raw(conn net.Conn) net.Conn {
	if t, ok := conn.(*tape); ok {
		return t.Conn
	}
	return conn
}

// keep makes a tape of a new connection.
func (a *attack) keep(conn net.Conn) *tape {
	t := &tape{Conn: conn}
	a.conns = append(a.conns, t)
	return t
}

// closeWrite ends the lab's sending side.
func closeWrite(conn net.Conn) error {
	half, ok := raw(conn).(interface{ CloseWrite() error })
	if !ok {
		return &Skipped{tx("这里做不到半关闭", "a half-close is not possible here")}
	}
	return half.CloseWrite()
}

// kindOf is how a dialect marks the ends of its answers.
func kindOf(name string) cause.Kind {
	switch name {
	case "simple":
		return cause.Length
	case "ultimate", "file", "oo":
		return cause.Header
	case "ack":
		return cause.Decimal
	}
	return cause.Raw
}
