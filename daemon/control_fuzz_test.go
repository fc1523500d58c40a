//go:build unix

package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzControlAsk sends any bytes to the daemon's end of a control socket: whatever is asked gets at
// most one answer, the last of lines of JSON that are safe for a terminal, and an asker that has
// hung up leaves nothing behind.
func FuzzControlAsk(f *testing.F) {
	for _, ask := range []string{
		`{"verb":"who"}`, `{"verb":"end","args":{"id":1}}`,
		`{"verb":"end","args":{"id":-9223372036854775809}}`, `{"verb":"end"}`,
		`{"verb":"pair","args":null}`,
		`{"verb":"pair","args":{"user":"tester","count":30}}`,
		`{"verb":"pair","args":{"count":-1}}`,
		`{"verb":"pair","args":{"user":"root\u001b[31m","count":1000000000}}`,
		`{"verb":"pair","args":{"limits":{"command":"a\nb","expires":"0001-01-01T00:00:00Z"}}}`,
		`{"verb":"\u001b]0;t\u0007` + strings.Repeat("x", 100) + `"}`, `[]`, `null`, ``, "\xff",
		`{"verb":"who"`, strings.Repeat(`{"verb":`, 1000),
	} {
		f.Add([]byte(ask + "\n"))
	}
	l := newLab(f, nil)
	path := filepath.Join(f.TempDir(), "control")
	if err := l.desk.Listen(path); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, ask []byte) {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		go func() {
			conn.Write(ask) // the daemon may close before it has taken all
			conn.(*net.UnixConn).CloseWrite()
		}()
		said, _ := io.ReadAll(conn) // a reset tells that not all was taken
		answers := 0
		for text := range bytes.Lines(said) {
			var line struct {
				Event, Answer json.RawMessage
				Error, Hint   string
			}
			if err := json.Unmarshal(text, &line); err != nil ||
				!bytes.HasSuffix(text, []byte("\n")) {
				t.Fatalf("%q: %v", text, err)
			}
			if answers > 0 {
				t.Fatalf("more after the answer: %q", said)
			}
			if line.Event == nil {
				answers++
			}
			for _, shown := range []string{line.Error, line.Hint} {
				if strings.ContainsFunc(shown, func(r rune) bool {
					return r < ' ' || r >= 0x7f &&
						r < 0xa0
				}) {
					t.Fatalf("a terminal would see %q", shown)
				}
			}
		}
	})
}
