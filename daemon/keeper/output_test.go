//go:build unix

package keeper

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"minissh/protocol/testend"
)

// stream is an output whose spool takes so many bytes.
func stream(t *testing.T, room int64, wait bool) *output {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(t.TempDir(), "spool"), os.O_RDWR|os.O_CREATE|os.O_APPEND,
		0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return newOutput(file, &budget{wait: wait, left: room})
}

// taker is somebody who follows an output, and what it has had. At most so many bytes are taken at
// once.
type taker struct {
	mu   sync.Mutex
	text bytes.Buffer
	gaps []int64
	gone chan struct{}
	done chan error
}

func (o *output) takes(at int64) *taker {
	x := &taker{gone: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		x.done <- o.follow(at, false, x.gone).copy(func(p []byte) error {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.text.Write(p)
			return nil
		}, func(n int64) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.gaps = append(x.gaps, n)
			x.text.WriteString("<gap>")
		})
	}()
	return x
}

func (x *taker) has(t *testing.T, want string) {
	t.Helper()
	testend.Until(t, "it has "+want, func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.text.String() == want
	})
}

// haveAll waits until so many have had everything of a spool that is full.
func (o *output) haveAll(t *testing.T, n int) {
	t.Helper()
	testend.Until(t, "they have everything", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.joined()) == n
	})
}

func (o *output) finish() { o.keep(strings.NewReader("")) }

// What a spool takes is had by all who follow, from where they begin.
func TestOutput(t *testing.T) {
	o := stream(t, 1000, false)
	first := o.takes(0)
	o.add([]byte("one "))
	first.has(t, "one ")
	o.add([]byte("two "))
	late, half := o.takes(0), o.takes(4)
	o.add([]byte("three"))
	o.finish()
	for x, want := range map[*taker]string{first: "one two three", late: "one two three",
		half: "two three"} {
		x.has(t, want)
		if err := <-x.done; err != nil || x.gaps != nil {
			t.Errorf("%v, %v", err, x.gaps)
		}
	}
}

// When the spool is full what comes next is counted, and had by those who have had all before; who
// comes later is told how much is missing, where that is.
func TestOutputDropped(t *testing.T) {
	o := stream(t, 10, false)
	o.add([]byte("0123456789AB")) // nobody has AB
	there := o.takes(0)
	there.has(t, "0123456789<gap>")
	o.haveAll(t, 1)
	o.add([]byte("live"))
	there.has(t, "0123456789<gap>live")
	late := o.takes(0)
	o.haveAll(t, 2)
	o.add([]byte("!"))
	o.finish()
	late.has(t, "0123456789<gap>!")
	there.has(t, "0123456789<gap>live!")
	if there.gaps[0] != 2 || late.gaps[0] != 6 || o.dropped != 7 || o.size != 10 {
		t.Errorf("%v, %v, %d, %d", there.gaps, late.gaps, o.dropped, o.size)
	}
	text, _ := os.ReadFile(o.file.Name())
	if string(text) != "0123456789" {
		t.Errorf("the spool has %q", text)
	}
}

// With wait, a job whose spool is full waits until somebody takes its output, or it is stopped.
func TestOutputWaits(t *testing.T) {
	o := stream(t, 4, true)
	added := make(chan struct{})
	go func() { o.add([]byte("0123more")); close(added) }()
	testend.Until(t, "the spool is full", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.full
	})
	select {
	case <-added:
		t.Fatal("it did not wait")
	default:
	}
	x := o.takes(0)
	x.has(t, "0123more")
	<-added
	close(x.gone)
	<-x.done
	added = make(chan struct{})
	go func() { o.add([]byte("lost")); close(added) }()
	o.hurry()
	<-added
	if o.dropped != 8 {
		t.Errorf("%d dropped", o.dropped)
	}
}

// A follower that fails, or leaves, holds up nobody.
func TestOutputLeft(t *testing.T) {
	o := stream(t, 1, false)
	o.add([]byte("0"))
	fails := make(chan error, 1)
	go func() {
		fails <- o.follow(1, false, nil).copy(func([]byte) error { return errors.New("no") },
			func(int64) {})
	}()
	o.add([]byte("1")) // the spool is full; it may have missed that
	o.haveAll(t, 1)
	o.add([]byte("2"))
	if err := <-fails; err == nil || err.Error() != "no" {
		t.Errorf("%v", err)
	}
	x := o.takes(1)
	o.haveAll(t, 1)
	close(x.gone)
	o.add([]byte("3"))
	if err := <-x.done; err != nil {
		t.Error(err)
	}
	if len(o.followers) != 0 {
		t.Errorf("%d are still there", len(o.followers))
	}
}

// Who is attached when the spool becomes full, and has had all so far, misses nothing.
func TestOutputFillsUp(t *testing.T) {
	o := stream(t, 3, false)
	x := o.takes(0)
	o.add([]byte("0"))
	x.has(t, "0")
	testend.Until(t, "it is known to have that", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		for f := range o.followers {
			return f.at == 1
		}
		return false
	})
	o.add([]byte("12345"))
	o.add([]byte("6"))
	o.finish()
	x.has(t, "0123456")
	if err := <-x.done; err != nil || x.gaps != nil || o.dropped != 4 {
		t.Errorf("%v, %v, %d", err, x.gaps, o.dropped)
	}
}

// One that takes nothing holds up neither the job nor the others, unless the job is to wait; and
// then not when it is stopped.
func TestOutputStalls(t *testing.T) {
	for _, wait := range []bool{false, true} {
		o := stream(t, 1, wait)
		o.add([]byte("0"))
		stalled := make(chan struct{})
		gaps := make(chan int64, 10)
		done := make(chan error, 1)
		f := o.follow(1, true, nil)
		f.joined = true
		go func() {
			done <- f.copy(func([]byte) error { <-stalled; return nil },
				func(n int64) { gaps <- n })
		}()
		added := make(chan struct{})
		go func() {
			defer close(added)
			for range 2 * mostQueued {
				o.add([]byte("x"))
			}
			o.finish()
		}()
		if wait {
			testend.Until(t, "it waits", func() bool {
				o.mu.Lock()
				defer o.mu.Unlock()
				return o.dropped > mostQueued
			})
			select {
			case <-added:
				t.Fatal("it did not wait")
			default:
			}
			o.hurry()
		}
		<-added
		close(stalled)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if !wait && <-gaps == 0 {
			t.Error("what was missed is not told")
		}
	}
}

// A disk without room counts as a full spool.
func TestOutputOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("not run: needs /dev/full")
	}
	defer full.Close()
	o := newOutput(full, &budget{left: 1000})
	o.add([]byte("text"))
	if !o.full || o.dropped != 4 || o.size != 0 {
		t.Errorf("%+v", o)
	}
}
