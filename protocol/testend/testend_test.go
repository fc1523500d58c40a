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
