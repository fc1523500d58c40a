package dial

import (
	"golang.org/x/crypto/ssh"

	"minissh/client/options"
	"minissh/client/report"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// signLogin makes HELLO's `auth` for one connection (LO1); nil if TLS carries our key.
type signLogin func(conn *transport.Conn) (auth string, err error)

// linkKey is what to show in TLS: our key, or a fresh one if ours can only sign the login. host is
// the host key that was accepted, once TLS is there.
func (l *login) linkKey(own *keys.Identity, host func() ssh.PublicKey) (*keys.Identity, signLogin,
	error) {
	if !own.SignsLogins() {
		return own, nil, nil
	}
	link, err := keys.Generate()
	if err != nil {
		return nil, nil, err
	}
	return &link, func(conn *transport.Conn) (string, error) {
		exported, err := conn.Export(protocol.LoginLabel)
		if err != nil {
			return "", report.Failed(err, "", "the connection to %s failed: %v", l.Options.Alias,
				err)
		}
		defer l.tellTouch(own.Public)()
		auth, err := own.SignLogin(protocol.LoginTranscript(exported, host().Marshal(),
			link.Public.Marshal(), l.Options.User))
		if err != nil {
			return "", &unsigned{err}
		}
		return auth, nil
	}, nil
}

// tellTouch tells a person, in ssh's words, that a hardware key waits for a touch, and afterwards
// that it has come.
func (l *login) tellTouch(key ssh.PublicKey) (after func()) {
	if !keys.IsHardware(key) {
		return func() {}
	}
	tell := l.Messages.Debug
	if l.Messages.Interactive() {
		tell = func(format string, args ...any) {
			l.Messages.Say(options.LevelInfo, format, args...)
		}
	}
	tell("confirm user presence for key %s %s: touch it", keys.TypeName(key),
		keys.Fingerprint(key))
	return func() { tell("the key %s has answered", keys.Fingerprint(key)) }
}
