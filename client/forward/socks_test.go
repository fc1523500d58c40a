package forward

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// talk is a SOCKS client that has said all at once.
type talk struct {
	io.Reader
	answers bytes.Buffer
}

func (t *talk) Write(p []byte) (int, error) { return t.answers.Write(p) }

var requests = []struct{ name, said, want string }{
	{"4, an address", "\x04\x01\x00\x50\x7f\x00\x00\x01me\x00", "127.0.0.1:80"},
	{"4a, a name", "\x04\x01\x01\xbb\x00\x00\x00\x01\x00www.example.org\x00", "www.example.org:443"},
	{"5, a name", "\x05\x02\x02\x00\x05\x01\x00\x03\x03a.b\x00\x50", "a.b:80"},
	{"5, an address", "\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "127.0.0.1:80"},
	{"5, IPv6", "\x05\x01\x00\x05\x01\x00\x04" + strings.Repeat("\x00", 15) + "\x01\x00\x50",
		"[::1]:80"},
	{"not SOCKS", "GET / HTTP/1.1\r\n", ""},
	{"nothing", "", ""},
	{"4, another command", "\x04\x02\x00\x50\x7f\x00\x00\x01\x00", ""},
	{"4, port 0", "\x04\x01\x00\x00\x7f\x00\x00\x01\x00", ""},
	{"4a, no name", "\x04\x01\x00\x50\x00\x00\x00\x01\x00\x00", ""},
	{"4, a user without end", "\x04\x01\x00\x50\x7f\x00\x00\x01" + strings.Repeat("x", 300), ""},
	{"4a, a name with a line end", "\x04\x01\x00\x50\x00\x00\x00\x01\x00a\nb\x00", ""},
	{"5, a password is wanted", "\x05\x01\x02", ""},
	{"5, another command", "\x05\x01\x00\x05\x03\x00\x01\x7f\x00\x00\x01\x00\x50", ""},
	{"5, an empty name", "\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50", ""},
	{"5, an unknown kind", "\x05\x01\x00\x05\x01\x00\x02\x7f\x00\x00\x01\x00\x50", ""},
	{"5, then 4", "\x05\x01\x00\x04\x01\x00\x01\x7f\x00\x00\x01\x00\x50", ""},
}

// What SOCKS clients say, whole and cut off anywhere. What follows the request stays unread.
func TestSOCKS(t *testing.T) {
	for _, c := range requests {
		conn := &talk{Reader: strings.NewReader(c.said + "more")}
		a, err := readSOCKS(conn)
		if rest, _ := io.ReadAll(conn); (err == nil) != (c.want != "") || err == nil &&
			(a.to.String() != c.want || string(rest) != "more") {
			t.Errorf("%s: %s, %v; %q is left", c.name, a.to.String(), err, rest)
		}
		for n := range len(c.said) {
			if c.want == "" {
				break
			}
			if _, err := readSOCKS(&talk{Reader: strings.NewReader(c.said[:n])}); err == nil {
				t.Errorf("%s: %d bytes of it are enough", c.name, n)
			}
		}
	}
}

// FuzzSOCKS: whatever comes is a target that can be asked for, or an error.
func FuzzSOCKS(f *testing.F) {
	for _, c := range requests {
		f.Add([]byte(c.said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := &talk{Reader: bytes.NewReader(said)}
		a, err := readSOCKS(conn)
		if err == nil && a.to.Check() != nil {
			t.Errorf("%q gives %+v", said, a.to)
		}
		if conn.answers.Len() > 2 {
			t.Errorf("%q is answered by % x", said, conn.answers.Bytes())
		}
	})
}
