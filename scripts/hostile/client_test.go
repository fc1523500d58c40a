//go:build linux

package hostile_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
	"minissh/scripts/testhost"
)

// visitor connects to a daemon, with a key that is listed or with one that is not.
func visitor(t *testing.T, p *testhost.Place, d *testhost.Daemon, key string) (*transport.Conn,
	net.Conn) {
	t.Helper()
	identity, err := keys.LoadFile(key, nil)
	p.Must(err)
	raw, err := net.Dial("tcp", "127.0.0.1:"+d.Port)
	p.Must(err)
	raw.SetDeadline(time.Now().Add(testhost.Patience))
	own, err := keys.Certificate(identity)
	p.Must(err)
	conn, err := transport.Client(raw, nil, own, func(*x509.Certificate) error { return nil })
	p.Must(err)
	conn.Authorized()
	return conn, raw
}

// logLine is a line of the daemon's log. The message and every value are quoted where they are more
// than a plain word.
var logLine = regexp.MustCompile(
	`^time=[0-9T:.+Z-]+ level=(INFO|WARN|ERROR|DEBUG) msg=("([^"\\]|\\.)*"|[^ "=]+)( [a-z_]+=("([^"\\]|\\.)*"|[^ "=]*))*$`)

// Whatever a client puts into the strings that it sends, the daemon's log stays lines of printable
// text, one for each event, in which nobody else seems to have logged in.
func TestLyingClient(t *testing.T) {
	p := testhost.New(t)
	d := p.Daemon("--log-level", "debug")
	p.Key(p.Path("stranger"))
	user := strings.TrimSpace(p.Run("id", "-un").Out)
	plain := strings.ReplaceAll(all, "\x00", "")
	hello := func(user, more string) string {
		var id [32]byte
		rand.Read(id[:])
		return `{"protocol":"minissh/1","session":"` + hex.EncodeToString(id[:]) +
			`","epoch":1,"create":true,"received":0,"resend":0,"user":` + user + more + `}`
	}
	type frame struct {
		kind    protocol.Type
		channel uint32
		payload string
	}
	open := func(rest string) []frame { return []frame{{protocol.TypeOpen, 1, `{` + rest + `}`}} }
	for _, evil := range []string{valid(plain), valid(all), valid(long), octets(plain), text(all),
		valid("root from 192.0.2.1 port 1: ED25519 x"), valid("root\" from 192.0.2.1 port 1")} {
		short := evil
		if len(short) > 1500 {
			short = valid(plain)
		}
		for name, c := range map[string]struct {
			key    string
			hello  string
			frames []frame
		}{
			"user":          {"stranger", hello(short, ""), nil},
			"user with key": {"home/.ssh/id_ed25519", hello(short, ""), nil},
			"software, keys": {"home/.ssh/id_ed25519",
				hello(valid(user), `,"software":`+short+`,"keys":[`+short+`]`), nil},
			"software": {"home/.ssh/id_ed25519", hello(valid(user), `,"software":`+short),
				open(`"service":"exec","command":"true"`)},
			"protocol": {"stranger", `{"protocol":` + short + `,"session":` + short +
				`,"user":` + short + `}`, nil},
			"names": {"stranger", `{` + short + `:` + short + `}`, nil},
			"service": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":` + evil)},
			"command": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":"exec","command":` + evil)},
			"argv": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":"exec","argv":[` + evil + `,` + evil + `]`)},
			"env": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":"exec","command":"true","env":[[` + short + `,` + short +
					`],["LC_X",` + short + `]]`)},
			"dir": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":"exec","command":"true","dir":` + evil)},
			"term": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				open(`"service":"exec","command":"true","pty":{"term":` + short +
					`,"rows":-1,"cols":999999}`)},
			"signal, reason": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				append(open(`"service":"exec","command":"cat"`),
					frame{protocol.TypeSignal, 1, `{"signal":` + short + `}`},
					frame{protocol.TypeClose, 1, `{"code":` + short + `,"message":` + short +
						`}`})},
			"goodbye": {"home/.ssh/id_ed25519", hello(valid(user), ""),
				[]frame{
					{protocol.TypeGoodbye, 0, `{"code":` + short + `,"message":` + short + `}`}}},
			"unknown": {"home/.ssh/id_ed25519", hello(valid(user), ""), []frame{{0x7f, 1, evil}}},
		} {
			conn, raw := visitor(t, p, d, p.Path(c.key))
			sent := protocol.AppendFrame(nil, protocol.TypeHello, 0, 0, []byte(c.hello))
			for _, f := range c.frames {
				sent = protocol.AppendFrame(sent, f.kind, 0, f.channel, []byte(f.payload))
			}
			sent = protocol.AppendFrame(sent, protocol.TypeGoodbye, 0, 0, []byte(`{}`))
			conn.Write(sent)
			conn.CloseWrite()
			if _, err := io.Copy(io.Discard, conn); err != nil &&
				strings.Contains(err.Error(), "timeout") {
				t.Errorf("%s: the daemon does not end it", name)
			}
			raw.Close()
		}
	}
	for _, evil := range append(evils, all) { // in the clear
		raw, err := net.Dial("tcp", "127.0.0.1:"+d.Port)
		p.Must(err)
		fmt.Fprintf(raw, "%s\r\n\r\n", evil)
		raw.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, raw)
		raw.Close()
	}
	// The daemon is well, and what it logged is all there when it has ended.
	if r := p.Run("minissh", "box", "echo well"); r.Out != "well\n" {
		t.Errorf("%+v", r)
	}
	d.Cmd.Process.Signal(syscall.SIGTERM)
	<-d.Done
	log := d.Log.String()
	harmless(t, "the log", []byte(log), logLine)
	if !strings.Contains(log, "EVIL") {
		t.Error("nothing of it was logged")
	}
	// Programs that read logs for sshd's phrases find the true address, also if their patterns are
	// careless: the message holds no other.
	phrase := regexp.MustCompile(
		`^time=\S+ level=\S+ msg="(Accepted|Failed) publickey for (invalid user )?\S+ from 127\.0\.0\.1 port [0-9]+: `)
	for line := range strings.Lines(log) {
		message := regexp.MustCompile(`msg="([^"\\]|\\.)*"`).FindString(line)
		if strings.Contains(message, " from 192.0.2.1") ||
			strings.Contains(message, "publickey for") && !phrase.MatchString(line) {
			t.Errorf("somebody else seems to have come: %s", line)
		}
	}
}
