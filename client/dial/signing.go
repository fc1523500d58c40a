package dial

import (
	"context"
	"crypto"
	"errors"
	"io"
	"sync"
	"time"

	"minissh/client/report"
	"minissh/protocol/keys"
)

// unsigned ends an attempt whose key did not sign: the user told the agent no (ssh-add -c), the
// agent is locked, or its hardware is missing. The daemon has judged nothing yet, so the next key
// may work.
type unsigned struct{ why error }

func (u *unsigned) Error() string { return u.why.Error() }
func (u *unsigned) Unwrap() error { return u.why }

func (u *unsigned) FailureClass() string { return string(report.ClassAuth) }

// notingSigner keeps the error of a key that does not sign: crypto/tls passes on only its text. It
// also knows whether the key is signing, which takes as long as a person takes to say yes.
type notingSigner struct {
	of     *keys.Identity
	signer crypto.MessageSigner // nil: the key is in our memory, and signs
	failed error                // set before the handshake ends

	mu       sync.Mutex // guards the rest
	signing  bool
	answered []func() // called when it has signed, or has not
}

func noteFailures(of *keys.Identity) *notingSigner {
	signer, _ := of.Private.(crypto.MessageSigner)
	return &notingSigner{of: of, signer: signer}
}

// identity is what to show in a handshake.
func (n *notingSigner) identity() keys.Identity {
	id := *n.of
	if n.signer != nil {
		id.Private = n
	}
	return id
}

// Public implements crypto.Signer.
func (n *notingSigner) Public() crypto.PublicKey { return n.signer.Public() }

// Sign implements crypto.Signer.
func (n *notingSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte,
	error) {
	return n.noted(func() ([]byte, error) { return n.signer.Sign(random, digest, opts) })
}

// SignMessage implements crypto.MessageSigner.
func (n *notingSigner) SignMessage(random io.Reader, message []byte, opts crypto.SignerOpts) (
	[]byte, error) {
	return n.noted(func() ([]byte, error) { return n.signer.SignMessage(random, message, opts) })
}

func (n *notingSigner) noted(sign func() ([]byte, error)) ([]byte, error) {
	n.mu.Lock()
	n.signing = true
	n.mu.Unlock()
	signature, err := sign()
	if err != nil {
		n.failed = &unsigned{err}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, then := range n.answered {
		then()
	}
	n.signing, n.answered = false, nil
	return signature, err
}

// afterAnswer is how long a handshake may still take when a person has answered for whom its time
// was not enough.
const afterAnswer = 5 * time.Second

// patient is ctx, except that its time does not end while the key is signing. Otherwise a person
// who says yes too slowly would be asked again and again.
func (n *notingSigner) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	waiting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	end := func() { cancel(context.Cause(ctx)) }
	stop := context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.signing && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			n.answered = append(n.answered, func() { time.AfterFunc(afterAnswer, end) })
			return
		}
		end()
	})
	return waiting, func() {
		stop()
		cancel(context.Canceled)
	}
}
