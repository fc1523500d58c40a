package daemon

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
)

// bye ends a conversation.
func bye() []byte {
	return append(text(protocol.TypeClose, 1, "{}"), text(protocol.TypeGoodbye, 0, "{}")...)
}

// shortTalks are short conversations with what came after exec: what a client sends between HELLO
// and bye.
func shortTalks() map[string][]byte {
	header := `{"kind":"file","id":1,"name":"a","size":3,"mode":420,"body":3,"digest":"sha256:98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"}`
	done := `{"kind":"done"}`
	records := binary.BigEndian.AppendUint32(nil, uint32(len(header)))
	records = append(records, header+"hi\n"...)
	records = binary.BigEndian.AppendUint32(records, uint32(len(done)))
	records = append(records, done...)
	return map[string][]byte{
		"a pty": bytes.Join([][]byte{
			text(protocol.TypeOpen, 1,
				`{"service":"exec","command":"exec cat","pty":{"term":"dumb","rows":24,"cols":80}}`),
			protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1, []byte("x\n\x04")),
			text(protocol.TypeResize, 1, `{"rows":50,"cols":132}`),
			text(protocol.TypeSignal, 1, `{"signal":"WINCH"}`),
		}, nil),
		"a file put": bytes.Join([][]byte{
			text(protocol.TypeOpen, 1, `{"service":"files","files":{"mode":"put","target":"in"}}`),
			protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1, records), endOfStdin(1),
		}, nil),
		"a subsystem": bytes.Join([][]byte{
			text(protocol.TypeOpen, 1, `{"service":"subsystem","name":"sftp"}`),
			protocol.AppendFrame(nil, protocol.TypeStdin, 0, 1,
				[]byte("\x00\x00\x00\x05\x01\x00\x00\x00\x03")), endOfStdin(1),
		}, nil),
		// no answer: the daemon waits for one
		"a file got": text(protocol.TypeOpen, 1,
			`{"service":"files","files":{"mode":"get","sources":["there"]}}`),
	}
}

// A client that leaves after any byte of what it sends leaves no goroutine and no descriptor in the
// daemon (a running process has some of both), whatever it used.
func TestCutServicesAtEveryByte(t *testing.T) {
	for name, sent := range shortTalks() {
		sent = append(sent, bye()...)
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil, "unix:"+filepath.Join(t.TempDir(), "s"))
			if err := os.WriteFile(filepath.Join(l.home, "there"), bytes.Repeat([]byte("x"), 1000),
				0o600); err != nil {
				t.Fatal(err)
			}
			before := l.warm()
			for n := range len(sent) + 1 {
				conn := l.dial()
				if _, err := conn.Write(append(hello(nil), sent[:n]...)); err != nil {
					t.Fatalf("%d bytes: %v", n, err)
				}
				if n%2 == 0 || n == len(sent) { // wait for what the daemon has to say, or just go
					conn.(*net.UnixConn).CloseWrite()
					if _, err := io.Copy(io.Discard, conn); err != nil && !isEnd(err) {
						t.Fatalf("%d bytes: %v", n, err)
					}
				}
				conn.Close()
			}
			settle(t, before)
			afterCuts(t, l)
		})
	}
}

// The same for a client that leaves after any byte that the daemon has sent.
func TestCutServicesAtEveryByteRead(t *testing.T) {
	for name, sent := range shortTalks() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil, "unix:"+filepath.Join(t.TempDir(), "s"))
			if err := os.WriteFile(filepath.Join(l.home, "there"), bytes.Repeat([]byte("x"), 10),
				0o600); err != nil {
				t.Fatal(err)
			}
			before := l.warm()
			// talk reads so many bytes, or all up to CLOSE or the end of what is got, and goes.
			talk := func(n int) (read int) {
				conn := l.dial()
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(patience))
				if _, err := conn.Write(append(hello(nil), sent...)); err != nil {
					t.Fatalf("%d bytes: %v", n, err)
				}
				if n > 0 {
					if _, err := io.ReadFull(conn, make([]byte, n)); err != nil {
						t.Fatalf("%d bytes: %v", n, err)
					}
					return n
				}
				for r := protocol.NewReader(conn); ; {
					f, err := r.Next()
					if err != nil {
						t.Fatal(err)
					}
					read += protocol.HeaderSize + len(f.Payload)
					if f.Type == protocol.TypeClose ||
						bytes.Contains(f.Payload, []byte(`{"kind":"done"}`)) &&
							f.Type == protocol.TypeStdout && name == "a file got" {
						return read
					}
				}
			}
			// EXIT's figures have more digits or fewer, or are left out; output comes in one frame
			// or several
			const unsteady = 150
			all := talk(0) - unsteady
			for n := 1; n <= all; n++ {
				talk(n)
			}
			if all < 100 {
				t.Errorf("the daemon said only %d bytes", all)
			}
			settle(t, before)
			afterCuts(t, l)
		})
	}
}

func afterCuts(t *testing.T, l *lab) {
	t.Helper()
	if text := l.log.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the log says\n%s", text)
	}
	if out, _ := l.run("echo still there"); out != "still there\n" {
		t.Errorf("afterwards echo gives %q", out)
	}
}
