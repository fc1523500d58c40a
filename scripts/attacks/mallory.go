//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"minissh/protocol/keys"
)

// shortVariable tells the attacker that this is a short run.
const shortVariable = "MINISSH_ATTACK_SHORT"

// mallory is the attacker's process.
type mallory struct {
	ctx  context.Context // ends when the attack is to end
	home string
	key  keys.Identity // opens mallory's and trudy's accounts
	box  keys.Identity // may copy files in ~/box, and nothing else
	cpu  string        // the processor that commands of hers are to use, too

	mu    sync.Mutex      // guards the rest
	noted map[string]bool // what has been said
}

// maxNotes bounds what the attacker tells of the daemon's answers.
const maxNotes = 12

// beAttacker carries out one attack until standard input ends.
func beAttacker(args []string) error {
	chosen, err := choose(args)
	if err != nil || len(chosen) != 1 {
		return fmt.Errorf("one attack has to be named: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go untilStdinEnds(cancel)
	m := &mallory{ctx: ctx, home: filepath.Join(homes, "mallory"), noted: map[string]bool{}}
	if m.key, err = keys.LoadFile(filepath.Join(m.home, ".ssh/id_ed25519"), nil); err != nil {
		return err
	}
	if m.box, err = keys.LoadFile(filepath.Join(m.home, ".ssh", boxKey), nil); err != nil {
		return err
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			m.cpu = strconv.Itoa(cpu)
		}
	}
	return chosen[0].run(m)
}

// on says that the attack is on, once an event has come (nil: now) or will not come any more, and
// lasts until it is to end.
func (m *mallory) on(event <-chan struct{}) error { return m.lasting(event, 3*time.Second) }

// lasting is on for an event that takes longer.
func (m *mallory) lasting(event <-chan struct{}, limit time.Duration) error {
	if event != nil {
		select {
		case <-event:
		case <-m.ctx.Done():
		case <-time.After(limit):
			m.note("what the attack waits for has not come within %v", limit)
		}
	}
	m.say("ready")
	<-m.ctx.Done()
	return nil
}

// say writes a line for the trial.
func (m *mallory) say(line string) { fmt.Fprintln(os.Stdout, line) }

// note tells something once.
func (m *mallory) note(format string, args ...any) {
	text := clip(fmt.Sprintf(format, args...))
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.noted[text] && len(m.noted) < maxNotes {
		m.noted[text] = true
		m.say("note: " + text)
	}
}

// again does something n times at once, again and again until the attack ends. What fails is noted,
// and done again after a pause.
func (m *mallory) again(n int, pause time.Duration, do func() error) {
	for range n {
		go func() {
			for m.ctx.Err() == nil {
				if err := do(); err != nil {
					m.note("%v", err)
				}
				m.wait(pause)
			}
		}()
	}
}

// wait lets time pass, but not beyond the attack's end.
func (m *mallory) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-m.ctx.Done():
	}
}

// countdown closes its channel after n calls.
func countdown(n int) (event chan struct{}, one func()) {
	event = make(chan struct{})
	var mu sync.Mutex
	return event, func() {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			close(event)
		}
	}
}

// errEnded is the attack's end.
var errEnded = errors.New("the attack has ended")
