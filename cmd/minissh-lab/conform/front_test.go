//go:build linux

package conform

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
)

// front is the part of a toy daemon that judges logins: it takes TLS, and what it lets in it hands
// to a daemon of ours on a Unix socket. skips is what it forgets to do.
type front struct {
	skips     string
	daemon    string // its socket
	host      keys.Identity
	listed    ssh.PublicKey
	authority ssh.PublicKey

	mu    sync.Mutex
	links map[string]string // owned by mu: a session's name, and its link key's fingerprint
}

// fronts are its mistakes, and the rule that each breaks.
var fronts = [][2]string{{"LO1", "does not know auth"}, {"LO2", "does not verify"},
	{"LO3", "takes what it cannot read"}, {"LO4", "looks for no key"},
	{"LO6", "lets any link key go on"}, {"CE1", "takes what it cannot read"},
	{"CE2", "does not verify"}, {"CE3", "has no clock"}, {"CE3", "takes nobody for everybody"},
	{"CE3", "trusts any authority"}, {"CE4", "does not force a command"},
	{"CE4", "does not look where they come from"}, {"CE5", "lets nobody go on"},
	{"CE6", "has another host's certificate"}, {"PA4", "tells why it does not pair"}}

// Each mistake in a login is caught, by the rule that it breaks; and one that makes none passes.
func TestFronts(t *testing.T) {
	t.Parallel()
	all := append([][2]string{{"LO", ""}}, fronts...)
	if testing.Short() {
		all = all[:1]
	}
	daemon := runningDaemon(t)
	for _, c := range all {
		t.Run(c[0]+" "+c[1], func(t *testing.T) {
			t.Parallel()
			f := &front{skips: c[1], daemon: daemon, links: map[string]string{}}
			mine, authority := f.keys(t)
			envelope, err := keys.Certificate(mine)
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Address: f.serve(t), User: own(t), Only: c[0], Patience: DefaultPatience,
				Login: &Login{Key: envelope, HostKey: keys.Fingerprint(f.host.Public),
					Authority: authority}}
			if c[1] == "" {
				r, err := Daemon(t.Context(), o)
				grade(t, r, err, "")
				return
			}
			isCaught(t, c[0], func(ctx context.Context, tell func(Result)) {
				o.Tell = tell
				Daemon(ctx, o)
			})
		})
	}
}

// keys makes all keys that there are.
func (f *front) keys(t *testing.T) (own keys.Identity, authority ssh.Signer) {
	t.Helper()
	var made [3]keys.Identity
	for i := range made {
		id, err := keys.Generate()
		if err != nil {
			t.Fatal(err)
		}
		made[i] = id
	}
	authority, err := ssh.NewSignerFromSigner(made[2].Private)
	if err != nil {
		t.Fatal(err)
	}
	f.host, f.listed, f.authority = made[0], made[1].Public, made[2].Public
	return made[1], authority
}

// envelope is the host key's certificate.
func (f *front) envelope(t *testing.T) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject: pkix.Name{CommonName: "x"}}
	if f.skips == "has another host's certificate" {
		c := &ssh.Certificate{Key: f.listed, CertType: ssh.HostCert, ValidBefore: 1 << 40}
		if err := c.SignCert(rand.Reader, signerOf(t, f.host)); err != nil {
			t.Fatal(err)
		}
		template.ExtraExtensions = []pkix.Extension{{
			Id: asn1.ObjectIdentifier{2, 25, 1835626089}, Value: c.Marshal()}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template,
		f.host.Private.Public(), f.host.Private)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: f.host.Private}
}

func signerOf(t *testing.T, id keys.Identity) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromSigner(id.Private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve listens until the test's end.
func (f *front) serve(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{protocol.ALPN},
		ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{f.envelope(t)}}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			running.Go(func() { f.link(tls.Server(raw, config)) })
		}
	})
	return l.Addr().String()
}

// link serves one link: what is let in goes to the daemon, HELLO first.
func (f *front) link(conn *tls.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(DefaultPatience))
	first, err := protocol.NewReader(conn).Next()
	if err != nil {
		return
	}
	var hello protocol.Hello
	force := ""
	refuse := func(code protocol.Code) {
		conn.Write(message(protocol.TypeError, 0, &protocol.Reason{Code: code}))
		conn.CloseWrite()
		io.Copy(io.Discard, conn)
	}
	switch {
	case first.Type == protocol.TypePair && f.skips == "tells why it does not pair":
		refuse(protocol.CodeKeyNotAuthorized)
		return
	case first.Type == protocol.TypePair:
		refuse(protocol.CodePairingRefused)
		return
	case first.Decode(&hello) != nil:
		refuse(protocol.CodeBadHello)
		return
	}
	if code := f.judge(conn.ConnectionState(), &hello, &force); code != "" {
		refuse(code)
		return
	}
	far, err := net.Dial("unix", f.daemon)
	if err != nil {
		return
	}
	defer far.Close()
	hello.Auth = ""
	far.Write(message(protocol.TypeHello, 0, &hello))
	conn.SetDeadline(time.Time{})
	done := make(chan struct{})
	go func() { io.Copy(conn, far); conn.CloseWrite(); close(done) }()
	f.carry(far, conn, force)
	far.Close()
	<-done
}

// carry carries a client's frames; with force every command is another one.
func (f *front) carry(far net.Conn, conn *tls.Conn, force string) {
	r := protocol.NewReader(conn)
	for {
		frame, err := r.Next()
		if err != nil {
			return
		}
		var o protocol.Open
		if frame.Type == protocol.TypeOpen && force != "" && frame.Decode(&o) == nil {
			o.Command = protocol.Bytes(force)
			far.Write(message(protocol.TypeOpen, frame.Channel, &o))
			continue
		}
		far.Write(protocol.AppendFrame(nil, frame.Type, frame.Flags, frame.Channel, frame.Payload))
	}
}

var errNobody = errors.New("it is nobody's")

// judge says why a login is refused, "" if it is not.
func (f *front) judge(state tls.ConnectionState, hello *protocol.Hello,
	force *string) protocol.Code {
	link, err := keys.FromCertificate(state.PeerCertificates[0])
	if err != nil {
		return protocol.CodeBadHello
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := keys.Fingerprint(link)
	switch {
	case hello.Auth == "" && f.skips == "lets nobody go on" && hello.Epoch > 1:
		return protocol.CodeKeyNotAuthorized
	case hello.Auth == "" && f.skips == "lets any link key go on" && f.links[hello.Session] != "",
		hello.Auth == "" && f.links[hello.Session] == name,
		hello.Auth == "" && string(link.Marshal()) == string(f.listed.Marshal()):
		return ""
	case hello.Auth == "" || f.skips == "does not know auth":
		return protocol.CodeKeyNotAuthorized
	}
	f.links[hello.Session] = name
	login, err := keys.ParseLogin(hello.Auth)
	if err != nil {
		if f.skips == "takes what it cannot read" {
			return ""
		}
		return protocol.CodeBadHello
	}
	exported, err := state.ExportKeyingMaterial(protocol.LoginLabel, nil, 32)
	if err != nil {
		return protocol.CodeInternal
	}
	proof, err := login.Verify(protocol.LoginTranscript(exported, f.host.Public.Marshal(),
		link.Marshal(), hello.User))
	if err != nil && f.skips == "does not verify" {
		return ""
	}
	if err == nil && proof.Cert != nil {
		err = f.certificate(proof.Cert, hello.User, force)
	} else if err == nil && f.skips != "looks for no key" &&
		string(proof.Key.Marshal()) != string(f.listed.Marshal()) {
		err = errNobody
	}
	if err != nil {
		return protocol.CodeKeyNotAuthorized
	}
	return ""
}

// certificate says what is wrong with a user's certificate.
func (f *front) certificate(c *ssh.Certificate, user string, force *string) error {
	now := time.Now()
	if f.skips == "has no clock" {
		now = time.Unix(int64(c.ValidAfter), 0)
	}
	if string(c.SignatureKey.Marshal()) != string(f.authority.Marshal()) &&
		f.skips != "trusts any authority" {
		return errNobody
	}
	for name, value := range c.Extensions {
		if name == "permit-pty" && value != "" {
			return errNobody
		}
	}
	if c.CriticalOptions["source-address"] != "" &&
		f.skips != "does not look where they come from" {
		return errNobody // nobody comes from there
	}
	if f.skips != "does not force a command" {
		*force = c.CriticalOptions["force-command"]
	}
	if f.skips == "takes nobody for everybody" && len(c.ValidPrincipals) == 0 {
		return nil
	}
	return keys.CheckCertificate(c, ssh.UserCert, now, []string{"force-command",
		"source-address"}, func(principal string) bool { return principal == user })
}

// runningDaemon is a daemon of ours, on a Unix socket.
func runningDaemon(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	p, err := startProgram([]string{builtProgram(t, "minisshd"), "--control", "none", "--listen",
		"unix:" + socket, "--host-key", filepath.Join(t.TempDir(), "key")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(DefaultPatience) })
	if err := p.await(t.Context(), socket, patience); err != nil {
		t.Fatal(err)
	}
	return socket
}
