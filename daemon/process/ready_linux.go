package process

import (
	"os"
	"sync"
)

// readyMost is how many stages wait ready-made: the start of one takes longer than all else that a
// command's start does. It needs no more for commands that come one after the other.
const readyMost = 2

// ready are the stages that wait for an order. They are root's, in no account's session, and each
// becomes one command.
var ready struct {
	sync.Mutex
	keep    bool // whether any are kept
	filling bool // whether one is being started
	stages  []waitingStage
}

type waitingStage struct {
	p    *Process
	line *os.File
}

// KeepReady has stages wait ready-made, so that the commands of other accounts start quickly. It is
// for a daemon of root, and starts them in the background. EndReady ends them.
func KeepReady() {
	ready.Lock()
	ready.keep = true
	ready.Unlock()
	go fillReady()
}

// EndReady ends the stages that wait, and keeps no more.
func EndReady() {
	ready.Lock()
	stages := ready.stages
	ready.keep, ready.stages = false, nil
	ready.Unlock()
	for _, s := range stages {
		s.end()
	}
}

// end ends a stage that has had no order, and waits for its end: it hangs nowhere.
func (s waitingStage) end() {
	s.line.Close()
	dead := make(chan struct{})
	s.p.abandon(func() { close(dead) })
	<-dead
}

// takeStage gives a stage that has waited, or a new one. One that begins in a cgroup of v2 is always
// new: to move a process costs more than to start one.
func takeStage(cgroup string) (p *Process, line *os.File, waited bool, err error) {
	begins := cgroup != "" && !cgroups.v1
	ready.Lock()
	if n := len(ready.stages); n > 0 && !begins {
		s := ready.stages[n-1]
		ready.stages = ready.stages[:n-1]
		ready.Unlock()
		return s.p, s.line, true, nil
	}
	ready.Unlock()
	if !begins {
		cgroup = ""
	}
	p, line, err = forkStage(cgroup)
	return p, line, false, err
}

// fillReady starts stages until enough wait. One at a time is started.
func fillReady() {
	for {
		ready.Lock()
		if !ready.keep || ready.filling || len(ready.stages) >= readyMost {
			ready.Unlock()
			return
		}
		ready.filling = true
		ready.Unlock()
		p, line, err := forkStage("")
		ready.Lock()
		ready.filling = false
		keep := err == nil && ready.keep
		if keep {
			ready.stages = append(ready.stages, waitingStage{p, line})
		}
		ready.Unlock()
		if err != nil {
			return // no room, say: the next command tries
		}
		if !keep {
			waitingStage{p, line}.end()
			return
		}
	}
}
