package testend

import (
	"testing"
	"time"
)

// waits is how long a test waits: a machine may be busy.
const waits = time.Minute

// Until waits until it is so, and fails the test if that takes too long; what says what it waits
// for. It is for what gives no event, such as a foreign process.
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	over := time.After(waits)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-over:
			t.Fatalf("after %v it is still not so: %s", waits, what)
		}
	}
}
