package mux

import (
	"encoding/binary"
	"io"
	"testing"
	"testing/synctest"

	"minissh/protocol"
	"minissh/protocol/vectors"
)

// tidy makes frames of anything: fuzzed bytes choose the next frame, so that most inputs get past
// the header.
func tidy(raw []byte) []byte {
	kinds := []protocol.Type{
		protocol.TypeOpen, protocol.TypeOpened, protocol.TypeWindow, protocol.TypeEOF,
		protocol.TypeSignal, protocol.TypeResize, protocol.TypeNotice,
		protocol.TypeExit, protocol.TypeClose, protocol.TypeStdin, protocol.TypeStdout,
		protocol.TypeStderr,
		protocol.TypeAck, protocol.TypePing, protocol.TypeWelcome, protocol.TypeGoodbye,
		protocol.TypeError,
	}
	texts := []string{`{}`, `{"service":"test"}`, `{"how":"exited"}`, `{"code":"stale_epoch"}`,
		`{"received":1,"resend":262144,"channels":16}`, `{"signal":"INT"}`, `{"a":1.5}`}
	var out []byte
	for ; len(raw) >= 4; raw = raw[4:] {
		kind, channel, n := kinds[int(raw[0])%len(kinds)], uint32(raw[1]%6),
			int(binary.BigEndian.Uint16(raw[2:]))
		switch {
		case kind.IsLink():
			channel = 0
		case channel == 0:
			channel = 1
		}
		switch {
		case kind.IsData():
			flags := uint8(n & 1)
			out = protocol.AppendFrame(out, kind, flags, channel, make([]byte, n+1))
		case kind == protocol.TypeEOF:
			out = append(out, ended(protocol.TypeStdin+protocol.Type(n%4), channel)...)
		case kind.IsJSON():
			out = append(out, msg(kind, channel, texts[n%len(texts)])...)
		case kind == protocol.TypeWindow:
			out = append(out, num(kind, channel, uint64(n)<<4)...)
		default:
			out = append(out, num(kind, channel, uint64(n%8))...)
		}
	}
	return out
}

// FuzzSession: whatever a peer sends to a daemon or a client, before or after HELLO and WELCOME,
// raw or as frames, the session ends when the link does, with everything it started. Nothing
// panics, and nothing hangs: fake time would report a deadlock.
func FuzzSession(f *testing.F) {
	for _, v := range vectors.Read("sessions.txt") {
		f.Add(v.Text("role") == "daemon", true, false, v.Bytes("hex"))
	}
	for _, v := range vectors.Read("frames.txt") {
		f.Add(true, true, false, v.Bytes("hex"))
		f.Add(false, false, false, v.Bytes("hex"))
	}
	script := []byte{0, 1, 0, 1, 8, 1, 0, 200, 4, 1, 0, 5, 12, 0, 0, 9, 2, 1, 0xff, 0xff, 3, 1, 0,
		0, 7, 1, 0, 0, 0, 3, 0, 1, 8, 3, 0xff, 0xff, 14, 0, 0, 0}
	f.Add(true, true, true, script)
	f.Add(false, true, true, []byte{1, 1, 0, 0, 9, 1, 0, 77, 10, 1, 1, 1, 3, 1, 0, 1, 3, 1, 0, 2, 6,
		1, 0, 2, 7, 1, 0, 0})
	f.Fuzz(func(t *testing.T, daemon, greeted, frames bool, raw []byte) {
		if frames {
			raw = tidy(raw)
		}
		if len(raw) > 1<<20 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			near, far := pipe()
			var s *Session
			done := make(chan struct{})
			if daemon {
				s = New(Config{Role: Daemon, Accept: echo, Resend: protocol.MinResend})
				go func() {
					s.Accept(far, resuming(1, 0), &protocol.Welcome{})
					far.Close()
					close(done)
				}()
			} else {
				s = New(Config{Role: Client, Channels: 2, Accept: echo})
				c, _ := s.Open(&protocol.Open{Service: "test"})
				go readOn(c)
				go func() { s.Connect(far, &protocol.Hello{User: "u"}); close(done) }()
				if greeted {
					near.Write(welcome(0, 0))
				}
			}
			go io.Copy(io.Discard, near)
			near.Write(raw) // fails if the other end hangs up in the middle
			synctest.Wait()
			near.Close()
			<-done
			synctest.Wait()
			s.Close(nil)
			s.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.budget.left != protocol.MaxWindow || s.grown != 0 {
				t.Errorf("budget %d, grown %d", s.budget.left, s.grown)
			}
		})
	})
}

func readOn(c *Channel) {
	buf := make([]byte, 1000)
	for {
		if _, err := c.Next(buf); err != nil {
			return
		}
	}
}
