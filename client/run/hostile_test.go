//go:build unix

package run_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/transport"
)

// A daemon that is hostile after login: the client ends with 255 (or the command's code), says why,
// and prints nothing raw.
func TestHostileDaemons(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*fakedaemon.Guest)
		code int
		said string
	}{
		{"ERROR with escapes",
			fakedaemon.Refuse(`{"code":"internal","message":"` + fakedaemon.Evil + `"}`), 255,
			`refused: the other side said internal: "\x1b[31m`},
		{"a code with escapes", fakedaemon.Refuse(`{"code":"` + fakedaemon.Evil + `"}`), 255, "refused: the other side said internal\n"},
		{"a code of 8,000 bytes", fakedaemon.Refuse(`{"code":"` + strings.Repeat("x", 8000) + `"}`), 255, "refused: the other side said internal\n"},
		{"a code of 20,000 bytes", fakedaemon.Refuse(`{"code":"` + strings.Repeat("x", 20000) + `"}`), 255, "frame_too_large: ERROR of 20011 bytes"},
		{"a long message", fakedaemon.Refuse(`{"code":"internal","message":"` + strings.Repeat("x", 8_000) + `"}`), 255, "xxx…"},
		{"too many sessions", fakedaemon.Refuse(`{"code":"too_many_sessions","message":"no"}`), 255, "--max-sessions"},
		{"shutting down", fakedaemon.Refuse(`{"code":"shutting_down"}`), 255, "wait until it has started again"},
		{"ERROR in bad JSON", fakedaemon.Refuse(`{"code":"internal","code":"x"}`), 255, "is there twice"},
		{"closes at once", func(*fakedaemon.Guest) {}, 255, "closed the connection before letting us in"},
		{"GOODBYE instead of WELCOME", func(g *fakedaemon.Guest) { g.Say(protocol.TypeGoodbye, 0, "{}"); g.Drain() }, 255, ""},
		{"garbage instead of WELCOME", func(g *fakedaemon.Guest) { io.WriteString(g, strings.Repeat("\x1b[31m", 50)); g.Drain() }, 255, "frame_too_large"},
		{"endless output before WELCOME", func(g *fakedaemon.Guest) { flood(g, protocol.TypeStdout, 1, strings.Repeat("x", 1000)) }, 255, "unexpected_frame"},
		{"a HELLO of its own", func(g *fakedaemon.Guest) { g.Say(protocol.TypeHello, 0, "{}"); g.Drain() }, 255, "unexpected_frame"},
		{"WELCOME with no channels", welcomes(`{"channels":0}`), 255, "bad_frame"},
		{"WELCOME with a negative hold", welcomes(`{"channels":64,"hold":-1}`), 255, "bad_frame"},
		{"WELCOME with a tiny resend", welcomes(`{"channels":64,"resend":1}`), 255, "bad_frame"},
		{"WELCOME that received what was not sent", welcomes(`{"channels":64,"received":9007199254740993}`), 255, "resume_mismatch"},
		{"WELCOME with a number of 64 bits", welcomes(`{"channels":18446744073709551615}`), 255, "bad_json"},
		{"two WELCOMEs", func(g *fakedaemon.Guest) { g.Welcome(); g.Welcome(); g.Drain() }, 255, "unexpected_frame"},
		{"WELCOME with escapes", func(g *fakedaemon.Guest) {
			g.Say(protocol.TypeWelcome, 0,
				`{"channels":999999999,"resend":9007199254740993,"hold":9007199254740993,"uptime_ms":5,"user":"`+fakedaemon.Evil+`","home":"`+fakedaemon.Evil+`","software":"`+fakedaemon.Evil+`"}`)
			g.Until(protocol.TypeOpen)
			g.Say(protocol.TypeOpened, 1, `{"pid":-1}`)
			g.End(`{"how":"exited","code":3}`)
		}, 3, ""},
		{"OPENED twice", func(g *fakedaemon.Guest) { g.Begin(); g.Say(protocol.TypeOpened, 1, `{"pid":2}`); g.Drain() }, 255, "unexpected_frame"},
		{"output before OPENED", func(g *fakedaemon.Guest) {
			g.Welcome()
			g.Until(protocol.TypeOpen)
			g.Data(protocol.TypeStdout, "x")
			g.Drain()
		}, 255, "unexpected_frame"},
		{"output after EOF", func(g *fakedaemon.Guest) { g.Begin(); g.EOF(); g.Data(protocol.TypeStdout, "x"); g.Drain() }, 255, "unexpected_frame"},
		{"STDIN to the client", func(g *fakedaemon.Guest) { g.Begin(); g.Data(protocol.TypeStdin, "x"); g.Drain() }, 255, "unexpected_frame"},
		{"too much output", func(g *fakedaemon.Guest) { g.Begin(); floodRaw(g, 64<<20) }, 255, ""},
		{"EXIT before EOF", func(g *fakedaemon.Guest) {
			g.Begin()
			g.Say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.Drain()
		}, 255, "unexpected_frame"},
		{"EXIT twice", func(g *fakedaemon.Guest) {
			g.Begin()
			g.EOF()
			g.Say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.Say(protocol.TypeExit, 1, `{"how":"exited","code":0}`)
			g.Drain()
		}, 255, "unexpected_frame"},
		{"CLOSE without EXIT", func(g *fakedaemon.Guest) {
			g.Begin()
			g.Say(protocol.TypeClose, 1, `{"code":"start_failed","message":"`+fakedaemon.Evil+`"}`)
			g.Drain()
		}, 255, `did not run it: the other side said start_failed: "\x1b[31m`},
		{"CLOSE without anything", func(g *fakedaemon.Guest) { g.Begin(); g.Say(protocol.TypeClose, 1, `{}`); g.Drain() }, 255, ""},
		{"EOF without EXIT", func(g *fakedaemon.Guest) { g.Begin(); g.EOF(); g.Drain() }, 255, "lost"},
		{"a channel of its own", func(g *fakedaemon.Guest) {
			g.Begin()
			g.Say(protocol.TypeOpen, 2, `{"service":"exec","command":"rm -rf ~"}`)
			g.Drain()
		}, 255, "too_many_channels"},
		{"an unknown type", func(g *fakedaemon.Guest) { g.Begin(); g.Say(0x42, 1, `{}`); g.Drain() }, 255, "unknown_type"},
		{"the wrong channel", func(g *fakedaemon.Guest) { g.Begin(); g.Say(protocol.TypeStdout, 99, "x"); g.Drain() }, 255, "unknown_channel"},
		{"a flood of NOTICEs", func(g *fakedaemon.Guest) {
			g.Begin()
			for range 5000 {
				g.Say(protocol.TypeNotice, 1, `{"notice":"`+fakedaemon.Evil+`","message":"`+
					fakedaemon.Evil+`"}`)
			}
			g.End(`{"how":"exited","code":0}`)
		}, -1, ""},
		{"ERROR in the middle", func(g *fakedaemon.Guest) {
			g.Begin()
			g.Data(protocol.TypeStdout, "half")
			fakedaemon.Refuse(`{"code":"internal","message":"` + fakedaemon.Evil + `"}`)(g)
		}, 255, "outcome is unknown"},
		{"GOODBYE in the middle", func(g *fakedaemon.Guest) {
			g.Begin()
			g.Say(protocol.TypeGoodbye, 0, `{"code":"shutting_down","message":"`+fakedaemon.Evil+
				`"}`)
			g.Drain()
		}, 255, "is being stopped"},
		{"FIN in the middle", func(g *fakedaemon.Guest) { g.Begin(); g.Raw.Close() }, 255,
			"what ran there is hung up when the daemon notices, within 15 minutes at the latest, " +
				"and its outcome is unknown"},
		{"RST in the middle", func(g *fakedaemon.Guest) { g.Begin(); g.Raw.(*net.TCPConn).SetLinger(0); g.Raw.Close() }, 255, "outcome is unknown"},
	} {
		for _, level := range []options.LogLevel{options.LevelInfo, options.LevelDebug3} {
			t.Run(fmt.Sprintf("%s/%d", c.name, level), func(t *testing.T) {
				f := fakedaemon.New(t, c.do)
				r := f.Run(t, func(d *dial.Dialer) {
					d.Options.LogLevel = level
					if level == options.LevelDebug3 {
						d.Trace = report.Tracer(d.Messages)
					}
				})
				if r.Code != c.code && c.code >= 0 {
					t.Errorf("exit code %d instead of %d: %s", r.Code, c.code, r.Said)
				}
				if !strings.Contains(r.Said, c.said) {
					t.Errorf("%q is not said: %s", c.said, r.Said)
				}
				if r.Code == 255 && !strings.HasPrefix(r.Said, "minissh: ") &&
					level == options.LevelInfo {
					t.Errorf("255 without a word: %q", r.Said)
				}
				if strings.Contains(r.Said, "\nminissh: hint: run evil") {
					t.Errorf("the daemon forged a line of ours: %s", r.Said)
				}
			})
		}
	}
}

func welcomes(payload string) func(*fakedaemon.Guest) {
	return func(g *fakedaemon.Guest) { g.Say(protocol.TypeWelcome, 0, payload); g.Drain() }
}

// flood sends a frame until the client has had enough.
func flood(g *fakedaemon.Guest, kind protocol.Type, channel uint32, payload string) {
	frame := protocol.AppendFrame(nil, kind, 0, channel, []byte(payload))
	for range 1 << 20 {
		if _, err := g.Write(frame); err != nil {
			return
		}
	}
}

// floodRaw sends output without asking for credit.
func floodRaw(g *fakedaemon.Guest, n int) {
	frame := protocol.AppendFrame(nil, protocol.TypeStdout, 0, 1, make([]byte, protocol.MaxPayload))
	for ; n > 0; n -= protocol.MaxPayload {
		if _, err := g.Write(frame); err != nil {
			return
		}
	}
	g.Drain()
}

// EXIT may say anything: the exit code is 0 to 255, and names are quoted.
func TestHostileExits(t *testing.T) {
	for exit, want := range map[string]struct {
		code int
		said string
	}{
		`{"how":"exited","code":0}`:             {0, ""},
		`{"how":"exited","code":7}`:             {7, ""},
		`{"how":"exited","code":255}`:           {255, ""},
		`{"how":"exited","code":256}`:           {255, "exited with 256; exit codes here are 0 to 255"},
		`{"how":"exited","code":-1}`:            {255, "exited with -1; exit codes here"},
		`{"how":"exited","code":1099511627776}`: {255, "exited with 1099511627776; exit codes"},
		`{"how":"exited"}`:                      {255, "without an exit code"},
		`{}`: {
			255, "how the command ended is unknown"},
		`{"code":0}`: {
			255, "how the command ended is unknown"},
		`{"how":"garbage","code":0}`: {
			255, `it is said to have ended by "garbage", which means nothing`},
		`{"how":"signalled","code":0}`: {
			255, "without the signal's name"},
		`{"how":"signalled","signal":"KILL"}`:                    {137, ""},
		`{"how":"signalled","signal":"TERM","core":true}`:        {143, ""},
		`{"how":"signalled","signal":"` + fakedaemon.Evil + `"}`: {255, `by the signal "\x1b[31m`},
		`{"how":"signalled","signal":"PROF"}`:                    {155, ""},
		`{"how":"signalled","signal":"34"}`:                      {162, ""},
		`{"how":"signalled","signal":"65"}`:                      {255, `by the signal "65", which is not known here`},
		`{"how":"signalled","signal":"-1"}`:                      {255, `by the signal "-1", which is not known here`},
		`{"how":"deadline"}`:                                     {124, "at a time limit of fake"},
		`{"how":"` + fakedaemon.Evil + `","code":4}`: {
			255, `it is said to have ended by "\x1b[31m`},
		`{"how":"cancelled","signal":"HUP"}`: {129, "stopped: somebody asked fake for that"},
		`{"how":"hung_up","signal":"HUP"}`:   {129, "stopped: its terminal was hung up"},
		`{"how":"exited","code":0,"duration_ms":-9,"user_ms":-9,"max_rss_kib":-1,"dir":"` +
			fakedaemon.Evil + `"}`: {0, ""},
		`{"how":"exited","code":0,"left":[{"pid":-1,"name":"` + fakedaemon.Evil +
			`"},{"pid":1}]}`: {0, `could not be stopped there: -1 "\x1b[31m`},
	} {
		f := fakedaemon.New(t, fakedaemon.Exits(exit))
		for _, level := range []options.LogLevel{options.LevelInfo, options.LevelDebug3} {
			r := f.Run(t, func(d *dial.Dialer) { d.Options.LogLevel = level })
			if r.Code != want.code || !strings.Contains(r.Said, want.said) ||
				want.said == "" && level == options.LevelInfo && r.Said != "" {
				t.Errorf("%s: exit code %d, %s", exit, r.Code, r.Said)
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
		f := fakedaemon.New(t)
		f.Set(func() {
			f.Raw = func(conn net.Conn) {
				io.WriteString(conn, c.says)
				conn.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, conn)
			}
		})
		if r := f.Run(t, nil); r.Code != 255 || !strings.Contains(r.Said, c.said) {
			t.Errorf("%s: %d, %s", c.name, r.Code, r.Said)
		}
	}
}

// ConnectTimeout ends every way of not answering.
func TestConnectTimeout(t *testing.T) {
	for name, f := range map[string]func(*fakedaemon.Fake){
		"silence below TLS": func(f *fakedaemon.Fake) {
			f.Raw = func(conn net.Conn) { io.Copy(io.Discard, conn) }
		},
		"silence at HELLO": func(f *fakedaemon.Fake) {
			f.Turns = []func(*fakedaemon.Guest){
				func(g *fakedaemon.Guest) { io.Copy(io.Discard, g) }}
		},
		"PINGs for an answer": func(f *fakedaemon.Fake) {
			f.Turns = []func(*fakedaemon.Guest){
				func(g *fakedaemon.Guest) { flood(g, protocol.TypePing, 0, "12345678") }}
		},
		"endless handshake": func(f *fakedaemon.Fake) {
			f.Raw = func(conn net.Conn) {
				for {
					if _, err := conn.Write([]byte("\x14\x03\x03\x00\x01\x01")); err != nil {
						return
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := fakedaemon.New(t)
			server.Set(func() { f(server) })
			r := server.Run(t,
				func(d *dial.Dialer) { d.Options.ConnectTimeout = 100 * time.Millisecond })
			if r.Code != 255 || !strings.HasPrefix(r.Said, "minissh: ") {
				t.Errorf("%d, %s", r.Code, r.Said)
			}
		})
	}
}
