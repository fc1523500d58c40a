//go:build unix

package daemon

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/testend"
)

// signs is HELLO's auth on a connection, by a key that TLS does not show; change, which may be nil,
// spoils what is signed.
func (p *scripted) signs(id ssh.Signer, link keys.Identity, change func(exported, host, link []byte,
	user *string)) string {
	p.t.Helper()
	exported, err := p.conn.Export(protocol.LoginLabel)
	if err != nil {
		p.t.Fatal(err)
	}
	shown, err := keys.FromCertificate(p.conn.Peer())
	if err != nil {
		p.t.Fatal(err)
	}
	host, own, name := shown.Marshal(), link.Public.Marshal(), user
	if change != nil {
		change(exported, host, own, &name)
	}
	auth, err := keys.SignLogin(id.PublicKey(), func(data []byte) (*ssh.Signature, error) {
		return id.Sign(rand.Reader, data)
	}, protocol.LoginTranscript(exported, host, own, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return auth
}

// signer is a key as an agent would use it.
func signer(t *testing.T, id keys.Identity) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromSigner(id.Private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A signature over this very login admits the key that made it, and no other login (LO2, LO4).
func TestSignedLogin(t *testing.T) {
	l := newLab(t, nil)
	link := newKey(t)
	try := func(p *scripted, auth, as string) protocol.Code {
		t.Helper()
		p.send(hello(func(h *protocol.Hello) { h.Auth, h.User = auth, as }))
		f, err := p.in.Next()
		if err != nil {
			t.Fatalf("%v\n%s", err, l.log)
		}
		defer p.conn.Close()
		if f.Type == protocol.TypeWelcome {
			return ""
		}
		var reason protocol.Reason
		if err := f.Decode(&reason); err != nil {
			t.Fatal(err)
		}
		return reason.Code
	}
	p := l.knock(link)
	auth := p.signs(signer(t, l.guest), link, nil)
	if code := try(p, auth, user); code != "" {
		t.Fatalf("%s\n%s", code, l.log)
	}
	if !strings.Contains(l.log.String(), "Accepted publickey for "+user) ||
		!strings.Contains(l.log.String(), keys.Fingerprint(l.guest.Public)) {
		t.Errorf("the log:\n%s", l.log)
	}
	const no = protocol.CodeKeyNotAuthorized
	if code := try(l.knock(link), auth, user); code != no {
		t.Errorf("a signature from another connection: %q", code)
	}
	p = l.knock(l.stranger)
	if code := try(p, p.signs(signer(t, l.guest), link, nil), user); code != no {
		t.Errorf("another key in TLS: %q", code)
	}
	p = l.knock(link)
	if code := try(p, p.signs(signer(t, l.stranger), link, nil), user); code != no {
		t.Errorf("a key that is not listed: %q", code)
	}
	for what, change := range map[string]func(exported, host, link []byte, name *string){
		"exporter": func(exported, _, _ []byte, _ *string) { exported[0] ^= 1 },
		"host":     func(_, host, _ []byte, _ *string) { host[len(host)-1] ^= 1 },
		"link":     func(_, _, link []byte, _ *string) { link[len(link)-1] ^= 1 },
		"user":     func(_, _, _ []byte, name *string) { *name = "root" },
	} {
		p := l.knock(link)
		if code := try(p, p.signs(signer(t, l.guest), link, change), user); code != no {
			t.Errorf("another %s is signed: %q", what, code)
		}
	}
	// a guest's own key in TLS does not save a wrong signature
	if code := try(l.knock(l.guest), auth, user); code != no {
		t.Errorf("a wrong signature with a listed key: %q", code)
	}
	if code := try(l.knock(l.guest), "bm8=", user); code != protocol.CodeBadHello {
		t.Errorf("no SSHSIG: %q", code)
	}
	if code := try(l.knock(link), "", user); code != no {
		t.Errorf("the link key alone: %q", code)
	}
}

// A session that was begun with a signature goes on without one, by the same link key alone, and
// the key that signed is authorized again (LO6).
func TestSignedLoginResumes(t *testing.T) {
	l, file := authorizedLab(t, "", false)
	write(t, file, line(l, ""))
	link := newKey(t)
	greet := func(p *scripted, name string, epoch int64, auth string) protocol.Frame {
		t.Helper()
		p.send(hello(func(h *protocol.Hello) {
			h.Session, h.Epoch, h.Create, h.Auth = name, epoch, epoch == 1, auth
			h.Resend, h.Hold = protocol.MinResend, 3600
		}))
		f, err := p.in.Next()
		if err != nil {
			t.Fatalf("%v\n%s", err, l.log)
		}
		return f
	}
	refused := func(f protocol.Frame) protocol.Code {
		t.Helper()
		var reason protocol.Reason
		if f.Type != protocol.TypeError {
			t.Fatalf("%v", f.Type)
		}
		if err := f.Decode(&reason); err != nil {
			t.Fatal(err)
		}
		return reason.Code
	}
	name := strings.Repeat("5a", 32)
	p := l.knock(link)
	auth := p.signs(signer(t, l.guest), link, nil)
	if f := greet(p, name, 1, auth); f.Type != protocol.TypeWelcome {
		t.Fatalf("%v %s\n%s", f.Type, f.Payload, l.log)
	}
	p.hangUp(false)
	p = l.knock(link)
	if f := greet(p, name, 2, ""); f.Type != protocol.TypeWelcome {
		t.Fatalf("%v %s\n%s", f.Type, f.Payload, l.log)
	}
	p.hangUp(false)
	for what, c := range map[string]struct {
		link keys.Identity
		name string
	}{
		"another link key": {newKey(t), name},
		"another session":  {link, strings.Repeat("a5", 32)},
	} {
		if code := refused(greet(l.knock(c.link), c.name, 3,
			"")); code != protocol.CodeKeyNotAuthorized {
			t.Errorf("%s: %s", what, code)
		}
	}
	write(t, file, "")
	if code := refused(greet(l.knock(link), name, 4, "")); code != protocol.CodeSessionEnded {
		t.Errorf("the key was taken out: %s", code)
	}
}

// What is bounded for a key, and what a lost client of the same key keeps from it, is the signing
// key's: each login has another link key (LO4, FO7).
func TestSignedLoginListens(t *testing.T) {
	l := newLab(t, nil)
	listens := func(port int) (*scripted, int) {
		t.Helper()
		link := newKey(t)
		p := l.knock(link)
		auth := p.signs(signer(t, l.guest), link, nil)
		p.send(hello(func(h *protocol.Hello) {
			h.Auth, h.Resend, h.Hold = auth, protocol.MinResend, 3600
		}), text(protocol.TypeOpen, 1, fmt.Sprintf(
			`{"service":"forward","listen":{"host":"localhost","port":%d}}`, port)))
		var opened protocol.Opened
		for {
			f, err := p.in.Next()
			if err != nil || f.Type == protocol.TypeClose {
				t.Fatalf("it does not listen: %s %v\n%s", f.Payload, err, l.log)
			}
			if f.Type == protocol.TypeOpened {
				if err := f.Decode(&opened); err != nil {
					t.Fatal(err)
				}
				return p, opened.Port
			}
		}
	}
	lost, port := listens(0)
	waiting := l.waiting()
	lost.hangUp(false)
	l.until("the link is lost", func() bool { return l.waiting() > waiting })
	p, _ := listens(port)
	p.conn.Close()
}

// Touch and verification decide as the key's line says, and as in sshd (LO5).
func TestHardwareKeys(t *testing.T) {
	for _, is := range []bool{true, false} {
		device, err := testend.NewSecurityKey(is)
		if err != nil {
			t.Fatal(err)
		}
		l, file := authorizedLab(t, "", false)
		link := newKey(t)
		for _, c := range []struct {
			options string
			allowed string // the flags with which it may log in
		}{
			{"", "15"}, {"no-touch-required", "0145"}, {"verify-required", "5"},
			{"no-touch-required,verify-required", "45"}, {"touch-required", "15"},
			{"no-touch-required,touch-required", "15"}, {"restrict", "15"},
		} {
			write(t, file, strings.TrimSpace(c.options+" "+
				string(ssh.MarshalAuthorizedKey(device.PublicKey())))+"\n")
			for _, flags := range "0145" {
				device.Flags = byte(flags - '0')
				p := l.knock(link)
				p.send(hello(func(h *protocol.Hello) { h.Auth = p.signs(device, link, nil) }))
				f, err := p.in.Next()
				if err != nil {
					t.Fatalf("%v\n%s", err, l.log)
				}
				if in := f.Type == protocol.TypeWelcome; in != strings.ContainsRune(c.allowed,
					flags) {
					t.Errorf("%q, flags %c: let in: %v\n%s", c.options, flags, in, l.log)
				}
				p.conn.Close()
			}
		}
	}
}
