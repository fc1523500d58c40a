//go:build linux

package hostile_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
	"minissh/scripts/testhost"
)

// liar is a daemon that does what a test wants with each connection.
type liar struct {
	t    *testing.T
	p    *testhost.Place
	l    net.Listener
	done sync.WaitGroup

	mu   sync.Mutex // guards the rest
	raw  func(net.Conn)
	tls  func(*guest)
	open []net.Conn
}

// guest is a client that said HELLO.
type guest struct {
	*transport.Conn
	in *protocol.Reader
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	d := &liar{t: t, p: testhost.New(t)}
	var err error
	d.l, err = net.Listen("tcp", "127.0.0.1:0")
	d.p.Must(err)
	_, port, _ := net.SplitHostPort(d.l.Addr().String())
	d.p.Knows("box", port)
	host, _, err := keys.HostKey(d.p.Path("host_key"))
	d.p.Must(err)
	envelope, err := keys.Certificate(host)
	d.p.Must(err)
	config := transport.ServerConfig(envelope)
	d.done.Go(func() {
		for {
			conn, err := d.l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(testhost.Patience))
			d.mu.Lock()
			raw, secure := d.raw, d.tls
			d.open = append(d.open, conn)
			d.mu.Unlock()
			d.done.Go(func() {
				defer conn.Close()
				if raw != nil {
					raw(conn)
					return
				}
				c, err := transport.Server(conn, config, nil)
				if err != nil {
					return
				}
				c.Authorized()
				g := &guest{c, protocol.NewReader(c)}
				if g.until(protocol.TypeHello) {
					secure(g)
					c.CloseWrite()
					io.Copy(io.Discard, c)
				}
			})
		}
	})
	t.Cleanup(func() {
		d.l.Close()
		d.mu.Lock()
		for _, conn := range d.open {
			conn.Close()
		}
		d.mu.Unlock()
		d.done.Wait()
	})
	return d
}

func (d *liar) does(raw func(net.Conn), secure func(*guest)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw, d.tls = raw, secure
}

// until reads up to a frame of one of some types.
func (g *guest) until(kinds ...protocol.Type) bool {
	for {
		f, err := g.in.Next()
		if err != nil || slices.Contains(kinds, f.Type) {
			return err == nil
		}
	}
}

// leaves waits until the client goes, or asks for something more, which it would wait for.
func (g *guest) leaves() { g.until(protocol.TypeGoodbye, protocol.TypeOpen) }

func (g *guest) say(kind protocol.Type, channel uint32, payload string) {
	g.Write(protocol.AppendFrame(nil, kind, 0, channel, []byte(payload)))
}

func (g *guest) welcome() {
	g.say(protocol.TypeWelcome, 0,
		`{"received":0,"resend":0,"channels":64,"user":"tester","home":"/home/tester"}`)
}

// begin welcomes and lets a command start.
func (g *guest) begin() {
	g.welcome()
	g.until(protocol.TypeOpen)
	g.say(protocol.TypeOpened, 1, `{"pid":1}`)
}

// end is the end of a command.
func (g *guest) end(exit string) {
	g.say(protocol.TypeEOF, 1, string(rune(protocol.TypeStdout)))
	g.say(protocol.TypeEOF, 1, string(rune(protocol.TypeStderr)))
	g.say(protocol.TypeExit, 1, exit)
	g.say(protocol.TypeClose, 1, "{}")
	g.leaves()
}

// lies are conversations with something evil in every string that a daemon can send. %s becomes an
// evil text, as JSON.
var lies = []struct {
	name string
	do   func(g *guest, evil string)
}{
	{"ERROR instead of WELCOME", func(g *guest, evil string) {
		g.say(protocol.TypeError, 0, `{"code":`+evil+`,"message":`+evil+`,"key":`+evil+`}`)
	}},
	{"a known ERROR", func(g *guest, evil string) {
		g.say(protocol.TypeError, 0, `{"code":"too_many_sessions","message":`+evil+`}`)
	}},
	{"key_not_authorized", func(g *guest, evil string) {
		g.say(protocol.TypeError, 0, `{"code":"key_not_authorized","message":`+evil+`,"key":`+evil+
			`}`)
	}},
	{"WELCOME", func(g *guest, evil string) {
		g.say(protocol.TypeWelcome, 0, `{"received":0,"resend":0,"channels":64,"user":`+evil+
			`,"home":`+evil+`,"software":`+evil+`}`)
		g.until(protocol.TypeOpen)
		g.say(protocol.TypeOpened, 1, `{"pid":1,"tty":`+evil+`}`)
		g.end(`{"how":"exited","code":3,"dir":` + evil + `,"old_dir":` + evil + `}`)
	}},
	{"names of JSON keys", func(g *guest, evil string) {
		g.say(protocol.TypeWelcome, 0, `{`+evil+`:1,`+evil+`:2}`)
	}},
	{"a key of another case, and nonsense", func(g *guest, evil string) {
		g.say(protocol.TypeWelcome, 0, `{"USER":`+evil+`,"channels":`+evil+`}`)
	}},
	{"no JSON", func(g *guest, evil string) { g.say(protocol.TypeWelcome, 0, strings.Trim(evil, `"`)) }},
	{"NOTICE", func(g *guest, evil string) {
		g.begin()
		g.say(protocol.TypeNotice, 1, `{"notice":`+evil+`,"message":`+evil+`}`)
		for _, notice := range []string{"output_held", "signal_refused", "pty_refused"} {
			g.say(protocol.TypeNotice, 1, `{"notice":"`+notice+`","message":`+evil+`}`)
		}
		g.end(`{"how":"exited","code":3}`)
	}},
	{"EXIT", func(g *guest, evil string) {
		g.begin()
		g.end(`{"how":` + evil + `,"signal":` + evil + `,"dir":` + evil +
			`,"left":[{"pid":1,"name":` + evil + `},{"pid":-2,"name":` + evil + `}]}`)
	}},
	{"CLOSE instead of OPENED", func(g *guest, evil string) {
		g.welcome()
		g.until(protocol.TypeOpen)
		g.say(protocol.TypeClose, 1, `{"code":`+evil+`,"message":`+evil+`}`)
		g.leaves()
	}},
	{"start_failed", func(g *guest, evil string) {
		g.welcome()
		g.until(protocol.TypeOpen)
		g.say(protocol.TypeClose, 1, `{"code":"start_failed","message":`+evil+`}`)
		g.leaves()
	}},
	{"GOODBYE", func(g *guest, evil string) {
		g.begin()
		g.say(protocol.TypeGoodbye, 0, `{"code":`+evil+`,"message":`+evil+`}`)
	}},
	{"ERROR in the middle", func(g *guest, evil string) {
		g.begin()
		g.say(protocol.TypeError, 0, `{"code":`+evil+`,"message":`+evil+`}`)
	}},
	{"a request of the daemon's", func(g *guest, evil string) {
		g.begin()
		g.say(protocol.TypeOpen, 2, `{"service":`+evil+`,"command":`+evil+`}`)
		g.say(protocol.TypeSignal, 1, `{"signal":`+evil+`}`)
	}},
	{"an unknown type", func(g *guest, evil string) { g.begin(); g.say(0x7f, 1, evil) }},
}

// ours is how lines on standard error begin: ours, a frame that is traced, and ssh's words.
var ours = regexp.MustCompile(
	`^(minissh: | *[0-9]+\.[0-9]{3} ms [→←] |Pseudo-terminal will not be allocated|Warning: Permanently added |Connection to 127\.0\.0\.1 closed\.$|$)`)

// What a lying daemon says is quoted on standard error, with every level of -v, in a trace, and in
// the prompt.
func TestLyingDaemon(t *testing.T) {
	// byte strings may not hold NUL: with it, most frames are refused as a whole
	plain := strings.ReplaceAll(all, "\x00", "")
	forms := map[string]string{"valid": valid(plain), "NUL": valid(all),
		"long": valid(strings.ReplaceAll(long, "\x00", "")), "as bytes": octets(plain),
		"no UTF-8": text(all)}
	for _, lie := range lies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			d := newLiar(t)
			for form, evil := range forms {
				d.does(nil, func(g *guest) { lie.do(g, evil) })
				for _, args := range [][]string{{"-n", "box", "cmd"}, {"-vvv", "-n", "box", "cmd"},
					{"-tt", "box"}} {
					what := fmt.Sprintf("%s, %s, %q", lie.name, form, args)
					r := d.p.Run("minissh", args...)
					if r.Out != "" {
						t.Errorf("%s: standard output has %q", what, r.Out)
					}
					harmless(t, what, []byte(r.Err), ours)
				}
				cmd := d.p.Command("minissh", "prompt", "box")
				cmd.Stdin = strings.NewReader("cmd\n")
				r := d.p.RunCmd(cmd)
				harmless(t, lie.name+", "+form+", prompt", []byte(r.Err+r.Out),
					regexp.MustCompile(ours.String()+`|^\[`))
			}
			// On a terminal, where notices are shown and the prompt has a line of its own.
			d.does(nil, func(g *guest) { lie.do(g, forms["valid"]) })
			for _, args := range [][]string{{"box", "cmd"}, {"-t", "box", "cmd"},
				{"prompt", "box"}} {
				got := onTerminal(t, d.p, args)
				unseen(t, fmt.Sprintf("%s, %q on a terminal", lie.name, args), got)
				if lie.name == "WELCOME" && args[0] == "prompt" &&
					!strings.Contains(got, `\x1b[31mEVIL`) {
					t.Errorf("the prompt does not show where it is: %q", got)
				}
			}
		})
	}
}

// onTerminal runs minissh on a terminal, types a line and the end, and gives all that the terminal
// got.
func onTerminal(t *testing.T, p *testhost.Place, args []string) string {
	t.Helper()
	cmd := p.Command("minissh", args...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	p.Must(err)
	defer master.Close()
	got := new(testhost.Text)
	drained := make(chan struct{})
	go func() { defer close(drained); got.ReadFrom(master) }()
	master.WriteString("cmd\r\x04\x04")
	cmd.Wait()
	<-drained
	return got.String()
}

// What listens there may not be minisshd at all, and may answer anything.
func TestLyingListener(t *testing.T) {
	d := newLiar(t)
	for _, answer := range append(evils, all, long, "SSH-2.0-"+all+"\r\n",
		"\x16\x03\x03\x00\x05"+all, "\x15\x03\x03\x00\x02\x02\xff",
		"\x15\x03\x03\x00\x02\x1b\x9b") {
		d.does(func(conn net.Conn) {
			io.WriteString(conn, answer)
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		}, nil)
		for _, args := range [][]string{{"-n", "box", "cmd"}, {"-vvv", "-n", "box", "cmd"}} {
			r := d.p.Run("minissh", args...)
			if r.Code != 255 || r.Out != "" {
				t.Errorf("%q: %+v", answer, r)
			}
			harmless(t, fmt.Sprintf("%q, %q", answer, args), []byte(r.Err), ours)
		}
	}
}

// The known_hosts file may hold anything: its names and its own name are shown to whoever is asked
// about a host, and where a key has changed.
func TestLyingKnownHosts(t *testing.T) {
	d := newLiar(t)
	d.does(nil, func(g *guest) { g.begin(); g.end(`{"how":"exited","code":0}`) })
	_, port, _ := net.SplitHostPort(d.l.Addr().String())
	key := " " + strings.Join(strings.Fields(d.p.Read("host_key.pub"))[:2], " ")
	d.p.Key(d.p.Path("other"))
	other := " " + strings.Join(strings.Fields(d.p.Read("other.pub"))[:2], " ")
	name := func(evil string) string {
		return strings.NewReplacer("\n", "", " ", "", "\t", "", "\x00", "", "\r", "").Replace(evil)
	}
	var names []string
	for _, evil := range evils {
		names = append(names, name(evil))
	}
	file := "known\x1b[31m\u202e\u009b_hosts"
	path := d.p.Path(file)
	for what, text := range map[string]string{
		"other names": names[0] + "," + strings.Join(names[1:], key+" "+all+"\n") + key +
			" comment" + name(all) + "\n",
		"changed": "[127.0.0.1]:" + port + "," + strings.Join(names, ",") + other + " " +
			name(all) + "\n",
		"revoked": "@revoked " + strings.Join(names, ",") + ",*" + key + " " + name(all) +
			"\n",
		"bad lines": all + "\n" + strings.Join(evils, "\n@\n") + "\n@" + name(all) + " x" +
			key + "\n",
		"a bad key":     name(all) + " " + name(all) + " " + name(all) + "\n",
		"a long line":   long + "\n",
		"nothing there": "",
	} {
		d.p.Must(os.WriteFile(path, []byte(text), 0o600))
		for _, policy := range []string{"ask", "yes", "accept-new"} {
			d.p.Must(os.WriteFile(path, []byte(text), 0o600))
			args := []string{"-vv", "-n", "-o", "StrictHostKeyChecking=" + policy, "-o",
				`UserKnownHostsFile="` + path + `"`, "-o", "GlobalKnownHostsFile=none", "box",
				"cmd"}
			r := d.p.Run("minissh", args...)
			harmless(t, what+", "+policy, []byte(r.Err), sshs)
			if policy == "ask" {
				got := onTerminalAnswer(t, d.p, args, "no\r")
				unseen(t, what+", asked on a terminal", got)
				if (what == "other names" || what == "nothing there") &&
					!strings.Contains(got, "can't be established") {
					t.Errorf("%s: nothing was asked: %q", what, got)
				}
			}
		}
	}
}

// sshs are the lines of ssh's warnings besides ours.
var sshs = regexp.MustCompile(ours.String() +
	`|^(@|IT IS POSSIBLE|Someone could|It is also possible|The fingerprint for|SHA256:|Please contact|Add correct host key|Offending |  remove with:|  ssh-keygen |Host key |No ED25519 |The ED25519 host key for|This could mean|impersonate|ED25519 host key for|Failed to add)`)

// onTerminalAnswer is onTerminal with an answer to a question.
func onTerminalAnswer(t *testing.T, p *testhost.Place, args []string, answer string) string {
	t.Helper()
	cmd := p.Command("minissh", args...)
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 200})
	p.Must(err)
	defer master.Close()
	var got bytes.Buffer
	drained := make(chan struct{})
	go func() { defer close(drained); io.Copy(&got, master) }()
	master.WriteString(answer)
	cmd.Wait()
	<-drained
	return got.String()
}
