package process

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// Whoever asks while somebody looks gets one look together with all others who wait, and none that
// began before.
func TestOneLookServesAllWhoWait(t *testing.T) {
	p, err := Start(Spec{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := &census{turn: make(chan struct{}, 1)}
	c.turn <- struct{}{} // somebody looks
	const waiting = 100
	var looking sync.WaitGroup
	for i := range waiting {
		looking.Go(func() {
			called := false
			seen, err := c.look(p.PID, func(procStat) { called = true })
			if err != nil || !seen.leader || len(seen.alive) != 1 || !called {
				t.Errorf("%d: %+v, %v, %v", i, seen, err, called)
			}
		})
	}
	for joined := 0; joined < waiting; { // each of them notes what it wants before it waits
		c.mu.Lock()
		if c.next != nil {
			joined = len(c.next.wanted[p.PID])
		}
		c.mu.Unlock()
	}
	<-c.turn
	looking.Wait()
	if c.looks != 1 {
		t.Errorf("%d looks for %d who waited", c.looks, waiting)
	}
	if _, err := c.look(p.PID, nil); err != nil || c.looks != 2 {
		t.Errorf("a later one got an old look: %d, %v", c.looks, err)
	}
	p.Kill(t.Context())
}

// BenchmarkStopMany stops 256 commands that ignore HUP at once, as the end of a daemon does.
func BenchmarkStopMany(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		var all []*Process
		for range 256 {
			p, err := Start(Spec{
				Path: "/bin/sh", Args: []string{"sh", "-c", "trap '' HUP; echo; sleep 1000 & wait"},
				Env: os.Environ()})
			if err != nil {
				b.Fatal(err)
			}
			fmt.Fscanln(p.Stdout)
			all = append(all, p)
		}
		b.StartTimer()
		var stopping sync.WaitGroup
		for _, p := range all {
			stopping.Go(func() { p.Stop(b.Context(), time.Millisecond) })
		}
		stopping.Wait()
		b.StopTimer()
		for _, p := range all {
			p.Close()
		}
		b.StartTimer()
	}
}
