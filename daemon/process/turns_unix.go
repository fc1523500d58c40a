//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"minissh/protocol"
)

// StartTime is how long a command may take to start: its files may be on a server that hangs.
const StartTime = 30 * time.Second

// startingMost is how many commands of one account may be starting at once. Those that hang count
// until they are dead.
const startingMost = 32

// ErrStarting means that too many commands of the account hang before they have started.
var ErrStarting = fmt.Errorf("%d commands of this account have not started yet", startingMost)

// starting counts the commands that are being started, by uid.
var starting = struct {
	sync.Mutex
	of map[uint32]int
}{of: map[uint32]int{}}

func beginStart(uid uint32) (ended func(), err error) {
	starting.Lock()
	defer starting.Unlock()
	if starting.of[uid] >= startingMost {
		return nil, ErrStarting
	}
	starting.of[uid]++
	return func() {
		starting.Lock()
		defer starting.Unlock()
		if starting.of[uid]--; starting.of[uid] == 0 {
			delete(starting.of, uid)
		}
	}, nil
}

// errUnwanted means that whoever asked for the command has left before it ran.
var errUnwanted = errors.New("nobody wants it any more")

// errSilent means that StartTime has passed.
var errSilent = errors.New("the directory or the program did not answer within " +
	protocol.ExactlyInWords(StartTime))

// Commands and helpers of one account take turns in starting: a start is work for the daemon, its
// stage or its helper, and 256 at once would leave little of the processors to the other accounts'
// commands. One account may use half of the processors to start its own.
var turnsAtOnce = max(1, runtime.GOMAXPROCS(0)/2)

// turnTime is for one start. A start that takes longer hangs, and the next gets its turn.
const turnTime = 250 * time.Millisecond

// turns are the accounts that have commands to start, by uid.
var turns = struct {
	sync.Mutex
	of map[uint32]*turnQueue
}{of: map[uint32]*turnQueue{}}

// turnQueue is one account's. taken holds a token for each turn; commands counts, under turns'
// lock, those that have one or wait for one.
type turnQueue struct {
	taken    chan struct{}
	commands int
}

// awaitTurn waits until a command of the account may start. end says that it has, or never will.
func awaitTurn(ctx context.Context, uid uint32) (end func(), err error) {
	q := enterTurns(uid)
	select {
	case q.taken <- struct{}{}:
	case <-ctx.Done():
		leaveTurns(uid)
		return nil, ctx.Err()
	}
	pass := sync.OnceFunc(func() { <-q.taken })
	late := time.AfterFunc(turnTime, pass)
	return sync.OnceFunc(func() {
		late.Stop()
		pass()
		leaveTurns(uid)
	}), nil
}

// Turn waits until a helper of the account may start. end says that it works now, or never will; it
// may be called more than once. The daemon's own account does not wait.
func Turn(ctx context.Context, acct Account) (end func(), err error) {
	if acct.Credential == nil {
		return func() {}, nil
	}
	return awaitTurn(ctx, acct.Credential.UID)
}

func enterTurns(uid uint32) *turnQueue {
	turns.Lock()
	defer turns.Unlock()
	q := turns.of[uid]
	if q == nil {
		q = &turnQueue{taken: make(chan struct{}, turnsAtOnce)}
		turns.of[uid] = q
	}
	q.commands++
	return q
}

func leaveTurns(uid uint32) {
	turns.Lock()
	defer turns.Unlock()
	if q := turns.of[uid]; q.commands == 1 {
		delete(turns.of, uid)
	} else {
		q.commands--
	}
}
