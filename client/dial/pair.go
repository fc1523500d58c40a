package dial

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
	"minissh/client/report"
	"minissh/client/terminal"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// Paired is the result of a pairing.
type Paired struct {
	Host ssh.PublicKey // of the host, now in known_hosts
	Own  ssh.PublicKey // ours, now listed there

	NotKnown error // why the host's key could not be written to known_hosts, nil if it was
}

// Pair makes us and a new host known to each other, by a code that the host's `minisshd pair` shows
// (protocol/PAIRING.md). code asks for it; it is called before a connection is open. Nothing is
// believed, and nothing written, before the host has proved that it knows the code too.
func (d *Dialer) Pair(ctx context.Context, code func() (protocol.PairingCode, error)) (*Paired,
	error) {
	if d.Options.Socket != "" {
		return nil,
			report.Failed(nil, "a Unix socket needs no pairing: the system says who you are there",
				"pairing needs a network address, not a socket")
	}
	l, err := d.login()
	if err != nil {
		return nil, err
	}
	identity, err := l.pairingKey()
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
	ctx, cancel := l.way.limited(ctx)
	defer cancel()
	p := &pairing{hostCheck: l.hostCheck()}
	conn, err := l.secure(ctx, envelope, p.check)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := p.prove(conn, identity.Public, secret); err != nil {
		return nil, err
	}
	paired := &Paired{Host: p.found.Key, Own: identity.Public}
	if p.found.Status != knownhosts.Known {
		p.add = &p.found
		paired.NotKnown = p.remember()
	}
	return paired, nil
}

// Reach says whether something listens at the host: nobody should look for a code, and type it, to
// learn that nothing does.
func (d *Dialer) Reach(ctx context.Context) error {
	if d.Options.Socket != "" || d.Options.Proxied() { // a program would be started for nothing
		return nil
	}
	way := d.newNetwork()
	ctx, cancel := way.limited(ctx)
	defer cancel()
	conn, err := way.dial(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

// pairingKey is the key to have listed: the one that would be tried first, or else a new one of
// minissh's own.
func (l *login) pairingKey() (*keys.Identity, error) {
	next := l.ring.first()
	for next != nil && (next.cert != nil || next.identity != nil && next.identity.SignsLogins()) {
		next.tried = true // pairing lists the key that TLS carries
		if next = l.ring.untried(); next == nil {
			return nil, report.Failed(nil,
				"ssh-keygen -t ed25519 makes one; or add a line of ssh-add -L to "+
					"~/.ssh/authorized_keys there",
				"pairing needs a key that TLS can carry: no hardware key, no RSA key of an agent")
		}
	}
	if next != nil {
		id, err := next.load(l.Shared, l.Ask)
		if err != nil {
			return nil, report.Failed(err, "minissh pair -i FILE names another key",
				"a key cannot be used: %v", err)
		}
		return id, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || len(l.Options.IdentityFiles) > 0 {
		return nil, l.ring.empty(l.NoHost)
	}
	file := keys.OwnFile(home)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, report.Failed(err, "", "cannot make a key: %v", err)
	}
	fresh, _, err := keys.HostKey(file)
	if err != nil {
		return nil, report.Failed(err, "ssh-keygen -t ed25519 makes one", "cannot make a key: %v",
			err)
	}
	l.Messages.Say(options.LevelInfo, "you had no key: one was made, without a passphrase, in %s",
		file)
	return &fresh, nil
}

// pairing is one attempt.
type pairing struct {
	*hostCheck
	// on the key that the host shows; the host has yet to prove that it is the right one
	found knownhosts.Verdict
}

// check judges the host's key and asks nothing: the proof covers the host key too. A host that is
// known by another key is not paired with.
func (p *pairing) check(key ssh.PublicKey, _ *ssh.Certificate, from net.Addr) (err error) {
	if p.found, err = p.verdict(key, from); err != nil {
		return err
	}
	if p.found.Status == knownhosts.Changed || p.found.Status == knownhosts.Revoked {
		return p.refuse(p.found)
	}
	return nil
}

// prove does what comes after TLS: our proof, then the host's (PA3, PA6).
func (p *pairing) prove(conn *transport.Conn, own ssh.PublicKey, code protocol.PairingCode) error {
	user, host := p.Options.User, p.Options.Alias
	exported, err := conn.Export(protocol.PairingLabel)
	if err != nil {
		return report.Failed(err, "", "the connection to %s failed: %v", host, err)
	}
	transcript := protocol.PairingTranscript(exported, p.found.Key.Marshal(), own.Marshal(), user)
	frame, err := protocol.AppendMessage(nil, protocol.TypePair, 0, &protocol.Pair{
		Protocol: protocol.ALPN, User: user,
		Proof: hex.EncodeToString(code.Prove(protocol.PairingClient, transcript)),
	})
	if err != nil {
		return report.Failed(err, "", "cannot ask %s: %v", host, err)
	}
	conn.SetDeadline(time.Now().Add(protocol.PairingPatience))
	_, writeErr := conn.Write(frame)
	f, err := protocol.NewReader(conn).Next() // the reason of a failed write waits there (FR8)
	if err != nil {
		if writeErr == nil || !errors.Is(err, io.EOF) {
			writeErr = err
		}
		return report.Failed(writeErr, "minissh "+report.Target(p.Options)+
			" tells whether your key is listed there", "%s did not say whether it has paired: %v",
			host, report.Plain(writeErr))
	}
	switch f.Type {
	case protocol.TypeError:
		var said protocol.Reason
		if err := f.Decode(&said); err != nil {
			return report.Failed(err, "", "%s answered what cannot be read: %v", host, err)
		}
		if said.Code == protocol.CodePairingRefused {
			return report.Failed(nil, "is it "+user+" there (user@host chooses), and the code "+
				"from the last two minutes? minisshd pair shows a new one",
				"%s refused to pair: the code is wrong, used or too old, or for another user", host)
		}
		if said.Code == protocol.CodeInternal && said.Message != "" {
			return report.Failed(nil, "mend that there, then once more: minissh pair "+
				report.Target(p.Options)+"; with this key the code is good until its two minutes "+
				"are over",
				"%s knows the code, but did not list your key: %s", host,
				protocol.Quote(said.Message))
		}
		return report.Failed(nil, remoteHint(said.Code), "%s refused: %v", host,
			&protocol.RemoteError{Reason: said})
	case protocol.TypePair:
		var answer protocol.Pair
		if err := f.Decode(&answer); err != nil {
			return report.Failed(err, "", "%s answered what cannot be read: %v", host, err)
		}
		proof, err := answer.MAC()
		if err == nil && code.Proves(protocol.PairingDaemon, transcript, proof) {
			return nil
		}
	}
	return report.Failed(nil, "somebody may be between you and it; nothing was believed or "+
		"written", "%s did not prove that it knows the code", host)
}

// CodeFrom asks on a terminal, again if what was typed cannot be a code; or takes the next of
// lines, if that is not nil.
func CodeFrom(ask terminal.Asker, lines func() (string, error),
	host string) func() (protocol.PairingCode, error) {
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
			if errors.Is(err, io.EOF) {
				err = errors.New("the input has ended")
			}
			if err != nil {
				return "",
					report.Failed(err,
						"type it at a terminal, or give it as a line of standard input: never as "+
							"an argument", "a pairing code is needed: %v", err)
			}
			if code, err = protocol.ParsePairingCode(typed); err == nil {
				return code, nil
			}
			question = "minissh: " + err.Error() + "\nOnce more: "
		}
		return "", report.Failed(err, "", "%v", err)
	}
}
