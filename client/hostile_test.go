//go:build unix

package client

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// evil is text that a terminal must never see raw: colours, a title, a bell, C1 controls, right-to-left override, a line of ours.
const evil = `\u001b[31m\u001b]0;title\u0007\r\nminissh: hint: run evil\u009b2J\u202e`

// A daemon that is hostile after login: the client ends with 255 (or the command's code), says why, and prints nothing raw.
func TestHostileDaemons(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*guest)
		code int
		said string
	}{
		{"ERROR with escapes", refuse(`{"code":"internal","message":"` + evil + `"}`), 255, `refused: the other side said internal: "\x1b[31m`},
		{"a code with escapes", refuse(`{"code":"` + evil + `"}`), 255, "refused: the other side said internal\n"},
		{"a code of 8,000 bytes", refuse(`{"code":"` + strings.Repeat("x", 8000) + `"}`), 255, "refused: the other side said internal\n"},
		{"a code of 20,000 bytes", refuse(`{"code":"` + strings.Repeat("x", 20000) + `"}`), 255, "frame_too_large: ERROR of 20011 bytes"},
		{"a long message", refuse(`{"code":"internal","message":"` + strings.Repeat("x", 8_000) + `"}`), 255, "xxx…"},
		{"too many sessions", refuse(`{"code":"too_many_sessions","message":"no"}`), 255, "--max-sessions"},
		{"shutting down", refuse(`{"code":"shutting_down"}`), 255, "wait until it has started again"},
		{"ERROR in bad JSON", refuse(`{"code":"internal","code":"x"}`), 255, "is there twice"},
		{"closes at once", func(*guest) {}, 255, "closed the connection before letting us in"},
		{"GOODBYE instead of WELCOME", func(g *guest) { g.say(protocol.TypeGoodbye, 0, "{}"); g.drain() }, 255, ""},
		{"garbage instead of WELCOME", func(g *guest) { io.WriteString(g, strings.Repeat("\x1b[31m", 50)); g.drain() }, 255, "frame_too_large"},
		{"endless output before WELCOME", func(g *guest) { flood(g, protocol.TypeStdout, 1, strings.Repeat("x", 1000)) }, 255, "unexpected_frame"},
		{"a HELLO of its own", func(g *guest) { g.say(protocol.TypeHello, 0, "{}"); g.drain() }, 255, "unexpected_frame"},
		{"WELCOME with no channels", welcomes(`{"channels":0}`), 255, "bad_frame"},
		{"WELCOME with a negative hold", welcomes(`{"channels":64,"hold":-1}`), 255, "bad_frame"},
		{"WELCOME with a tiny resend", welcomes(`{"channels":64,"resend":1}`), 255, "bad_frame"},
		{"WELCOME that received what was not sent", welcomes(`{"channels":64,"received":9007199254740993}`), 255, "resume_mismatch"},
		{"WELCOME with a number of 64 bits", welcomes(`{"channels":18446744073709551615}`), 255, "bad_json"},
		{"two WELCOMEs", func(g *guest) { g.welcome(); g.welcome(); g.drain() }, 255, "unexpected_frame"},
		{"WELCOME with escapes", func(g *guest) {
			g.say(protocol.TypeWelcome, 0, `{"channels":999999999,"resend":9007199254740993,"hold":9007199254740993,"uptime_ms":5,"user":"`+evil+`","home":"`+evil+`","software":"`+evil+`"}`)
			g.until(protocol.TypeOpen)
			g.say(protocol.TypeOpened, 1, `{"pid":-1}`)
			g.end(`{"how":"exited","code":3}`)
		}, 3, ""},
		{"OPENED twice", func(g *guest) { g.begin(); g.say(protocol.TypeOpened, 1, `{"pid":2}`); g.drain() }, 255, "unexpected_frame"},
		{"output before OPENED", func(g *guest) { g.welcome(); g.until(protocol.TypeOpen); g.data(protocol.TypeStdout, "x"); g.drain() }, 255, "unexpected_frame"},
		{"output after EOF", func(g *guest) { g.begin(); g.eof(); g.data(protocol.TypeStdout, "x"); g.drain() }, 255, "unexpected_frame"},
		{"STDIN to the client", func(g *guest) { g.begin(); g.data(protocol.TypeStdin, "x"); g.drain() }, 255, "unexpected_frame"},
		{"too much output", func(g *guest) { g.begin(); floodRaw(g, 64<<20) }, 255, ""},
		{"EXIT before EOF", func(g *guest) { g.begin(); g.say(protocol.TypeExit, 1, `{"how":"exited","code":0}`); g.drain() }, 255, "unexpected_frame"},
		{"EXIT twice", func(g *guest) {
			g.begin()
			g.eof()
			g.say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.drain()
		}, 255, "unexpected_frame"},
		{"CLOSE without EXIT", func(g *guest) {
			g.begin()
			g.say(protocol.TypeClose, 1, `{"code":"start_failed","message":"`+evil+`"}`)
			g.drain()
		}, 255, `did not run it: the other side said start_failed: "\x1b[31m`},
		{"CLOSE without anything", func(g *guest) { g.begin(); g.say(protocol.TypeClose, 1, `{}`); g.drain() }, 255, ""},
		{"EOF without EXIT", func(g *guest) { g.begin(); g.eof(); g.drain() }, 255, "lost"},
		{"a channel of its own", func(g *guest) {
			g.begin()
			g.say(protocol.TypeOpen, 2, `{"service":"exec","command":"rm -rf ~"}`)
			g.drain()
		}, 255, "too_many_channels"},
		{"an unknown type", func(g *guest) { g.begin(); g.say(0x42, 1, `{}`); g.drain() }, 255, "unknown_type"},
		{"the wrong channel", func(g *guest) { g.begin(); g.say(protocol.TypeStdout, 99, "x"); g.drain() }, 255, "unknown_channel"},
		{"a flood of NOTICEs", func(g *guest) {
			g.begin()
			for range 5000 {
				g.say(protocol.TypeNotice, 1, `{"notice":"`+evil+`","message":"`+evil+`"}`)
			}
			g.end(`{"how":"exited","code":0}`)
		}, -1, ""},
		{"ERROR in the middle", func(g *guest) {
			g.begin()
			g.data(protocol.TypeStdout, "half")
			refuse(`{"code":"internal","message":"` + evil + `"}`)(g)
		}, 255, "outcome is unknown"},
		{"GOODBYE in the middle", func(g *guest) {
			g.begin()
			g.say(protocol.TypeGoodbye, 0, `{"code":"shutting_down","message":"`+evil+`"}`)
			g.drain()
		}, 255, "is being stopped"},
		{"FIN in the middle", func(g *guest) { g.begin(); g.raw.Close() }, 255, "what ran there is hung up when the daemon notices, within 15 minutes at the latest, and its outcome is unknown"},
		{"RST in the middle", func(g *guest) { g.begin(); g.raw.(*net.TCPConn).SetLinger(0); g.raw.Close() }, 255, "outcome is unknown"},
	} {
		for _, level := range []options.LogLevel{options.LevelInfo, options.LevelDebug3} {
			t.Run(fmt.Sprintf("%s/%d", c.name, level), func(t *testing.T) {
				f := newFake(t, c.do)
				r := f.run(t, func(d *Dialer) {
					d.Options.LogLevel = level
					if level == options.LevelDebug3 {
						d.Trace = Tracer(d.Messages)
					}
				})
				if r.code != c.code && c.code >= 0 {
					t.Errorf("exit code %d instead of %d: %s", r.code, c.code, r.said)
				}
				if !strings.Contains(r.said, c.said) {
					t.Errorf("%q is not said: %s", c.said, r.said)
				}
				if r.code == 255 && !strings.HasPrefix(r.said, "minissh: ") && level == options.LevelInfo {
					t.Errorf("255 without a word: %q", r.said)
				}
				if strings.Contains(r.said, "\nminissh: hint: run evil") {
					t.Errorf("the daemon forged a line of ours: %s", r.said)
				}
			})
		}
	}
}

func welcomes(payload string) func(*guest) {
	return func(g *guest) { g.say(protocol.TypeWelcome, 0, payload); g.drain() }
}

// flood sends a frame until the client has had enough.
func flood(g *guest, kind protocol.Type, channel uint32, payload string) {
	frame := protocol.AppendFrame(nil, kind, 0, channel, []byte(payload))
	for range 1 << 20 {
		if _, err := g.Write(frame); err != nil {
			return
		}
	}
}

// floodRaw sends output without asking for credit.
func floodRaw(g *guest, n int) {
	frame := protocol.AppendFrame(nil, protocol.TypeStdout, 0, 1, make([]byte, protocol.MaxPayload))
	for ; n > 0; n -= protocol.MaxPayload {
		if _, err := g.Write(frame); err != nil {
			return
		}
	}
	g.drain()
}

// EXIT may say anything: the exit code is 0 to 255, and names are quoted.
func TestHostileExits(t *testing.T) {
	for exit, want := range map[string]struct {
		code int
		said string
	}{
		`{"how":"exited","code":0}`:                       {0, ""},
		`{"how":"exited","code":7}`:                       {7, ""},
		`{"how":"exited","code":256}`:                     {255, ""},
		`{"how":"exited","code":-1}`:                      {255, ""},
		`{"how":"exited","code":1099511627776}`:           {255, ""},
		`{"how":"exited"}`:                                {255, "without an exit code"},
		`{}`:                                              {255, "how the command ended is unknown"},
		`{"code":0}`:                                      {255, "how the command ended is unknown"},
		`{"how":"garbage","code":0}`:                      {255, `it is said to have ended by "garbage", which means nothing`},
		`{"how":"signalled","code":0}`:                    {255, "without the signal's name"},
		`{"how":"signalled","signal":"KILL"}`:             {137, ""},
		`{"how":"signalled","signal":"TERM","core":true}`: {143, ""},
		`{"how":"signalled","signal":"` + evil + `"}`:     {255, ""},
		`{"how":"signalled","signal":"PROF"}`:             {155, ""},
		`{"how":"signalled","signal":"34"}`:               {162, ""},
		`{"how":"signalled","signal":"65"}`:               {255, ""},
		`{"how":"signalled","signal":"-1"}`:               {255, ""},
		`{"how":"deadline"}`:                              {124, "at a time limit of fake"},
		`{"how":"` + evil + `","code":4}`:                 {255, `it is said to have ended by "\x1b[31m`},
		`{"how":"cancelled","signal":"HUP"}`:              {129, "was stopped"},
		`{"how":"exited","code":0,"duration_ms":-9,"user_ms":-9,"max_rss_kib":-1,"dir":"` + evil + `"}`: {0, ""},
		`{"how":"exited","code":0,"left":[{"pid":-1,"name":"` + evil + `"},{"pid":1}]}`:                 {0, `could not be stopped there: -1 "\x1b[31m`},
	} {
		f := newFake(t, exits(exit))
		for _, level := range []options.LogLevel{options.LevelInfo, options.LevelDebug3} {
			r := f.run(t, func(d *Dialer) { d.Options.LogLevel = level })
			if r.code != want.code || !strings.Contains(r.said, want.said) {
				t.Errorf("%s: exit code %d, %s", exit, r.code, r.said)
			}
		}
	}
}

// What listens there is no minisshd, or says that it is busy.
func TestOtherListeners(t *testing.T) {
	for _, c := range []struct {
		name, says, said string
	}{
		{"ssh", "SSH-2.0-OpenSSH_9.9\r\n", "does not speak TLS"},
		{"escapes", "\x1b[31m\x1b]0;x\x07\r\n", "does not speak TLS"},
		{"busy", string(transport.Busy), "too many unauthenticated connections"},
		{"nothing", "", "closed the connection before letting us in"},
	} {
		f := newFake(t)
		f.set(func() {
			f.raw = func(conn net.Conn) {
				io.WriteString(conn, c.says)
				conn.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, conn)
			}
		})
		if r := f.run(t, nil); r.code != 255 || !strings.Contains(r.said, c.said) {
			t.Errorf("%s: %d, %s", c.name, r.code, r.said)
		}
	}
}

// ConnectTimeout ends every way of not answering.
func TestConnectTimeout(t *testing.T) {
	for name, f := range map[string]func(*fake){
		"silence below TLS":   func(f *fake) { f.raw = func(conn net.Conn) { io.Copy(io.Discard, conn) } },
		"silence at HELLO":    func(f *fake) { f.turns = []func(*guest){func(g *guest) { io.Copy(io.Discard, g) }} },
		"PINGs for an answer": func(f *fake) { f.turns = []func(*guest){func(g *guest) { flood(g, protocol.TypePing, 0, "12345678") }} },
		"endless handshake": func(f *fake) {
			f.raw = func(conn net.Conn) {
				for {
					if _, err := conn.Write([]byte("\x14\x03\x03\x00\x01\x01")); err != nil {
						return
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newFake(t)
			server.set(func() { f(server) })
			r := server.run(t, func(d *Dialer) { d.Options.ConnectTimeout = 100 * time.Millisecond })
			if r.code != 255 || !strings.HasPrefix(r.said, "minissh: ") {
				t.Errorf("%d, %s", r.code, r.said)
			}
		})
	}
}
