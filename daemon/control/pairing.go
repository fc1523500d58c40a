package control

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/daemon/access"
	"minissh/daemon/audit"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/keys"
	"minissh/protocol/mux"
	"minissh/protocol/transport"
)

// Offer is what `minisshd pair` asks for.
type Offer struct {
	User   string        // "": the daemon's own account
	Count  int           // codes, each for one client; 0: 1
	Limits access.Limits // of the keys that will be listed
}

// mostCodes is how many codes may live at once: each makes guessing easier.
const mostCodes = 100

// Paired is about a client that has paired.
type Paired struct {
	User        string    `json:"user"`
	Type        string    `json:"type"`
	Fingerprint string    `json:"fingerprint"`
	From        string    `json:"from"`
	Limits      string    `json:"limits,omitempty"` // options of its line
	At          time.Time `json:"at"`
}

// PairingOffer is a set of living codes.
type PairingOffer struct {
	User   string
	Until  time.Time
	Codes  []protocol.PairingCode
	Events <-chan Paired // one for each code that was used; closed when no code is left

	withdraw func()
}

// Withdraw makes the remaining codes worthless. It may be called again.
func (o *PairingOffer) Withdraw() { o.withdraw() }

// code is one living code.
type code struct {
	value    protocol.PairingCode
	offer    *offering
	attempts int
	sources  map[netip.Prefix]int
	writing  bool // the key that proved it is being written
	// the key that proved it and could not be written, the only one that may try again
	owner []byte
}

// offering is the daemon's side of a PairingOffer.
type offering struct {
	account process.Account
	limits  access.Limits
	expires time.Time
	left    int
	events  chan Paired
	byUser  bool // an ordinary user asked for it (pairing_ask.go)
}

// pairings are a daemon's codes.
type pairings struct {
	now func() time.Time
	// access.AddPaired
	add func(process.Account, ssh.PublicKey, access.Limits, string, time.Time) error

	mu    sync.Mutex // guards the rest; not held while a key is written, which may take long
	codes []*code
	asked map[uint32]time.Time // when users have asked for their last codes
}

func newPairings() *pairings {
	return &pairings{now: time.Now, add: access.AddPaired, asked: map[uint32]time.Time{}}
}

// underWay says whether a stranger could pair with an administrator's code: an ordinary user's
// opens nothing to the network (RULES A12).
func (p *pairings) underWay() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	return slices.ContainsFunc(p.codes, func(c *code) bool { return !c.offer.byUser })
}

// expire forgets codes whose time is over. The caller holds mu.
func (p *pairings) expire() {
	p.forget(func(c *code) bool { return !p.now().Before(c.offer.expires) })
}

// forget drops codes, and ends offers that have none left. The caller holds mu.
func (p *pairings) forget(drop func(*code) bool) {
	p.codes = slices.DeleteFunc(p.codes, func(c *code) bool {
		if drop(c) {
			c.offer.less()
			return true
		}
		return false
	})
}

// less notes that one of the codes is gone. The caller holds mu.
func (o *offering) less() {
	if o.left--; o.left == 0 {
		close(o.events)
	}
}

// Offer makes codes for a user, which live two minutes (PA5). The error is for the administrator.
func (d *Desk) Offer(o Offer) (*PairingOffer, error) {
	return d.offer(o, func(process.Account) error { return nil }, false)
}

// offer is Offer if may allows it for the account. byUser: the user of that account asks.
func (d *Desk) offer(o Offer, may func(process.Account) error, byUser bool) (*PairingOffer, error) {
	if o.User == "" {
		o.User = d.Account.Name
	}
	o.Count = max(o.Count, 1)
	if err := o.Limits.Check(); err != nil {
		return nil, err
	}
	files, ok := d.Access.(access.Pairable)
	if !ok {
		return nil, errors.New("this daemon reads no file that paired keys could be in")
	}
	acct, err := files.PairedAccount(o.User)
	if err != nil {
		return nil, err
	}
	if err := may(acct); err != nil {
		return nil, err
	}
	p := d.codes
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	if byUser {
		if err := p.mayOffer(acct.UID, p.now()); err != nil {
			return nil, err
		}
	}
	if len(p.codes)+o.Count > mostCodes {
		return nil, errors.New("at most 100 codes may live at a time")
	}
	of := &offering{
		account: acct, limits: o.Limits, expires: p.now().Add(protocol.PairingLifetime),
		left:   o.Count,
		events: make(chan Paired, o.Count), byUser: byUser,
	}
	made := &PairingOffer{User: acct.Name, Until: of.expires, Events: of.events}
	for range o.Count {
		c := &code{value: protocol.NewPairingCode(), offer: of, sources: map[netip.Prefix]int{}}
		p.codes = append(p.codes, c)
		made.Codes = append(made.Codes, c.value)
	}
	timer := time.AfterFunc(protocol.PairingLifetime, func() { p.underWay() })
	made.withdraw = func() {
		timer.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forget(func(c *code) bool { return c.offer == of })
	}
	d.Log.Info("Pairing offered", "user", acct.Name, "codes", o.Count)
	return made, nil
}

// errNotPaired is the only reason that a stranger is told (PA4).
var errNotPaired = protocol.Violate(protocol.CodePairingRefused, "there is no such pairing")

// notWrittenError is why a client that proved its code is not listed. Only that client may be told
// (PA4).
type notWrittenError struct{ err error }

func (e *notWrittenError) Error() string { return "the key could not be written: " + e.err.Error() }
func (e *notWrittenError) Unwrap() error { return e.err }

// attempt is PA4, for one client. why is for the log; a *notWrittenError is for the client.
func (p *pairings) attempt(user string, key ssh.PublicKey, from netip.AddrPort, transcript,
	proof []byte) (answer []byte, done *Paired, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	why = errors.New("no code is offered for this user")
	var right *code
	var tried []*code
	place := access.Source(from.Addr())
	for _, c := range p.codes {
		if c.offer.account.Name != user {
			continue
		}
		if c.writing {
			why = errors.New("the code is being used just now")
			continue
		}
		if c.sources[place] >= protocol.PairingPerSource {
			why = errors.New("too many attempts from this source")
			continue
		}
		tried = append(tried, c)
		why = errors.New("the proof is wrong")
		if c.value.Proves(protocol.PairingClient, transcript, proof) {
			right = c
		}
	}
	// who knows one code has not guessed at the others: a classroom may share an address
	if right == nil {
		for _, c := range tried {
			c.attempts++
			c.sources[place]++
		}
	}
	p.forget(func(c *code) bool { return c.attempts >= protocol.PairingPerCode })
	if right == nil {
		return nil, nil, why
	}
	if right.owner != nil && !bytes.Equal(right.owner, key.Marshal()) {
		return nil, nil, errors.New("the code is kept for another key, which could not be written")
	}
	at := p.now()
	right.writing = true
	p.mu.Unlock()
	err := p.add(right.offer.account, key, right.offer.limits, from.Addr().String(), at)
	p.mu.Lock()
	right.writing = false
	if err != nil {
		// nobody knows how far the writing came: one code pairs one client
		right.owner = key.Marshal()
		return nil, nil, &notWrittenError{err}
	}
	defer p.forget(func(c *code) bool { return c == right }) // used up
	done = &Paired{User: user, Type: keys.TypeName(key), Fingerprint: keys.Fingerprint(key),
		From: from.Addr().String(), Limits: right.offer.limits.Options(), At: at}
	// it may have expired or been withdrawn meanwhile; the key is listed all the same
	if slices.Contains(p.codes, right) {
		right.offer.events <- *done // has room for one of each code
	}
	return right.value.Prove(protocol.PairingDaemon, transcript), done, nil
}

// ErrPaired says that a connection has had its answer.
var ErrPaired = errors.New("paired")

// Pair answers PAIR (PA3, PA4). The error is ErrPaired when all went well.
func (d *Desk) Pair(conn *transport.Conn, key ssh.PublicKey, addr netip.AddrPort,
	f protocol.Frame) error {
	if key == nil {
		return protocol.Violate(protocol.CodeUnexpectedFrame, "PAIR needs TLS")
	}
	conn.SetDeadline(time.Now().Add(protocol.PairingPatience))
	var asked protocol.Pair
	if err := f.Decode(&asked); err != nil {
		return err
	}
	if err := asked.Check(); err != nil {
		return err
	}
	proof, _ := asked.MAC() // Check has looked at it
	exported, err := conn.Export(protocol.PairingLabel)
	if err != nil {
		return err
	}
	shown, err := conn.Own() // the host key may have been replaced meanwhile
	if err != nil {
		return err
	}
	host, err := keys.FromCertificate(shown)
	if err != nil {
		return err
	}
	transcript := protocol.PairingTranscript(exported, host.Marshal(), key.Marshal(), asked.User)
	what := keys.TypeName(key) + " " + keys.Fingerprint(key)
	answer, done, err := d.codes.attempt(asked.User, key, addr, transcript, proof)
	if err != nil {
		d.Audit.Note("pairing refused", &audit.Who{User: asked.User, Key: what, Addr: addr},
			"error", err.Error())
		d.Tally.Refused(slog.LevelWarn, "Failed pairing", access.Source(addr.Addr()),
			logbook.From(addr),
			"Failed pairing for "+logbook.Name(asked.User)+" "+logbook.From(addr)+": "+what,
			"error", err.Error())
		if notWritten, proved := errors.AsType[*notWrittenError](err); proved {
			return logbook.Told{Err: protocol.Violate(protocol.CodeInternal, "%v", notWritten)}
		}
		return logbook.Told{Err: errNotPaired}
	}
	d.Access.(access.Pairable).Paired(done.User) // Offer made sure of that
	d.Audit.Note("paired", nil, "user", done.User, "from", addr.String(), "key", what, "limits",
		done.Limits)
	d.Log.Info("Paired publickey for "+logbook.Name(done.User)+" "+logbook.From(addr)+": "+what,
		"limits", done.Limits)
	frame, err := protocol.AppendMessage(nil, protocol.TypePair, 0,
		&protocol.Pair{User: done.User, Proof: hex.EncodeToString(answer)})
	if err != nil {
		return err
	}
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	mux.Linger(conn)
	return ErrPaired
}
