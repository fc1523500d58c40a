package client

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/client/knownhosts"
	"minissh/client/options"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// Paired tells what a pairing has brought.
type Paired struct {
	Host ssh.PublicKey // of the host, now in known_hosts
	Own  ssh.PublicKey // ours, now listed there

	NotKnown error // why the host's key is not in known_hosts all the same, nil if it is
}

// Pair makes us and a host that has never heard of us known to each other, by a code that the host's `minisshd pair` shows (protocol/PAIRING.md). code asks for it; it is
// called before a connection is open. Nothing is believed, and nothing written, before the host has proved that it knows the code too.
func (d *Dialer) Pair(ctx context.Context, code func() (protocol.PairingCode, error)) (*Paired, error) {
	if d.Options.Socket != "" {
		return nil, fail(nil, "a Unix socket needs no pairing: the system says who you are there", "pairing needs a network address, not a socket")
	}
	identity, err := d.pairingKey()
	if err != nil {
		return nil, err
	}
	secret, err := code()
	if err != nil {
		return nil, err
	}
	envelope, err := keys.Certificate(*identity)
	if err != nil {
		return nil, err
	}
	p := &pairing{d: d}
	c := d.call(ctx, p.check)
	defer c.hangUp()
	c.show(&offer{envelope: envelope, known: d.knownHosts()})
	conn, err := c.answer()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := p.prove(conn, identity.Public, secret); err != nil {
		return nil, err
	}
	paired := &Paired{Host: p.verdict.Key, Own: identity.Public}
	if p.verdict.Status != knownhosts.Known {
		d.remember = &p.verdict
		paired.NotKnown = d.rememberHost()
	}
	return paired, nil
}

// Reach says whether something listens where the options point: nobody shall look for a code, and type it, to learn that nothing does.
func (d *Dialer) Reach(ctx context.Context) error {
	if d.Options.Socket != "" {
		return nil
	}
	ctx, cancel := d.limited(ctx)
	defer cancel()
	conn, err := d.dialRaw(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

// pairingKey is the key to have listed: the one that would be tried first, or a new one of minissh's own where there is none.
func (d *Dialer) pairingKey() (*keys.Identity, error) {
	ring, err := d.keyRing()
	if err != nil {
		return nil, err
	}
	if next := ring.first(); next != nil {
		id, err := next.load(d)
		if err != nil {
			return nil, fail(err, "minissh pair -i FILE names another key", "a key cannot be used: %v", err)
		}
		return id, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || len(d.Options.IdentityFiles) > 0 {
		return nil, ring.empty()
	}
	file := keys.OwnFile(home)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fail(err, "", "cannot make a key: %v", err)
	}
	fresh, _, err := keys.HostKey(file)
	if err != nil {
		return nil, fail(err, "ssh-keygen -t ed25519 makes one", "cannot make a key: %v", err)
	}
	d.say(options.LevelInfo, "you had no key: one was made, without a passphrase, in %s", file)
	return &fresh, nil
}

// pairing is one attempt.
type pairing struct {
	d       *Dialer
	verdict knownhosts.Verdict // on the key that the host shows, which it has yet to prove is the right one
}

// check is a hostCheck that asks nothing: the proof is about the host key too. A host that is known by another key is not paired with.
func (p *pairing) check(key ssh.PublicKey, from net.Addr, shown *offer) error {
	if err := p.d.forbidden(key); err != nil {
		return err
	}
	o := p.d.Options
	host, port := o.HostName, o.Port
	if o.HostKeyAlias != "" {
		host, port = o.HostKeyAlias, 22
	}
	address, _, _ := net.SplitHostPort(from.String())
	verdict, err := shown.known.Check(host, port, address, key)
	if err != nil {
		return fail(err, "", "%v", err)
	}
	p.verdict = verdict
	if verdict.Status == knownhosts.Changed || verdict.Status == knownhosts.Revoked {
		decision, err := knownhosts.Decide(knownhosts.Strict, verdict, true, nil)
		p.d.tell(decision.Messages)
		return err
	}
	return nil
}

// prove does what comes behind TLS: our proof, then the host's (PA3, PA6).
func (p *pairing) prove(conn *transport.Conn, own ssh.PublicKey, code protocol.PairingCode) error {
	user, host := p.d.Options.User, p.d.Options.Alias
	exported, err := conn.Export(protocol.PairingLabel)
	if err != nil {
		return fail(err, "", "the connection to %s failed: %v", host, err)
	}
	transcript := protocol.PairingTranscript(exported, p.verdict.Key.Marshal(), own.Marshal(), user)
	frame, err := protocol.AppendMessage(nil, protocol.TypePair, 0, &protocol.Pair{
		Protocol: protocol.ALPN, User: user, Proof: hex.EncodeToString(code.Prove(protocol.PairingClient, transcript)),
	})
	if err != nil {
		return fail(err, "", "cannot ask %s: %v", host, err)
	}
	conn.SetDeadline(time.Now().Add(protocol.PairingPatience))
	_, writeErr := conn.Write(frame)
	f, err := protocol.NewReader(conn).Next() // the reason of a failed write waits there (FR8)
	if err != nil {
		if writeErr == nil || !errors.Is(err, io.EOF) {
			writeErr = err
		}
		return fail(writeErr, "minissh "+Target(p.d.Options)+" tells whether your key is listed there", "%s did not say whether it has paired: %v", host, plainError(writeErr))
	}
	switch f.Type {
	case protocol.TypeError:
		var said protocol.Reason
		if err := f.Decode(&said); err != nil {
			return fail(err, "", "%s answered what cannot be read: %v", host, err)
		}
		if said.Code == protocol.CodePairingRefused {
			return fail(nil, "is it "+user+" there (user@host chooses), and the code from the last two minutes? minisshd pair shows a new one",
				"%s refused to pair: the code is wrong, used or too old, or for another user", host)
		}
		if said.Code == protocol.CodeInternal && said.Message != "" {
			return fail(nil, "mend that there, then once more: minissh pair "+Target(p.d.Options)+"; with this key the code is good until its two minutes are over",
				"%s knows the code, but did not list your key: %s", host, protocol.Quote(said.Message))
		}
		return fail(nil, remoteHint(said.Code), "%s refused: %v", host, &protocol.RemoteError{Reason: said})
	case protocol.TypePair:
		var answer protocol.Pair
		if err := f.Decode(&answer); err != nil {
			return fail(err, "", "%s answered what cannot be read: %v", host, err)
		}
		proof, err := answer.MAC()
		if err == nil && code.Proves(protocol.PairingDaemon, transcript, proof) {
			return nil
		}
	}
	return fail(nil, "somebody may stand between you and it; nothing was believed or written", "%s did not prove that it knows the code", host)
}

// CodeFrom asks on a terminal, again if what was typed cannot be a code; or takes the next of lines, if that is not nil.
func CodeFrom(ask Asker, lines func() (string, error), host string) func() (protocol.PairingCode, error) {
	question := "Code that minisshd pair shows on " + shownComment(host) + ": "
	return func() (code protocol.PairingCode, err error) {
		for tries := 3; tries > 0; tries-- {
			var typed string
			if lines != nil {
				typed, err = lines()
				tries = 1
			} else {
				typed, err = ask.Line(question)
			}
			if err != nil {
				return "", fail(err, "type it at a terminal, or give it as a line of standard input: never as an argument", "a pairing code is needed: %v", err)
			}
			if code, err = protocol.ParsePairingCode(typed); err == nil {
				return code, nil
			}
			question = "minissh: " + err.Error() + "\nOnce more: "
		}
		return "", fail(err, "", "%v", err)
	}
}
