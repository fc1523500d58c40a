package dialect

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What keeps a connection from being made is said in the reader's words, not in the resolver's or
// the kernel's.
func TestConnectionsThatFailAreExplained(t *testing.T) {
	_, noPort := net.Dial("tcp", "127.0.0.1")
	_, noSuchPort := net.Dial("tcp", "127.0.0.1:no-such-port")
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for want, err := range map[string]error{
		"the address 127.0.0.1 is not host:port":    noPort,
		"the name tcp/no-such-port cannot be found": noSuchPort,
		`the name teacher\x1b[31m.local cannot be found`: dial(&net.DNSError{Err: "no such host",
			Name: "teacher\x1b[31m.local", IsNotFound: true}),
		"no answer in time":    dial(os.ErrDeadlineExceeded),
		"nobody listens there": dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
	} {
		zh, en, _, _ := Explain(err)
		if en != want || strings.Contains(zh, "lookup") || strings.Contains(zh, "dial") {
			t.Errorf("%v: %q, %q, want %q", err, zh, en, want)
		}
	}
}
