package testend

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntil(t *testing.T) {
	asked := 0
	Until(t, "it was asked three times", func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

// failing is a test that may fail.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, _ ...any) {
	f.said = format
	runtime.Goexit()
}

// Both waits end a test that waits for what never comes, after a minute and no earlier.
func TestWaitsAreBounded(t *testing.T) {
	never := make(chan int)
	for name, wait := range map[string]func(testing.TB){
		"Until": func(t testing.TB) { Until(t, "", func() bool { return false }) },
		"Next":  func(t testing.TB) { Next(t, "", never) },
	} {
		synctest.Test(t, func(t *testing.T) {
			never = make(chan int) // of this bubble
			began, f := time.Now(), &failing{TB: t}
			ended := make(chan struct{})
			go func() { defer close(ended); wait(f) }()
			<-ended
			if !strings.Contains(f.said, "still not") || time.Since(began) != time.Minute {
				t.Errorf("%s: %q after %v", name, f.said, time.Since(began))
			}
		})
	}
}

func TestNext(t *testing.T) {
	from := make(chan int, 1)
	from <- 7
	if n := Next(t, "a number", from); n != 7 {
		t.Errorf("%d comes", n)
	}
	close(from)
	if n := Next(t, "the end", from); n != 0 {
		t.Errorf("%d comes after the end", n)
	}
}

// hurried is a listener whose deadlines have passed.
type hurried struct{ *net.TCPListener }

func (h hurried) SetDeadline(at time.Time) error {
	return h.TCPListener.SetDeadline(at.Add(-time.Hour))
}

func TestAccept(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := &failing{TB: t}
	ended := make(chan struct{})
	go func() { defer close(ended); Accept(f, hurried{l.(*net.TCPListener)}) }()
	Next(t, "Accept gives up", ended)
	if f.said == "" {
		t.Error("nobody connects, and the test goes on")
	}
	var here net.Conn
	t.Run("inside", func(t *testing.T) {
		there, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		there.Close()
		here = Accept(t, l)
		if _, err := here.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	})
	if here.Close() == nil {
		t.Error("it is not closed with its test")
	}
}
