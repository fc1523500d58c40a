package daemon

import (
	"minissh/daemon/control"
	"minissh/protocol"
	"minissh/protocol/keys"
)

// prove finds out which key logs in: the one that TLS has shown, or the one that signs HELLO (LO1).
// To a session that was begun with a signature its client comes back without one (LO6).
func (a *arrival) prove(hello *protocol.Hello) error {
	if a.key == nil {
		return nil // the kernel has named the uid
	}
	a.who.Proof = keys.Proof{Key: a.key}
	if hello.Auth == "" {
		session, _ := a.s.sessions.Find(keys.Fingerprint(a.key), hello)
		if session != nil {
			a.who.Proof = control.VisitOf(session).First.Proof
		}
		return nil
	}
	login, err := keys.ParseLogin(hello.Auth)
	if err != nil {
		return protocol.Violate(protocol.CodeBadHello, "auth: %v", err)
	}
	transcript, err := a.transcript(hello.User)
	if err != nil {
		return err
	}
	if a.who.Proof, err = login.Verify(transcript); err != nil {
		return a.s.guard.Forged(a.who, login.Key(), err)
	}
	return nil
}

// transcript is what a signature of this login covers (LO2).
func (a *arrival) transcript(user string) ([]byte, error) {
	exported, err := a.conn.Export(protocol.LoginLabel)
	if err != nil {
		return nil, err
	}
	own, err := a.conn.Own()
	if err != nil {
		return nil, err
	}
	host, err := keys.FromCertificate(own)
	if err != nil {
		return nil, err
	}
	return protocol.LoginTranscript(exported, host.Marshal(), a.key.Marshal(), user), nil
}
