package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"minissh/daemon/logbook"
	"minissh/daemon/process"
)

// PairingStarted is what `minisshd pair` shows.
type PairingStarted struct {
	User  string    `json:"user"`
	Codes []string  `json:"codes"` // as people type them: secrets
	Until time.Time `json:"until"`
	Place
}

// PairingEvent is sent while codes live: one of the two.
type PairingEvent struct {
	Started *PairingStarted `json:"started,omitempty"`
	Paired  *Paired         `json:"paired,omitempty"`
}

// PairingEnded is the answer when no code is left.
type PairingEnded struct {
	Paired int `json:"paired"`
	Unused int `json:"unused"` // expired, or burnt by wrong proofs
}

// pair offers codes on the control socket. An asker that hangs up withdraws them.
func pair(ctx context.Context, d *Desk, args json.RawMessage, say func(event any) error) (any,
	error) {
	var offer Offer
	if err := json.Unmarshal(args, &offer); err != nil {
		return nil, errors.New("the arguments of pair cannot be read")
	}
	made, err := d.Offer(offer)
	if err != nil {
		return nil, err
	}
	return d.Follow(ctx, made, func(e PairingEvent) error { return say(e) })
}

// Follow reports what happens to codes, until none is left or ctx ends; then they are withdrawn.
func (d *Desk) Follow(ctx context.Context, made *PairingOffer, say func(PairingEvent) error) (
	*PairingEnded, error) {
	defer made.Withdraw()
	started := &PairingStarted{User: made.User, Until: made.Until, Place: d.Place()}
	for _, c := range made.Codes {
		started.Codes = append(started.Codes, c.Shown())
	}
	if err := say(PairingEvent{Started: started}); err != nil {
		return nil, err
	}
	ended := &PairingEnded{Unused: len(made.Codes)}
	for {
		select {
		case p, more := <-made.Events:
			if !more {
				return ended, nil
			}
			ended.Paired++
			ended.Unused--
			if err := say(PairingEvent{Paired: &p}); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Next to the control socket of root's daemon is a second one that everybody may speak to, and that
// only knows "pair". A user asks there for a code for the own account, since one daemon has the
// port and serves all. The kernel names the uid. Such a code opens nothing to the network (RULES
// A12). Each uid may have one, and half of all codes are the administrator's.

const (
	userAskers     = 3 // connections of one uid at once
	userCodes      = mostCodes / 2
	userCodeEvery  = time.Second // between two codes of one uid, so that nobody fills the log
	pairSocketName = "pair"
)

// PairSocket is where a user asks the daemon that has this control socket.
func PairSocket(control string) string {
	return filepath.Join(filepath.Dir(control), pairSocketName)
}

// RootsPairSocket is the one of the machine's daemon.
func RootsPairSocket() string { return PairSocket(rootsPath()) }

// pairFor is "pair" for a user: one code, for the own account.
func pairFor(uid uint32) verb {
	return func(ctx context.Context, d *Desk, args json.RawMessage, say func(any) error) (any,
		error) {
		var offer Offer
		if err := json.Unmarshal(args, &offer); err != nil {
			return nil, errors.New("the arguments of pair cannot be read")
		}
		if offer.Count > 1 {
			return nil,
				&Error{"one code at a time for each user",
					"an administrator may make more: sudo minisshd pair --user NAME --count NUMBER"}
		}
		other := &Error{fmt.Sprintf("uid %d may pair for its own account alone, not for %s", uid,
			logbook.Name(offer.User)), "an administrator may: sudo minisshd pair --user " +
			logbook.Name(offer.User)}
		// First of all: this user must not learn whether another account exists, or is locked.
		if acct, err := process.LookupAccount(ctx, offer.User); err != nil || acct.UID != uid {
			return nil, other
		}
		made, err := d.offer(offer, func(acct process.Account) error {
			if acct.UID != uid {
				return other
			}
			return nil
		}, true)
		if err != nil {
			return nil, err
		}
		return d.Follow(ctx, made, func(e PairingEvent) error {
			if e.Started != nil && !d.Open() {
				// connections from beyond loopback are dropped, and this code does not change that
				e.Started.Reachable = nil
			}
			return say(e)
		})
	}
}

// mayOffer says whether a user may have a code now. The caller holds mu.
func (p *pairings) mayOffer(uid uint32, now time.Time) error {
	all := 0
	for _, c := range p.codes {
		if !c.offer.byUser {
			continue
		}
		if c.offer.account.UID == uid {
			return &Error{"you have a code already: one at a time for each user",
				"withdraw it with Ctrl-C where it is shown, or wait two minutes"}
		}
		all++
	}
	if all >= userCodes {
		return &Error{"too many users are pairing just now", "try again in two minutes"}
	}
	for other, at := range p.asked { // only those of the last moment
		if now.Sub(at) >= userCodeEvery {
			delete(p.asked, other)
		}
	}
	if _, soon := p.asked[uid]; soon {
		return &Error{"you have just had a code", "try again in a second"}
	}
	p.asked[uid] = now
	return nil
}
