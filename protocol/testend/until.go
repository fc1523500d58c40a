package testend

import (
	"net"
	"testing"
	"time"
)

// waits is how long a test waits: a machine may be busy.
const waits = time.Minute

// Until waits until it is so, and fails the test if that takes too long; what says what it waits
// for. It is for what gives no event, such as a foreign process.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	over := time.After(waits)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-over:
			t.Fatalf("after %v it is still not so: %s", waits, what)
		}
	}
}

// Next returns what comes next over a channel, zero once it is closed, and fails the test if that
// takes too long; what says what it waits for.
func Next[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	over := time.NewTimer(waits)
	defer over.Stop()
	select {
	case next := <-from:
		return next
	case <-over.C:
		t.Fatalf("after %v it has still not come: %s", waits, what)
		panic("unreachable")
	}
}

// Accept returns a listener's next connection, which is closed with the test, and fails the test if
// none comes. No wait on it is longer than that either.
func Accept(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	if l, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		l.SetDeadline(time.Now().Add(waits))
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatalf("no connection came: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(waits))
	return conn
}
