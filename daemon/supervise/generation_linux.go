package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
)

// mark is the variable by which a supervisor tells a generation so: the supervisor's process id.
const mark = "MINISSHD_SUPERVISOR"

// Descriptors that a generation begins with: its end of the link, and then those that it inherits.
const (
	linkFD  = 3
	firstFD = 4
)

// Keys of memory that is shared.
const (
	rollKey    = "roll"
	numbersKey = "numbers"
)

// Generation is a daemon proper's way to its supervisor. The nil Generation has no supervisor, and
// its methods do nothing.
type Generation struct {
	link    *link
	roll    *roll  // nil: the supervisor could not make one
	numbers *int64 // nil likewise
	leave   chan struct{}
	stop    chan struct{}
	hurry   chan struct{}
	begin   chan struct{} // closed at go
	wanted  chan struct{}
	done    chan Outcome // of an upgrade that was asked for
	asking  sync.Mutex   // held while one is asked for

	mu   sync.Mutex // guards the rest
	held map[string]int
	uses []string
	over bool // the supervisor has died, or we were told to leave
	heir bool // another generation serves from then on
}

// Outcome is how an upgrade went.
type Outcome struct {
	PID int    // of the new generation; 0: there is none
	Err string // why, and
	Fix string // what to type; "" if nothing is known
}

// Join takes up what a supervisor passed to this process; nil if it was not started by one. It is
// to be called once, before anything else opens files.
func Join() (*Generation, error) {
	text := os.Getenv(mark)
	os.Unsetenv(mark)
	if text == "" || text != strconv.Itoa(os.Getppid()) {
		return nil, nil
	}
	g := &Generation{held: map[string]int{}, leave: make(chan struct{}),
		stop: make(chan struct{}), hurry: make(chan struct{}), begin: make(chan struct{}),
		wanted: make(chan struct{}, 1), done: make(chan Outcome, 1)}
	unix.CloseOnExec(linkFD)
	var err error
	if g.link, err = newLink(linkFD); err != nil {
		return nil, fmt.Errorf("the supervisor: %w", err)
	}
	g.link.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	m, _, err := g.link.receive()
	if err != nil || m.Kind != kindKeys {
		return nil, fmt.Errorf("the supervisor said %q: %w", m.Kind, err)
	}
	g.link.conn.SetReadDeadline(time.Time{})
	for i, key := range m.Keys {
		unix.CloseOnExec(firstFD + i)
		g.held[key] = firstFD + i
	}
	g.takeMemory()
	go g.listen()
	return g, nil
}

// takeMemory maps the memory that is shared, where there is some.
func (g *Generation) takeMemory() {
	if fd, there := g.held[rollKey]; there {
		if slots, _, err := mapMemory(fd, rollSlots); err == nil {
			g.roll = newRoll(slots)
			process.UseRoll(g.roll)
		}
		unix.Close(fd)
		delete(g.held, rollKey)
	}
	if fd, there := g.held[numbersKey]; there {
		if numbers, _, err := mapMemory(fd, 1); err == nil {
			g.numbers = &numbers[0]
		}
		unix.Close(fd)
		delete(g.held, numbersKey)
	}
}

// listen takes what the supervisor says, until it is gone.
func (g *Generation) listen() {
	begin, stop := sync.OnceFunc(func() { close(g.begin) }), sync.OnceFunc(func() { close(g.stop) })
	hurry := sync.OnceFunc(func() { close(g.hurry) })
	leave := sync.OnceFunc(func() {
		g.mu.Lock()
		g.over = true
		g.mu.Unlock()
		close(g.leave)
	})
	for {
		m, fds, err := g.link.receive()
		closeFDs(fds)
		if err != nil { // it is dead: nobody passes the sockets on
			leave()
			return
		}
		switch m.Kind {
		case kindGo:
			begin()
		case kindLeave:
			g.mu.Lock()
			g.heir = m.PID != 0
			g.mu.Unlock()
			leave()
		case kindStop:
			stop()
		case kindHurry:
			stop()
			hurry()
		case kindWanted:
			g.wanted <- struct{}{}
		case kindUpgraded:
			select {
			case g.done <- Outcome{m.PID, m.Text, m.Hint}:
			default:
			}
		}
	}
}

// Leave is closed when this generation is to accept no more connections, Stop when it is to end,
// and Hurry when it is to end at once. All are nil if there is no supervisor.
func (g *Generation) Leave() <-chan struct{} {
	return g.channel(func() chan struct{} { return g.leave })
}

// Stop is closed when this generation is to end.
func (g *Generation) Stop() <-chan struct{} {
	return g.channel(func() chan struct{} { return g.stop })
}

// Hurry is closed when it is to end at once.
func (g *Generation) Hurry() <-chan struct{} {
	return g.channel(func() chan struct{} { return g.hurry })
}

func (g *Generation) channel(of func() chan struct{}) <-chan struct{} {
	if g == nil {
		return nil
	}
	return of()
}

// Replaced says, once Leave is closed, whether another generation serves from then on: else the
// supervisor ends, or has died, and perhaps nobody does.
func (g *Generation) Replaced() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.heir
}

// Take is a descriptor that an earlier generation kept by this name, nil if there is none. It is
// given once.
func (g *Generation) Take(key string) *os.File {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fd, there := g.held[key]
	if !there {
		return nil
	}
	delete(g.held, key)
	f, err := fileOf(fd, key)
	if err != nil {
		return nil
	}
	g.uses = append(g.uses, key)
	return f
}

// Keep has the supervisor keep a descriptor, by a name of its own, for the next generation.
func (g *Generation) Keep(key string, c syscall.Conn) error {
	if g == nil {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		sent = g.link.send(message{Kind: kindKeep, Text: key}, int(fd))
	}); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uses = append(g.uses, key)
	return sent
}

// Want says which of the descriptors whose names begin with a prefix are wanted, and whether there
// are others. If no other generation serves, those are closed here when it returns: what they block
// can be opened again, as soon as the service manager has closed them too.
func (g *Generation) Want(prefix string, keys []string) (others bool, err error) {
	if g == nil {
		return false, nil
	}
	wanted := map[string]bool{}
	for _, key := range keys {
		wanted[key] = true
	}
	g.mu.Lock()
	for key, fd := range g.held {
		if strings.HasPrefix(key, prefix) && !wanted[key] {
			unix.Close(fd)
			delete(g.held, key)
			others = true
		}
	}
	g.mu.Unlock()
	if err := g.link.send(message{Kind: kindWant, Text: prefix, Keys: keys}); err != nil {
		return others, err
	}
	return others, g.await(g.wanted, 10*time.Second)
}

// Activated lists what a service manager opened, in its order.
func (g *Generation) Activated() (files []*os.File) {
	for i := 0; g != nil; i++ {
		f := g.Take(activatedKey(i))
		if f == nil {
			break
		}
		files = append(files, f)
	}
	return files
}

// Ready says that everything is there for this generation to serve, and returns when it may.
func (g *Generation) Ready() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	uses := g.uses
	for key, fd := range g.held { // nobody wants them
		unix.Close(fd)
		delete(g.held, key)
	}
	g.mu.Unlock()
	if err := g.link.send(message{Kind: kindReady, Keys: uses}); err != nil {
		return err
	}
	return g.await(g.begin, time.Minute)
}

// await waits for the supervisor.
func (g *Generation) await(what <-chan struct{}, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-what:
		return nil
	case <-g.leave:
	case <-g.stop:
	case <-timer.C:
	}
	return errors.New("the supervisor does not want this daemon any more")
}

// Left says that this generation accepts no more connections.
func (g *Generation) Left() {
	if g != nil {
		g.link.send(message{Kind: kindLeft})
	}
}

// Failed says why this generation cannot start.
func (g *Generation) Failed(why, hint string) {
	if g != nil {
		g.link.send(message{Kind: kindFailed, Text: why, Hint: hint})
	}
}

// Tell has the supervisor tell the service manager something, unless this generation is an old one.
func (g *Generation) Tell(assignments string) {
	if g != nil {
		g.link.send(message{Kind: kindTell, Text: assignments})
	}
}

// Upgrade has the supervisor replace this generation.
func (g *Generation) Upgrade(ctx context.Context) (Outcome, error) {
	if !g.asking.TryLock() {
		return Outcome{Err: "a new one is being started already"}, nil
	}
	defer g.asking.Unlock()
	select {
	case <-g.done: // of somebody who gave up
	default:
	}
	if err := g.link.send(message{Kind: kindUpgrade}); err != nil {
		return Outcome{}, fmt.Errorf("the supervisor cannot be asked: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startMost+leaveMost+10*time.Second)
	defer cancel()
	select {
	case done := <-g.done:
		return done, nil
	case <-ctx.Done():
		return Outcome{}, errors.New("the supervisor does not answer")
	}
}

// Number is the next of a series that all generations share, from 1; 0: there is none.
func (g *Generation) Number() int64 {
	if g == nil || g.numbers == nil {
		return 0
	}
	return atomic.AddInt64(g.numbers, 1)
}

// Counts says whether any Number of the series has been given.
func (g *Generation) Counts() bool {
	return g != nil && g.numbers != nil && atomic.LoadInt64(g.numbers) > 0
}

// Above makes the next Number greater than last plus some more, if that is not in the series yet.
func (g *Generation) Above(last, more int64) {
	if g == nil || g.numbers == nil {
		return
	}
	for {
		now := atomic.LoadInt64(g.numbers)
		if now >= last || atomic.CompareAndSwapInt64(g.numbers, now, last+more) {
			return
		}
	}
}

// Old says whether this generation has been told to leave.
func (g *Generation) Old() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

func activatedKey(i int) string { return "activated/" + strconv.Itoa(i) }
