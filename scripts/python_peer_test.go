//go:build unix

package scripts

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What minissh.py does when a daemon answers its links by script.

const (
	typeOpen, typeOpened, typeWindow, typeEOF   = 1, 2, 3, 4
	typeSignal, typeNotice, typeExit, typeClose = 5, 7, 8, 9
	typeStdin, typeStderr                       = 0x10, 0x12
	typeStdout, typeHello, typeWelcome, typeAck = 0x11, 0x81, 0x82, 0x83
	typePing, typePong, typeGoodbye, typeError  = 0x84, 0x85, 0x86, 0x87
)

// script is a daemon of a test: what it does with the links of one client.
type script struct {
	t        *testing.T
	client   *os.Process
	listener net.Listener
	link     net.Conn
}

// next ends the link, takes the next one, and returns its HELLO.
func (s *script) next() (hello struct {
	Session  string
	Epoch    int
	Create   bool
	Received int
	Resend   int
	Hold     int
}) {
	if s.link != nil {
		s.link.Close()
	}
	var err error
	if s.link, err = s.listener.Accept(); err != nil {
		s.t.Error(err)
		return hello
	}
	if err := json.Unmarshal([]byte(s.want(typeHello)), &hello); err != nil {
		s.t.Error(err)
	}
	return hello
}

func (s *script) frame() (kind byte, payload string, err error) {
	header := make([]byte, 12)
	if _, err := io.ReadFull(s.link, header); err != nil {
		return 0, "", err
	}
	body := make([]byte, binary.BigEndian.Uint32(header))
	_, err = io.ReadFull(s.link, body)
	return header[4], string(body), err
}

// want reads a frame of the type, past ACKs, and returns its payload.
func (s *script) want(kind byte) string {
	s.t.Helper()
	for {
		got, payload, err := s.frame()
		switch {
		case got == typeAck && kind != typeAck && err == nil:
		case got != kind || err != nil:
			s.t.Errorf("%#x %q, %v; want %#x", got, payload, err, kind)
			return ""
		default:
			return payload
		}
	}
}

func (s *script) wantEnd() {
	s.t.Helper()
	if kind, payload, err := s.frame(); !errors.Is(err, io.EOF) {
		s.t.Errorf("%#x %q, %v", kind, payload, err)
	}
}

func (s *script) send(kind byte, payload string) {
	header := make([]byte, 12, 12+len(payload))
	binary.BigEndian.PutUint32(header, uint32(len(payload)))
	header[4] = kind
	if kind < typeHello {
		header[11] = 1
	}
	s.link.Write(append(header, payload...))
}

func (s *script) ack(count uint64) {
	s.send(typeAck, string(binary.BigEndian.AppendUint64(nil, count)))
}

// finish ends the given outputs, and then the command with exit code 3.
func (s *script) finish(outputs ...string) {
	s.t.Helper()
	for _, eof := range outputs {
		s.send(typeEOF, eof)
	}
	s.send(typeExit, `{"how":"exited","code":3}`)
	s.send(typeClose, `{}`)
	s.want(typeClose)
	s.want(typeGoodbye)
}

// carryOut welcomes a link before which nothing was received, and has the command run to its end.
func (s *script) carryOut() {
	s.t.Helper()
	s.send(typeWelcome, welcomed)
	s.want(typeOpen)
	s.want(typeEOF)
	s.send(typeOpened, `{}`)
	s.finish("\x11", "\x12")
}

const welcomed = `{"received":0,"resend":262144,"hold":60,"uptime_ms":600000,"channels":16}`

// atSpeed is a Python program that runs another one, whose clock goes at the speed of the first
// argument.
const atSpeed = `
import runpy, sys, time
clock, speed = time.monotonic, float(sys.argv[1])
time.monotonic = lambda: clock() * speed
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

// scriptedPython has minissh.py resume with daemons that answer by script.
func scriptedPython(t *testing.T, python, program string) {
	for _, c := range []struct {
		name string
		code int
		says string // "": nothing
		run  func(s *script)
	}{
		{"sends again, and acknowledges", 3, "the link is back", func(s *script) {
			first := s.next()
			if first.Epoch != 1 || !first.Create || first.Resend < 262144 || first.Hold != 60 {
				s.t.Errorf("%+v", first)
			}
			open := s.want(typeOpen)
			s.send(typeWelcome, welcomed)
			if eof := s.want(typeEOF); eof != "\x10" {
				s.t.Errorf("%q", eof)
			}
			s.send(typeOpened, `{}`)
			s.send(typeStdout, "x")
			for count := ""; count != "\x00\x00\x00\x00\x00\x00\x00\x02"; {
				if count = s.want(typeAck); count == "" {
					return
				}
			}
			s.send(typeStdout, "y")
			s.send(typeEOF, "\x12")
			s.link.Write([]byte{0, 0, 0, 9, typeStdout, 0, 0}) // half a frame
			second := s.next()
			if second.Epoch != 2 || second.Create || second.Session != first.Session {
				s.t.Errorf("%+v, %+v", first, second)
			}
			s.send(typeWelcome, welcomed)
			if again := s.want(typeOpen); again != open {
				s.t.Errorf("%q, then %q", open, again)
			}
			s.want(typeEOF)
			s.ack(1)
			third := s.next()
			if third.Epoch != 3 || third.Received != 4 {
				s.t.Errorf("%+v", third)
			}
			s.send(typeWelcome, strings.Replace(welcomed, "0", "1", 1))
			s.want(typeEOF)
			s.finish("\x11")
		}},
		{"a silent link", 3, "", func(s *script) { // RE7: it is replaced, and is not lost before
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.want(typeEOF)
			s.want(typePing)
			old := s.link
			defer old.Close()
			s.link = nil
			s.next()
			s.carryOut()
		}},
		{"a refusal that leaves the session", 3, "the link is back", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.next()
			s.send(typeError, `{"code":"key_not_authorized"}`)
			s.next()
			s.carryOut()
		}},
		{"EXIT came", 3, "", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.send(typeOpened, `{}`)
			s.send(typeEOF, "\x11")
			s.send(typeEOF, "\x12")
			s.send(typeExit, `{"how":"exited","code":3}`)
			s.want(typeOpen)
		}},
		{"no WELCOME, the daemon is the same", 3, "the link is back", func(s *script) {
			s.next()
			s.want(typeOpen)
			if hello := s.next(); !hello.Create {
				s.t.Errorf("%+v", hello)
			}
			s.carryOut()
		}},
		{"no WELCOME, another daemon", 255, "the daemon was restarted; the command may have been " +
			"started or not", func(s *script) {
			s.next()
			s.want(typeOpen)
			s.next()
			s.send(typeWelcome, `{"resend":262144,"hold":60,"channels":16}`)
			s.wantEnd()
		}},
		{"a daemon that keeps nothing", 255, "the link is lost; the command was started, how it " +
			"ended is unknown", func(s *script) {
			s.next()
			s.send(typeWelcome, `{"hold":60,"channels":16}`)
			s.send(typeOpened, `{}`)
			s.want(typeOpen)
		}},
		{"another daemon", 255, "the daemon does not know the session: it was restarted, or has " +
			"forgotten it; the command was started, how it ended is unknown", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.send(typeOpened, `{}`)
			s.want(typeOpen)
			s.next()
			s.send(typeError, `{"code":"session_unknown"}`)
		}},
		{"a key that was taken out", 255, "the key may no longer log in; the command may have " +
			"been started or not", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.next()
			s.send(typeError, `{"code":"session_ended"}`)
		}},
		{"Ctrl-C", 255, "KeyboardInterrupt", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.want(typeEOF)
			s.client.Signal(os.Interrupt)
			s.want(typeGoodbye)
		}},
		{"more was received than was sent", 255, "resume_mismatch", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.next()
			s.send(typeWelcome, `{"received":9,"resend":262144,"hold":60,"channels":16}`)
			if said := s.want(typeError); !strings.Contains(said, "resume_mismatch") {
				s.t.Error(said)
			}
		}},
		{"less was received than was acknowledged", 255, "resume_mismatch", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.ack(1)
			s.next()
			s.send(typeWelcome, welcomed)
			if said := s.want(typeError); !strings.Contains(said, "resume_mismatch") {
				s.t.Error(said)
			}
		}},
		{"an ACK that shrinks", 255, "bad_ack", func(s *script) {
			s.next()
			s.send(typeWelcome, welcomed)
			s.want(typeOpen)
			s.want(typeEOF)
			s.ack(1)
			s.ack(0)
			if said := s.want(typeError); !strings.Contains(said, "bad_ack") {
				s.t.Error(said)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := filepath.Join(t.TempDir(), "daemon")
			listener, err := net.Listen("unix", address)
			if err != nil {
				t.Fatal(err)
			}
			limit, cancel := context.WithTimeout(t.Context(), time.Minute) // for one that hangs
			defer cancel()
			cmd := exec.CommandContext(limit, python, "-c", atSpeed, "0.1", program, "--resume",
				"60", "unix:"+address, "command") // at this speed no answer is late (RE7)
			var errOut bytes.Buffer
			cmd.Stderr = &errOut
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s, done := &script{t: t, client: cmd.Process, listener: listener}, make(chan struct{})
			go func() {
				defer close(done)
				c.run(s)
				if s.link != nil {
					s.link.Close()
				}
			}()
			cmd.Wait()
			listener.Close()
			<-done
			if code := cmd.ProcessState.ExitCode(); code != c.code ||
				!strings.Contains(errOut.String(), c.says) ||
				c.says == "" && errOut.Len() > 0 {
				t.Errorf("exit code %d, %s", code, errOut.String())
			}
		})
	}
}
