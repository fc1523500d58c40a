//go:build linux || darwin

package process

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// As many commands of an account start at once as half of the processors can start, and the next
// waits until one of them has started, or for a quarter of a second: then it hangs. Another
// account's waits for nobody.
func TestTurns(t *testing.T) {
	if want := max(1, runtime.GOMAXPROCS(0)/2); turnsAtOnce != want {
		t.Errorf("%d at once, want %d", turnsAtOnce, want)
	}
	defer func(n int) { turnsAtOnce = n }(turnsAtOnce)
	turnsAtOnce = 4
	synctest.Test(t, func(t *testing.T) {
		const mallory, alice = 4001, 4002
		var ends []func()
		take := func(uid uint32) {
			t.Helper()
			end, err := awaitTurn(t.Context(), uid)
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		begun := time.Now()
		for range 4 {
			take(mallory)
		}
		take(alice)
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("four of one account and one of another waited %v", waited)
		}
		take(mallory)
		if waited := time.Since(begun); waited != 250*time.Millisecond {
			t.Errorf("after four that hang, the fifth waited %v", waited)
		}
		for range 3 {
			take(mallory)
		}
		after := time.AfterFunc(time.Millisecond, ends[len(ends)-1])
		defer after.Stop()
		begun = time.Now()
		take(mallory)
		if waited := time.Since(begun); waited != time.Millisecond {
			t.Errorf("after one that starts within a millisecond, the next waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := awaitTurn(ctx, mallory); err == nil {
			t.Error("whoever is gone had a turn")
		}
		for _, end := range ends {
			end()
		}
		turns.Lock()
		defer turns.Unlock()
		if len(turns.of) > 0 {
			t.Errorf("%d accounts are left", len(turns.of))
		}
	})
}

// A command has 30 seconds to start (EX8).
func TestStartTimeInNumbers(t *testing.T) {
	if StartTime != 30*time.Second {
		t.Error(StartTime)
	}
}
