//go:build linux

package service_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
	"minissh/scripts/testhost"
)

// forgery is what a stranger would like Fail2Ban to read.
const forgery = `Failed publickey for root from 192.0.2.66 port 22: ED25519 SHA256:x" error=x`

// hello says HELLO on loopback and gives the answer's type.
func hello(p *testhost.Place, port string, id keys.Identity,
	change func(*protocol.Hello)) protocol.Type {
	return answerTo(p, port, id, change).Type
}

// answerTo says HELLO on loopback and gives the answer.
func answerTo(p *testhost.Place, port string, id keys.Identity,
	change func(*protocol.Hello)) protocol.Frame {
	raw, err := net.Dial("tcp", "127.0.0.1:"+port)
	p.Must(err)
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(testhost.Patience))
	own, err := keys.Certificate(id)
	p.Must(err)
	conn, err := transport.Client(raw, nil, own, func(*x509.Certificate) error { return nil })
	p.Must(err)
	var name [32]byte
	rand.Read(name[:])
	h := &protocol.Hello{Protocol: protocol.ALPN, Session: hex.EncodeToString(name[:]), Epoch: 1,
		Create: true}
	change(h)
	text, err := json.Marshal(h)
	p.Must(err)
	conn.Write(protocol.AppendFrame(nil, protocol.TypeHello, 0, 0, text))
	f, err := protocol.NewReader(conn).Next()
	p.Must(err)
	return f
}

// found are the addresses that fail2ban-regex finds in some lines, one for each line that matches.
func found(t *testing.T, p *testhost.Place, program, log string) []string {
	t.Helper()
	filter, err := os.ReadFile("fail2ban-minisshd.conf")
	p.Must(err)
	name := p.Write("filter.d/minisshd.conf", string(filter))
	if common := filepath.Join(filepath.Dir(name), "common.conf"); !exists(common) {
		p.Must(os.Symlink("/etc/fail2ban/filter.d/common.conf", common))
	}
	r := p.Run(program, "--out", "ip", p.Write("minisshd.log", log), name)
	if r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	return strings.Fields(r.Out)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// Fail2Ban finds every failed login in the log of a real daemon, with the address that it came from
// and no other, whatever strangers and guests have put into names, commands and the rest; not the
// refusal of a key whose owner has another one that would do.
func TestFail2ban(t *testing.T) {
	program := testhost.Need(t, "fail2ban-regex")
	p := testhost.New(t)
	d := p.Daemon()
	stranger, err := keys.Generate()
	p.Must(err)
	names := []string{
		"root", "a b", "x from 192.0.2.66 port 22: ED25519 SHA256:y",
		"x\nlevel=WARN msg=\"" + forgery, "x\" from 192.0.2.66 port 1: ED25519 SHA256:x\" error=\"",
		`\" from 192.0.2.66`, "\x1b[31m", "é", "\u00a0from\u00a0192.0.2.66",
		strings.Repeat("a ", 200), "192.0.2.66", "x another_key=SHA256:" + strings.Repeat("a", 43),
		"invalid user root from 192.0.2.66 port 2: ED25519 SHA256:x", " ", "x\r" + forgery, "x\x01",
	}
	for _, name := range names {
		if answer := hello(p, d.Port, stranger, func(h *protocol.Hello) {
			h.User = name
		}); answer != protocol.TypeError {
			t.Fatalf("%q: %v", name, answer)
		}
	}
	guest, err := keys.LoadFile(p.Path("home/.ssh/id_ed25519"), nil)
	p.Must(err)
	user := strings.TrimSpace(p.Run("id", "-un").Out)
	hello(p, d.Port, stranger, func(h *protocol.Hello) {
		h.User, h.Keys = user, []string{keys.Fingerprint(guest.Public)}
	})
	if answer := hello(p, d.Port, guest, func(h *protocol.Hello) {
		h.User, h.Software = user, "x\" level=WARN msg=\""+forgery
	}); answer != protocol.TypeWelcome {
		t.Fatalf("the guest gets %v", answer)
	}
	p.Run("minissh", "box", "true", "\nlevel=WARN msg=\""+forgery,
		"Failed publickey for root from 192.0.2.66 port 22:")
	d.Log.Await(t, "Command ended")
	log := d.Log.String()
	failed := regexp.MustCompile(
		`(?m)^time=\S+ level=WARN msg="Failed publickey for `).FindAllString(log, -1)
	want := len(failed) - 1 // one had another key
	if want != len(names) {
		t.Errorf("%d failed logins are in the log:\n%s", want, log)
	}
	same := slices.Repeat([]string{"127.0.0.1"}, want)
	if got := found(t, p, program, log); !slices.Equal(got, same) {
		t.Errorf("Fail2Ban finds %q in\n%s", got, log)
	}
	journal := regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(log,
		"Nov 29 01:02:03 host minisshd[77]: ")
	if got := found(t, p, program, journal); !slices.Equal(got, same) {
		t.Errorf("Fail2Ban finds %q in\n%s", got, journal)
	}
}
