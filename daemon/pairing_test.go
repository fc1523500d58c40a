//go:build unix

package daemon

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/control"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// newPairingLab is a daemon that nobody could log in to yet.
func newPairingLab(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	return newLab(t, func(o *Options) {
		o.Access = access.NewFileAccess(o.Account,
			[]string{filepath.Join(o.Account.Home, ".ssh", "authorized_keys"),
				access.PairedFile(o.Account)}, access.Trust{}, o.Log)
		for _, more := range change {
			more(o)
		}
	})
}

// pairs sends PAIR with a code over a connection, and gives the answer's frame.
func pairs(t *testing.T, conn *transport.Conn, code protocol.PairingCode, name string, host,
	own ssh.PublicKey) (protocol.Frame, []byte) {
	t.Helper()
	exported, err := conn.Export(protocol.PairingLabel)
	if err != nil {
		t.Fatal(err)
	}
	transcript := protocol.PairingTranscript(exported, host.Marshal(), own.Marshal(), name)
	return sendPair(t, conn, name, code.Prove(protocol.PairingClient, transcript)), transcript
}

func sendPair(t *testing.T, conn io.ReadWriter, name string, proof []byte) protocol.Frame {
	t.Helper()
	frame, err := protocol.AppendMessage(nil, protocol.TypePair, 0,
		&protocol.Pair{Protocol: protocol.ALPN, User: name, Proof: hex.EncodeToString(proof)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	f, err := protocol.NewReader(conn).Next()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// refusedPairing expects the only answer that a stranger gets.
func refusedPairing(t *testing.T, f protocol.Frame) {
	t.Helper()
	var said protocol.Reason
	if f.Type != protocol.TypeError || f.Decode(&said) != nil ||
		said.Code != protocol.CodePairingRefused {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
}

func (l *lab) offer(o control.Offer) *control.PairingOffer {
	l.t.Helper()
	made, err := l.desk.Offer(o)
	if err != nil {
		l.t.Fatal(err)
	}
	return made
}

// A client that proves the code gets the daemon's proof, is listed, and logs in. The code is good
// for nothing then, and is in no log.
func TestPairing(t *testing.T) {
	l := newPairingLab(t)
	made := l.offer(control.Offer{})
	host := l.opts.HostKey.Public
	f, transcript := pairs(t, l.secure(l.stranger), made.Codes[0], user, host, l.stranger.Public)
	var answer protocol.Pair
	if f.Type != protocol.TypePair || f.Decode(&answer) != nil || answer.User != user {
		t.Fatalf("%v %s\n%s", f.Type, f.Payload, l.log)
	}
	if proof, err := answer.MAC(); err != nil || !made.Codes[0].Proves(protocol.PairingDaemon,
		transcript, proof) {
		t.Fatalf("the daemon proves nothing: %s", answer.Proof)
	}
	if p := <-made.Events; p.Fingerprint != keys.Fingerprint(l.stranger.Public) ||
		p.From != "127.0.0.1" {
		t.Errorf("%+v", p)
	}
	if _, more := <-made.Events; more {
		t.Error("the offer goes on")
	}
	s := mux.New(mux.Config{Role: mux.Client})
	if _, err := s.Connect(l.secure(l.stranger), &protocol.Hello{User: user}); err != nil {
		t.Fatalf("the paired key: %v", err)
	}
	s.Close(nil)
	again, _ := pairs(t, l.secure(l.guest), made.Codes[0], user, host, l.guest.Public)
	refusedPairing(t, again)
	list, err := access.ListPaired(l.opts.Account)
	if err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Comment, "paired 20") ||
		!strings.HasSuffix(list[0].Comment, " from 127.0.0.1") {
		t.Errorf("%+v, %v", list, err)
	}
	if found, err := access.RemovePaired(l.opts.Account,
		keys.Fingerprint(l.stranger.Public)); err != nil || !found {
		t.Error(found, err)
	}
	s = mux.New(mux.Config{Role: mux.Client})
	if _, err := s.Connect(l.secure(l.stranger), &protocol.Hello{User: user}); err == nil {
		t.Error("the key was taken back, and logs in")
	}
	log := l.log.String()
	if plain := string(made.Codes[0]); strings.Contains(log, plain) ||
		strings.Contains(log, made.Codes[0].Shown()) || strings.Contains(log, answer.Proof) {
		t.Error("a secret of pairing is in the log")
	}
	if !strings.Contains(log, "Paired publickey for tester from 127.0.0.1 port") ||
		!strings.Contains(log, "Failed pairing for tester from 127.0.0.1 port") {
		t.Error(log)
	}
}

// Nothing pairs when no code is offered, when it is another's, when it was withdrawn, nor with a
// proof of another kind.
func TestPairingRefused(t *testing.T) {
	l := newPairingLab(t)
	host := l.opts.HostKey.Public
	none := protocol.NewPairingCode()
	f, _ := pairs(t, l.secure(l.stranger), none, user, host, l.stranger.Public)
	refusedPairing(t, f)
	made := l.offer(control.Offer{})
	for name, try := range map[string]func(*transport.Conn) protocol.Frame{
		"another code": func(c *transport.Conn) protocol.Frame {
			f, _ := pairs(t, c, none, user, host, l.stranger.Public)
			return f
		},
		"another user": func(c *transport.Conn) protocol.Frame {
			f, _ := pairs(t, c, made.Codes[0], "root", host, l.stranger.Public)
			return f
		},
		"another host key": func(c *transport.Conn) protocol.Frame {
			f, _ := pairs(t, c, made.Codes[0], user, l.guest.Public, l.stranger.Public)
			return f
		},
		"another client key": func(c *transport.Conn) protocol.Frame {
			f, _ := pairs(t, c, made.Codes[0], user, host, l.guest.Public)
			return f
		},
	} {
		t.Run(name, func(t *testing.T) { refusedPairing(t, try(l.secure(l.stranger))) })
	}
	made.Withdraw()
	f, _ = pairs(t, l.secure(l.stranger), made.Codes[0], user, host, l.stranger.Public)
	refusedPairing(t, f)
	for _, o := range []control.Offer{{User: "nobody-here"}, {Count: 101},
		{Limits: access.Limits{HasCommand: true, Command: "a\nb"}},
		{Limits: access.Limits{Expires: time.Unix(1, 0)}}} {
		if made, err := l.desk.Offer(o); err == nil {
			t.Errorf("%+v: %v", o, made.Codes)
		}
	}
	if _, err := os.Stat(access.PairedFile(l.opts.Account)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made: ", err)
	}
}

// PAIR in other shapes and at other times is a violation, and pairs nothing.
func TestPairingViolations(t *testing.T) {
	l := newPairingLab(t)
	l.offer(control.Offer{})
	for want, payload := range map[protocol.Code]string{
		protocol.CodeUnsupportedProtocol: `{"user":"tester","proof":"` + strings.Repeat("00", 32) +
			`"}`,
		protocol.CodeBadHello: `{"protocol":"minissh/1","user":"tester","proof":"00"}`,
		protocol.CodeBadJSON:  `{"user":1}`,
	} {
		conn := l.secure(l.stranger)
		if _, err := conn.Write(protocol.AppendFrame(nil, protocol.TypePair, 0, 0,
			[]byte(payload))); err != nil {
			t.Fatal(err)
		}
		f, err := protocol.NewReader(conn).Next()
		var said protocol.Reason
		if err != nil || f.Decode(&said) != nil || said.Code != want {
			t.Errorf("%s: %v %s, want %s", payload, err, f.Payload, want)
		}
	}
}

// A man in the middle has a TLS connection with each side, and everything that passes; that does
// not help him.
func TestPairingThroughTheMiddle(t *testing.T) {
	l := newPairingLab(t)
	made := l.offer(control.Offer{})
	middle := newKey(t)
	envelope, err := keys.Certificate(middle)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	var served sync.WaitGroup
	served.Go(func() {
		defer far.Close()
		victim, err := transport.Server(far, transport.ServerConfig(envelope), nil)
		if err != nil {
			t.Error(err)
			return
		}
		f, err := protocol.NewReader(victim).Next()
		if err != nil {
			t.Error(err)
			return
		}
		proof := protocol.AppendFrame(nil, f.Type, 0, 0, f.Payload)
		daemon := l.secure(middle) // what the victim proved is shown to the daemon, as it is
		if _, err := daemon.Write(proof); err != nil {
			t.Error(err)
			return
		}
		answer, err := protocol.NewReader(daemon).Next()
		if err != nil {
			t.Error(err)
			return
		}
		refusedPairing(t, answer)
		// And the victim is shown its own proof, which is all that the middle has.
		victim.Write(proof)
		io.Copy(io.Discard, victim)
	})
	own, err := keys.Certificate(l.guest)
	if err != nil {
		t.Fatal(err)
	}
	var shown ssh.PublicKey
	conn, err := transport.Client(near, nil, own, func(host *x509.Certificate) (err error) {
		shown, err = keys.FromCertificate(host)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f, transcript := pairs(t, conn, made.Codes[0], user, shown, l.guest.Public)
	var answer protocol.Pair
	if f.Decode(&answer) != nil {
		t.Fatalf("%v %s", f.Type, f.Payload)
	}
	if proof, _ := answer.MAC(); made.Codes[0].Proves(protocol.PairingDaemon, transcript, proof) {
		t.Error("the client's own proof passes for the daemon's")
	}
	conn.Close()
	served.Wait()
	if _, err := os.Stat(access.PairedFile(l.opts.Account)); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was granted:", err)
	}
}

// When the key cannot be listed, nobody has paired, and who proved the code is told why, also when
// trying again (PA4).
func TestPairingThatCannotBeWritten(t *testing.T) {
	l := newPairingLab(t)
	if err := os.MkdirAll(filepath.Dir(access.PairedFile(l.opts.Account)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/null", access.PairedFile(l.opts.Account)); err != nil {
		t.Skip("not run: no symbolic links here")
	}
	made := l.offer(control.Offer{})
	for range 2 {
		f, _ := pairs(t, l.secure(l.stranger), made.Codes[0], user, l.opts.HostKey.Public,
			l.stranger.Public)
		notWritten(t, f)
	}
	made.Withdraw()
	if _, more := <-made.Events; more {
		t.Error("somebody is said to have paired")
	}
}

// A daemon that nobody could log in to can be reached from beyond loopback while somebody could
// pair, and no longer (RULES A12).
func TestPairingOpensTheDoor(t *testing.T) {
	l := newPairingLab(t)
	if err := l.Listen("0.0.0.0:0"); !errors.Is(err, errNobody) {
		t.Fatal(err)
	}
	made := l.offer(control.Offer{})
	if err := l.Listen("0.0.0.0:0"); err != nil {
		t.Fatal(err)
	}
	made.Withdraw()
	if err := l.Listen("0.0.0.0:0"); !errors.Is(err, errNobody) {
		t.Fatal(err)
	}
}

// Limits become options that authorized_keys is read with; the line comes after a last line
// without an end.
func TestPairedLine(t *testing.T) {
	acct := process.Account{Name: user, Home: t.TempDir()}
	if err := os.MkdirAll(filepath.Dir(access.PairedFile(acct)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(access.PairedFile(acct), []byte("# mine, without an end"),
		0o600); err != nil {
		t.Fatal(err)
	}
	key := newKey(t).Public
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	for range 2 { // the second time in place of the first
		if err := access.AddPaired(acct, key,
			access.Limits{HasCommand: true, Command: `echo "a b" 'c'`,
				Expires: until}, "192.0.2.1", time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(access.PairedFile(acct))
	want := `# mine, without an end` + "\n" + `restrict,command="echo \"a b\" 'c'",expiry-time="` +
		until.Format("20060102150405") + `Z" ` +
		strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) +
		" paired 2001-09-09T01:46:40Z from 192.0.2.1\n"
	if string(text) != want {
		t.Errorf("%s\nis not\n%s", text, want)
	}
	files := access.NewFileAccess(acct, []string{access.PairedFile(acct)}, access.Trust{}, nil)
	grant, err := files.Authorize(&access.Client{User: user, Proof: keys.Proof{Key: key},
		Addr: netip.MustParseAddrPort("127.0.0.1:4711")})
	if err != nil || !grant.Forced || grant.Command != `echo "a b" 'c'` {
		t.Errorf("%+v, %v", grant, err)
	}
}
