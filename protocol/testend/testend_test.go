package testend

import (
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// A goroutine of this module is found while it lives, and one that is about to end is waited for.
func TestLeftBehind(t *testing.T) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); <-end }()
	found := strings.Join(leftBehind(time.Millisecond), "\n\n")
	if !strings.Contains(found, "TestLeftBehind.func1") ||
		strings.Contains(found, "testend.running") {
		t.Errorf("one goroutine waits, and this was found:\n%s", found)
	}
	close(end)
	<-ended
}

func TestUntil(t *testing.T) {
	asked := 0
	Until(t, "it was asked three times", func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}
