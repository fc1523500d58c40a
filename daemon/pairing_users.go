package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"minissh/daemon/process"
)

// Beside the control socket of a daemon of root is a second one that everybody may speak to, and that knows "pair"
// alone: a user asks there for a code for the own account, since the port is taken and there is one daemon for all.
// The kernel names the uid. Such a code opens nothing to the network (RULES A12), there is one of them for each uid, and
// all users together leave half of the codes to the administrator.

const (
	userAskers     = 3 // connections of one uid at once
	userCodes      = mostCodes / 2
	userCodeEvery  = time.Second // at most one code in this time for one uid, so that nobody fills the log
	pairSocketName = "pair"
)

// PairSocket is where a user asks the daemon that has this control socket.
func PairSocket(control string) string { return filepath.Join(filepath.Dir(control), pairSocketName) }

// RootsPairSocket is the one of the machine's daemon.
func RootsPairSocket() string { return PairSocket(rootsControl()) }

// ListenPairByUsers opens the socket beside a control socket, at which users ask for codes for themselves. Shutdown closes it.
func (s *Server) ListenPairByUsers(control string) error {
	if _, all := s.opts.Access.(byUID); !all || os.Geteuid() != 0 {
		return errors.New("only a daemon of root pairs for others")
	}
	if control == rootsControl() { // whoever chose another place has made its folder
		if err := os.Chmod(filepath.Dir(control), 0o711); err != nil {
			return err
		}
	}
	return s.listenControl(PairSocket(control), 0o666, userAskers, func(uid uint32) map[string]controlVerb {
		if uid == 0 || uid == overflowUID() {
			return nil
		}
		return map[string]controlVerb{"pair": pairFor(uid)}
	})
}

// pairFor is "pair" for a user: for the own account, one code.
func pairFor(uid uint32) controlVerb {
	return func(ctx context.Context, s *Server, args json.RawMessage, say func(any) error) (any, error) {
		var offer Offer
		if err := json.Unmarshal(args, &offer); err != nil {
			return nil, errors.New("the arguments of pair cannot be read")
		}
		if offer.Count > 1 {
			return nil, &ControlError{"one code at a time for each user", "an administrator may make more: sudo minisshd pair --user NAME --count NUMBER"}
		}
		other := &ControlError{fmt.Sprintf("uid %d may pair for its own account alone, not for %s", uid, logName(offer.User)), "an administrator may: sudo minisshd pair --user " + logName(offer.User)}
		// First of all: whether there is another account, is locked or has expired is not for this user.
		if acct, err := process.LookupAccount(ctx, offer.User); err != nil || acct.UID != uid {
			return nil, other
		}
		made, err := s.offerPairing(offer, func(acct process.Account) error {
			if acct.UID != uid {
				return other
			}
			return nil
		}, true)
		if err != nil {
			return nil, err
		}
		return s.FollowPairing(ctx, made, func(e PairingEvent) error {
			if e.Started != nil && !s.anyoneCould() {
				e.Started.Reachable = nil // connections from beyond loopback are dropped, and this code does not change that
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
			return &ControlError{"you have a code already: one at a time for each user", "withdraw it with Ctrl-C where it is shown, or wait two minutes"}
		}
		all++
	}
	if all >= userCodes {
		return &ControlError{"too many users are pairing just now", "try again in two minutes"}
	}
	for other, at := range p.asked { // those of the last moment alone
		if now.Sub(at) >= userCodeEvery {
			delete(p.asked, other)
		}
	}
	if _, soon := p.asked[uid]; soon {
		return &ControlError{"you have just had a code", "try again in a second"}
	}
	p.asked[uid] = now
	return nil
}
