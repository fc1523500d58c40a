//go:build unix

package dial_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minissh/client/dial"
	"minissh/client/fakedaemon"
	"minissh/client/run"
	"minissh/protocol"
	"minissh/protocol/mux"
)

// talk is a conversation with a command that answers each piece of its input on both streams, and
// ends after the third. It goes over a network in memory, under fake time.
type talk struct {
	*fakedaemon.Network
	t        *testing.T
	starts   atomic.Int32
	out, err bytes.Buffer
	outcome  *run.Outcome
	conn     *dial.Connection // nil: there was no login
}

const turns = 3

func newTalk(t *testing.T) *talk {
	k := &talk{t: t}
	k.Network = fakedaemon.NewNetwork(t, k.command)
	return k
}

// command is the daemon's end.
func (k *talk) command(ch *mux.Channel) {
	k.starts.Add(1)
	fakedaemon.Begin(ch, "")
	buffer := make([]byte, 100)
	for turn := 0; ; {
		e, err := ch.Next(buffer)
		if err != nil {
			k.t.Errorf("the command's input: %v", err)
			return
		}
		if e.EOF {
			break
		}
		for range e.N {
			fmt.Fprintf(writer{ch, protocol.TypeStdout}, "out %d %s\n", turn,
				strings.Repeat("o", 100*turn))
			fmt.Fprintf(writer{ch, protocol.TypeStderr}, "err %d\n", turn)
			turn++
		}
	}
	fakedaemon.Exited(ch, 7)
}

type writer struct {
	ch   *mux.Channel
	kind protocol.Type
}

func (w writer) Write(p []byte) (int, error) { return w.ch.Write(w.kind, p) }

// run is the client's end. It says whether the login succeeded.
func (k *talk) run() bool {
	var ch *mux.Channel
	conn, err := k.Dialer.Dial(k.t.Context(), func(s *mux.Session) (err error) {
		ch, err = s.Open(&protocol.Open{Service: "exec", Command: protocol.Bytes("talk")})
		return err
	})
	if err != nil {
		return false
	}
	k.conn = conn
	go func() {
		for range turns {
			<-time.After(100 * time.Millisecond)
			ch.Write(protocol.TypeStdin, []byte("x"))
		}
		ch.EOF(protocol.TypeStdin)
	}()
	if k.outcome, err = run.Follow(ch, run.Streams{Stdout: &k.out, Stderr: &k.err}); err != nil {
		k.t.Errorf("the session: %v", err)
	}
	ch.Close(nil)
	conn.Session.Close(nil)
	return true
}

// check is the oracle: everything came once, and the command was started once.
func (k *talk) check(what string) {
	k.t.Helper()
	out, err := "", ""
	for turn := range turns {
		out += fmt.Sprintf("out %d %s\n", turn, strings.Repeat("o", 100*turn))
		err += fmt.Sprintf("err %d\n", turn)
	}
	if k.out.String() != out || k.err.String() != err {
		k.t.Errorf("%s: the output is %q and %q", what, k.out.String(), k.err.String())
	}
	if n := k.starts.Load(); n != 1 {
		k.t.Errorf("%s: %d starts", what, n)
	}
	if k.outcome == nil || k.outcome.ExitCode() != 7 {
		k.t.Errorf("%s: %+v", what, k.outcome)
	}
}

// whole is a conversation without a cut: what passes in both directions.
func whole(t *testing.T) (up, down *fakedaemon.Pieces) {
	up, down = fakedaemon.Records(), fakedaemon.Records()
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.Link = func(_ int, l *fakedaemon.Link) error {
			l.Up.Watch(up.See)
			l.Down.Watch(down.See)
			return nil
		}
		if !k.run() {
			t.Fatal("no login")
		}
		k.check("no cut")
		if n := len(k.Links()); n != 1 {
			t.Errorf("%d links", n)
		}
	})
	if len(up.Ends()) < 8 || len(down.Ends()) < 8 {
		t.Fatalf("%d and %d records", len(up.Ends()), len(down.Ends()))
	}
	return up, down
}

func flow(l *fakedaemon.Link, up bool) *fakedaemon.Flow {
	if up {
		return l.Up
	}
	return l.Down
}

// The first link is cut before, inside and after every record, in both directions: so that both
// ends see it, or so that nobody does. The rest goes over the second link, and nothing happens
// twice. Before HELLO has been sent nothing can have happened, and the client may give up.
func TestCutEverywhere(t *testing.T) {
	up, down := whole(t)
	for _, way := range []struct {
		name string
		cut  func(*fakedaemon.Link)
	}{{"closed", (*fakedaemon.Link).Close}, {"silent", (*fakedaemon.Link).Lose}} {
		for _, upwards := range []bool{true, false} {
			at := down
			if upwards {
				at = up
			}
			for _, place := range at.Places() {
				what := fmt.Sprintf("%s after %d bytes, up: %v", way.name, place, upwards)
				synctest.Test(t, func(t *testing.T) {
					k := newTalk(t)
					k.Dialer.Options.ConnectTimeout = 2 * time.Minute
					k.Link = func(n int, l *fakedaemon.Link) error {
						if n == 0 {
							flow(l, upwards).After(place, func() { way.cut(l) })
						}
						return nil
					}
					began := time.Now()
					if k.run() {
						k.check(what)
					} else if n := k.starts.Load(); n > 0 {
						t.Errorf("%s: no login, but %d starts", what, n)
					}
					if took := time.Since(began); took > 3*time.Minute {
						t.Errorf("%s: it took %v", what, took)
					}
				})
				if t.Failed() {
					return
				}
			}
		}
	}
}

// The old link answers late: what was under way on it comes while the new one is being made, in
// both directions.
func TestLinksCross(t *testing.T) {
	up, down := whole(t)
	hello := up.Ends()[min(len(up.Ends()), 4)-1] // about where it ends
	for _, upwards := range []bool{true, false} {
		at := down
		if upwards {
			at = up
		}
		for _, place := range at.Ends() {
			if place < hello {
				continue
			}
			for _, late := range []struct {
				up bool
				at int64
			}{{true, 0}, {true, hello}, {true, hello + 1}, {false, down.Ends()[3]},
				{false, down.Ends()[len(down.Ends())/2]}, {true, up.Ends()[len(up.Ends())-2]}} {
				what := fmt.Sprintf("held after %d bytes, up: %v; released after %+v", place,
					upwards, late)
				synctest.Test(t, func(t *testing.T) {
					k := newTalk(t)
					var old *fakedaemon.Link
					k.Link = func(n int, l *fakedaemon.Link) error {
						switch n {
						case 0:
							old = l
							flow(l, upwards).After(place, l.Hold)
						case 1:
							flow(l, late.up).After(late.at, old.Release)
						}
						return nil
					}
					if k.run() {
						k.check(what)
					} else {
						t.Errorf("%s: no login", what)
					}
				})
				if t.Failed() {
					return
				}
			}
		}
	}
}
