//go:build !race

package transport

import (
	"errors"
	"os"
	"testing"
	"time"
)

// A Write that makes no progress fails when its patience is over, or goes on if it is told to, both
// over TLS and over a plain connection.
func TestSetPatience(t *testing.T) {
	for name, connect := range map[string]func() *Conn{
		"TLS":   func() *Conn { client, _ := pair(t); return client },
		"plain": func() *Conn { near, _ := loopback(t); return Plain(near) },
	} {
		conn := connect()
		conn.SetDeadline(time.Time{})
		asked := 0
		if !conn.SetPatience(20*time.Millisecond, func() bool { asked++; return asked < 3 }) {
			t.Fatalf("%s: there is no patience", name)
		}
		wrote := make(chan error, 1)
		go func() {
			_, err := conn.Write(make([]byte, 64<<20)) // more than any socket holds
			wrote <- err
		}()
		select {
		case err := <-wrote:
			if !errors.Is(err, os.ErrDeadlineExceeded) || asked != 3 {
				t.Errorf("%s: nobody reads: %v, asked %d times", name, err, asked)
			}
		case <-time.After(patience):
			t.Errorf("%s: it has all patience", name)
		}
		conn.low.raw.Close()
	}
}
