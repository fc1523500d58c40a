//go:build unix

package dial_test

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// visitor is a client as a daemon sees it that shows a host key and does with PAIR what a test
// wants.
type visitor struct {
	*transport.Conn
	in   *protocol.Reader
	key  ssh.PublicKey
	host keys.Identity
}

// pairingHost is a daemon that speaks with one client. said gets what do returns.
func pairingHost(t *testing.T, do func(*visitor)) *fakedaemon.Fake {
	t.Helper()
	f := fakedaemon.New(t)
	cert, err := keys.Certificate(f.Host)
	if err != nil {
		t.Fatal(err)
	}
	f.Set(func() {
		f.Raw = func(raw net.Conn) {
			conn, err := transport.Server(raw, transport.ServerConfig(cert), nil)
			if err != nil {
				return
			}
			key, err := keys.FromCertificate(conn.Peer())
			if err != nil {
				return
			}
			do(&visitor{Conn: conn, in: protocol.NewReader(conn), key: key, host: f.Host})
			mux.Linger(conn)
		}
	})
	return f
}

// pair reads PAIR, and gives its proof and what it is about.
func (v *visitor) pair() (asked protocol.Pair, transcript []byte) {
	f, err := v.in.Next()
	if err != nil || f.Type != protocol.TypePair || f.Decode(&asked) != nil ||
		asked.Check() != nil {
		return protocol.Pair{}, nil
	}
	exported, err := v.Export(protocol.PairingLabel)
	if err != nil {
		return protocol.Pair{}, nil
	}
	return asked, protocol.PairingTranscript(exported, v.host.Public.Marshal(), v.key.Marshal(),
		asked.User)
}

func (v *visitor) answer(proof []byte) {
	frame, _ := protocol.AppendMessage(nil, protocol.TypePair, 0,
		&protocol.Pair{User: "tester", Proof: hex.EncodeToString(proof)})
	v.Write(frame)
}

// tries pairs with the host that f is, unknown before, and says what known_hosts holds afterwards.
func tries(t *testing.T, f *fakedaemon.Fake, code protocol.PairingCode) (paired *dial.Paired,
	known string, err error) {
	t.Helper()
	d, said := f.Dialer(t)
	fakedaemon.Forget(d)
	ctx, cancel := context.WithTimeout(t.Context(), fakedaemon.Patience)
	defer cancel()
	paired, err = d.Pair(ctx, func() (protocol.PairingCode, error) { return code, nil })
	if err != nil {
		report.Error(said, err)
	}
	fakedaemon.Plain(t, said.String())
	if text := said.String(); strings.Contains(text, string(code)) ||
		strings.Contains(text, code.Shown()) {
		t.Errorf("the code is shown: %s", text)
	}
	if ctx.Err() != nil {
		t.Error("the client hangs")
	}
	return paired, strings.Join(fakedaemon.KnownLines(d), ""), err
}

// A host that proves the code is written to known_hosts; our key is the one that it saw.
func TestPair(t *testing.T) {
	code := protocol.NewPairingCode()
	var saw ssh.PublicKey
	f := pairingHost(t, func(v *visitor) {
		asked, transcript := v.pair()
		saw = v.key
		if proof, err := asked.MAC(); err != nil || asked.User != "tester" ||
			!code.Proves(protocol.PairingClient, transcript, proof) {
			return
		}
		v.answer(code.Prove(protocol.PairingDaemon, transcript))
	})
	paired, known, err := tries(t, f, code)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(known, string(ssh.MarshalAuthorizedKey(f.Host.Public))) ||
		strings.Count(known, "\n") != 1 {
		t.Errorf("known_hosts: %s", known)
	}
	if keys.Fingerprint(saw) != keys.Fingerprint(paired.Own) ||
		keys.Fingerprint(paired.Host) != keys.Fingerprint(f.Host.Public) {
		t.Errorf("%+v", paired)
	}
}

// Nothing from a daemon that does not know the code is believed or written, whatever it answers,
// and nothing that it says reaches the terminal raw.
func TestPairHostileDaemons(t *testing.T) {
	code := protocol.NewPairingCode()
	old := make([]byte, 32)
	for name, c := range map[string]struct {
		do   func(*visitor)
		said string
	}{
		"our own proof": {
			func(v *visitor) { asked, _ := v.pair(); proof, _ := asked.MAC(); v.answer(proof) },
			"did not prove"},
		"another code": {func(v *visitor) {
			_, tr := v.pair()
			v.answer(protocol.NewPairingCode().Prove(protocol.PairingDaemon, tr))
		}, "did not prove"},
		"an old answer": {
			func(v *visitor) { v.pair(); v.answer(code.Prove(protocol.PairingDaemon, old)) },
			"did not prove"},
		"the client's side": {
			func(v *visitor) {
				_, tr := v.pair()
				v.answer(code.Prove(protocol.PairingClient, tr))
			}, "did not prove"},
		"zeros":         {func(v *visitor) { v.pair(); v.answer(old) }, "did not prove"},
		"a short proof": {func(v *visitor) { v.pair(); v.answer(old[:3]) }, "did not prove"},
		"no proof": {
			func(v *visitor) {
				v.pair()
				v.Write(protocol.AppendFrame(nil, protocol.TypePair, 0, 0, []byte("{}")))
			}, "did not prove"},
		"bad JSON": {func(v *visitor) {
			v.pair()
			v.Write(protocol.AppendFrame(nil, protocol.TypePair, 0, 0,
				[]byte(`{"proof":"`+fakedaemon.Evil)))
		}, "cannot be read"},
		"it speaks first": {func(v *visitor) { v.answer(old); v.pair() }, "did not prove"},
		"WELCOME": {func(v *visitor) {
			v.pair()
			v.Write(protocol.AppendFrame(nil, protocol.TypeWelcome, 0, 0,
				[]byte(`{"channels":64}`)))
		}, "did not prove"},
		"garbage": {
			func(v *visitor) { v.pair(); v.Write([]byte(strings.Repeat("\x1b[31m", 50))) },
			"did not say whether it has paired"},
		"half a frame": {func(v *visitor) { v.pair(); v.Write([]byte{0, 0, 0, 9, 0x88}) },
			"did not say whether it has paired"},
		"nothing":        {func(v *visitor) { v.pair() }, "did not say whether it has paired"},
		"closes at once": {func(v *visitor) {}, "did not say whether it has paired"},
		"refusal": {
			func(v *visitor) {
				v.pair()
				v.refuse(`{"code":"pairing_refused","message":"` + fakedaemon.Evil + `"}`)
			}, "refused to pair"},
		"a hostile refusal": {func(v *visitor) {
			v.pair()
			v.refuse(`{"code":"` + fakedaemon.Evil + `","message":"` + fakedaemon.Evil + `"}`)
		},
			// a code of no form counts as internal (CO2)
			`knows the code, but did not list your key: "\x1b[31m`},
		"a full disk there": {func(v *visitor) {
			v.pair()
			v.refuse(`{"code":"internal","message":"the key could not be written: ` +
				fakedaemon.Evil + `"}`)
		},
			`knows the code, but did not list your key: "the key could not be written: \x1b[31m`},
		"a refusal in no JSON": {func(v *visitor) { v.pair(); v.refuse(fakedaemon.Evil) },
			"cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			paired, known, err := tries(t, pairingHost(t, c.do), code)
			if err == nil || !strings.Contains(err.Error(), c.said) {
				t.Errorf("%+v, %v", paired, err)
			}
			if known != "" {
				t.Errorf("known_hosts: %s", known)
			}
		})
	}
}

func (v *visitor) refuse(payload string) {
	v.Write(protocol.AppendFrame(nil, protocol.TypeError, 0, 0, []byte(payload)))
}

// A real man in the middle, with a TLS connection to each side and every byte that passes, gets
// neither side to believe him: the daemon refuses the client's proof, and the client refuses
// whatever he makes of the daemon's words. He fails even with both proofs of another, complete
// pairing with the same code.
func TestPairThroughTheMiddle(t *testing.T) {
	code := protocol.NewPairingCode()
	granted := make(chan bool, 1)
	daemon := pairingHost(t, func(v *visitor) {
		asked, transcript := v.pair()
		proof, err := asked.MAC()
		good := err == nil && code.Proves(protocol.PairingClient, transcript, proof)
		granted <- good
		if !good {
			v.refuse(`{"code":"pairing_refused"}`)
			return
		}
		v.answer(code.Prove(protocol.PairingDaemon, transcript))
	})
	middle := fakedaemon.NewKey(t)
	middle.Comment = "middle"
	var relayed error
	f := pairingHost(t, func(v *visitor) {
		asked, _ := v.pair()
		conn, err := tlsTo(daemon.Listener.Addr().String(), middle)
		if err != nil {
			relayed = err
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(fakedaemon.Patience))
		frame, _ := protocol.AppendMessage(nil, protocol.TypePair, 0, &asked)
		conn.Write(frame)
		answer, err := protocol.NewReader(conn).Next()
		if err != nil {
			relayed = err
			return
		}
		if answer.Type != protocol.TypeError {
			relayed = fmt.Errorf("the daemon answers %v to a proof that was relayed", answer.Type)
		}
		// of an earlier pairing
		other := protocol.PairingTranscript(make([]byte, 32), daemon.Host.Public.Marshal(),
			v.key.Marshal(), "tester")
		v.answer(code.Prove(protocol.PairingDaemon, other))
	})
	_, known, err := tries(t, f, code)
	f.Close()
	if err == nil || known != "" {
		t.Errorf("%v, known_hosts: %s", err, known)
	}
	if relayed != nil {
		t.Error(relayed)
	}
	if <-granted {
		t.Error("the daemon grants the middle's key")
	}
}

// tlsTo connects with a key, and takes any host key.
func tlsTo(address string, id keys.Identity) (*transport.Conn, error) {
	raw, err := net.Dial("tcp", address)
	cert, keyErr := keys.Certificate(id)
	if err := errors.Join(err, keyErr); err != nil {
		return nil, err
	}
	return transport.Client(raw, nil, cert, func(*x509.Certificate) error { return nil })
}

// A host that is known by another key is refused as changed, before anything is sent; known_hosts
// stays as it was.
func TestPairChangedHost(t *testing.T) {
	var asked protocol.Pair
	f := pairingHost(t, func(v *visitor) { asked, _ = v.pair() })
	d, _ := f.Dialer(t)
	before := strings.Replace(strings.Join(fakedaemon.KnownLines(d), ""),
		string(ssh.MarshalAuthorizedKey(f.Host.Public)),
		string(ssh.MarshalAuthorizedKey(fakedaemon.NewKey(t).Public)), 1)
	if err := os.WriteFile(d.Options.UserKnownHostsFiles[0], []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.Pair(t.Context(), func() (protocol.PairingCode, error) {
		return protocol.NewPairingCode(), nil
	})
	f.Close()
	if err == nil || asked.Proof != "" {
		t.Errorf("%v; sent %+v", err, asked)
	}
	if after := strings.Join(fakedaemon.KnownLines(d), ""); after != before {
		t.Errorf("known_hosts: %s", after)
	}
}

// Without any key one of minissh's own is made, for nobody else to read; the next pairing uses it
// again.
func TestPairMakesAKey(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	code := protocol.NewPairingCode()
	f := pairingHost(t,
		func(v *visitor) { _, tr := v.pair(); v.answer(code.Prove(protocol.PairingDaemon, tr)) })
	var first *dial.Paired
	own := filepath.Join(home, ".config", "minissh", "id_ed25519")
	for i := range 2 {
		d, said := f.Dialer(t)
		fakedaemon.Forget(d)
		d.Options.IdentityFiles, d.Options.IdentitiesOnly = nil, false
		if i == 1 {
			d.Options.IdentityFiles = []string{own} // as options resolves them by default
		}
		paired, err := d.Pair(t.Context(), func() (protocol.PairingCode, error) {
			return code, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(said.String(), own); told != (i == 0) {
			t.Errorf("pairing %d says %s", i+1, said)
		}
		if i == 0 {
			first = paired
			info, err := os.Stat(own)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			if _, err := os.Stat(filepath.Join(home, ".ssh", "id_ed25519")); !errors.Is(err,
				os.ErrNotExist) {
				t.Error("a key was made where ssh looks")
			}
		} else if keys.Fingerprint(paired.Own) != keys.Fingerprint(first.Own) {
			t.Errorf("%+v, first %+v", paired, first)
		}
	}
}

// A mistyped or missing code is noticed before anything is sent.
func TestPairingCodeAsked(t *testing.T) {
	good := protocol.NewPairingCode()
	bad := []byte(good.Shown())
	bad[len(bad)-1] ^= 1
	connected := false
	f := pairingHost(t, func(*visitor) { connected = true })
	for name, c := range map[string]struct {
		typed []string
		want  string
		asked int
	}{
		"as shown": {[]string{good.Shown()}, "", 1},
		"small, no dash": {
			[]string{" " + strings.ToLower(string(good.Shown()[:4])) +
				strings.ReplaceAll(good.Shown()[4:], "-", " ") + "\r\n"}, "", 1},
		"mistyped once":   {[]string{"x", good.Shown()}, "", 2},
		"mistyped thrice": {[]string{"", "x", string(bad), good.Shown()}, "code", 3},
	} {
		t.Run(name, func(t *testing.T) {
			a := &fakedaemon.Asker{}
			a.Answer = func(string) (string, error) { return c.typed[len(a.Asked)-1], nil }
			code, err := dial.CodeFrom(a, nil, "box\x1b[31m")()
			if len(a.Asked) != c.asked || (err == nil) != (c.want == "") || err == nil &&
				code != good {
				t.Errorf("asked %d times, %v", len(a.Asked), err)
			}
			for _, question := range a.Asked {
				fakedaemon.Plain(t, question)
			}
			if err == nil {
				return
			}
			d, _ := f.Dialer(t)
			a.Asked = nil
			if _, err := d.Pair(t.Context(), dial.CodeFrom(a, nil, "box")); err == nil {
				t.Error("paired with no code")
			}
		})
	}
	f.Close()
	if connected {
		t.Error("a connection was made for a code that cannot be one")
	}
}
