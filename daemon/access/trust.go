package access

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol/keys"
	"minissh/protocol/krl"
)

// Trust is what the daemon's administrator trusts and revokes, besides what users list. The files
// are read at each login that they matter for, so that a change counts at once. They belong to the
// daemon's account or to root, and so do the directories above them: nobody else can make the
// daemon wait for them.
type Trust struct {
	Environment bool   // honour environment= in authorized_keys
	UserCA      string // a file with the authorities for users' certificates (CE3); "": none
	RevokedKeys string // a file of revoked keys; "": none

	owner authorized.Owner
	// held while RevokedKeys is in memory: many logins at once need no more than one
	reading *sync.Mutex
}

// of is the trust of a daemon that runs as an account.
func (t Trust) of(own process.Account) *Trust {
	t.owner, t.reading = authorized.Owner{UID: own.UID}, new(sync.Mutex)
	return &t
}

// authorities are the keys in UserCA.
func (t *Trust) authorities() (*authorized.File, []authorized.Problem, error) {
	text, err := authorized.Read(t.UserCA, t.owner)
	if err != nil {
		return nil, nil, fmt.Errorf("the file of --trusted-user-ca: %w", err)
	}
	file, problems := authorized.ParseAuthorities(t.UserCA, text)
	return file, problems, nil
}

// anyAuthority says whether somebody could log in with a certificate of UserCA.
func (t *Trust) anyAuthority() bool {
	if t.UserCA == "" {
		return false
	}
	file, _, err := t.authorities()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(file.Entries, func(e *authorized.Entry) bool {
		return e.Usable(time.Now()) && t.revoked(keys.Proof{Key: e.Key}) == nil
	})
}

// revoked says that a key, its certificate or its authority are revoked, or that nobody can tell.
func (t *Trust) revoked(proof keys.Proof) error {
	if t.RevokedKeys == "" {
		return nil
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	text, err := t.readRevoked()
	if err != nil {
		return err
	}
	key := proof.Key
	if proof.Cert != nil {
		key = proof.Cert
	}
	found, err := krl.Holds(text, key)
	switch {
	case err != nil:
		return t.unreadable(err)
	case found:
		return Revoked{Err: errors.New("it is revoked by " + logbook.Name(t.RevokedKeys))}
	}
	return nil
}

// mostRevoked bounds the file of revoked keys, in bytes.
const mostRevoked = 16 << 20

func (t *Trust) readRevoked() ([]byte, error) {
	text, err := authorized.ReadMost(t.RevokedKeys, t.owner, mostRevoked)
	if err != nil {
		return nil, t.unreadable(err)
	}
	return text, nil
}

func (t *Trust) unreadable(err error) error {
	return fmt.Errorf("no key is accepted, since the file of --revoked-keys cannot be read: %w",
		err)
}

// TrustReport is what a Trust's files say now.
type TrustReport struct {
	Authorities *authorized.File // nil without UserCA, or with an error
	Problems    []authorized.Problem
	CAError     error // why UserCA counts for nothing
	RevokedErr  error // why nobody with a key may log in
}

// Report reads the files as a login does.
func (t Trust) Report(own process.Account) (r TrustReport) {
	t = *t.of(own)
	if t.UserCA != "" {
		r.Authorities, r.Problems, r.CAError = t.authorities()
	}
	if t.RevokedKeys != "" {
		text, err := t.readRevoked()
		if err == nil {
			if err = krl.Check(text); err != nil {
				err = t.unreadable(err)
			}
		}
		r.RevokedErr = err
	}
	return r
}
