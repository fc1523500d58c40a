//go:build unix

package daemon

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"minissh/protocol"
)

// raw is a frame whose header says whatever it likes.
func raw(length uint32, kind protocol.Type, flags byte, reserved uint16, channel uint32,
	payload string) []byte {
	b := make([]byte, protocol.HeaderSize)
	protocol.PutHeader(b, protocol.Header{Length: length, Type: kind, Flags: flags,
		Channel: channel})
	b[6], b[7] = byte(reserved>>8), byte(reserved)
	return append(b, payload...)
}

func number(kind protocol.Type, channel uint32, n uint64) []byte {
	return protocol.AppendNumber(nil, kind, channel, n)
}

func stdin(channel uint32, n int) []byte {
	return protocol.AppendFrame(nil, protocol.TypeStdin, 0, channel, make([]byte, n))
}

func endOfStdin(channel uint32) []byte {
	return protocol.AppendFrame(nil, protocol.TypeEOF, 0, channel, []byte{byte(protocol.TypeStdin)})
}

// Every way to break the rules FR, JS and CH after login, and the code that the ERROR names.
// Channel 1 runs cat.
var violations = []struct {
	name   string
	code   protocol.Code
	frames [][]byte
}{
	{"FR2 64 KiB and a byte", protocol.CodeFrameTooLarge, [][]byte{raw(65537, protocol.TypeStdin, 0, 0, 1, "")}},
	{"FR2 4 GiB", protocol.CodeFrameTooLarge, [][]byte{raw(1<<32-1, protocol.TypeStdin, 0, 0, 1, "")}},
	{"FR3 reserved", protocol.CodeBadFrame, [][]byte{raw(1, protocol.TypeStdin, 0, 1, 1, "x")}},
	{"FR3 flags on a message", protocol.CodeBadFrame, [][]byte{raw(2, protocol.TypeClose, 1, 0, 1, "{}")}},
	{"FR3 an unknown flag", protocol.CodeBadFrame, [][]byte{raw(1, protocol.TypeStdin, 2, 0, 1, "x")}},
	{"FR3 a link frame on a channel", protocol.CodeBadFrame, [][]byte{raw(8, protocol.TypePing, 0, 0, 1, "12345678")}},
	{"FR3 a session frame on none", protocol.CodeBadFrame, [][]byte{raw(1, protocol.TypeStdin, 0, 0, 0, "x")}},
	{"FR3 empty data", protocol.CodeBadFrame, [][]byte{raw(0, protocol.TypeStdin, 0, 0, 1, "")}},
	{"FR3 a short PING", protocol.CodeBadFrame, [][]byte{raw(7, protocol.TypePing, 0, 0, 0, "1234567")}},
	{"FR2 a long WINDOW", protocol.CodeFrameTooLarge, [][]byte{raw(9, protocol.TypeWindow, 0, 0, 1, "123456789")}},
	{"FR3 an empty EOF", protocol.CodeBadFrame, [][]byte{raw(0, protocol.TypeEOF, 0, 0, 1, "")}},
	{"FR3 EOF of what is not data", protocol.CodeBadFrame, [][]byte{raw(1, protocol.TypeEOF, 0, 0, 1, "\x05")}},
	{"FR6 type 0x0a", protocol.CodeUnknownType, [][]byte{raw(2, 0x0a, 0, 0, 1, "{}")}},
	{"FR6 type 0x13", protocol.CodeUnknownType, [][]byte{raw(2, 0x13, 0, 0, 1, "{}")}},
	{"FR6 type 0xff", protocol.CodeUnknownType, [][]byte{raw(2, 0xff, 0, 0, 0, "{}")}},
	{"FR6 type 0", protocol.CodeUnknownType, [][]byte{raw(0, 0, 0, 0, 1, "")}},
	{"FR6 a second HELLO", protocol.CodeUnexpectedFrame, [][]byte{hello(nil)}},
	{"FR6 WELCOME from the client", protocol.CodeUnexpectedFrame, [][]byte{text(protocol.TypeWelcome, 0, `{"channels":16}`)}},
	{"FR6 OPENED from the client", protocol.CodeUnexpectedFrame, [][]byte{text(protocol.TypeOpened, 1, `{"pid":1}`)}},
	{"FR6 NOTICE from the client", protocol.CodeUnexpectedFrame, [][]byte{text(protocol.TypeNotice, 1, `{"notice":"x"}`)}},
	{"FR6 EXIT from the client", protocol.CodeUnexpectedFrame, [][]byte{text(protocol.TypeExit, 1, `{"how":"exited"}`)}},
	{"FR6 STDOUT from the client", protocol.CodeUnexpectedFrame, [][]byte{raw(1, protocol.TypeStdout, 0, 0, 1, "x")}},
	{"FR6 STDERR from the client", protocol.CodeUnexpectedFrame, [][]byte{raw(1, protocol.TypeStderr, 0, 0, 1, "x")}},
	{"FR6 EOF of STDOUT from the client", protocol.CodeUnexpectedFrame, [][]byte{raw(1, protocol.TypeEOF, 0, 0, 1, "\x11")}},
	{"JS1 no object", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `"exec"`)}},
	{"JS1 nine deep", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, strings.Repeat(`{"a":`, 9)+"1"+strings.Repeat("}", 9))}},
	{"JS2 a key twice", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `{"service":"exec","command":"true","command":"false"}`)}},
	{"JS2 a key in capitals", protocol.CodeBadJSON, [][]byte{text(protocol.TypeSignal, 1, `{"Signal":"INT"}`)}},
	{"JS2 not UTF-8", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, "{\"service\":\"exec\",\"command\":\"\xd6\"}")}},
	{"JS2 a lone surrogate", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `{"service":"exec","command":"\ud800"}`)}},
	{"JS2 something after it", protocol.CodeBadJSON, [][]byte{text(protocol.TypeClose, 1, `{}{}`)}},
	{"JS3 NUL in a command", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `{"service":"exec","command":"a\u0000b"}`)}},
	{"JS3 NUL in base64", protocol.CodeBadJSON,
		[][]byte{
			text(protocol.TypeOpen, 3, `{"service":"exec","argv":[{"b64":"`+
				base64.StdEncoding.EncodeToString([]byte("a\x00b"))+`"}]}`)}},
	{"JS3 base64 without padding", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `{"service":"exec","command":{"b64":"YQ"}}`)}},
	{"JS4 a fraction", protocol.CodeBadJSON, [][]byte{text(protocol.TypeOpen, 3, `{"service":"exec","timeout_ms":1.5}`)}},
	{"CH1 an even channel", protocol.CodeChannelReused, [][]byte{open(2, "true")}},
	{"CH1 a channel twice", protocol.CodeChannelReused, [][]byte{open(1, "true")}},
	{"CH1 a lower channel", protocol.CodeChannelReused, [][]byte{open(9, "cat"), open(7, "cat")}},
	{"CH2 too many channels", protocol.CodeTooManyChannels, seventeen()},
	{"CH4 data after EOF", protocol.CodeUnexpectedFrame, [][]byte{endOfStdin(1), stdin(1, 1)}},
	{"CH4 a second EOF", protocol.CodeUnexpectedFrame, [][]byte{endOfStdin(1), endOfStdin(1)}},
	// more than the widest pipe (1 MiB), the frame that is being written into it, and the window
	// together
	{"CH5 too much data", protocol.CodeWindowExceeded, append([][]byte{open(3, "exec sleep 1000")}, slices.Repeat([][]byte{stdin(3, 65536)}, 22)...)},
	{"CH5 a smaller window", protocol.CodeBadWindow, [][]byte{number(protocol.TypeWindow, 1, 1)}},
	{"CH5 the same window", protocol.CodeBadWindow, [][]byte{number(protocol.TypeWindow, 1, protocol.InitialWindow)}},
	{"CH8 a channel never opened", protocol.CodeUnknownChannel, [][]byte{stdin(77, 1)}},
	{"CH8 a signal to no channel", protocol.CodeUnknownChannel, [][]byte{text(protocol.TypeSignal, 77, `{"signal":"INT"}`)}},
	{"CH4 data after CLOSE", "",
		// which of two codes depends on whether cat has ended
		[][]byte{text(protocol.TypeClose, 1, `{}`), stdin(1, 1)}},
	{"RE1 an ACK for what was never sent", protocol.CodeBadAck, [][]byte{number(protocol.TypeAck, 0, 1000)}},
	{"SE5 GOODBYE that is not JSON", protocol.CodeBadJSON, [][]byte{text(protocol.TypeGoodbye, 0, `{]`)}},
}

func seventeen() (frames [][]byte) {
	for id := uint32(3); id <= 35; id += 2 {
		frames = append(frames, open(id, "cat"))
	}
	return frames
}

func TestViolations(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxChannels = protocol.MinChannels })
	before := l.warm()
	before.goroutines++ // the subtest's own
	for _, v := range violations {
		t.Run(v.name, func(t *testing.T) {
			p := l.enter(open(1, "exec cat"))
			p.t = t
			p.want(protocol.TypeOpened)
			p.send(v.frames...)
			reason := p.wantError()
			if reason.Code != v.code &&
				!(v.code == "" && (reason.Code == protocol.CodeUnexpectedFrame ||
					reason.Code == protocol.CodeUnknownChannel)) {
				t.Errorf("ERROR %q (%s) instead of %q", reason.Code, reason.Message, v.code)
			}
			l.log.want(t, "Disconnected from 127.0.0.1 port ", "user=tester",
				string(reason.Code)+": ")
			settle(t, before)
		})
	}
	if strings.Contains(l.log.String(), "level=ERROR") {
		t.Error("something was logged as an error of ours")
	}
}

// A violation after megabytes of output that nobody reads: its ERROR comes after them, and the
// command is stopped.
func TestViolationBehindOutput(t *testing.T) {
	l := newLab(t, nil)
	before := l.warm()
	p := l.enter(open(1, "echo $$; exec cat /dev/zero"))
	p.want(protocol.TypeStdout)
	p.send(raw(1<<32-1, protocol.TypeStdin, 0, 0, 1, ""))
	if code := p.wantError().Code; code != protocol.CodeFrameTooLarge {
		t.Errorf("ERROR %s", code)
	}
	l.log.want(t, "Command ended", "how=hung_up")
	settle(t, before)
}

// A frame may come in pieces of any size (FR4).
func TestFramesByteByByte(t *testing.T) {
	l := newLab(t, nil)
	p := l.knock(l.guest)
	all := bytes.Join([][]byte{hello(nil), open(1, "cat"), stdin(1, 3), endOfStdin(1)}, nil)
	for i := range all {
		p.send(all[i : i+1])
	}
	p.want(protocol.TypeWelcome)
	if f := p.want(protocol.TypeStdout); len(f.Payload) != 3 {
		t.Errorf("%q came back", f.Payload)
	}
	p.want(protocol.TypeExit)
	p.conn.Close()
}
