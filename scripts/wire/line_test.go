package wire

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals notes when what was written to it came.
type arrivals struct {
	start time.Time
	at    []time.Duration
	data  []byte
	ended time.Duration
}

func (a *arrivals) Write(p []byte) (int, error) {
	a.at = append(a.at, time.Since(a.start))
	a.data = append(a.data, p...)
	return len(p), nil
}

func (a *arrivals) CloseWrite() error {
	a.ended = time.Since(a.start)
	return nil
}

// Every chunk is late by the delay, from its own time on: one after the other must not add up.
func TestLineDelaysEachChunkOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, from := net.Pipe()
		l := newLine(from, Fate{Delay: 50 * time.Millisecond})
		go l.fill()
		to := &arrivals{start: time.Now()}
		drained := make(chan error, 1)
		go func() { drained <- l.drain(to) }()
		for _, text := range []string{"one", "two", "three"} {
			io.WriteString(in, text)
			<-time.After(10 * time.Millisecond)
		}
		in.Close()
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{50 * time.Millisecond, 60 * time.Millisecond, 70 * time.Millisecond}
		if len(to.at) != 3 || to.at[0] != want[0] || to.at[1] != want[1] || to.at[2] != want[2] ||
			to.ended != 80*time.Millisecond {
			t.Errorf("chunks came at %v and the end at %v; want %v and 80ms", to.at, to.ended, want)
		}
		if string(to.data) != "onetwothree" {
			t.Errorf("came as %q", to.data)
		}
	})
}

// A wire that nobody reads at its far end stops taking bytes at its bound, and goes on when they
// are read.
func TestLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(nil, Fate{Delay: time.Millisecond})
		took, chunk := 0, bytes.Repeat([]byte{0xff}, 32<<20)
		filled := make(chan struct{})
		go func() {
			defer close(filled)
			for l.put(parcel{due: time.Now(), data: chunk}) {
				took++
			}
		}()
		synctest.Wait()
		if took != lineHolds>>25 {
			t.Errorf("took %d chunks of 32 MiB; the line holds %d bytes", took, lineHolds)
		}
		wrote, done, drained := make(chan int), make(chan struct{}), make(chan error, 1)
		go func() {
			drained <- l.drain(writeFunc(func(p []byte) (int, error) {
				select {
				case wrote <- len(p):
					return len(p), nil
				case <-done:
					return 0, net.ErrClosed
				}
			}))
		}()
		for range 2 * lineHolds >> 25 {
			<-wrote
		}
		l.stop()
		close(done)
		<-drained
		<-filled
	})
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }
