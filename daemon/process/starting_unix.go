//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// StartTime is how long a command may take to start: its directory and its program may be on a file
// server that does not answer.
const StartTime = 30 * time.Second

// startingMost is how many commands of one account may be on their way at once. Those that hang
// there count until they are dead.
const startingMost = 32

// ErrStarting means that too many commands of the account hang before they have started.
var ErrStarting = fmt.Errorf("%d commands of this account have not started yet", startingMost)

// starting counts the commands that are on their way, by uid.
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
var errSilent = fmt.Errorf("the directory or the program did not answer within %v", StartTime)
